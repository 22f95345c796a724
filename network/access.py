"""The guard: turns a sign-in or an id into an object for an actor, or refuses."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from network.errors import Conflict, Forbidden, NotFound, SignedOut
from network.field_encryption import index_field
from network.invitation_tokens import id_of, is_genuine
from network.models import (
    SECRETARIAT_ROLES,
    Authority,
    AuthorityKind,
    Delegation,
    Factor,
    Invitation,
    Membership,
    Office,
    Proposal,
    Role,
    SignIn,
)
from network.permissions import Permission
from network.policy import Actor, can, can_invite_into_another, can_know_membership, two_person_acts
from network.prepared_query import PreparedQuery


def standing(now: datetime, prefix: str = "") -> Q:
    """Return the condition under which a membership counts: begun, not ended, suspended or unattested."""

    def ask(**conditions: object) -> Q:
        return Q(**{prefix + name: value for name, value in conditions.items()})

    not_ended = ask(until_at__isnull=True) | ask(until_at__gt=now)
    attested = ask(attested_until_at__isnull=True) | ask(attested_until_at__gt=now)
    return not_ended & attested & ask(from_at__lte=now, suspended_at__isnull=True, person__is_active=True)


def sign_in_counts(now: datetime) -> Q:
    """Return the condition under which a sign-in counts: it and its membership not ended, and not left alone.

    One that acts for another member counts only while the delegation and that member's standing do.
    """
    awake = Q(quiet_until_at__isnull=True) | Q(quiet_until_at__gt=now)
    lent = Q(acting_for__ended_at__isnull=True, acting_for__from_at__lte=now, acting_for__until_at__gt=now)
    lent &= standing(now, "acting_for__grantor__")
    own = Q(acting_for__isnull=True)
    if settings.PROFILE == "production":
        own, lent = (proven & ~Q(factor=Factor.DEVELOPMENT) for proven in (own, lent))
    return Q(ended_at__isnull=True, until_at__gt=now) & awake & standing(now, "membership__") & (own | lent)


def sign_ins_in_force(ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of the sign-ins that still count, by one query."""
    found = SignIn.objects.filter(sign_in_counts(timezone.now()), id__in=list(ids))
    return set(found.values_list("id", flat=True))


# What a request needs to know of who asks, in one row.
_OF_ACTOR = (
    "factor",
    "credential",
    "proved_at",
    "quiet_until_at",
    "until_at",
    "membership_id",
    "membership__office",
    "membership__roles",
    "membership__person_id",
    "membership__person__name",
    "membership__person__language",
    "membership__person__appearance",
    "membership__authority_id",
    "membership__authority__name",
    "membership__authority__kind",
    "membership__authority__state_id",
    "membership__authority__state__name",
    "membership__authority__state__names",
    "acting_for__roles",
    "acting_for__grantor_id",
    "acting_for__grantor__person__name",
    "acting_for__until_at",
)


def actor_in_force(now: datetime, sign_in_id: uuid.UUID) -> QuerySet[SignIn, tuple[Any, ...]]:
    """Ask for what makes an actor, if its sign-in counts."""
    return SignIn.objects.filter(sign_in_counts(now), id=sign_in_id).values_list(*_OF_ACTOR)


ACTOR_IN_FORCE = PreparedQuery(actor_in_force)


def get_actor(sign_in_id: uuid.UUID) -> Actor:
    """Return the actor behind a sign-in in force; raises `SignedOut`."""
    row = next(ACTOR_IN_FORCE.rows(timezone.now(), sign_in_id, variant=settings.PROFILE), None)
    if row is None:
        raise SignedOut
    found = dict(zip(_OF_ACTOR, row, strict=True))
    roles = [*found["membership__roles"], *(found["acting_for__roles"] or ())]
    names = found["membership__authority__state__names"] or {}
    return Actor(
        sign_in_id=sign_in_id,
        person_id=found["membership__person_id"],
        person_name=found["membership__person__name"],
        membership_id=found["membership_id"],
        office=found["membership__office"],
        roles=frozenset(map(Role, roles)),
        authority_id=found["membership__authority_id"],
        authority_name=found["membership__authority__name"],
        authority_kind=AuthorityKind(found["membership__authority__kind"]),
        state_code=found["membership__authority__state_id"],
        state_name=found["membership__authority__state__name"],
        state_names=tuple(sorted(names.items())),
        factor=Factor(found["factor"]),
        credential=found["credential"],
        proved_at=found["proved_at"],
        quiet_until_at=found["quiet_until_at"],
        until_at=found["until_at"],
        acting_for=found["acting_for__grantor_id"],
        acting_for_name=found["acting_for__grantor__person__name"] or "",
        acting_until_at=found["acting_for__until_at"],
        language=found["membership__person__language"],
        appearance=found["membership__person__appearance"],
    )


