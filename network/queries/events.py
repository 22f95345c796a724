"""Audiences, where they stand, and what happened for them."""

from collections.abc import Iterable, Sequence

from network.models import (
    AudienceCounter,
    EventRecord,
)
from network.policy import Actor, is_practising
from network.realtime import authority_audience, member_audience, person_audience

EVENTS_AT_ONCE = 50  # a frame may hold 55 kB


def audiences_of(actor: Actor) -> tuple[str, ...]:
    """Return the audiences the actor hears: the authority acted for, and the person.

    Whoever acts in his or her own name hears nothing of what the authority does.
    """
    if is_practising(actor.roles):
        own = member_audience(actor.authority_id, actor.person_id)
    else:
        own = authority_audience(actor.authority_id)
    return (own, person_audience(actor.person_id))


def cursors_of(audiences: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return for each audience its floor and newest sequence; (0, 0) where nothing ever happened."""
    wanted = list(audiences)
    rows = AudienceCounter.objects.filter(audience__in=wanted).values_list("audience", "floor", "seq")
    found = {audience: (floor, seq) for audience, floor, seq in rows}
    return {audience: found.get(audience, (0, 0)) for audience in wanted}


def list_events(audience: str, after: int) -> Sequence[EventRecord]:
    """Return the events of an audience after a sequence, oldest first, at most 50."""
    rows = EventRecord.objects.filter(audience=audience, seq__gt=after).order_by("seq")
    return list(rows[:EVENTS_AT_ONCE])
