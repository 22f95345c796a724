"""What every act on somebody's standing has in common: locks in one order, and nobody judges himself.

The order is authority, sign-ins by id, membership, then audit head and counters: two acts on the same people
wait for each other and never for ever.
"""

import uuid
from collections.abc import Collection

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import access
from network.errors import Conflict, Forbidden
from network.models import Authority, Delegation, Membership, Role, SignIn
from network.permissions import Permission
from network.policy import Actor


def begin_change(actor: Actor, membership_id: uuid.UUID, *, to: Permission) -> Membership:
    """Return somebody's standing, locked with its authority and sign-ins, for an act that changes it.

    Raises `SignedOut`, `Forbidden`, `NotFound`, and `Conflict("membership-ended")`.
    """
    seen = access.get_membership(actor, membership_id, to=to)
    lock_people({seen.authority_id}, {seen.id}, actor)
    access.stand(actor, to)
    member = access.get_membership(actor, membership_id, to=to, locked=True)
    refuse_own(actor, member)
    refuse_ended(member)
    return member


def lock_people(
    authority_ids: Collection[uuid.UUID], membership_ids: Collection[uuid.UUID], actor: Actor | None = None
) -> None:
    """Lock the accounts of authorities, and what is signed in under these memberships and by the actor."""
    authorities = Authority.objects.select_for_update(of=("self",), no_key=True)
    list(authorities.filter(id__in=authority_ids).order_by("id").values_list("id"))
    theirs = _sign_ins_of(membership_ids)
    if actor:
        theirs |= Q(id=actor.sign_in_id)
    sign_ins = SignIn.objects.select_for_update(of=("self",), no_key=True)
    list(sign_ins.filter(theirs, ended_at__isnull=True).order_by("id").values_list("id"))


def refuse_own(actor: Actor, member: Membership) -> None:
    """Raise `Forbidden` when somebody would act on himself, or on whom he acts for."""
    if member.person_id == actor.person_id:
        raise Forbidden("own-account", _("Nobody does this to his or her own account. Ask a colleague."))
    if member.id == actor.acting_for:
        raise Forbidden("own-account", _("You act for this person, so you cannot do this to him or her."))


def refuse_ended(member: Membership) -> None:
    """Raise `Conflict` for a standing that has ended."""
    if member.until_at and member.until_at <= timezone.now():
        raise Conflict("membership-ended", _("This person’s work for the authority has ended already."))


def keep_an_administrator(member: Membership) -> None:
    """Raise `Conflict` when the authority would be without an administrator if this one went."""
    if Role.ADMINISTRATOR not in member.role_set:
        return
    if not access.administrators_in_force(member.authority_id).exclude(id=member.id).exists():
        raise Conflict(
            "last-administrator",
            _("This is the only administrator of the authority. Another one has to be there first."),
        )


def end_sign_ins(membership_ids: Collection[uuid.UUID], *, keep: uuid.UUID | None = None) -> list[uuid.UUID]:
    """End what is signed in under these memberships, or acts for them; returns which, to be revoked.

    `keep` is the sign-in of whoever does this, if it is one of them.
    """
    found = SignIn.objects.filter(_sign_ins_of(membership_ids), ended_at__isnull=True)
    if keep:
        found = found.exclude(id=keep)
    ids = list(found.values_list("id", flat=True))
    SignIn.objects.filter(id__in=ids).update(ended_at=timezone.now())
    return ids


def end_delegations(member: Membership) -> int:
    """End what this member lent and was lent; returns how many there were."""
    theirs = Delegation.objects.filter(Q(grantor=member) | Q(delegate=member), ended_at__isnull=True)
    return theirs.update(ended_at=timezone.now())


def _sign_ins_of(membership_ids: Collection[uuid.UUID]) -> Q:
    return Q(membership_id__in=membership_ids) | Q(acting_for__grantor_id__in=membership_ids)