def _locked_in_force(now: datetime, ids: Collection[uuid.UUID]) -> QuerySet[SignIn, tuple[uuid.UUID]]:
    rows = SignIn.objects.select_for_update(of=("self",), no_key=True).filter(sign_in_counts(now), id__in=ids)
    return rows.order_by("id").values_list("id")


_IN_FORCE = PreparedQuery(lambda now, key: _locked_in_force(now, [key]))


def require_standing(actors: Iterable[Actor]) -> set[uuid.UUID]:
    """Return the sign-ins of these actors that count now; ask inside the writing transaction.

    Their rows stay locked until its end: who ends one of them waits for what was begun before, and nothing
    is written under it afterwards.
    """
    ids = {actor.sign_in_id for actor in actors}
    if len(ids) == 1:
        rows: Iterable[tuple[uuid.UUID]] = _IN_FORCE.rows(timezone.now(), *ids, variant=settings.PROFILE)
    else:
        rows = _locked_in_force(timezone.now(), ids)
    return {key for (key,) in rows}


def stand(actor: Actor, permission: Permission) -> None:
    """Check inside the writing transaction that the actor still stands and has the right."""
    require(actor, permission)
    if actor.sign_in_id not in require_standing([actor]):
        raise SignedOut


def require(actor: Actor | None, permission: Permission) -> Actor:
    """Return the actor if it has the right; raises `SignedOut` or `Forbidden`."""
    if actor is None:
        raise SignedOut
    if not can(actor, permission):
        raise Forbidden
    return actor


def get_membership_to_begin(membership_id: uuid.UUID) -> Membership:
    """Return a membership in force that a sign-in may be begun for, locked; raises `NotFound`.

    Whoever ends or suspends it meanwhile waits, and then finds this sign-in too.
    """
    rows: QuerySet[Membership] = Membership.objects.select_related("person", "authority")
    rows = rows.select_for_update(of=("self",), no_key=True)
    member = rows.filter(standing(timezone.now()), id=membership_id).first()
    if member is None:
        raise NotFound
    return member


def with_role(role: Role) -> QuerySet[Membership]:
    """Return the memberships with this role, in force or not."""
    rows = Membership.objects.annotate(roles_text=Cast("roles", TextField()))
    return rows.filter(roles_text__contains=f'"{role}"')


def administrators_in_force(authority_id: uuid.UUID) -> QuerySet[Membership]:
    """Return who keeps the accounts of an authority at this moment."""
    return with_role(Role.ADMINISTRATOR).filter(standing(timezone.now()), authority_id=authority_id)


def members_in_force(authority_ids: Iterable[uuid.UUID], roles: Iterable[Role]) -> list[Membership]:
    """Return who has one of the roles in these authorities now, with how each wants to be told."""
    rows = Membership.objects.annotate(roles_text=Cast("roles", TextField()))
    wanted = Q(pk__in=[])
    for role in roles:
        wanted |= Q(roles_text__contains=f'"{role}"')
    rows = rows.filter(standing(timezone.now()), wanted, authority_id__in=list(authority_ids))
    return list(rows.select_related("person__notification_choices").order_by("id"))


def members_in_force_by_id(ids: Iterable[uuid.UUID]) -> list[Membership]:
    """Return those of the members who stand now, with how each wants to be told."""
    rows = Membership.objects.filter(standing(timezone.now()), id__in=list(ids))
    return list(rows.select_related("person__notification_choices").order_by("id"))


def get_membership(
    actor: Actor, membership_id: uuid.UUID, *, to: Permission, locked: bool = False
) -> Membership:
    """Return somebody's standing, ended or not, that the actor has this right on.

    Raises `NotFound` for what does not exist and for what the actor may not know of, without a difference.
    """
    require(actor, to)
    rows = Membership.objects.select_related("person", "authority__state", "suspended_by__authority")
    rows = rows.select_for_update(of=("self",), no_key=True) if locked else rows
    member = rows.filter(id=membership_id).first()
    if member is None or not can_know_membership(
        actor, to, member.authority_id, AuthorityKind(member.authority.kind), member.role_set
    ):
        raise NotFound
    return member


def get_own_authority(actor: Actor, *, to: Permission, locked: bool = False) -> Authority:
    """Return the actor's own authority for work on its entry in the directory; raises `NotFound` without one.

    Only authorities of a State have an entry: no mission, organization or secretariat.
    """
    require(actor, to)
    rows = Authority.objects.filter(kind__in=(AuthorityKind.CENTRAL, AuthorityKind.COMPETENT))
    rows = rows.filter(id=actor.authority_id, state__isnull=False)
    if locked:
        rows = rows.select_for_update(of=("self",), no_key=True)
    authority = rows.select_related("state").first()
    if authority is None:
        raise NotFound
    if locked:
        stand(actor, to)  # the sign-in is locked after the authority, as everywhere
    return authority


