"""Telling members that there is something, and forgetting it once they have seen it.

`notify`, `clear` and `resolve` run inside the transaction of what caused them and return the notices that its
one call of `publish_on_commit` takes. Rows are written in the order of member and reference.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from network import access
from network.errors import Invalid, NotFound
from network.frames import Notice
from network.models import (
    Digest,
    Level,
    Membership,
    Notification,
    NotificationChoices,
    NotificationLevel,
)
from network.notification_kinds import KINDS, about, path_of, reference_of, split
from network.notification_times import MAIL_GRACE, PUSH_GRACE, time_zones, when_to_tell
from network.permissions import Permission
from network.policy import Actor
from network.protocol import NOTIFICATIONS_CHANGED, NotificationsChanged
from network.realtime import person_audience, publish_on_commit

URGENT = 1  # from here on something is urgent
READ_KEPT = timedelta(days=90)
TOLD_FIELDS = ("kind", "urgency", "is_counted", "made_at", "read_at", "mail_at", "push_at")


@dataclass(frozen=True)
class Told:
    """One member is told of one thing. The membership is read with its person and the person's choices.

    `is_again`: what was told before and not looked at is told once more, by every way that was chosen.
    """

    kind: str
    thing_id: str
    membership: Membership
    urgency: int = 0
    is_again: bool = False

    @property
    def key(self) -> tuple[uuid.UUID, str]:
        """Return what makes its row: whom, and about what."""
        return self.membership.id, about(self.kind, self.thing_id)


def choices_of(membership: Membership) -> NotificationChoices:
    """Return how the person wants to be told, as read with the membership; or as who chose nothing."""
    found: NotificationChoices | None = getattr(membership.person, "notification_choices", None)
    return found or NotificationChoices(person_id=membership.person_id)


def notify(told: Iterable[Told]) -> list[Notice]:
    """Store what members are told, one row a thing; returns what their devices must hear."""
    by_key = _strongest(told)
    if not by_key:
        return []
    members, references = {key[0] for key in by_key}, {key[1] for key in by_key}
    here = {"membership_id__in": members, "about__in": references}
    # Locked: whoever reads or mails one of them at this moment comes before or after, never in between.
    unread = Notification.objects.select_for_update(of=("self",), no_key=True).filter(**here)
    unread = unread.filter(read_at__isnull=True).order_by("membership_id", "about")
    before = {(row.membership_id, row.about): row for row in unread}
    levels = {(row.membership_id, row.about): row.level for row in NotificationLevel.objects.filter(**here)}
    now = timezone.now()
    rows = {key: _row(one, before.get(key), levels.get(key), now) for key, one in _in_order(by_key)}
    Notification.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["membership", "about"],
        update_fields=TOLD_FIELDS,
    )
    changed = {key for key, row in rows.items() if by_key[key].is_again or _is_news(row, before.get(key))}
    return _notices(by_key[key].membership.person_id for key in changed)


def _in_order(by_key: Mapping[tuple[uuid.UUID, str], Told]) -> list[tuple[tuple[uuid.UUID, str], Told]]:
    """Return them in the one order in which rows are written: two writers never wait for each other."""
    return sorted(by_key.items(), key=lambda item: item[0])


def _strongest(told: Iterable[Told]) -> dict[tuple[uuid.UUID, str], Told]:
    """Return for each row the most urgent news about it, the first among equals."""
    found: dict[tuple[uuid.UUID, str], Told] = {}
    for one in told:
        if one.key not in found or one.urgency > found[one.key].urgency:
            found[one.key] = one
    return found


def _row(one: Told, before: Notification | None, level: str | None, now: datetime) -> Notification:
    """Return the row as it stands after this news; what was told already is not told again."""
    choices = choices_of(one.membership)
    kind = KINDS[one.kind]
    urgency = max(one.urgency, before.urgency) if before and one.is_again else one.urgency
    is_urgent = urgency >= URGENT
    wanted = level or choices.level
    is_counted = wanted == Level.ALL or (wanted == Level.URGENT and is_urgent)
    row = Notification(
        membership_id=one.membership.id,
        about=one.key[1],
        kind=one.kind,
        urgency=urgency,
        is_counted=is_counted,
        made_at=now,
    )
    if is_counted and choices.has_mail and kind.has_mail:
        row.mail_at = when_to_tell(choices, now, grace=MAIL_GRACE, is_urgent=is_urgent)
    if is_counted and choices.has_push:
        row.push_at = when_to_tell(choices, now, grace=PUSH_GRACE, is_urgent=is_urgent)
    is_stronger = before is None or urgency > before.urgency or (is_counted and not before.is_counted)
    if before is not None and not (is_stronger or one.is_again):
        row.mail_at, row.push_at = before.mail_at, before.push_at
        row.urgency, row.is_counted = before.urgency, before.is_counted
        row.kind = before.kind if before.urgency > one.urgency else row.kind
    return row


def _is_news(row: Notification, before: Notification | None) -> bool:
    """Answer whether open pages show something else after this: the count, or that it is urgent."""
    if before is None:
        return True
    return (row.is_counted, row.urgency) != (before.is_counted, before.urgency)


def _notices(person_ids: Iterable[uuid.UUID]) -> list[Notice]:
    return [
        Notice(NOTIFICATIONS_CHANGED, person_audience(person_id), NotificationsChanged())
        for person_id in sorted(set(person_ids))
    ]


def clear(actor: Actor, reference: str) -> list[Notice]:
    """Note that the actor has seen something; returns what his or her other devices must hear."""
    rows = _unread_of(actor).filter(about=reference)
    return _notices([actor.person_id]) if rows.update(read_at=timezone.now()) else []


def resolve(references: Collection[str]) -> list[Notice]:
    """Note that nobody needs to look at these any more: somebody has decided them."""
    rows = _locked(Notification.objects.filter(about__in=references, read_at__isnull=True))
    Notification.objects.filter(id__in=[row.id for row in rows]).update(read_at=timezone.now())
    return _notices(row.membership.person_id for row in rows)


def _locked(rows: QuerySet[Notification]) -> list[Notification]:
    """Return rows with their members, locked in the one order in which they are written."""
    locked = rows.select_for_update(of=("self",), no_key=True).select_related("membership")
    return list(locked.order_by("membership_id", "about"))


def _unread_of(actor: Actor) -> QuerySet[Notification]:
    return Notification.objects.filter(membership_id=actor.membership_id, read_at__isnull=True)


@transaction.atomic(durable=True)
def clear_page(actor: Actor, *, path: str) -> None:
    """Note that the actor has a page before him or her; a page that nothing is told about changes nothing."""
    access.stand(actor, Permission.NOTIFICATION_READ)
    if (reference := reference_of(path)) and (notices := clear(actor, reference)):
        publish_on_commit(*notices)


@transaction.atomic(durable=True)
def open_notification(actor: Actor, *, notification_id: uuid.UUID) -> str:
    """Note that one of the actor's own was read, and return the page it leads to; raises `NotFound`."""
    access.stand(actor, Permission.NOTIFICATION_READ)
    row = Notification.objects.filter(membership_id=actor.membership_id, id=notification_id).first()
    if row is None:
        raise NotFound
    if notices := clear(actor, row.about):
        publish_on_commit(*notices)
    return path_of(row.about)


