"""The guard: turns a sign-in or an id into an object for an actor, or refuses."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from network.errors import Forbidden, NotFound, SignedOut
from network.models import AuthorityKind, Membership, Role, SignIn
from network.permissions import Permission
from network.policy import Actor, can


def _in_force(now: datetime) -> Q:
    """Return the condition under which a sign-in counts: itself and its membership not ended."""
    member = Q(membership__until_at__isnull=True) | Q(membership__until_at__gt=now)
    started = Q(membership__from_at__lte=now, membership__person__is_active=True)
    return Q(ended_at__isnull=True, until_at__gt=now) & member & started


def sign_ins_in_force(ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of the sign-ins that still count, by one query."""
    found = SignIn.objects.filter(_in_force(timezone.now()), id__in=list(ids))
    return set(found.values_list("id", flat=True))


def get_actor(sign_in_id: uuid.UUID) -> Actor:
    """Return the actor behind a sign-in in force; raises `SignedOut`."""
    joined = SignIn.objects.select_related("membership__person", "membership__authority__state")
    sign_in = joined.filter(_in_force(timezone.now()), id=sign_in_id).first()
    if sign_in is None:
        raise SignedOut
    member = sign_in.membership
    authority = member.authority
    return Actor(
        sign_in_id=sign_in.id,
        person_id=member.person_id,
        person_name=member.person.name,
        membership_id=member.id,
        office=member.office,
        role=Role(member.role),
        authority_id=authority.id,
        authority_name=authority.name,
        authority_kind=AuthorityKind(authority.kind),
        state_code=authority.state_id,
        state_name=authority.state.name if authority.state else None,
    )


def require_standing(actors: Iterable[Actor]) -> set[uuid.UUID]:
    """Return the sign-ins of these actors that count now; ask inside the writing transaction."""
    return sign_ins_in_force({actor.sign_in_id for actor in actors})


def require(actor: Actor | None, permission: Permission) -> Actor:
    """Return the actor if it has the right; raises `SignedOut` or `Forbidden`."""
    if actor is None:
        raise SignedOut
    if not can(actor, permission):
        raise Forbidden
    return actor


def get_membership_to_begin(membership_id: uuid.UUID) -> Membership:
    """Return a membership in force that a sign-in may be begun for; raises `NotFound`."""
    now = timezone.now()
    rows: QuerySet[Membership] = Membership.objects.select_related("person", "authority")
    ended = Q(until_at__isnull=True) | Q(until_at__gt=now)
    member = rows.filter(ended, id=membership_id, from_at__lte=now, person__is_active=True).first()
    if member is None:
        raise NotFound
    return member
