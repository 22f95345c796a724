"""Letting a colleague act for oneself, for a time and with a date on it."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import access, audit
from network.actions.mail import write_mail
from network.actions.standing import lock_people
from network.errors import Conflict, Forbidden, Invalid
from network.models import AuthorityKind, Delegation, Membership, Role, SignIn
from network.permissions import Permission
from network.policy import DELEGATION_LASTS, Actor, can_hold
from network.realtime import revoke_on_commit


@transaction.atomic(durable=True)
def grant_delegation(
    actor: Actor, *, delegate_id: uuid.UUID, roles: Collection[Role], from_at: datetime, until_at: datetime
) -> Delegation:
    """Let a colleague of the same authority use some of the actor's own roles for at most 90 days.

    Raises `NotFound`, `Forbidden`, `Invalid`, `Conflict("delegation-overlaps")`.
    """
    access.require(actor, Permission.DELEGATION_GRANT)
    lock_people({actor.authority_id}, {delegate_id}, actor)
    access.stand(actor, Permission.DELEGATION_GRANT)
    if actor.acting_for:
        raise Forbidden("acting-for", _("You act for somebody else. Only he or she lends these roles."))
    delegate = access.get_colleague(actor, delegate_id, to=Permission.DELEGATION_GRANT)
    if delegate.person_id == actor.person_id:
        raise Invalid("own-account", _("Choose a colleague: you have these roles yourself."))
    lent = frozenset(roles)
    _check_roles(actor, delegate, lent)
    _check_time(from_at, until_at)
    before = Delegation.objects.filter(grantor_id=actor.membership_id, delegate=delegate)
    if before.filter(ended_at__isnull=True, from_at__lt=until_at, until_at__gt=from_at).exists():
        raise Conflict(
            "delegation-overlaps",
            _("You let this colleague act for you in this time already. End that delegation first."),
        )
    made = Delegation.objects.create(
        grantor_id=actor.membership_id,
        delegate=delegate,
        roles=sorted(lent),
        from_at=from_at,
        until_at=until_at,
    )
    audit.record(
        actor,
        "delegation:grant",
        made.id.hex,
        delegate=delegate.id.hex,
        roles=" ".join(sorted(lent)),
        from_at=from_at.isoformat(),
        until_at=until_at.isoformat(),
    )
    write_mail("delegation", delegate.person)
    return made


def _check_roles(actor: Actor, delegate: Membership, lent: frozenset[Role]) -> None:
    if not lent or not lent <= actor.roles:
        raise Invalid("roles-not-held", _("Choose which of your own roles you lend."))
    if not can_hold(delegate.role_set | lent, AuthorityKind(delegate.authority.kind)):
        raise Invalid("roles-not-possible", _("A member of this authority cannot have these roles."))


def _check_time(from_at: datetime, until_at: datetime) -> None:
    if until_at <= from_at or until_at <= timezone.now():
        raise Invalid(
            "ends-before-it-begins", _("The last day has to be today or later, and not before the first.")
        )
    if until_at - max(from_at, timezone.now()) > DELEGATION_LASTS:
        raise Invalid("too-long", _("A delegation lasts at most 90 days. Choose an earlier last day."))


@transaction.atomic(durable=True)
def end_delegation(actor: Actor, *, delegation_id: uuid.UUID) -> None:
    """End a delegation now; who acts by it is signed out.

    Raises `NotFound`, `Conflict("delegation-ended")`.
    """
    seen = access.get_delegation(actor, delegation_id)
    lock_people({actor.authority_id}, {seen.grantor_id, seen.delegate_id}, actor)
    access.stand(actor, Permission.DELEGATION_END)
    found = access.get_delegation(actor, delegation_id, locked=True)
    now = timezone.now()
    if found.ended_at or found.until_at <= now:
        raise Conflict("delegation-ended", _("This delegation has ended already."))
    Delegation.objects.filter(id=found.id).update(ended_at=now)
    open_ones = SignIn.objects.filter(acting_for=found, ended_at__isnull=True)
    ids = list(open_ones.values_list("id", flat=True))
    SignIn.objects.filter(id__in=ids).update(ended_at=now)
    audit.record(actor, "delegation:end", found.id.hex, delegate=found.delegate_id.hex, sign_ins=len(ids))
    write_mail("delegation", found.delegate.person)
    revoke_on_commit(ids)
