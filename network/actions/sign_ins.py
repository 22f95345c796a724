"""Beginning, keeping and ending sign-ins."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from network import access, audit, factors
from network.actions.factors import (
    ACCOUNT_LINK,
    count_code_use,
    count_passkey_use,
    end_sign_ins_of,
    may_use_codes,
)
from network.actions.mail import write_mail
from network.actions.push import follow_sign_in
from network.errors import NotFound, SignedOut, SignInFailed
from network.field_encryption import seal_field
from network.models import Delegation, Factor, Person, SignIn
from network.policy import SIGN_IN_LASTS, Actor, is_privileged, quiet_time
from network.realtime import revoke_on_commit

# A row is moved at most this often by what a person does.
STAY_STEP = timedelta(seconds=30)


@transaction.atomic(durable=True)
def begin_sign_in(
    *,
    membership_id: uuid.UUID,
    factor: Factor = Factor.DEVELOPMENT,
    credential: str = "",
    address: str = "",
    agent: str = "",
    is_bound: bool = True,
) -> SignIn:
    """Begin a sign-in for a membership in force. Who asks must have been proven before.

    Raises `NotFound`, `PasskeyNotBound` for a privileged role with a passkey that can be copied, and
    `SignInFailed` for a code where codes are not allowed.
    """
    membership = access.get_membership_to_begin(membership_id)
    if factor == Factor.PASSKEY and not is_bound and is_privileged(membership.role_set):
        raise factors.PasskeyNotBound
    if factor == Factor.CODE and not may_use_codes(membership.person_id):
        raise SignInFailed
    now = timezone.now()
    sign_in = SignIn.objects.create(
        membership=membership,
        factor=factor,
        credential=credential,
        started_at=now,
        proved_at=now,
        quiet_until_at=now + quiet_time(membership.role_set),
        until_at=now + SIGN_IN_LASTS,
        address_sealed=seal_field("sign-in.address", address) if address else None,
        agent=agent[:80],
    )
    audit.record(access.get_actor(sign_in.id), "sign-in:begin", sign_in.id.hex, factor=factor.value)
    if factor == Factor.RECOVERY_CODE:
        write_mail("recovery-used", membership.person, link=ACCOUNT_LINK)
    elif factor != Factor.DEVELOPMENT and _is_from_elsewhere(sign_in):
        write_mail("new-sign-in", membership.person, link=ACCOUNT_LINK)
    return sign_in


def _is_from_elsewhere(sign_in: SignIn) -> bool:
    """Answer whether this person has signed in before, but never from such a browser."""
    before = SignIn.objects.filter(membership__person_id=sign_in.membership.person_id).exclude(id=sign_in.id)
    agents = set(before.values_list("agent", flat=True).distinct()[:200])
    return bool(agents) and sign_in.agent not in agents


@transaction.atomic(durable=True)
def accept_passkey(proof: factors.PasskeyProof) -> None:
    """Count a proof of somebody who signs in; raises `SignInFailed`."""
    count_passkey_use(proof)


@transaction.atomic(durable=True)
def accept_code(proof: factors.CodeProof) -> None:
    """Count a proof of somebody who signs in; raises `SignInFailed`."""
    count_code_use(proof)


@transaction.atomic(durable=True)
def accept_recovery_code(person: Person | None, *, code: str) -> None:
    """Use up a recovery code of a person, or of nobody with the same work; raises `SignInFailed`."""
    factors.use_recovery_code(person.id if person else None, code)


@transaction.atomic(durable=True)
def prove_again(actor: Actor, proof: factors.PasskeyProof | factors.CodeProof | None = None) -> None:
    """Keep that the actor has just proven again who it is; without a proof in the development profile only.

    Raises `SignInFailed`, and `PasskeyNotBound` where a privileged role used a passkey that can be copied.
    """
    if isinstance(proof, factors.PasskeyProof):
        count_passkey_use(proof)
        if is_privileged(actor.roles) and not proof.is_bound:
            raise factors.PasskeyNotBound
    elif isinstance(proof, factors.CodeProof):
        count_code_use(proof)
        if actor.factor != Factor.CODE:
            raise SignInFailed
    elif actor.factor != Factor.DEVELOPMENT:
        raise SignInFailed
    SignIn.objects.filter(id=actor.sign_in_id, ended_at__isnull=True).update(proved_at=timezone.now())
    audit.record(actor, "sign-in:prove", actor.sign_in_id.hex)


def stay_awake(actor: Actor) -> datetime:
    """Move the end by inactivity, since somebody is there; returns it. A row is written every 30 seconds."""
    now = timezone.now()
    wanted = now + quiet_time(actor.roles)
    awake = SignIn.objects.filter(id=actor.sign_in_id, ended_at__isnull=True, quiet_until_at__gt=now)
    awake.filter(quiet_until_at__lte=wanted - STAY_STEP).update(quiet_until_at=wanted)
    return wanted


def note_use(actor: Actor) -> None:
    """Move the end by inactivity at most every 30 seconds, for an actor that was read a moment ago."""
    quiet = actor.quiet_until_at
    if quiet is not None and timezone.now() + quiet_time(actor.roles) - quiet >= STAY_STEP:
        stay_awake(actor)


@transaction.atomic(durable=True)
def end_sign_in(actor: Actor) -> None:
    """End the actor's own sign-in; its open sockets close on every process."""
    ended = SignIn.objects.filter(id=actor.sign_in_id, ended_at__isnull=True).update(ended_at=timezone.now())
    if ended:
        audit.record(actor, "sign-in:end", actor.sign_in_id.hex)
        revoke_on_commit([actor.sign_in_id])


