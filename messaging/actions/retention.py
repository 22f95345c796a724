"""How long closed cases are kept: by each authority's own schedule, and longer where it holds them.

Nothing is let go by itself. When the time is over, the authority's own people are told, once.
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging import access
from messaging.actions.notices import tell_of_retention
from messaging.actions.writing import Writing
from messaging.models import (
    YEARS_LEAST,
    YEARS_MOST,
    Hold,
    HoldReason,
    Retention,
    RetentionSchedule,
)
from messaging.permissions import Permission
from messaging.retention_queries import is_over, years_of
from messaging.sealed.stages import CLOSED
from network import audit
from network.errors import Invalid
from network.policy import Actor
from network.realtime import publish_on_commit

AT_ONCE = 200


def begin_retention(writings: Iterable[Writing]) -> None:
    """Begin the time of the cases that were just closed, for each authority in them by its own schedule.

    Runs inside the transaction that stores the step.
    """
    closed = [
        (item, member.principal.authority_id)
        for writing in writings
        for item in writing.items
        if item.stage == CLOSED
        for member in writing.members
        if member.principal.person_id is None
    ]
    if not closed:
        return
    years = years_of(authority_id for _item, authority_id in closed)
    rows = [
        Retention(
            thread_id=item.thread_id,
            authority_id=authority_id,
            closed_at=item.received_at,
            until_on=years_after(item.received_at, years[authority_id]),
        )
        for item, authority_id in closed
    ]
    Retention.objects.bulk_create(rows, ignore_conflicts=True)


def years_after(at: datetime, years: int) -> date:
    """Return the same day so many years later; the first of March for a day that year does not have."""
    on = at.date()
    try:
        return on.replace(year=on.year + years)
    except ValueError:
        return date(on.year + years, 3, 1)


@transaction.atomic(durable=True)
def set_schedule(actor: Actor, *, years: int) -> None:
    """Say for how many years the own authority keeps cases that are closed from now on.

    Raises `SignedOut`, `Forbidden`, `Invalid("wrong-years")`.
    """
    access.stand(actor, Permission.RETENTION_SET)
    if not YEARS_LEAST <= years <= YEARS_MOST:
        raise Invalid("wrong-years", _("Closed cases are kept for 1 to 100 years."))
    before = years_of([actor.authority_id])[actor.authority_id]
    if years == before:
        return
    RetentionSchedule.objects.update_or_create(authority_id=actor.authority_id, defaults={"years": years})
    audit.record(actor, "retention:set", actor.authority_id.hex, years=years)


@transaction.atomic(durable=True)
def put_hold(actor: Actor, *, thread_id: str, reason: str) -> None:
    """Hold a thread for the own authority, whatever its schedule says; one that is held already stays so.

    Raises `SignedOut`, `NotFound`, `Forbidden`, `Invalid("wrong-reason")`.
    """
    access.stand(actor, Permission.HOLD_WRITE)
    thread = access.get_thread_to_hold(actor, thread_id)
    if reason not in HoldReason.values:
        raise Invalid("wrong-reason", _("Say why the case is held."))
    said = {"reason": reason, "membership_id": actor.membership_id, "since_at": timezone.now()}
    _hold, is_new = Hold.objects.get_or_create(thread=thread, authority_id=actor.authority_id, defaults=said)
    if is_new:
        audit.record(actor, "hold:put", thread.id, reason=reason)


@transaction.atomic(durable=True)
def lift_hold(actor: Actor, *, thread_id: str) -> None:
    """Lift the own authority's hold of a thread; from then on its schedule counts again.

    Raises `SignedOut`, `NotFound`, `Forbidden`.
    """
    access.stand(actor, Permission.HOLD_WRITE)
    thread = access.get_thread_to_hold(actor, thread_id)
    count, _rows = Hold.objects.filter(thread=thread, authority_id=actor.authority_id).delete()
    if count:
        audit.record(actor, "hold:lift", thread.id)


def tell_what_is_over() -> int:
    """Tell of every closed case whose time is over and that nothing holds; return of how many.

    Run as often as one likes, by several processes at once: each is claimed first.
    """
    now = timezone.now()
    untold = Retention.objects.filter(is_over(now.date()), told_at__isnull=True)
    told = 0
    for row in untold.order_by("until_on", "id")[:AT_ONCE]:
        with transaction.atomic(durable=True):
            if untold.filter(pk=row.pk).update(told_at=now):
                notices = tell_of_retention(row.thread_id, row.authority_id)
                audit.record(None, "retention:end", row.thread_id, concerns=[row.authority_id])
                publish_on_commit(*notices)
                told += 1
    return told
