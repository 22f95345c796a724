"""Reports for the moderators of the secretariat: the list without texts, and one with what was disclosed."""

import uuid
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging import access
from messaging.models import Report, ReportedMessage, ReportOutcome, ThreadItem
from messaging.permissions import Permission
from messaging.sealed.device import read_device
from messaging.sealed.message import Note, Plaintext, read_message, read_padded
from messaging.sealed.record import read_disclosed
from messaging.sealed.report import read_report
from network.errors import NotFound
from network.field_encryption import open_field
from network.policy import Actor
from network.queries.directory import names_of

ROWS_MOST = 50
STATEMENT_FIELD, DISCLOSED_FIELD = "report.statement", "report.disclosed"

CAUSES: dict[str, Promise] = {
    "harm": _("A harmful file, link or instruction"),
    "impersonation": _("Somebody pretends to be who they are not"),
    "other": _("Something else"),
    "pressure": _("Threats, insults or an offer of money"),
    "purpose": _("Used for what the network is not for"),
}
OUTCOMES: dict[str, Promise] = {
    ReportOutcome.OPEN: _("Open"),
    ReportOutcome.FOUNDED: _("Founded"),
    ReportOutcome.UNFOUNDED: _("Not founded"),
}


@dataclass(frozen=True)
class ReportRow:
    """A report in the list: who reports, why, how many messages; no text."""

    id: uuid.UUID
    authority: str
    state: str
    cause: Promise
    count: int
    at: datetime
    outcome: Promise
    is_open: bool


@dataclass(frozen=True)
class ShownMessage:
    """A disclosed message, verified again: who signed it, when, and the text."""

    seq: int
    name: str
    office: str
    authority: str
    state: str
    received_at: datetime
    subject: str
    language: str
    paragraphs: Sequence[str]
    files: Sequence[str]


@dataclass(frozen=True)
class OwnReport:
    """What an authority sees of a report of its own: when, by whom, of which messages, and what was found."""

    at: datetime
    reporter: str
    cause: Promise
    places: Sequence[int]
    outcome: Promise
    is_open: bool
    closed_at: datetime | None


@dataclass(frozen=True)
class ShownReport:
    """A report with what was disclosed, which is nothing any more after `cleared_at`."""

    row: ReportRow
    reporter: str
    office: str
    words: Sequence[str]
    messages: Sequence[ShownMessage]
    closed_by: str
    closed_at: datetime | None
    cleared_at: datetime | None


def list_own_reports(actor: Actor, thread_id: str) -> list[OwnReport]:
    """Return what the own authority has reported of a thread, the newest first; raises `NotFound`."""
    own = access.get_thread(actor, thread_id, to=Permission.REPORT_SEND).own
    rows = Report.objects.filter(thread_id=thread_id, principal_id=own.principal_id)
    rows = rows.select_related("membership__person").prefetch_related("messages").order_by("-reported_at")
    return [
        OwnReport(
            at=row.reported_at,
            reporter=row.membership.person.name,
            cause=CAUSES[row.cause],
            places=sorted(message.seq for message in row.messages.all()),
            outcome=OUTCOMES[row.outcome],
            is_open=row.outcome == ReportOutcome.OPEN,
            closed_at=row.closed_at,
        )
        for row in rows[:ROWS_MOST]
    ]


def list_reports(actor: Actor, *, before: uuid.UUID | None = None) -> tuple[list[ReportRow], bool]:
    """Return at most 50 reports, the newest first, and whether there are older ones."""
    access.require(actor, Permission.REPORT_LIST)
    rows = Report.objects.select_related("principal__authority__state").annotate(count=Count("messages"))
    if before:
        place = Report.objects.filter(id=before).values_list("reported_at", flat=True).first()
        if place is None:
            raise NotFound
        rows = rows.filter(reported_at__lt=place)
    found = list(rows.order_by("-reported_at", "-id")[: ROWS_MOST + 1])
    return [_row(row, getattr(row, "count", 0)) for row in found[:ROWS_MOST]], len(found) > ROWS_MOST


def _row(row: Report, count: int) -> ReportRow:
    authority = row.principal.authority
    return ReportRow(
        id=row.id,
        authority=authority.name,
        state=names_of(authority.state).name() if authority.state else "",
        cause=CAUSES[row.cause],
        count=count,
        at=row.reported_at,
        outcome=OUTCOMES[row.outcome],
        is_open=row.outcome == ReportOutcome.OPEN,
    )


def read_shown_report(actor: Actor, report_id: uuid.UUID) -> ShownReport:
    """Return a report with what was disclosed; raises `NotFound`. Each text is verified anew."""
    row = access.get_report(actor, report_id, to=Permission.REPORT_READ)
    disclosed = list(row.messages.order_by("seq"))
    member = row.membership
    return ShownReport(
        row=_row(row, len(disclosed)),
        reporter=member.person.name,
        office=member.office,
        words=[] if row.cleared_at else _paragraphs(_words(row)),
        messages=[] if row.cleared_at else [_shown(each) for each in disclosed],
        closed_by=row.closed_by.person.name if row.closed_by else "",
        closed_at=row.closed_at,
        cleared_at=row.cleared_at,
    )


def _words(row: Report) -> str:
    return read_report(settings.ORIGIN_NAME, _opened(STATEMENT_FIELD, bytes(row.statement))).words


def _opened(name: str, sealed: bytes) -> bytes:
    return b64decode(open_field(name, sealed))


def _shown(reported: ReportedMessage) -> ShownMessage:
    joined = ThreadItem.objects.select_related("device", "principal__authority__state")
    item = joined.get(thread_id=reported.thread_id, seq=reported.seq)
    message = read_message(settings.ORIGIN_NAME, bytes(item.item))
    found = read_disclosed(_opened(DISCLOSED_FIELD, bytes(reported.disclosed)))
    text = read_padded(settings.ORIGIN_NAME, message, found.blind, found.padded)
    device = read_device(settings.ORIGIN_NAME, bytes(item.device.statement))
    authority = item.principal.authority
    return ShownMessage(
        seq=item.seq,
        name=device.name,
        office=device.office,
        authority=authority.name,
        state=names_of(authority.state).name() if authority.state else "",
        received_at=item.received_at,
        subject=text.subject or "",
        language=text.language,
        paragraphs=_text(text),
        files=[file.name for file in text.body.files],
    )


def _text(text: Plaintext) -> list[str]:
    return _paragraphs(text.body.text) if isinstance(text.body, Note) else []


def _paragraphs(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]
