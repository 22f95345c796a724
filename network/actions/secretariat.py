"""Roles of the secretariat: for one of its members, or for a new colleague who is invited."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import access, audit
from network.actions.invitations import issue_invitation
from network.actions.standing import end_sign_ins
from network.actions.two_person_act import Answer, BadFacts, TwoPersonAct
from network.addresses import parse_address
from network.errors import Forbidden, Invalid
from network.field_encryption import index_field
from network.frames import Notice
from network.models import Authority, AuthorityKind, Membership, Role
from network.permissions import Permission
from network.policy import Actor
from network.proposal_facts import GrantSecretariatRole
from network.realtime import revoke_on_commit


def _members(facts: GrantSecretariatRole) -> list[Membership]:
    """Return the standing that is to change, locked; for a new colleague what is there under the address."""
    rows = Membership.objects.select_for_update().filter(authority__kind=AuthorityKind.SECRETARIAT)
    rows = rows.filter(access.standing(timezone.now()))
    if facts.membership:
        return list(rows.filter(id=facts.membership))
    index = index_field("person.address", parse_address(facts.address or ""))
    return list(rows.filter(person__address_index=index))


def _check(facts: GrantSecretariatRole) -> None:
    try:
        found = _members(facts)
    except Invalid as error:
        raise BadFacts(address=error.sentence) from error
    if facts.membership and not found:
        raise BadFacts(membership=_("This person does not work for the secretariat at this time."))
    if facts.membership and tuple(found[0].roles) == facts.roles:
        raise BadFacts(roles=_("This person has just these roles already."))
    if not facts.membership and found:
        raise BadFacts(address=_("A member of the secretariat has this address already."))


def _state_of(facts: GrantSecretariatRole) -> list[object]:
    return [[row.id.hex, row.roles, row.office] for row in _members(facts)]


def _confirm(actor: Actor, facts: GrantSecretariatRole, answer: Answer) -> None:
    """Nobody decides on the own roles; who proposes them for himself or herself needs somebody else."""
    if facts.membership == actor.membership_id:
        raise Forbidden("own-role", _("This is about your own roles, so somebody else has to decide it."))


def _grant(actor: Actor, facts: GrantSecretariatRole, answer: Answer) -> list[Notice]:
    if facts.membership:
        Membership.objects.filter(id=facts.membership).update(roles=list(facts.roles))
        # What is signed in goes on with the rights it began with, so it has to end.
        revoke_on_commit(end_sign_ins([facts.membership]))
        audit.record(
            actor, Permission.SECRETARIAT_ROLE_GRANT, facts.membership.hex, roles=" ".join(facts.roles)
        )
        return []
    invitation = issue_invitation(
        actor,
        authority=Authority.objects.get(id=actor.authority_id),
        address=facts.address or "",
        name=facts.person or "",
        office=facts.office or "",
        roles=[Role(role) for role in facts.roles],
        language=facts.language or "en",
    )
    audit.record(actor, Permission.SECRETARIAT_ROLE_GRANT, invitation.id.hex, roles=" ".join(facts.roles))
    return []


GRANT_SECRETARIAT_ROLE = TwoPersonAct(
    permission=Permission.SECRETARIAT_ROLE_GRANT,
    title=_("Grant roles of the secretariat"),
    facts=GrantSecretariatRole,
    subject_of=lambda facts: facts.membership.hex if facts.membership else "new",
    concerns_of=lambda facts: (),
    state_of=_state_of,
    carry_out=_grant,
    check=_check,
    confirm=_confirm,
    sealed=("address",),
)
