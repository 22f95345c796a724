"""Browsers that want to be woken: asking for it, taking it back, and waking them."""

import time
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import access, audit, limits
from network.errors import Conflict
from network.field_encryption import index_field, open_field, seal_field
from network.models import Membership, Notification, NotificationChoices, PushSubscription, SignIn
from network.permissions import Permission
from network.policy import Actor
from network.push import Outcome, check_endpoint, wake

FIELD = "push.endpoint"
BROWSERS_MOST = 10  # of one person
LASTS = timedelta(days=30)  # without the person signing in in that browser again
FIRST_RETRY, LAST_RETRY, TRIES_MOST = timedelta(minutes=1), timedelta(hours=1), 6
AT_ONCE = 50
ROUND_SECONDS = 15.0  # then mail has its turn again: what a slow service has left waits for the next round


def in_force() -> Q:
    """Return the condition under which a browser is woken: nobody has signed out in it or been put out.

    A sign-in that has only run out by itself still counts for this: it is then that one wants to be called.
    """
    now = timezone.now()
    return access.standing(now, "sign_in__membership__") & Q(
        sign_in__ended_at__isnull=True, renewed_at__gt=now - LASTS
    )


@transaction.atomic(durable=True)
def add_subscription(actor: Actor, *, endpoint: str) -> None:
    """Wake this browser from now on; raises `Invalid` for an unknown push service, and `Conflict`."""
    access.stand(actor, Permission.NOTIFICATION_CHOOSE)
    check_endpoint(endpoint)
    index = index_field(FIELD, endpoint)
    others = PushSubscription.objects.filter(in_force(), sign_in__membership__person_id=actor.person_id)
    if others.exclude(endpoint_index=index).count() >= BROWSERS_MOST:
        raise Conflict(
            "too-many-browsers", _("Ten browsers show you messages already. Stop it in one of them first.")
        )
    row = PushSubscription(
        sign_in_id=actor.sign_in_id,
        endpoint_index=index,
        endpoint_sealed=seal_field(FIELD, endpoint),
        renewed_at=timezone.now(),
    )
    # Whose it was before: this browser is the actor's now, and one browser has one address.
    PushSubscription.objects.filter(endpoint_index=index).delete()
    PushSubscription.objects.bulk_create([row])
    NotificationChoices.objects.update_or_create(person_id=actor.person_id, defaults={"has_push": True})
    audit.record(actor, "push:add", row.id.hex)


@transaction.atomic(durable=True)
def renew_subscription(actor: Actor, *, endpoint: str) -> bool:
    """Keep waking a browser in which its person has signed in again; False where it is not woken.

    A browser that another person uses now is not woken any more.
    """
    access.stand(actor, Permission.NOTIFICATION_CHOOSE)
    rows = PushSubscription.objects.select_for_update(of=("self",)).select_related("sign_in__membership")
    row = rows.filter(endpoint_index=index_field(FIELD, endpoint)).first()
    if row is None:
        return False
    before = row.sign_in
    if before.membership.person_id != actor.person_id or before.ended_at is not None:
        _remove(actor, row)
        return False
    PushSubscription.objects.filter(id=row.id).update(sign_in_id=actor.sign_in_id, renewed_at=timezone.now())
    return True


@transaction.atomic(durable=True)
def remove_subscription(actor: Actor, *, endpoint: str) -> None:
    """Stop waking a browser of the actor's person; one that is not woken stays so."""
    access.stand(actor, Permission.NOTIFICATION_CHOOSE)
    own = PushSubscription.objects.filter(sign_in__membership__person_id=actor.person_id)
    for row in own.filter(endpoint_index=index_field(FIELD, endpoint)):
        _remove(actor, row)


@transaction.atomic(durable=True)
def remove_all_subscriptions(actor: Actor) -> int:
    """Stop waking every browser of the actor's person; returns how many there were."""
    access.stand(actor, Permission.NOTIFICATION_CHOOSE)
    rows = list(PushSubscription.objects.filter(sign_in__membership__person_id=actor.person_id))
    for row in rows:
        _remove(actor, row)
    return len(rows)


def _remove(actor: Actor | None, row: PushSubscription) -> None:
    PushSubscription.objects.filter(id=row.id).delete()
    audit.record(actor, "push:remove", row.id.hex)