def get_own_office(actor: Actor, office_id: uuid.UUID, *, to: Permission) -> Office:
    """Return an office of the actor's own authority; raises `NotFound`."""
    require(actor, to)
    rows = Office.objects.prefetch_related("special_days")
    office = rows.filter(id=office_id, entry_id=actor.authority_id).first()
    if office is None:
        raise NotFound
    return office


def get_successor(actor: Actor, membership_id: uuid.UUID, *, of: Membership) -> Membership:
    """Return a colleague in force of the same authority as `of`; raises `NotFound`."""
    require(actor, Permission.MEMBERSHIP_HAND_OVER)
    rows = Membership.objects.select_related("person").filter(standing(timezone.now()))
    member = rows.filter(id=membership_id, authority_id=of.authority_id).exclude(id=of.id).first()
    if member is None:
        raise NotFound
    return member


def get_colleague(actor: Actor, membership_id: uuid.UUID, *, to: Permission) -> Membership:
    """Return a member in force of the actor's own authority; raises `NotFound`."""
    require(actor, to)
    rows = Membership.objects.select_related("person", "authority").filter(standing(timezone.now()))
    member = rows.filter(id=membership_id, authority_id=actor.authority_id).first()
    if member is None:
        raise NotFound
    return member


def get_delegation(actor: Actor, delegation_id: uuid.UUID, *, locked: bool = False) -> Delegation:
    """Return a delegation the actor may end: the own, or for an administrator any of the authority.

    Raises `NotFound`.
    """
    require(actor, Permission.DELEGATION_END)
    theirs = Q(grantor_id=actor.membership_id)
    if Role.ADMINISTRATOR in actor.roles:
        theirs = Q(grantor__authority_id=actor.authority_id)
    rows = Delegation.objects.filter(theirs, id=delegation_id)
    rows = rows.select_for_update(of=("self",), no_key=True) if locked else rows
    found = rows.select_related("grantor", "delegate__person").first()
    if found is None:
        raise NotFound
    return found


def get_proposal(actor: Actor, proposal_id: uuid.UUID, *, to: Permission, locked: bool = False) -> Proposal:
    """Return a proposal of the actor's authority for an act the actor may do; raises `NotFound`."""
    require(actor, to)
    rows = Proposal.objects.select_related("proposed_by__person", "decided_by__person")
    if locked:
        rows = rows.select_for_update(of=("self",))
    acts = two_person_acts(actor)
    proposal = rows.filter(id=proposal_id, authority_id=actor.authority_id, act__in=acts).first()
    if proposal is None:
        raise NotFound
    return proposal


def get_membership_of_operator(membership_id: uuid.UUID) -> Membership:
    """Return a membership that has not ended, for a command of the operator; raises `NotFound`."""
    rows = Membership.objects.select_related("person", "authority").filter(until_at__isnull=True)
    member = rows.filter(id=membership_id).first()
    if member is None:
        raise NotFound
    return member


def get_authority_to_invite(actor: Actor, authority_id: uuid.UUID, roles: Iterable[Role]) -> Authority:
    """Return an authority into which the actor may invite somebody with these roles, locked.

    Administrators invite into their own; what directory officers may is said in `can_invite_into_another`.
    Raises `NotFound`, `Forbidden`.
    """
    require(actor, Permission.INVITATION_SEND)
    wanted = frozenset(roles)
    if wanted & SECRETARIAT_ROLES:
        raise Forbidden("two-persons", _("Roles of the secretariat are given by two persons together."))
    rows = Authority.objects.select_for_update(of=("self",), no_key=True).filter(id=authority_id)
    if Role.DIRECTORY_OFFICER not in actor.roles:
        rows = rows.filter(id=actor.authority_id)
    authority = rows.exclude(kind=AuthorityKind.SECRETARIAT).first()
    if authority is None:
        raise NotFound
    stand(actor, Permission.INVITATION_SEND)  # the sign-in is locked after the authority, as everywhere
    if authority.id != actor.authority_id:
        _require_first(authority, wanted)
    return authority


