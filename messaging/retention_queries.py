"""What an authority sees of how long it keeps its cases; of another one's time and holds nothing."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from messaging import access, policy
from messaging.models import YEARS_USUAL, Hold, HoldReason, Retention, RetentionSchedule
from messaging.permissions import Permission
from messaging.protocol import KeptFacts
from network.errors import Sentence
from network.policy import Actor


class Kept(StrEnum):
    """Which threads of the own authority are asked for, by how long it keeps them."""

    CLOSED = "closed"
    HELD = "held"
    OVER = "over"  # the time is over, and nothing holds them


@dataclass(frozen=True)
class Keeping:
    """How an authority keeps one thread; `hold` None where nothing holds it."""

    closed_at: datetime | None = None
    until_on: date | None = None
    hold: Hold | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether the time is over and nothing holds the thread."""
        return self.until_on is not None and self.until_on < timezone.now().date() and self.hold is None

    @property
    def reason(self) -> Sentence:
        """Return in words why it is held, "" where it is not."""
        return HoldReason(self.hold.reason).label if self.hold else ""

    def facts(self) -> KeptFacts:
        """Return what clients of the own authority are told."""
        return KeptFacts(
            closed_at=int(self.closed_at.timestamp()) if self.closed_at else None,
            until=self.until_on.isoformat() if self.until_on else None,
            is_over=self.is_over,
            is_held=self.hold is not None,
        )


def years_of(authority_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return by authority for how many years it keeps closed cases."""
    wanted = set(authority_ids)
    rows = RetentionSchedule.objects.filter(authority_id__in=wanted)
    return dict.fromkeys(wanted, YEARS_USUAL) | dict(rows.values_list("authority_id", "years"))


def read_years(actor: Actor) -> int:
    """Return for how many years the own authority keeps closed cases."""
    access.require(actor, Permission.RETENTION_READ)
    return years_of([actor.authority_id])[actor.authority_id]


def keepings_of(actor: Actor, thread_ids: Iterable[str]) -> dict[str, Keeping]:
    """Return by thread how the own authority keeps it, where its case is closed or it is held.

    A practitioner's correspondence is kept by the authorities that are in it, not by him or her.
    """
    if not policy.can(actor, Permission.RETENTION_READ):
        return {}
    here = {"authority_id": actor.authority_id, "thread_id__in": set(thread_ids)}
    found = {row.thread_id: Keeping(row.closed_at, row.until_on) for row in Retention.objects.filter(**here)}
    for hold in Hold.objects.filter(**here).select_related("membership__person"):
        closed = found.get(hold.thread_id, Keeping())
        found[hold.thread_id] = Keeping(closed.closed_at, closed.until_on, hold)
    return found


def kept_threads(actor: Actor, which: Kept) -> QuerySet[Any, Any]:
    """Return the ids of the threads that the own authority keeps in this way, for a condition."""
    access.require(actor, Permission.RETENTION_READ)
    return _rows(actor, which).values("thread_id")


def count_kept(actor: Actor) -> dict[str, int]:
    """Return how many threads the own authority keeps in each way."""
    access.require(actor, Permission.RETENTION_READ)
    return {str(which): _rows(actor, which).count() for which in Kept}


def _rows(actor: Actor, which: Kept) -> QuerySet[Retention] | QuerySet[Hold]:
    if which == Kept.HELD:
        return Hold.objects.filter(authority_id=actor.authority_id)
    rows = Retention.objects.filter(authority_id=actor.authority_id)
    return rows.filter(is_over(timezone.now().date())) if which == Kept.OVER else rows


def is_over(today: date) -> Q:
    """Return the condition that the time of a closed case is over and nothing holds it."""
    holds = Hold.objects.filter(thread_id=OuterRef("thread_id"), authority_id=OuterRef("authority_id"))
    return Q(until_on__lt=today) & ~Q(Exists(holds))
