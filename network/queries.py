"""Lists for screens and for the gateway."""

from collections.abc import Iterable, Sequence

from django.db.models import Q
from django.utils import timezone

from network.models import AudienceCounter, EventRecord, Membership
from network.policy import Actor
from network.realtime import authority_audience, person_audience

EVENTS_AT_ONCE = 200


def list_memberships_to_try() -> list[Membership]:
    """Return every membership in force, for the development sign-in page, by State and authority."""
    joined = Membership.objects.select_related("person", "authority__state")
    in_force = joined.filter(
        Q(until_at__isnull=True) | Q(until_at__gt=timezone.now()), person__is_active=True
    )
    return list(in_force.order_by("authority__state_id", "authority__name", "role", "person__name")[:200])


def audiences_of(actor: Actor) -> tuple[str, ...]:
    """Return the audiences the actor hears: the authority acted for, and the person."""
    return (authority_audience(actor.authority_id), person_audience(actor.person_id))


def cursors_of(audiences: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return for each audience its floor and newest sequence; (0, 0) where nothing ever happened."""
    wanted = list(audiences)
    rows = AudienceCounter.objects.filter(audience__in=wanted).values_list("audience", "floor", "seq")
    found = {audience: (floor, seq) for audience, floor, seq in rows}
    return {audience: found.get(audience, (0, 0)) for audience in wanted}


def list_events(audience: str, after: int) -> Sequence[EventRecord]:
    """Return the events of an audience after a sequence, oldest first, at most 200."""
    rows = EventRecord.objects.filter(audience=audience, seq__gt=after).order_by("seq")
    return list(rows[:EVENTS_AT_ONCE])
