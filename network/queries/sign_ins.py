"""Whom one may sign in as, for which authorities, and what is signed in."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import F
from django.utils import timezone

from network.access import sign_in_counts, standing
from network.addresses import parse_address
from network.directory.names import StateNames
from network.errors import Invalid
from network.field_encryption import index_field, open_field
from network.models import (
    Delegation,
    Factor,
    Membership,
    Person,
    SignIn,
)
from network.policy import Actor, can_use_codes


@dataclass(frozen=True)
class PersonToTry:
    """One line of the development sign-in page."""

    membership: str
    name: str
    office: str
    role_names: list[str]
    authority_name: str


@dataclass(frozen=True)
class StateToTry:
    """The persons of one State; no name stands for the secretariat."""

    name: str | None
    persons: list[PersonToTry]


def list_persons_to_try() -> list[StateToTry]:
    """Return everybody with a standing in force, by State and authority, for the development sign-in page."""
    joined = Membership.objects.select_related("person", "authority__state")
    rows = joined.filter(standing(timezone.now()))
    ordered = rows.order_by(F("authority__state_id").asc(nulls_last=True), "authority__name", "office", "id")
    return [
        StateToTry(name, [_person_to_try(membership) for membership in found])
        for name, found in groupby(ordered[:200], key=_state_name)
    ]


def _state_name(membership: Membership) -> str | None:
    state = membership.authority.state
    return StateNames(state.code, state.name, state.names).name() if state else None


def _person_to_try(membership: Membership) -> PersonToTry:
    return PersonToTry(
        membership=str(membership.id),
        name=membership.person.name,
        office=membership.office,
        role_names=[str(role.label) for role in sorted(membership.role_set)],
        authority_name=membership.authority.name,
    )


def find_person(address: str) -> Person | None:
    """Return the person with this mail address, if it is one and somebody has it."""
    try:
        index = index_field("person.address", parse_address(address))
    except Invalid:
        index = ""
    return Person.objects.filter(address_index=index).first()


def list_standings(person_id: uuid.UUID, *, by_code: bool = False) -> list[Membership]:
    """Return for whom a person may act now, by name of the authority; by password and code only where that is
    allowed for all of them.
    """
    rows = Membership.objects.select_related("authority__state", "person")
    found = list(rows.filter(standing(timezone.now()), person_id=person_id).order_by("authority__name", "id"))
    if by_code and not can_use_codes((member.role_set, member.authority.allows_codes) for member in found):
        return []
    return found


@dataclass(frozen=True)
class OpenSignIn:
    """One of a person's open sign-ins, as only that person sees it."""

    id: str
    authority_name: str
    factor: Factor
    started_at: datetime
    until_at: datetime
    agent: str
    address: str
    is_this: bool


def list_own_sign_ins(actor: Actor) -> list[OpenSignIn]:
    """Return the open sign-ins of the actor's person, the newest first."""
    rows = SignIn.objects.select_related("membership__authority")
    rows = rows.filter(sign_in_counts(timezone.now()), membership__person_id=actor.person_id)
    return [
        OpenSignIn(
            id=row.id.hex,
            authority_name=row.membership.authority.name,
            factor=Factor(row.factor),
            started_at=row.started_at,
            until_at=row.until_at,
            agent=row.agent,
            address=open_field("sign-in.address", bytes(row.address_sealed)) if row.address_sealed else "",
            is_this=row.id == actor.sign_in_id,
        )
        for row in rows.order_by("-started_at", "-id")[:100]
    ]


def list_delegations_held(actor: Actor) -> list[Delegation]:
    """Return the delegations the actor may use now."""
    now = timezone.now()
    rows = Delegation.objects.select_related("grantor__person")
    running = rows.filter(ended_at__isnull=True, from_at__lte=now, until_at__gt=now)
    held = running.filter(standing(now, "grantor__"), delegate_id=actor.membership_id)
    return list(held.order_by("until_at", "id"))
