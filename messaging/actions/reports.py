"""Reports of abuse: sent by members with what they disclose, looked at and closed by moderators."""

import uuid
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging import access, policy
from messaging.access import SeenThread
from messaging.actions.notices import resolve_report, tell_of_outcome, tell_of_report
from messaging.models import ItemType, Report, ReportedMessage, ReportOutcome, ThreadItem
from messaging.permissions import Permission
from messaging.refusals import protocol_rules, refusal
from messaging.report_protocol import DisclosedText, ReportPlace
from messaging.sealed.message import Message, read_message, read_padded
from messaging.sealed.record import Disclosed
from messaging.sealed.report import Report as SignedReport
from messaging.sealed.report import read_report
from messaging.sealed.statement import verify
from messaging.sealed.thread import check_author
from messaging.sealed_states import newest_keyrings, thread_state
from network import audit
from network.field_encryption import seal_field
from network.policy import Actor
from network.realtime import publish_on_commit

CLOCK = timedelta(seconds=300)  # how far a device may be ahead
LATEST = timedelta(days=1)  # from signing to sending
STATEMENT_FIELD, DISCLOSED_FIELD = "report.statement", "report.disclosed"


@transaction.atomic(durable=True)
def note_export(actor: Actor, *, thread_id: str, seq: int | None) -> None:
    """Note that a member makes a record of a thread, or of one message of it; raises `NotFound`."""
    access.stand(actor, Permission.RECORD_EXPORT)
    seen = access.get_thread_to_read(actor, thread_id, to=Permission.RECORD_EXPORT)
    if seq is not None and not 1 <= seq <= seen.seq:
        raise refusal("beyond-the-end")
    audit.record(actor, "record:export", thread_id, seq=seq)


def send_report(
    actor: Actor, *, thread_id: str, report: bytes, messages: Sequence[DisclosedText]
) -> ReportPlace:
    """Take a report of messages of a thread, after holding each disclosed text against its commitment.

    Raises `NotFound`, `Forbidden`; `Conflict("already-reported")` for a message that the authority has
    reported before; whatever rule of the protocol is broken.
    """
    access.require(actor, Permission.REPORT_SEND)
    with protocol_rules():
        signed = read_report(settings.ORIGIN_NAME, report)
    if signed.thread.hex() != thread_id or len(messages) != len(signed.messages):
        raise refusal("wrong-thread" if signed.thread.hex() != thread_id else "wrong-messages")
    try:
        return _store(actor, signed, messages)
    except IntegrityError as error:
        raise refusal("already-reported") from error


@transaction.atomic(durable=True)
def _store(actor: Actor, signed: SignedReport, messages: Sequence[DisclosedText]) -> ReportPlace:
    access.stand(actor, Permission.REPORT_SEND)
    seen = access.get_thread(actor, signed.thread.hex(), to=Permission.REPORT_SEND)
    _check_signature(actor, signed, seen)
    items = _items(signed)
    shown = dict(zip(items, messages, strict=True))
    if all(message.by.principal == signed.by.principal for message in items.values()):
        raise refusal("own-messages")
    for seq, message in items.items():
        with protocol_rules():  # R3
            read_padded(settings.ORIGIN_NAME, message, shown[seq].blind, shown[seq].padded)
    row = Report.objects.create(
        thread_id=seen.thread.id,
        principal_id=seen.own.principal_id,
        device_id=signed.device.hex(),
        membership_id=actor.membership_id,
        statement_hash=signed.statement.hash.hex(),
        statement=_sealed(STATEMENT_FIELD, signed.statement.raw),
        cause=signed.cause,
        reported_at=timezone.now(),
    )
    ReportedMessage.objects.bulk_create(
        ReportedMessage(
            report=row,
            thread_id=seen.thread.id,
            principal_id=seen.own.principal_id,
            seq=seq,
            disclosed=_sealed(DISCLOSED_FIELD, Disclosed(one.blind, one.padded).encode()),
        )
        for seq, one in shown.items()
    )
    told = tell_of_report(row.id)
    audit.record(
        actor, "report:send", row.id.hex, thread=seen.thread.id, cause=signed.cause, messages=len(shown)
    )
    publish_on_commit(*told)
    return ReportPlace(report=row.id.hex)