def get_authority_to_see(actor: Actor, authority_id: uuid.UUID) -> Authority:
    """Return the authority a form to invite is about: the own, or any for a directory officer.

    Raises `NotFound`; also for the secretariat itself, where two persons together invite.
    """
    require(actor, Permission.INVITATION_SEND)
    rows = Authority.objects.select_related("state").exclude(kind=AuthorityKind.SECRETARIAT)
    if Role.DIRECTORY_OFFICER not in actor.roles:
        rows = rows.filter(id=actor.authority_id)
    authority = rows.filter(id=authority_id).first()
    if authority is None:
        raise NotFound
    return authority


def _require_first(authority: Authority, roles: frozenset[Role]) -> None:
    # One who is suspended or not attested is still there: otherwise whoever suspends the last administrator
    # could put somebody else in the place, alone.
    not_ended = with_role(Role.ADMINISTRATOR).filter(authority_id=authority.id, until_at__isnull=True)
    has_administrator = not_ended.exists()
    kind = AuthorityKind(authority.kind)
    if can_invite_into_another(roles, kind, has_administrator=has_administrator):
        return
    if has_administrator:
        raise Forbidden(
            "has-administrator",
            _("This authority has an administrator, who invites its people. The secretariat does not."),
        )
    raise Forbidden(
        "first-role-only",
        _("The secretariat invites the first administrator only; he or she invites the others."),
    )


def get_invitation(token: str, address: str, *, locked: bool = False) -> Invitation:
    """Return the invitation whose link and mail address somebody holds, if it can still be used.

    Raises `NotFound` (the same for what never was and what is for somebody else), and to the one it was meant
    for `Conflict("invitation-used" | "invitation-withdrawn" | "invitation-expired")`.
    """
    rows = Invitation.objects.select_related("authority__state", "person", "sponsor__person")
    rows = rows.select_for_update(of=("self",), no_key=True) if locked else rows
    invitation_id = id_of(token)
    invitation = rows.filter(id=invitation_id).first() if invitation_id else None
    index = index_field("person.address", address)
    if (
        invitation is None
        or not is_genuine(token, invitation)
        or not constant_time_compare(index, invitation.address_index)
    ):
        raise NotFound(
            "invitation-unknown",
            _(
                "This link and this mail address do not belong together, or the link is not whole. Open the "
                "link from the mail again and type the address the mail was sent to. If that does not help, "
                "ask who invited you for a new invitation."
            ),
        )
    refuse_over(invitation)
    by = invitation.sponsor_id
    if by and not Membership.objects.filter(standing(timezone.now()), id=by).exists():
        raise _withdrawn()  # what somebody promised who does not count any more
    return invitation


def refuse_over(invitation: Invitation) -> None:
    """Raise `Conflict` with what to do when an invitation cannot be used any more."""
    if invitation.used_at:
        raise Conflict(
            "invitation-used",
            _(
                "This invitation was used already. If you used it, sign in. If it was not you, tell the "
                "administrator of your authority at once, by telephone."
            ),
        )
    if invitation.withdrawn_at:
        raise _withdrawn()
    if invitation.until_at <= timezone.now():
        raise Conflict(
            "invitation-expired",
            _("This invitation has expired: each is good for 72 hours. Ask who invited you for a new one."),
        )


def _withdrawn() -> Conflict:
    return Conflict(
        "invitation-withdrawn",
        _(
            "This invitation was withdrawn, perhaps because a newer one was sent. Look for the newest "
            "mail, or ask who invited you."
        ),
    )


def get_sent_invitation(actor: Actor, invitation_id: uuid.UUID, *, to: Permission) -> Invitation:
    """Return an invitation, locked, that the actor may withdraw or send again; raises `NotFound`.

    Of the own authority, or for a directory officer one that the secretariat sent.
    """
    require(actor, to)
    theirs = Q(authority_id=actor.authority_id)
    if Role.DIRECTORY_OFFICER in actor.roles:
        theirs |= Q(sponsor__authority_id=actor.authority_id)
    rows = Invitation.objects.select_related("authority").filter(theirs, id=invitation_id)
    # Authority, sign-in, invitation: the order in which every act on accounts locks.
    authorities = Authority.objects.select_for_update(of=("self",), no_key=True)
    list(authorities.filter(id__in=rows.values("authority_id")).values_list("id"))
    stand(actor, to)
    invitation = rows.select_for_update(of=("self",), no_key=True).first()
    if invitation is None:
        raise NotFound
    return invitation


def get_authority_to_confirm(actor: Actor, authority_id: uuid.UUID) -> Authority:
    """Return an authority of a State, whose fingerprint the actor may confirm; raises `NotFound`."""
    require(actor, Permission.FINGERPRINT_CONFIRM)
    rows = Authority.objects.select_related("state").filter(state__isnull=False)
    authority = rows.filter(id=authority_id).first()
    if authority is None:
        raise NotFound
    return authority
