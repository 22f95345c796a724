"""Acts that two persons do together: one proposes, another carries it out within 24 hours, or declines it.

What is proposed is bound to its object as it stood: if that has changed, nothing is carried out.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from network import access, audit
from network.actions.authorities import CONFIRM_FINGERPRINT, OPEN_AUTHORITY
from network.actions.news import resolve_proposal, tell_of_proposal
from network.actions.secretariat import GRANT_SECRETARIAT_ROLE
from network.actions.two_person_act import Answer, BadFacts, TwoPersonAct
from network.errors import Conflict, Forbidden
from network.field_encryption import open_field, seal_field
from network.frames import Body, to_json
from network.models import Membership, Proposal, ProposalStatus
from network.permissions import Permission
from network.policy import Actor, may_decide
from network.realtime import publish_on_commit

PROPOSAL_LASTS = timedelta(hours=24)
SEALED = "proposal.facts"

ACTS: dict[str, TwoPersonAct] = {
    act.name: act for act in (OPEN_AUTHORITY, CONFIRM_FINGERPRINT, GRANT_SECRETARIAT_ROLE)
}


@transaction.atomic(durable=True)
def propose(actor: Actor, *, act: Permission, facts: Mapping[str, Any]) -> Proposal:
    """Propose an act for somebody else to carry out.

    `facts` are what the act's own type takes, as JSON has them. Raises `BadFacts` with the fields that need
    another look, `Forbidden` without the right to the act itself.
    """
    access.stand(actor, act)
    known = ACTS[act]
    parsed = parse_facts(known, facts)
    known.check(parsed)
    known.begin(actor, parsed)
    now = timezone.now()
    proposal = Proposal(
        act=known.name,
        authority_id=actor.authority_id,
        subject=known.subject_of(parsed),
        state=_state(known, parsed),
        proposed_by_id=actor.membership_id,
        proposed_credential=actor.credential,
        proposed_at=now,
        until_at=now + PROPOSAL_LASTS,
    )
    proposal.facts, proposal.sealed_facts = _to_keep(known, parsed)
    proposal.save(force_insert=True)
    told = tell_of_proposal(actor, proposal)
    _record(actor, "proposal:open", proposal, known, parsed)
    publish_on_commit(*told)
    return proposal


@transaction.atomic(durable=True)
def carry_out(actor: Actor, *, proposal_id: uuid.UUID, answer: Answer | None = None) -> Proposal:
    """Carry out what another person proposed; all of it or nothing.

    `answer` is what some acts ask the second person for. Raises `NotFound`; `Forbidden("same-person")` and
    `("same-credential")`; `Conflict("already-decided")`, `("proposal-expired")`, `("proposal-stale")`.
    """
    proposal = _get_to_decide(actor, proposal_id)
    _check_second(actor, proposal)
    act, facts = ACTS[proposal.act], facts_of(proposal)
    given: Answer = answer or {}
    act.confirm(actor, facts, given)
    if _state(act, facts) != proposal.state or not _proposer_stands(proposal):
        raise _stale()
    try:
        act.check(facts)
    except BadFacts as error:
        raise _stale() from error
    _decide(actor, proposal, ProposalStatus.CARRIED_OUT)
    told = resolve_proposal(proposal)
    _record(actor, "proposal:carry-out", proposal, act, facts)
    told += act.carry_out(actor, facts, given)
    publish_on_commit(*told)
    return proposal


@transaction.atomic(durable=True)
def decline(actor: Actor, *, proposal_id: uuid.UUID) -> Proposal:
    """Decline what another person proposed; nothing is done. Raises as `carry_out` does."""
    proposal = _get_to_decide(actor, proposal_id)
    _check_second(actor, proposal)
    return _end(actor, proposal, ProposalStatus.DECLINED, "proposal:decline")


@transaction.atomic(durable=True)
def withdraw(actor: Actor, *, proposal_id: uuid.UUID) -> Proposal:
    """Take back what one has proposed oneself; raises `Forbidden("not-proposer")` for anybody else's."""
    proposal = _get_to_decide(actor, proposal_id)
    if proposal.proposed_by.person_id != actor.person_id:
        raise Forbidden("not-proposer", _("Only who proposed this may withdraw it. You may decline it."))
    return _end(actor, proposal, ProposalStatus.WITHDRAWN, "proposal:withdraw")