@transaction.atomic(durable=True)
def mark_all_read(actor: Actor) -> int:
    """Note that all of the actor's own were read; returns how many."""
    access.stand(actor, Permission.NOTIFICATION_READ)
    rows = _locked(_unread_of(actor))
    count = Notification.objects.filter(id__in=[row.id for row in rows]).update(read_at=timezone.now())
    if count:
        publish_on_commit(*_notices([actor.person_id]))
    return count


@transaction.atomic(durable=True)
def set_level(actor: Actor, *, reference: str, level: str) -> None:
    """Choose how much about one thing tells the actor; an empty level is the one chosen for everything.

    Raises `NotFound` for what the actor may not know of, without a difference.
    """
    access.stand(actor, Permission.NOTIFICATION_CHOOSE)
    thing, thing_id = split(reference)
    if thing is None or thing.check is None:
        raise NotFound
    thing.check(actor, thing_id)
    own = {"membership_id": actor.membership_id, "about": reference}
    if not level:
        NotificationLevel.objects.filter(**own).delete()
        return
    if level not in Level.values:
        raise Invalid
    row = NotificationLevel(**own, level=level)
    NotificationLevel.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["membership", "about"], update_fields=["level"]
    )


@dataclass(frozen=True)
class Choices:
    """What a person chooses, read from the form and checked."""

    level: Level
    time_zone: str
    quiet_from: time | None
    quiet_until: time | None
    urgent_in_quiet: bool
    digest: Digest
    digest_at: time | None
    has_mail: bool
    has_push: bool
    has_sound: bool


@transaction.atomic(durable=True)
def save_choices(actor: Actor, choices: Choices) -> None:
    """Keep how the actor's person wants to be told from now on; raises `Invalid` for what cannot be."""
    access.stand(actor, Permission.NOTIFICATION_CHOOSE)
    if choices.time_zone not in time_zones() or (choices.quiet_from is None) != (choices.quiet_until is None):
        raise Invalid
    values = {name: getattr(choices, name) for name in Choices.__dataclass_fields__}
    NotificationChoices.objects.update_or_create(person_id=actor.person_id, defaults=values)


def forget_old() -> int:
    """Forget what was read long ago, inside the caller's transaction or none; returns how much."""
    count, _ = Notification.objects.filter(read_at__lt=timezone.now() - READ_KEPT).delete()
    return count


def move_notifications(leaver: Membership, successor: Membership | None) -> list[Notice]:
    """Give what the leaver has not read, and his or her levels, to who takes over; the rest is done with.

    Only of things that are handed over. What the successor has already stays as it is.
    """
    now = timezone.now()
    unread = Notification.objects.filter(membership=leaver, read_at__isnull=True)
    levels = NotificationLevel.objects.filter(membership=leaver)
    notices: list[Notice] = []
    if successor is not None:
        notices = _give_unread(unread, successor)
        rows = [
            NotificationLevel(membership=successor, about=row.about, level=row.level)
            for row in levels.order_by("about")
            if _moves(row.about)
        ]
        NotificationLevel.objects.bulk_create(rows, ignore_conflicts=True)
    levels.delete()
    ids = [row.id for row in _locked(unread)]
    Notification.objects.filter(id__in=ids).update(read_at=now, mail_at=None, push_at=None)
    return notices


def _give_unread(unread: QuerySet[Notification], successor: Membership) -> list[Notice]:
    return notify(
        Told(row.kind, split(row.about)[1], successor, row.urgency)
        for row in unread.order_by("about")
        if row.kind in KINDS and _moves(row.about)
    )


def _moves(reference: str) -> bool:
    thing, _ = split(reference)
    return thing is not None and thing.moves
