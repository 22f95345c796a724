"""What a member is told of, as only this member sees it: the count, the list, how it is told."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from network.errors import Sentence
from network.guard import allows
from network.models import (
    Notification,
    NotificationChoices,
    NotificationLevel,
    PushSubscription,
)
from network.notification_kinds import KINDS, THINGS, Thing, path_of, reference_of, split
from network.notification_times import may_sound, time_zones
from network.policy import Actor
from network.queries.directory import zone_of

UNREAD_MOST = 100
READ_MOST = 50
URGENT = 1


@dataclass(frozen=True)
class Waiting:
    """What bell and script need. `alert` is another for each urgent thing; `sound` allows a tone."""

    unread: int
    is_here: bool
    alert: str
    sound: bool = False


@dataclass(frozen=True)
class Shown:
    """One line of the list. `path` is empty where the actor may not open it any more."""

    id: uuid.UUID
    sentence: Sentence
    detail: str
    path: str
    is_urgent: bool
    is_read: bool
    is_counted: bool
    made_at: datetime


def count_unread(actor: Actor) -> int:
    """Return how many things the actor has not looked at yet, of those that count."""
    return _own(actor).filter(read_at__isnull=True, is_counted=True).count()


def read_waiting(actor: Actor, path: str) -> Waiting:
    """Return the count, and whether the page at `path` waits. One query, two more where it is urgent."""
    reference = reference_of(path) or ""
    unread = _own(actor).filter(read_at__isnull=True)
    counted = Q(is_counted=True)
    found = unread.aggregate(
        unread=Count("id", filter=counted),
        urgent=Count("id", filter=counted & Q(urgency__gte=URGENT)),
        here=Count("id", filter=Q(about=reference)),
    )
    alert = _alert(actor) if found["urgent"] else ""
    sound = bool(alert) and may_sound(read_choices(actor), timezone.now())
    return Waiting(found["unread"], bool(found["here"]), alert, sound)


def _alert(actor: Actor) -> str:
    """Return the mark of the newest urgent thing; the same until there is another."""
    rows = _own(actor).filter(read_at__isnull=True, is_counted=True, urgency__gte=URGENT)
    row = rows.order_by("-made_at").first()
    return f"{row.id.hex}.{int(row.made_at.timestamp())}" if row else ""


def read_choices(actor: Actor) -> NotificationChoices:
    """Return how the person wants to be told."""
    row = NotificationChoices.objects.filter(person_id=actor.person_id).first()
    return row or NotificationChoices(person_id=actor.person_id)


def propose_choices(actor: Actor) -> NotificationChoices:
    """Return how the person wants to be told; who has chosen nothing is offered the office's own clock."""
    row = NotificationChoices.objects.filter(person_id=actor.person_id).first()
    if row is not None:
        return row
    zone = "" if actor.is_limited else zone_of(actor.authority_id)
    return NotificationChoices(
        person_id=actor.person_id, time_zone=zone if zone in time_zones() else time_zones()[0]
    )


def read_level(actor: Actor, reference: str) -> str:
    """Return what the actor has chosen for one thing; empty where it is what holds for everything."""
    rows = NotificationLevel.objects.filter(membership_id=actor.membership_id, about=reference)
    return rows.values_list("level", flat=True).first() or ""


def list_notifications(actor: Actor) -> tuple[list[Shown], list[Shown]]:
    """Return the newest 100 unread and the newest 50 read."""
    unread = list(_own(actor).filter(read_at__isnull=True).order_by("-made_at", "-id")[:UNREAD_MOST])
    read = list(_own(actor).filter(read_at__isnull=False).order_by("-made_at", "-id")[:READ_MOST])
    details = _details(actor, [*unread, *read])
    may_open = {thing.name: allows(actor, thing.permission) for thing in THINGS.values()}
    return (
        [_shown(row, details, may_open) for row in unread if row.kind in KINDS],
        [_shown(row, details, may_open) for row in read if row.kind in KINDS],
    )


def _details(actor: Actor, rows: Iterable[Notification]) -> dict[str, str]:
    """Return a line for each reference that the actor may know more of; one question a sort of thing."""
    by_thing: dict[str, tuple[Thing, set[str]]] = {}
    for row in rows:
        thing, thing_id = split(row.about)
        if thing and allows(actor, thing.permission):
            by_thing.setdefault(thing.name, (thing, set()))[1].add(thing_id)
    return {
        f"{thing.name}:{thing_id}": line
        for thing, ids in by_thing.values()
        for thing_id, line in thing.describe(actor, ids).items()
    }


def _shown(row: Notification, details: dict[str, str], may_open: dict[str, bool]) -> Shown:
    thing, _ = split(row.about)
    return Shown(
        id=row.id,
        sentence=KINDS[row.kind].sentence,
        detail=details.get(row.about, ""),
        path=path_of(row.about) if thing and may_open[thing.name] else "",
        is_urgent=row.urgency >= URGENT,
        is_read=row.read_at is not None,
        is_counted=row.is_counted,
        made_at=row.made_at,
    )


def list_browsers(actor: Actor) -> list[PushSubscription]:
    """Return the browsers of this person that are woken, the newest first."""
    rows = PushSubscription.objects.select_related("sign_in").filter(
        sign_in__membership__person_id=actor.person_id, sign_in__ended_at__isnull=True
    )
    return list(rows.order_by("-renewed_at", "-id")[:20])


def _own(actor: Actor) -> QuerySet[Notification]:
    return Notification.objects.filter(membership_id=actor.membership_id)
