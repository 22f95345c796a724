"""The only way to an account: somebody with the right invites, and the holder of one mail address accepts."""

import uuid
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import access, audit
from network.actions.mail import write_mail
from network.addresses import parse_address
from network.errors import Conflict, Forbidden, Invalid
from network.field_encryption import index_field, open_field, seal_field
from network.invitation_tokens import make_link
from network.limits import spend
from network.models import (
    SECRETARIAT_ROLES,
    Authority,
    AuthorityKind,
    Invitation,
    Membership,
    Person,
    Role,
)
from network.permissions import Permission
from network.policy import Actor, can_hold

INVITATION_LASTS = timedelta(hours=72)
TEXT_MOST = 200


@transaction.atomic(durable=True)
def invite(
    actor: Actor,
    *,
    authority_id: uuid.UUID,
    address: str,
    name: str,
    office: str,
    roles: Collection[Role],
    language: str,
) -> Invitation:
    """Invite a person to work for an authority; the mail goes out by itself.

    Raises `Invalid` (address, name, office, roles, language), `Forbidden`, `NotFound`, `TooMany`, and
    `Conflict("already-member")`.
    """
    authority = access.get_authority_to_invite(actor, authority_id, roles)
    spend("invitation-send", actor.authority_id.hex)
    return issue_invitation(
        actor, authority=authority, address=address, name=name, office=office, roles=roles, language=language
    )


@transaction.atomic(durable=True)
def readmit(actor: Actor, *, membership_id: uuid.UUID) -> Invitation:
    """Invite somebody known, who lost every way to sign in, to make a new passkey.

    It goes to the address the person has; whoever lost that too leaves and is invited anew, and so does
    whoever works for the secretariat: a single officer there must not get at a second one's account. Raises
    `NotFound`, `Forbidden`, `TooMany`, and `Conflict("not-in-force" | "no-address")`.
    """
    return _readmit(actor, membership_id)


def _readmit(actor: Actor, membership_id: uuid.UUID) -> Invitation:
    access.stand(actor, Permission.INVITATION_SEND)
    member = access.get_membership(actor, membership_id, to=Permission.INVITATION_SEND)
    if member.role_set & SECRETARIAT_ROLES:
        raise Forbidden("two-persons", _("Roles of the secretariat are given by two persons together."))
    if not Membership.objects.filter(access.standing(timezone.now()), id=member.id).exists():
        raise Conflict(
            "not-in-force",
            _("This person’s account is suspended or has ended, so a new passkey would be of no use."),
        )
    if not member.person.address_sealed:
        raise Conflict("no-address", _("No mail address of this person is known here."))
    spend("invitation-send", actor.authority_id.hex)
    return issue_invitation(
        actor,
        authority=member.authority,
        address=open_field("person.address", bytes(member.person.address_sealed)),
        name=member.person.name,
        office=member.office,
        roles=member.role_set,
        language=member.person.language or settings.LANGUAGE_CODE,
        person=member.person,
    )


def issue_invitation(
    actor: Actor | None,
    *,
    authority: Authority,
    address: str,
    name: str,
    office: str,
    roles: Iterable[Role],
    language: str,
    person: Person | None = None,
) -> Invitation:
    """Write an invitation and its mail inside the caller's transaction, which has asked for the right to it.

    An older one to the same address that nobody answered is withdrawn. Raises `Invalid`, and
    `Conflict("already-member")` unless the invitation is for this very `person`.
    """
    address, wanted = parse_address(address), sorted(frozenset(roles))
    _check_facts(authority, name, office, wanted, language)
    index, now = index_field("person.address", address), timezone.now()
    if person is None:
        _refuse_members(authority, index)
    open_ones = Invitation.objects.filter(authority=authority, address_index=index)
    open_ones.filter(used_at__isnull=True, withdrawn_at__isnull=True).update(withdrawn_at=now)
    invitation = Invitation.objects.create(
        authority=authority,
        person=person,
        address_index=index,
        address_sealed=seal_field("invitation.address", address),
        name=name.strip(),
        office=office.strip(),
        roles=wanted,
        language=language,
        sponsor_id=actor.membership_id if actor else None,
        sent_at=now,
        until_at=now + INVITATION_LASTS,
    )
    facts: dict[str, Any] = {"roles": " ".join(wanted), "readmits": person.id.hex if person else None}
    audit.record(actor, "invitation:send", invitation.id.hex, concerns=[authority.id], **facts)
    write_mail("invitation", address, language=language, link=make_link(invitation))
    return invitation


def _check_facts(
    authority: Authority, name: str, office: str, roles: Collection[Role], language: str
) -> None:
    for text in (name.strip(), office.strip()):
        if not 0 < len(text) <= TEXT_MOST or not text.isprintable():
            raise Invalid(
                "name-and-office-needed",
                _("Give the person’s name and office, each in at most 200 characters."),
            )
    if not can_hold(roles, AuthorityKind(authority.kind)):
        raise Invalid(
            "roles-not-possible", _("Choose at least one role, and only roles this authority can give.")
        )
    if language not in dict(settings.LANGUAGES):
        raise Invalid("unknown-language", _("Choose the language of the mail."))


def _refuse_members(authority: Authority, index: str) -> None:
    """Raise `Conflict` where the address belongs to somebody who has a standing in this authority."""
    theirs = Membership.objects.filter(authority=authority, person__address_index=index)
    if theirs.filter(Q(until_at__isnull=True) | Q(until_at__gt=timezone.now())).exists():
        raise Conflict(
            "already-member",
            _(
                "Somebody with this mail address works for this authority already. Who lost every way to "
                "sign in gets a new invitation from the list of people."
            ),
        )


@transaction.atomic(durable=True)
def withdraw_invitation(actor: Actor, *, invitation_id: uuid.UUID) -> None:
    """Take an invitation back that was not used, also one that has expired: it is off the list then.

    Raises `NotFound`, and `Conflict` for one that was used or withdrawn.
    """
    invitation = access.get_sent_invitation(actor, invitation_id, to=Permission.INVITATION_WITHDRAW)
    if invitation.used_at or invitation.withdrawn_at:
        access.refuse_over(invitation)
    unused = Invitation.objects.filter(id=invitation.id, used_at__isnull=True, withdrawn_at__isnull=True)
    if not unused.update(withdrawn_at=timezone.now()):
        raise Conflict
    audit.record(actor, "invitation:withdraw", invitation.id.hex, concerns=[invitation.authority_id])


@transaction.atomic(durable=True)
def resend_invitation(actor: Actor, *, invitation_id: uuid.UUID) -> Invitation:
    """Send an invitation that was not used anew, with a new link and 72 hours; the old link ends.

    Raises `NotFound`, `TooMany`, and `Conflict` for one that was used or withdrawn.
    """
    old = access.get_sent_invitation(actor, invitation_id, to=Permission.INVITATION_SEND)
    if old.used_at or old.withdrawn_at:
        access.refuse_over(old)
    if old.person:
        member = Membership.objects.filter(person=old.person, authority=old.authority, until_at=None).first()
        return _readmit(actor, member.id if member else uuid.UUID(int=0))
    roles = [Role(role) for role in old.roles]
    access.get_authority_to_invite(actor, old.authority_id, roles)
    spend("invitation-send", actor.authority_id.hex)
    return issue_invitation(
        actor,
        authority=old.authority,
        address=open_field("invitation.address", bytes(old.address_sealed)),
        name=old.name,
        office=old.office,
        roles=roles,
        language=old.language,
    )
