"""Lists for screens and for the gateway."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import F, Q
from django.utils import timezone

from network.models import AudienceCounter, EventRecord, Membership
from network.policy import Actor
from network.realtime import authority_audience, person_audience

EVENTS_AT_ONCE = 50  # a frame may hold 55 kB


@dataclass(frozen=True)
class PersonToTry:
    """One line of the development sign-in page."""

    membership: str
    name: str
    office: str
    role_name: str
    authority_name: str


@dataclass(frozen=True)
class StateToTry:
    """The persons of one State; no name stands for the secretariat."""

    name: str | None
    persons: list[PersonToTry]


def list_persons_to_try() -> list[StateToTry]:
    """Return everybody with a standing in force, by State and authority, for the development sign-in page."""
    joined = Membership.objects.select_related("person", "authority__state")
    not_ended = Q(until_at__isnull=True) | Q(until_at__gt=timezone.now())
    rows = joined.filter(not_ended, person__is_active=True)
    ordered = rows.order_by(
        F("authority__state_id").asc(nulls_last=True), "authority__name", "role", "office"
    )
    return [
        StateToTry(name, [_person_to_try(membership) for membership in found])
        for name, found in groupby(ordered[:200], key=_state_name)
    ]


def _state_name(membership: Membership) -> str | None:
    return membership.authority.state.name if membership.authority.state else None


def _person_to_try(membership: Membership) -> PersonToTry:
    return PersonToTry(
        membership=str(membership.id),
        name=membership.person.name,
        office=membership.office,
        role_name=membership.get_role_display(),
        authority_name=membership.authority.name,
    )


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
    """Return the events of an audience after a sequence, oldest first, at most 50."""
    rows = EventRecord.objects.filter(audience=audience, seq__gt=after).order_by("seq")
    return list(rows[:EVENTS_AT_ONCE])
