"""What the base app tells members of: proposals, invitations, attestation, ways to sign in.

Each function runs inside the transaction of what it tells of and returns the notices to be published with it.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import access
from network.actions.hand_over import Moved, Step
from network.actions.notifications import Told, move_notifications, notify, resolve
from network.actions.push import end_subscriptions
from network.frames import Notice
from network.models import Invitation, Membership, Notification, Proposal
from network.notification_kinds import Kind, Thing, about
from network.permissions import Permission
from network.policy import ROLES, Actor, two_person_acts

ATTESTATION_DUE = "attestation-due"
FACTOR_ADDED = "factor-added"
INVITATION_ACCEPTED = "invitation-accepted"
PROPOSAL_WAITS = "proposal-waits"


def _describe_people(actor: Actor, ids: Collection[str]) -> Mapping[str, str]:
    rows = Membership.objects.filter(authority_id=actor.authority_id, id__in=_uuids(ids))
    return {str(row.id): row.person.name for row in rows.select_related("person")}


def _describe_proposals(actor: Actor, ids: Collection[str]) -> Mapping[str, str]:
    from network.actions.proposals import ACTS

    rows = Proposal.objects.filter(authority_id=actor.authority_id, act__in=two_person_acts(actor))
    return {str(row.id): str(ACTS[row.act].title) for row in rows.filter(id__in=_uuids(ids))}


def _uuids(ids: Iterable[str]) -> list[uuid.UUID]:
    return [uuid.UUID(each) for each in ids]


THINGS = (
    # Seeing the page does not clear it: whoever added a way to sign in stands on that page.
    Thing("account", "/account/", Permission.FACTOR_READ, is_cleared_by_page=False),
    Thing("attestation", "/people/attest/", Permission.MEMBERSHIP_ATTEST),
    Thing("person", "/people/{}/", Permission.PERSON_LIST, _describe_people),
    Thing("proposal", "/proposals/{}/", Permission.PROPOSAL_LIST, _describe_proposals),
)
KINDS = (
    Kind(ATTESTATION_DUE, "attestation", _("Accounts are to be confirmed"), has_mail=False),
    Kind(FACTOR_ADDED, "account", _("A way to sign in was added to your account"), has_mail=False),
    Kind(INVITATION_ACCEPTED, "person", _("An invitation was accepted")),
    Kind(PROPOSAL_WAITS, "proposal", _("A proposal waits for a second person")),
)


def tell_of_proposal(actor: Actor, proposal: Proposal) -> list[Notice]:
    """Tell everybody of the authority who may decide a proposal, but not who made it."""
    roles = ROLES[Permission.PROPOSAL_DECIDE] & ROLES[Permission(proposal.act)]
    members = access.members_in_force([proposal.authority_id], roles)
    own = {actor.membership_id, actor.acting_for}
    return notify(
        Told(PROPOSAL_WAITS, str(proposal.id), member)
        for member in members
        if member.id not in own and member.person_id != actor.person_id
    )


def resolve_proposal(proposal: Proposal) -> list[Notice]:
    """Let nobody be told of a proposal any more: it is decided."""
    return resolve([about(PROPOSAL_WAITS, str(proposal.id))])


def tell_of_acceptance(invitation: Invitation, membership: Membership) -> list[Notice]:
    """Tell who invited somebody that the invitation was accepted."""
    if invitation.sponsor_id is None:
        return []
    sponsor = access.members_in_force_by_id([invitation.sponsor_id])
    return notify(Told(INVITATION_ACCEPTED, str(membership.id), member) for member in sponsor)


def tell_of_attestation(members: Collection[Membership]) -> list[Notice]:
    """Tell these members, who may attest, that accounts are to be confirmed."""
    found = access.members_in_force_by_id([member.id for member in members])
    return notify(Told(ATTESTATION_DUE, "", member) for member in found)


def tell_of_factor(person_id: uuid.UUID) -> list[Notice]:
    """Tell a person, in each authority, that there is a new way to sign in."""
    rows = Membership.objects.filter(access.standing(timezone.now()), person_id=person_id)
    rows = rows.select_related("person__notification_choices")
    return notify(Told(FACTOR_ADDED, "", member) for member in rows.order_by("id"))


def _count_unread(member: Membership) -> int:
    return Notification.objects.filter(membership=member, read_at__isnull=True).count()


def _move(leaver: Membership, successor: Membership | None) -> Moved:
    """Give over what is not read yet and the levels; stop waking the leaver's browsers."""
    end_subscriptions(leaver)
    count = _count_unread(leaver)
    return Moved(count, move_notifications(leaver, successor))


HAND_OVER = Step("notifications", _("Notifications that were not read yet"), _count_unread, _move)
