"""Acts that two persons do together, and what their pages show beside them."""

import uuid

from django.db.models import Q, QuerySet
from django.utils import timezone

from network.access import standing
from network.models import (
    Authority,
    AuthorityKind,
    Membership,
    Proposal,
    ProposalStatus,
    State,
)
from network.policy import Actor, two_person_acts

PROPOSALS_AT_ONCE = 50


def _proposals(actor: Actor) -> QuerySet[Proposal]:
    """Return the proposals the actor may know of: of the own authority, for acts the actor may do."""
    rows = Proposal.objects.select_related("proposed_by__person", "decided_by__person")
    rows = rows.filter(authority_id=actor.authority_id, act__in=two_person_acts(actor))
    return rows.order_by("-proposed_at", "-id")


def _open_proposals(actor: Actor) -> QuerySet[Proposal]:
    return _proposals(actor).filter(status=ProposalStatus.OPEN, until_at__gt=timezone.now())


def proposals_waiting_for(actor: Actor) -> QuerySet[Proposal]:
    """Return the open proposals of others, which the actor may decide."""
    return _open_proposals(actor).exclude(proposed_by__person_id=actor.person_id)


def own_open_proposals(actor: Actor) -> QuerySet[Proposal]:
    """Return the open proposals of the actor, which others decide."""
    return _open_proposals(actor).filter(proposed_by__person_id=actor.person_id)


def list_open_proposals(actor: Actor) -> tuple[list[Proposal], list[Proposal]]:
    """Return the proposals that wait for the actor, and the actor's own that wait for others."""
    own = own_open_proposals(actor)
    return list(proposals_waiting_for(actor)[:PROPOSALS_AT_ONCE]), list(own[:PROPOSALS_AT_ONCE])


def list_ended_proposals(actor: Actor, *, before: Proposal | None = None) -> tuple[list[Proposal], bool]:
    """Return decided and expired proposals, the newest first, and whether there are older ones."""
    rows = _proposals(actor).exclude(status=ProposalStatus.OPEN, until_at__gt=timezone.now())
    if before:
        same = Q(proposed_at=before.proposed_at, id__lt=before.id)
        rows = rows.filter(Q(proposed_at__lt=before.proposed_at) | same)
    found = list(rows[: PROPOSALS_AT_ONCE + 1])
    return found[:PROPOSALS_AT_ONCE], len(found) > PROPOSALS_AT_ONCE


def list_secretariat_members() -> list[Membership]:
    """Return who works for the secretariat at this moment, at most 200."""
    rows = Membership.objects.select_related("person").filter(standing(timezone.now()))
    of_secretariat = rows.filter(authority__kind=AuthorityKind.SECRETARIAT)
    return list(of_secretariat.order_by("person__name", "id")[:200])


def find_authority(authority_id: uuid.UUID) -> Authority | None:
    """Return an authority with its State, for a proposal that names it."""
    return Authority.objects.select_related("state").filter(id=authority_id).first()


def find_state(code: str) -> State | None:
    """Return a State by its code, for a proposal that names it."""
    return State.objects.filter(code=code).first()


def find_member(membership_id: uuid.UUID) -> Membership | None:
    """Return a standing with its person, for a proposal that names it."""
    return Membership.objects.select_related("person").filter(id=membership_id).first()
