"""Accepting an invitation: one transaction makes the account, its standing and its passkey, or nothing."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from network import access, audit
from network.actions.factors import (
    forget_factors,
    make_recovery_codes,
    may_use_codes,
    store_codes,
    store_passkey,
)
from network.actions.mail import write_mail
from network.actions.news import tell_of_acceptance
from network.actions.standing import end_sign_ins
from network.errors import Conflict, Forbidden, SignInFailed
from network.factors import NewPasskey
from network.field_encryption import index_field, seal_field
from network.frames import Notice
from network.models import Invitation, Membership, Person, SuspensionReason
from network.policy import ATTESTATION_LASTS, Actor
from network.protocol import INVITATION_ACCEPTED, InvitationAccepted
from network.realtime import authority_audience, publish_on_commit, revoke_on_commit


@dataclass(frozen=True)
class Accepted:
    """What came of it: the standing, the row of the new factor, and ten recovery codes, shown once."""

    membership_id: uuid.UUID
    factor_id: int
    recovery_codes: list[str]


@transaction.atomic(durable=True)
def accept_invitation(*, token: str, address: str, new_passkey: NewPasskey, passkey_name: str) -> Accepted:
    """Accept with a passkey that was just made; of many at once exactly one succeeds.

    Raises `NotFound` and `Conflict` as `access.get_invitation`, `Conflict("sign-in-first")` for whoever has
    an account that counts, and `SignInFailed` for a passkey made for somebody else.
    """
    invitation = access.get_invitation(token, address, locked=True)
    _use(invitation)
    person = _person_of(invitation, address, new_passkey.person_id)
    membership = _standing_of(person, invitation)
    passkey_id = store_passkey(person, new_passkey, name=passkey_name)
    codes = make_recovery_codes(person)
    _record(None, invitation, membership, kind="passkey", bound=new_passkey.is_bound)
    return Accepted(membership.id, passkey_id, codes)


@transaction.atomic(durable=True)
def accept_with_codes(*, token: str, address: str, password: str, secret: str, code: str) -> Accepted:
    """Accept with a password and the first one-time code of `secret`, where the authority allows it.

    Raises as `accept_invitation`, `Invalid` for a weak password or a wrong code, and
    `Forbidden("codes-not-allowed")`.
    """
    invitation = access.get_invitation(token, address, locked=True)
    _use(invitation)
    person = _person_of(invitation, address, None)
    membership = _standing_of(person, invitation)
    if not may_use_codes(person.id):
        raise Forbidden("codes-not-allowed", _("For this account only a passkey is possible."))
    authority = invitation.authority
    row_id = store_codes(person, authority, password=password, secret=secret, code=code)
    codes = make_recovery_codes(person)
    _record(None, invitation, membership, kind="codes")
    return Accepted(membership.id, row_id, codes)


@transaction.atomic(durable=True)
def accept_as_known(actor: Actor, *, token: str, address: str) -> uuid.UUID:
    """Accept as somebody who has an account and is signed in to it; returns the new standing's id.

    Nobody gets a new way into an account by an invitation of another authority. Raises as
    `accept_invitation`, and `Forbidden("not-yours")` when another person is signed in.
    """
    invitation = access.get_invitation(token, address, locked=True)
    if actor.sign_in_id not in access.require_standing([actor]):
        raise SignInFailed
    person = Person.objects.filter(address_index=invitation.address_index).first()
    if person is None or person.id != actor.person_id or actor.is_limited or invitation.person_id:
        raise Forbidden("not-yours", _("This invitation is for somebody else than who is signed in here."))
    _use(invitation)
    membership = _standing_of(person, invitation)
    _record(actor, invitation, membership, kind="known")
    return membership.id


def owner_of(invitation: Invitation) -> Person | None:
    """Return who has the address of an invitation already, or None for a newcomer.

    Raises `Conflict("sign-in-first")` for whoever has an account that counts, unless the invitation is there
    to give just this person a new passkey; `Conflict("invitation-used")` where it was used meanwhile.
    """
    if invitation.person_id:
        return invitation.person
    person = Person.objects.filter(address_index=invitation.address_index).first()
    if person and _standings(person).exists():
        _refuse_used(invitation)  # the account may be what somebody has just made of this invitation
        raise Conflict(
            "sign-in-first",
            _(
                "You have an account in the network already. Sign in to it in this browser, then open the "
                "link from the mail again."
            ),
        )
    return person


def _use(invitation: Invitation) -> None:
    """Compare and set: of many at the same moment one uses it, also where rows cannot be locked."""
    unused = Invitation.objects.filter(id=invitation.id, used_at__isnull=True, withdrawn_at__isnull=True)
    if not unused.update(used_at=timezone.now()):
        _refuse_used(invitation)


def _refuse_used(invitation: Invitation) -> None:
    invitation.refresh_from_db(fields=["used_at", "withdrawn_at"])
    access.refuse_over(invitation)


def _standings(person: Person) -> Any:
    """Return what has not ended, suspended or not."""
    not_ended = Q(until_at__isnull=True) | Q(until_at__gt=timezone.now())
    return Membership.objects.filter(not_ended, person=person)


def _person_of(invitation: Invitation, address: str, made_for: uuid.UUID | None) -> Person:
    """Return the person a passkey was made for: a new one, or a known one without any factor."""
    person = owner_of(invitation)
    if person is None:
        if made_for and Person.objects.filter(id=made_for).exists():
            raise SignInFailed
        return _new_person(invitation, address, made_for or uuid.uuid4())
    if made_for and person.id != made_for:
        raise SignInFailed
    forget_factors(person.id)
    return person


def _new_person(invitation: Invitation, address: str, person_id: uuid.UUID) -> Person:
    person = Person(
        id=person_id,
        address_index=index_field("person.address", address),
        address_sealed=seal_field("person.address", address),
        name=invitation.name,
        # That of the pages the person has just read; who invited could only guess.
        language=get_language() or invitation.language,
    )
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:  # accepted another authority's invitation at the same moment
        raise Conflict from error
    return person


def _standing_of(person: Person, invitation: Invitation) -> Membership:
    """Return the standing an invitation gives, or the one in force of who gets a new passkey."""
    if invitation.person_id:
        return _known_standing(person, invitation)
    if _standings(person).filter(authority_id=invitation.authority_id).exists():
        raise Conflict("already-member", _("You work for this authority already. Sign in."))
    now = timezone.now()
    return Membership.objects.create(
        person=person,
        authority_id=invitation.authority_id,
        roles=sorted(invitation.roles),
        office=invitation.office,
        from_at=now,
        attested_until_at=now + ATTESTATION_LASTS,
    )


def _known_standing(person: Person, invitation: Invitation) -> Membership:
    """Return the standing of a person who gets a new passkey from one authority.

    What the person is in other authorities is suspended until they say that it is still the same person:
    one authority cannot give away the keys of another.
    """
    in_force = Membership.objects.filter(access.standing(timezone.now()), person=person)
    membership = in_force.filter(authority_id=invitation.authority_id).first()
    if membership is None or membership.roles != invitation.roles:
        raise Conflict("standing-changed", _("Your account was changed since. Ask for a new invitation."))
    others = list(_standings(person).filter(suspended_at__isnull=True).exclude(id=membership.id))
    ids = [other.id for other in others]
    Membership.objects.filter(id__in=ids).update(
        suspended_at=timezone.now(),
        suspended_by=invitation.sponsor_id,
        suspended_for=SuspensionReason.INQUIRY,
    )
    revoke_on_commit(end_sign_ins(ids))
    for other in others:
        audit.record(
            None, "membership:suspend", other.id.hex, concerns=[other.authority_id], reason="readmitted"
        )
    write_mail("new-sign-in-factor", person)
    return membership


def _record(actor: Actor | None, invitation: Invitation, membership: Membership, **facts: Any) -> None:
    """Write the audit entry and tell the authority; the counters of events are locked last."""
    facts |= {"roles": " ".join(membership.roles), "membership": membership.id.hex}
    told = tell_of_acceptance(invitation, membership)
    audit.record(actor, "invitation:accept", invitation.id.hex, concerns=[invitation.authority_id], **facts)
    publish_on_commit(
        Notice(
            INVITATION_ACCEPTED,
            authority_audience(invitation.authority_id),
            InvitationAccepted(invitation=invitation.id.hex, membership=membership.id.hex),
        ),
        *told,
    )
