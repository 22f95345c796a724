"""The audit chain. Called only from actions, inside the transaction of the act it records."""

import hashlib
import json
from dataclasses import dataclass

from django.utils import timezone

from network.models import AuditEntry, AuditHead
from network.policy import Actor


def _hash(previous: str, entry: AuditEntry) -> str:
    fields = [
        previous,
        entry.n,
        entry.at.isoformat(),
        entry.membership_id.hex if entry.membership_id else None,
        entry.authority_id.hex if entry.authority_id else None,
        entry.act,
        entry.subject,
        entry.facts,
    ]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def record(actor: Actor | None, act: str, subject: str, **facts: str | int | bool | None) -> None:
    """Add one entry: who, what, when, the object's id. Facts hold codes and ids, never content."""
    AuditHead.objects.get_or_create(id=1)
    head = AuditHead.objects.select_for_update().get(id=1)
    entry = AuditEntry(
        n=head.n + 1,
        at=timezone.now(),
        membership_id=actor.membership_id if actor else None,
        authority_id=actor.authority_id if actor else None,
        act=act,
        subject=subject,
        facts=facts,
    )
    entry.hash = _hash(head.hash, entry)
    entry.save(force_insert=True)
    AuditHead.objects.filter(id=1).update(n=entry.n, hash=entry.hash)


@dataclass(frozen=True)
class ChainFault:
    """The first place at which the chain does not hold."""

    n: int
    reason: str


def verify_chain() -> ChainFault | None:
    """Walk the whole chain; return its first fault, or None when every entry and the head agree."""
    previous, n = "", 0
    for entry in AuditEntry.objects.order_by("n").iterator(chunk_size=500):
        n += 1
        if entry.n != n:
            return ChainFault(n, "missing")
        if entry.hash != _hash(previous, entry):
            return ChainFault(n, "changed")
        previous = entry.hash
    head = AuditHead.objects.filter(id=1).first()
    if head and (head.n, head.hash) != (n, previous):
        return ChainFault(n + 1, "cut-off")
    return None