@transaction.atomic(durable=True)
def end_own_sign_in(actor: Actor, *, sign_in_id: uuid.UUID) -> None:
    """End another open sign-in of the same person; raises `NotFound`."""
    rows = SignIn.objects.filter(membership__person_id=actor.person_id, ended_at__isnull=True, id=sign_in_id)
    if not rows.update(ended_at=timezone.now()):
        raise NotFound
    audit.record(actor, "sign-in:end", sign_in_id.hex)
    revoke_on_commit([sign_in_id])


@transaction.atomic(durable=True)
def end_other_sign_ins(actor: Actor) -> None:
    """End every sign-in of the same person but this one."""
    end_sign_ins_of(actor.person_id, but=actor.sign_in_id)
    audit.record(actor, "sign-in:end-others", actor.sign_in_id.hex)


@transaction.atomic(durable=True)
def act_for(actor: Actor, *, delegation_id: uuid.UUID | None) -> SignIn:
    """Go on with the roles lent by a delegation held, or (None) with one's own only; raises `NotFound`.

    A new sign-in takes the place of this one, so that no open socket keeps the rights of the other.
    """
    now = timezone.now()
    lent = None
    if delegation_id is not None:
        running = Q(ended_at__isnull=True, from_at__lte=now, until_at__gt=now)
        rows = Delegation.objects.filter(running, access.standing(now, "grantor__"), id=delegation_id)
        lent = rows.filter(delegate_id=actor.membership_id).first()
        if lent is None:
            raise NotFound
    if actor.sign_in_id not in access.require_standing([actor]):
        raise SignedOut  # ended since the request was let in: nothing takes its place
    old = SignIn.objects.select_related("membership").get(id=actor.sign_in_id)
    roles = old.membership.role_set | frozenset(lent.roles if lent else ())
    if is_privileged(roles):
        _check_privileged_proof(old)
    sign_in = SignIn.objects.create(
        membership=old.membership,
        factor=old.factor,
        credential=old.credential,
        acting_for=lent,
        started_at=old.started_at,
        proved_at=old.proved_at,
        quiet_until_at=now + quiet_time(roles),
        until_at=old.until_at,
        address_sealed=old.address_sealed,
        agent=old.agent,
    )
    SignIn.objects.filter(id=old.id).update(ended_at=now)
    follow_sign_in(old, sign_in)
    audit.record(
        access.get_actor(sign_in.id),
        "delegation:use" if lent else "delegation:leave",
        lent.id.hex if lent else sign_in.id.hex,
    )
    revoke_on_commit([old.id])
    return sign_in


def _check_privileged_proof(sign_in: SignIn) -> None:
    """Raise `PasskeyNotBound` unless this sign-in was proven as a privileged role asks for."""
    if sign_in.factor == Factor.DEVELOPMENT:
        return
    bound = {str(key.id) for key in factors.list_passkeys(sign_in.membership.person_id) if key.is_bound}
    if sign_in.factor != Factor.PASSKEY or sign_in.credential not in bound:
        raise factors.PasskeyNotBound
