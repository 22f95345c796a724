"""Suspending, restoring, changing and attesting the people of an authority."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import access, audit
from network.actions.hand_over import end_membership
from network.actions.mail import write_mail
from network.actions.standing import begin_change, end_sign_ins, keep_an_administrator, lock_people
from network.errors import Conflict, Forbidden, Invalid
from network.models import (
    SECRETARIAT_ROLES,
    Authority,
    AuthorityKind,
    Delegation,
    Factor,
    Membership,
    Role,
    SignIn,
    SuspensionReason,
)
from network.permissions import Permission
from network.policy import ATTESTATION_LASTS, Actor, can_hold
from network.realtime import revoke_on_commit

__all__ = [
    "attest_memberships",
    "change_membership",
    "end_membership",
    "restore_membership",
    "set_codes_allowed",
    "suspend_membership",
]

ATTESTED_AT_ONCE = 100


@transaction.atomic(durable=True)
def suspend_membership(actor: Actor, *, membership_id: uuid.UUID, reason: SuspensionReason) -> None:
    """Stop somebody from now on until restored; what is signed in ends. The secretariat may stop the last
    administrator of an authority, which otherwise always keeps one.

    Raises `NotFound`, `Forbidden`, `Conflict("already-suspended" | "last-administrator")`.
    """
    member = begin_change(actor, membership_id, to=Permission.MEMBERSHIP_SUSPEND)
    if member.suspended_at:
        raise Conflict("already-suspended", _("This person is suspended already."))
    if member.authority_id == actor.authority_id:
        keep_an_administrator(member)
    Membership.objects.filter(id=member.id).update(
        suspended_at=timezone.now(), suspended_by=actor.membership_id, suspended_for=reason
    )
    ended = end_sign_ins({member.id})
    facts: dict[str, Any] = {"reason": reason.value, "sign_ins": len(ended)}
    audit.record(actor, "membership:suspend", member.id.hex, concerns=[member.authority_id], **facts)
    write_mail("account-ended", member.person)
    revoke_on_commit(ended)


@transaction.atomic(durable=True)
def restore_membership(actor: Actor, *, membership_id: uuid.UUID) -> None:
    """Let somebody who was suspended sign in again. What the secretariat stopped, only it restores; what an
    authority stopped, only an authority.

    Raises `NotFound`, `Forbidden("suspended-by-secretariat")`, `Forbidden`, `Conflict("not-suspended")`.
    """
    member = begin_change(actor, membership_id, to=Permission.MEMBERSHIP_SUSPEND)
    if not member.suspended_at:
        raise Conflict("not-suspended", _("This person is not suspended."))
    by = member.suspended_by
    if (
        by
        and by.authority.kind == AuthorityKind.SECRETARIAT
        and actor.authority_kind != AuthorityKind.SECRETARIAT
    ):
        raise Forbidden(
            "suspended-by-secretariat",
            _("The secretariat suspended this person, so only its security officer restores him or her."),
        )
    if (
        by
        and by.authority.kind != AuthorityKind.SECRETARIAT
        and actor.authority_kind == AuthorityKind.SECRETARIAT
    ):
        raise Forbidden
    Membership.objects.filter(id=member.id).update(suspended_at=None, suspended_by=None, suspended_for="")
    audit.record(actor, "membership:restore", member.id.hex, concerns=[member.authority_id])
    write_mail("account-restored", member.person)


@transaction.atomic(durable=True)
def change_membership(
    actor: Actor, *, membership_id: uuid.UUID, roles: Collection[Role], office: str
) -> None:
    """Change what somebody may do and which office he or she belongs to.

    With other roles every sign-in of the person ends: rights count from the next one, with the factor they
    ask for. Raises `NotFound`, `Forbidden`, `Invalid`, `Conflict("last-administrator")`.
    """
    member = begin_change(actor, membership_id, to=Permission.MEMBERSHIP_CHANGE)
    wanted, office = frozenset(roles), office.strip()
    if not can_hold(wanted, AuthorityKind(member.authority.kind)):
        raise Invalid("roles-not-possible", _("A member of this authority cannot have these roles."))
    # Roles of the secretariat are given by two persons together.
    if (wanted | member.role_set) & SECRETARIAT_ROLES:
        raise Forbidden("two-persons", _("Roles of the secretariat are given by two persons together."))
    if not 0 < len(office) <= 200 or not office.isprintable():
        raise Invalid(
            "office-needed", _("Say which office the person belongs to, in at most 200 characters.")
        )
    if Role.ADMINISTRATOR not in wanted:
        keep_an_administrator(member)
    before = member.role_set
    Membership.objects.filter(id=member.id).update(roles=sorted(wanted), office=office)
    ended: list[uuid.UUID] = []
    if wanted != before:
        _end_what_is_no_longer_held(member, wanted)
        ended = end_sign_ins({member.id})
        write_mail("account-changed", member.person)
    facts: dict[str, Any] = {"roles": " ".join(sorted(wanted)), "before": " ".join(sorted(before))}
    facts["sign_ins"] = len(ended)
    audit.record(actor, "membership:change", member.id.hex, **facts)
    revoke_on_commit(ended)


def _end_what_is_no_longer_held(member: Membership, roles: frozenset[Role]) -> None:
    """End delegations that lend what their grantor has no more, or what its delegate may not have."""
    open_ones = Delegation.objects.filter(Q(grantor=member) | Q(delegate=member), ended_at__isnull=True)
    kind = AuthorityKind(member.authority.kind)
    ended = [
        one.id
        for one in open_ones
        if (one.grantor_id == member.id and not roles.issuperset(one.roles))
        or (one.delegate_id == member.id and not can_hold(roles | frozenset(map(Role, one.roles)), kind))
    ]
    Delegation.objects.filter(id__in=ended).update(ended_at=timezone.now())


@transaction.atomic(durable=True)
def attest_memberships(actor: Actor, *, membership_ids: Collection[uuid.UUID]) -> None:
    """Say of these persons, at most 100, that they still work where they do: for seven months from now.

    All or nothing. Raises `NotFound`, `Forbidden("own-account")`, `Conflict("membership-ended")`, `Invalid`.
    """
    ids = sorted(set(membership_ids))
    if not 0 < len(ids) <= ATTESTED_AT_ONCE:
        raise Invalid("choose-persons", _("Choose at least one person, and at most 100 at once."))
    access.require(actor, Permission.MEMBERSHIP_ATTEST)
    found = Membership.objects.filter(id__in=ids).values_list("authority_id", flat=True)
    lock_people(set(found), ids, actor)
    until_at = timezone.now() + ATTESTATION_LASTS
    for membership_id in ids:
        member = begin_change(actor, membership_id, to=Permission.MEMBERSHIP_ATTEST)
        _attest(actor, member, until_at)


def _attest(actor: Actor, member: Membership, until_at: datetime) -> None:
    Membership.objects.filter(id=member.id).update(attested_until_at=until_at, attestation_reminders=0)
    audit.record(actor, "membership:attest", member.id.hex, concerns=[member.authority_id])


@transaction.atomic(durable=True)
def set_codes_allowed(actor: Actor, *, is_allowed: bool) -> None:
    """Say whether officers without privilege may sign in with a password and a one-time code.

    When it is taken back, whoever is signed in that way is signed out. Raises `SignedOut`, `Forbidden`.
    """
    access.require(actor, Permission.AUTHORITY_SET)
    lock_people({actor.authority_id}, (), actor)
    access.stand(actor, Permission.AUTHORITY_SET)
    rows = Authority.objects.filter(id=actor.authority_id, allows_codes=not is_allowed)
    if not rows.update(allows_codes=is_allowed):
        return
    ended = [] if is_allowed else _end_code_sign_ins(actor.authority_id)
    facts: dict[str, Any] = {"allows_codes": is_allowed, "sign_ins": len(ended)}
    audit.record(actor, "authority:set", actor.authority_id.hex, **facts)
    revoke_on_commit(ended)


def _end_code_sign_ins(authority_id: uuid.UUID) -> list[uuid.UUID]:
    found = SignIn.objects.select_for_update(of=("self",)).filter(
        membership__authority_id=authority_id, factor=Factor.CODE, ended_at__isnull=True
    )
    ids = list(found.order_by("id").values_list("id", flat=True))
    SignIn.objects.filter(id__in=ids).update(ended_at=timezone.now())
    return ids
