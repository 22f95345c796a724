"""The audit record as an authority may read it: what it did and what concerns it, nothing of others."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from string import hexdigits
from typing import TypeGuard

from django.db.models import Q, QuerySet

from network.acts import in_words
from network.audit import as_hashed
from network.audit_check import Entry
from network.audit_words import facts_in_words
from network.errors import Sentence
from network.models import AuditConcern, AuditEntry, AuditHead, Authority, AuthorityKind, Membership
from network.policy import Actor

LINES_AT_ONCE = 50
EXPORT_MOST = 20_000
_AT_ONCE = 500


@dataclass(frozen=True)
class Wanted:
    """Which entries a reader asked for; `before` is the number above the first one."""

    act: str = ""
    member: uuid.UUID | None = None
    since: date | None = None
    until: date | None = None
    before: int | None = None


@dataclass(frozen=True)
class Line:
    """One entry as a page shows it; names only of the reader's own people."""

    n: int
    at: datetime
    sentence: Sentence
    who: str
    acting_for: str
    about: str
    facts: list[tuple[Sentence, Sentence]] = field(default_factory=list)


def list_audit(actor: Actor, wanted: Wanted) -> tuple[list[Line], int | None]:
    """Return the newest lines the actor may read, and the number to go on before, if there are more."""
    entries = list(_entries(actor, wanted)[: LINES_AT_ONCE + 1])
    more = entries[LINES_AT_ONCE - 1].n if len(entries) > LINES_AT_ONCE else None
    return _lines(actor, entries[:LINES_AT_ONCE]), more


def list_audit_to_export(actor: Actor, wanted: Wanted) -> Iterator[tuple[str, Entry]]:
    """Give each entry, newest first and at most 20,000, after the hash of the one before it in the chain."""
    entries = iter(_entries(actor, wanted)[:EXPORT_MOST].iterator(chunk_size=_AT_ONCE))
    while page := list(islice(entries, _AT_ONCE)):
        before = {entry.n - 1 for entry in page}
        hashes = dict(AuditEntry.objects.filter(n__in=before).values_list("n", "hash"))
        yield from ((hashes.get(entry.n - 1, ""), as_hashed(entry)) for entry in page)


def audit_head() -> tuple[int, str]:
    """Return the number and hash of the newest entry of all."""
    return AuditHead.objects.filter(id=1).values_list("n", "hash").first() or (0, "")


def list_own_members(actor: Actor) -> list[tuple[str, str]]:
    """Return (id, name) of everybody who has or had a standing in the actor's authority."""
    rows = Membership.objects.filter(authority_id=actor.authority_id).order_by("person__name", "id")
    return [(str(member), name) for member, name in rows.values_list("id", "person__name")[:500]]


def _entries(actor: Actor, wanted: Wanted) -> QuerySet[AuditEntry]:
    concerning = AuditConcern.objects.filter(authority_id=actor.authority_id).values("entry_id")
    visible = Q(authority_id=actor.authority_id) | Q(n__in=concerning)
    if actor.authority_kind == AuthorityKind.SECRETARIAT:
        visible |= Q(authority_id=None, concerns=[])  # what the server did by itself, about nobody
    return AuditEntry.objects.filter(visible, _wanted(actor, wanted)).order_by("-n")


def _wanted(actor: Actor, wanted: Wanted) -> Q:
    asked = Q(act=wanted.act) if wanted.act else Q()
    if wanted.member:
        own = Membership.objects.filter(authority_id=actor.authority_id, id=wanted.member).exists()
        made = Q(membership_id=wanted.member) | Q(subject=wanted.member.hex)
        asked &= made if own else Q(n=0)
    if wanted.since:
        asked &= Q(at__gte=_midnight(wanted.since))
    if wanted.until:
        asked &= Q(at__lt=_midnight(wanted.until) + timedelta(days=1))
    if wanted.before is not None:
        asked &= Q(n__lt=wanted.before)
    return asked


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _lines(actor: Actor, entries: Sequence[AuditEntry]) -> list[Line]:
    names = _names(actor, entries)
    return [
        Line(
            n=entry.n,
            at=entry.at,
            sentence=in_words(entry.act),
            who=names.get(_hex(entry.membership_id), "") or names.get(_hex(entry.authority_id), ""),
            acting_for=names.get(str(entry.facts.get("acting_for", "")), ""),
            about=names.get(entry.subject, ""),
            facts=list(facts_in_words(entry.facts, names)),
        )
        for entry in entries
    ]


def _hex(value: uuid.UUID | None) -> str:
    return value.hex if value else ""


def _names(actor: Actor, entries: Sequence[AuditEntry]) -> dict[str, str]:
    """Return names by id in hexadecimal: of the actor's own members and persons, and of authorities."""
    ids = set(_ids(entries))
    own = Membership.objects.filter(Q(id__in=ids) | Q(person_id__in=ids), authority_id=actor.authority_id)
    names: dict[str, str] = {}
    for member, person, name in own.values_list("id", "person_id", "person__name"):
        names |= {member.hex: name, person.hex: name}
    rows = Authority.objects.filter(id__in=ids).values_list("id", "name")
    return names | {authority.hex: name for authority, name in rows}


def _ids(entries: Iterable[AuditEntry]) -> Iterator[uuid.UUID]:
    for entry in entries:
        for found in (_hex(entry.membership_id), _hex(entry.authority_id), entry.subject):
            if len(found) == 32:
                yield uuid.UUID(found)
        yield from (uuid.UUID(fact) for fact in entry.facts.values() if _is_id(fact))


def _is_id(fact: object) -> TypeGuard[str]:
    """Answer whether a fact is the id of a row; of the rows only those the actor may know have a name."""
    return isinstance(fact, str) and len(fact) == 32 and all(character in hexdigits for character in fact)