def _end(actor: Actor, proposal: Proposal, status: ProposalStatus, entry: str) -> Proposal:
    act, facts = ACTS[proposal.act], facts_of(proposal)
    _decide(actor, proposal, status)
    told = resolve_proposal(proposal)
    _record(actor, entry, proposal, act, facts)
    publish_on_commit(*told)
    return proposal


def parse_facts(act: TwoPersonAct, facts: Mapping[str, Any]) -> Body:
    """Return the facts as the act's own type; raises `BadFacts` with the names of the fields."""
    try:
        return act.facts.model_validate_json(to_json(dict(facts)))
    except ValidationError as error:
        raise BadFacts(**dict.fromkeys(_fields(error), "")) from error


def _fields(error: ValidationError) -> list[str]:
    """Return the fields that are wrong; a rule over several names its field in the first words."""
    found = []
    for problem in error.errors(include_url=False, include_input=False):
        place = problem["loc"][0] if problem["loc"] else problem["msg"].removeprefix("Value error, ")
        found.append(str(place).partition(":")[0])
    return found


def facts_of(proposal: Proposal) -> Any:
    """Return what was proposed, with what is kept encrypted."""
    hidden = json.loads(open_field(SEALED, bytes(proposal.sealed_facts))) if proposal.sealed_facts else {}
    return ACTS[proposal.act].facts.model_validate_json(to_json({**proposal.facts, **hidden}))


def _to_keep(act: TwoPersonAct, facts: Body) -> tuple[dict[str, Any], bytes | None]:
    open_part = facts.model_dump(mode="json")
    hidden = {name: value for name in act.sealed if (value := open_part.pop(name)) is not None}
    return open_part, seal_field(SEALED, to_json(hidden)) if hidden else None


def _state(act: TwoPersonAct, facts: Body) -> str:
    """Return the hash of everything the two persons have agreed on, as it stands now."""
    return hashlib.sha256(to_json(act.state_of(facts)).encode()).hexdigest()


def _get_to_decide(actor: Actor, proposal_id: uuid.UUID) -> Proposal:
    """Return the proposal, locked, if it is still open."""
    access.stand(actor, Permission.PROPOSAL_DECIDE)
    proposal = access.get_proposal(actor, proposal_id, to=Permission.PROPOSAL_DECIDE, locked=True)
    if proposal.status != ProposalStatus.OPEN:
        raise _already(proposal)
    if proposal.until_at <= timezone.now():
        raise Conflict("proposal-expired", _("Nobody decided this within 24 hours. Propose it anew."))
    return proposal


def _proposer_stands(proposal: Proposal) -> bool:
    """Answer whether who proposed it still counts: an act of two persons needs both."""
    rows = Membership.objects.filter(access.standing(timezone.now()), id=proposal.proposed_by_id)
    return rows.exists()


def _stale() -> Conflict:
    return Conflict(
        "proposal-stale",
        _("What this is about has changed since it was proposed. Decline it and propose it anew."),
    )


def _already(proposal: Proposal) -> Conflict:
    by = proposal.decided_by  # written together with the status
    name, at = by.person.name if by else "", f"{proposal.decided_at:%Y-%m-%d %H:%M} UTC"
    sentence = _("This was already decided by %(name)s at %(at)s.")
    return Conflict("already-decided", sentence % {"name": name, "at": at})


def _check_second(actor: Actor, proposal: Proposal) -> None:
    by = proposal.proposed_by
    if may_decide(actor, proposer=by.person_id, membership=by.id, credential=proposal.proposed_credential):
        return
    if proposal.proposed_by.person_id == actor.person_id or actor.acting_for == by.id:
        raise Forbidden(
            "same-person", _("You proposed this. Another person has to carry it out or decline it.")
        )
    raise Forbidden("same-credential", _("This was proposed with the passkey you use. Use one of your own."))


def _decide(actor: Actor, proposal: Proposal, status: ProposalStatus) -> None:
    """Compare and set: of two who decide at the same moment one does, also where rows cannot be locked."""
    decided = {"status": status, "decided_by_id": actor.membership_id, "decided_at": timezone.now()}
    if not Proposal.objects.filter(id=proposal.id, status=ProposalStatus.OPEN).update(**decided):
        raise Conflict
    proposal.refresh_from_db(fields=["status", "decided_by", "decided_at"])


def _record(actor: Actor, entry: str, proposal: Proposal, act: TwoPersonAct, facts: Body) -> None:
    audit.record(actor, entry, proposal.id.hex, concerns=act.concerns_of(facts), proposed=act.name)