def end_subscriptions(member: Membership) -> int:
    """Stop waking every browser of a member, inside the caller's transaction; returns how many there were."""
    count, _ = PushSubscription.objects.filter(sign_in__membership=member).delete()
    return count


def follow_sign_in(old: SignIn, new: SignIn) -> None:
    """Go on waking the browser whose sign-in another takes the place of, inside the caller's transaction."""
    PushSubscription.objects.filter(sign_in=old).update(sign_in=new)


def forget_ended_subscriptions() -> int:
    """Forget browsers that are not woken any more; returns how many."""
    kept = PushSubscription.objects.filter(in_force()).values("id")
    count, _ = PushSubscription.objects.exclude(id__in=kept).delete()
    return count


def wake_browsers() -> int:
    """Wake whom something is due for, and return how many browsers' services took it.

    Several processes may do this at once: each browser is claimed first, and tried again later if its service
    does not answer. A process that dies in between costs a browser a minute.
    """
    until = time.monotonic() + ROUND_SECONDS
    if Notification.objects.filter(push_at__lte=timezone.now()).exists():
        _make_due()
    taken = 0
    due = PushSubscription.objects.filter(due_at__lte=timezone.now()).order_by("due_at", "id")
    for row in due.select_related("sign_in")[:AT_ONCE]:
        if time.monotonic() > until:
            break
        if _claim(row) and _is_wanted(row) and _may_wake(row):
            taken += _wake_one(row)
    return taken


@transaction.atomic(durable=True)
def _make_due() -> None:
    """Let the browsers of whom something is due for be woken, each once however much there is."""
    now = timezone.now()
    rows = Notification.objects.select_for_update(of=("self",), no_key=True).filter(push_at__lte=now)
    found = list(rows.order_by("membership_id", "about")[: 10 * AT_ONCE])
    Notification.objects.filter(id__in=[row.id for row in found]).update(push_at=None)
    unread = [row for row in found if row.read_at is None]
    urgent = {row.membership_id for row in unread if row.urgency}
    browsers = PushSubscription.objects.filter(in_force())
    others = {row.membership_id for row in unread} - urgent
    browsers.filter(sign_in__membership_id__in=others, due_at__isnull=True).update(
        due_at=now, tries=0, is_urgent=False
    )
    browsers.filter(sign_in__membership_id__in=urgent).update(due_at=now, tries=0, is_urgent=True)


def _claim(row: PushSubscription) -> bool:
    """Take a browser for this process by moving its next try; False when another was first."""
    wait = min(FIRST_RETRY * 2 ** min(row.tries, TRIES_MOST), LAST_RETRY)
    unclaimed: QuerySet[PushSubscription] = PushSubscription.objects.filter(id=row.id, due_at=row.due_at)
    return bool(unclaimed.update(due_at=timezone.now() + wait, tries=F("tries") + 1))


def _is_wanted(row: PushSubscription) -> bool:
    """Answer whether there is still something to look at, and somebody who may; else it is let go."""
    unread = Notification.objects.filter(
        membership_id=row.sign_in.membership_id, read_at__isnull=True, is_counted=True
    )
    if unread.exists() and PushSubscription.objects.filter(in_force(), id=row.id).exists():
        return True
    _rest(row)
    return False


def _may_wake(row: PushSubscription) -> bool:
    """Answer whether this browser was not woken too often lately; else it is, a little later."""
    if limits.buckets.take("news-wake", row.id.hex):
        return True
    PushSubscription.objects.filter(id=row.id).update(tries=row.tries)  # nobody was asked
    return False


def _wake_one(row: PushSubscription) -> bool:
    try:
        endpoint = open_field(FIELD, bytes(row.endpoint_sealed))
    except ValueError:
        outcome = Outcome.GONE
    else:
        outcome = wake(endpoint, is_urgent=row.is_urgent)
    if outcome is Outcome.GONE:
        _forget(row)
    elif outcome is Outcome.TAKEN or row.tries + 1 >= TRIES_MOST:
        _rest(row)
    return outcome is Outcome.TAKEN


def _rest(row: PushSubscription) -> None:
    PushSubscription.objects.filter(id=row.id).update(due_at=None, tries=0, is_urgent=False)


@transaction.atomic(durable=True)
def _forget(row: PushSubscription) -> None:
    _remove(None, row)
