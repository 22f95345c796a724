"""The audit chain. Called only from actions, inside the transaction of the act it records."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from network.audit_check import FAULTS_MOST, ChainCheck, Entry, Fault, Reason
from network.models import AuditConcern, AuditEntry, AuditHead
from network.policy import Actor

ENTRIES_AT_ONCE = 500

# What a hand may have written where a time or an id belongs.
_UNREADABLE = (ValueError, TypeError, AttributeError)


def as_hashed(entry: AuditEntry) -> Entry:
    """Return an entry's row as it goes into its hash."""
    return Entry(
        n=int(entry.n),
        at=entry.at.isoformat(),
        membership=entry.membership_id.hex if entry.membership_id else None,
        authority=entry.authority_id.hex if entry.authority_id else None,
        act=entry.act,
        subject=entry.subject,
        facts=entry.facts,
        concerns=entry.concerns,
        hash=entry.hash,
    )


def record(
    actor: Actor | None,
    act: str,
    subject: str,
    *,
    concerns: Iterable[uuid.UUID] = (),
    **facts: str | int | bool | None,
) -> None:
    """Add one entry: who, what, when, the object's id. Facts hold codes and ids, never content.

    `concerns` are other authorities that the act is about; they see the entry too.
    """
    if actor and actor.acting_for:
        facts["acting_for"] = actor.acting_for.hex
    own = actor.authority_id if actor else None
    others = sorted({authority for authority in concerns if authority != own})
    AuditHead.objects.get_or_create(id=1)
    head = AuditHead.objects.select_for_update().get(id=1)
    entry = AuditEntry(
        n=head.n + 1,
        at=timezone.now(),
        membership_id=actor.membership_id if actor else None,
        authority_id=own,
        act=act,
        subject=subject,
        facts=facts,
        concerns=[authority.hex for authority in others],
    )
    entry.hash = as_hashed(entry).hash_after(head.hash)
    entry.save(force_insert=True)
    AuditConcern.objects.bulk_create(AuditConcern(entry=entry, authority_id=other) for other in others)
    AuditHead.objects.filter(id=1).update(n=entry.n, hash=entry.hash)


@dataclass(frozen=True)
class ChainReport:
    """What a walk over the whole chain found."""

    entries: int
    head: str
    faults: list[Fault]


def verify_chain(noted: Mapping[int, str] | None = None) -> ChainReport:
    """Walk the whole chain in constant memory, without holding up who writes, and name what does not hold.

    `noted` are hashes by number that somebody kept elsewhere (a printout, an export): only they show a chain
    whose end was cut, or rewritten from some entry on, together with its head.
    """
    check, indexed = ChainCheck(), list[Fault]()
    wrong = {n: Fault(n, Reason.CHANGED) for n in noted or {}}
    while True:
        head = _head()
        for page in _pages(after=check.n):
            indexed += _concerns_at_fault(check.n, page)
            for entry in page:
                check.take(entry)
                if noted and noted.get(entry.n) == entry.hash:
                    del wrong[entry.n]
        if head == _head():
            break
    stray = AuditConcern.objects.filter(entry_id__gt=check.n).values_list("entry_id", flat=True).distinct()
    indexed += [Fault(n, Reason.CONCERNS) for n in stray[:FAULTS_MOST]]
    head_n, head_hash = head
    there = AuditEntry.objects.filter(n=head_n).values_list("hash", flat=True).first() if head_n else ""
    faults = check.close(head_n, head_hash, there)
    return ChainReport(check.n, head_hash, sorted({*faults, *indexed, *wrong.values()})[:FAULTS_MOST])


def _head() -> tuple[int, str]:
    return AuditHead.objects.filter(id=1).values_list("n", "hash").first() or (0, "")


def _pages(*, after: int) -> Iterator[list[Entry]]:
    """Give the rows after a number, in order, some at a time."""
    while rows := _page(after):
        yield rows
        after = rows[-1].n


def _page(after: int) -> list[Entry]:
    rows = AuditEntry.objects.filter(n__gt=after).order_by("n")[:ENTRIES_AT_ONCE]
    try:
        return [as_hashed(entry) for entry in rows]
    except _UNREADABLE:
        plain: Iterable[tuple[Any, str]] = rows.values_list("n", "hash")
        return [_one(n, hash_) for n, hash_ in plain if isinstance(n, int)]


def _one(n: int, hash_: str) -> Entry:
    """Return one row; a row that cannot be read holds nothing that its hash was made of."""
    try:
        return as_hashed(AuditEntry.objects.get(n=n))
    except _UNREADABLE:
        return Entry(n, "", None, None, "", "", "unreadable", [], hash_)


def _concerns_at_fault(after: int, page: list[Entry]) -> list[Fault]:
    """Return the entries that authorities would not find, or that some find who should not."""
    found: dict[int, list[str]] = {entry.n: [] for entry in page}
    rows = AuditConcern.objects.filter(entry_id__gt=after, entry_id__lte=page[-1].n)
    try:
        pairs = [(n, authority.hex) for n, authority in rows.values_list("entry_id", "authority_id")]
    except _UNREADABLE:
        return [Fault(page[0].n, Reason.CONCERNS, page[-1].n)]
    for n, authority in pairs:
        found.setdefault(n, []).append(authority)
    says = {entry.n: entry.concerns for entry in page}
    return [Fault(n, Reason.CONCERNS) for n, ids in found.items() if sorted(ids) != says.get(n, [])]