def _check_signature(actor: Actor, signed: SignedReport, seen: SeenThread) -> None:
    """R4: signed now, by the actor's own listed device of a member."""
    now = timezone.now()
    if signed.statement.at > (now + CLOCK).timestamp():
        raise refusal("clock-ahead")
    if signed.statement.at < (now - LATEST).timestamp():
        raise refusal("too-late")
    access.get_signing_device(actor, signed.device.hex())
    keyrings = newest_keyrings(member.principal for member in seen.members)
    with protocol_rules():
        members = thread_state(seen.thread, seen.members, []).members
        device = check_author("M1", members, signed.by, signed.device, keyrings, reading=False)
        verify(signed.statement, device.sig, settings.ORIGIN_NAME)


def _items(signed: SignedReport) -> Mapping[int, Message]:
    """Return the messages that the report names, by place; raises unless each stands there in this thread."""
    rows = ThreadItem.objects.filter(
        thread_id=signed.thread.hex(), seq__in=[seq for seq, _ in signed.messages], type=ItemType.MESSAGE
    )
    found = {row.seq: row for row in rows}
    for seq, item in signed.messages:
        if seq not in found or found[seq].item_hash != item.hex():
            raise refusal("not-in-thread")
    with protocol_rules():
        return {seq: read_message(settings.ORIGIN_NAME, bytes(found[seq].item)) for seq, _ in signed.messages}


def _sealed(name: str, value: bytes) -> bytes:
    return seal_field(name, b64encode(value).decode("ascii"))


@transaction.atomic(durable=True)
def note_reading(actor: Actor, *, report_id: uuid.UUID) -> None:
    """Note that a moderator reads what was disclosed; raises `NotFound`."""
    access.stand(actor, Permission.REPORT_READ)
    row = access.get_report(actor, report_id, to=Permission.REPORT_READ)
    audit.record(actor, "report:read", row.id.hex, concerns=[row.principal.authority_id])


@transaction.atomic(durable=True)
def close_report(actor: Actor, *, report_id: uuid.UUID, outcome: str) -> None:
    """Say what the moderators found; raises `NotFound`, and `Conflict` for a report that is closed."""
    access.stand(actor, Permission.REPORT_CLOSE)
    row = access.get_report(actor, report_id, to=Permission.REPORT_CLOSE, locked=True)
    if outcome not in policy.REPORT_OUTCOMES:
        raise refusal("unknown-outcome")
    if row.outcome != ReportOutcome.OPEN:
        raise refusal("report-closed")
    row.outcome, row.closed_at, row.closed_by_id = outcome, timezone.now(), actor.membership_id
    row.save(update_fields=["outcome", "closed_at", "closed_by"])
    told = resolve_report(row.id) + tell_of_outcome(row)
    authority = row.principal.authority_id
    audit.record(actor, "report:close", row.id.hex, concerns=[authority], outcome=outcome)
    publish_on_commit(*told)


def forget_reports() -> None:
    """Forget what was disclosed in reports that were closed long ago; several processes may do this.

    That a message was reported, why, and what was found stays: nobody discloses the same message twice.
    """
    late = timezone.now() - timedelta(days=settings.REPORT_DAYS)
    due = Report.objects.filter(closed_at__lt=late, cleared_at__isnull=True).order_by("closed_at", "id")
    for report_id in due.values_list("id", flat=True):
        _forget(report_id)


@transaction.atomic(durable=True)
def _forget(report_id: uuid.UUID) -> None:
    row = Report.objects.select_for_update().filter(id=report_id, cleared_at__isnull=True).first()
    if row is None:
        return
    ReportedMessage.objects.filter(report=row).update(disclosed=b"")
    row.statement, row.cleared_at = b"", timezone.now()
    row.save(update_fields=["statement", "cleared_at"])
    audit.record(None, "report:forget", row.id.hex, concerns=[row.principal.authority_id])
