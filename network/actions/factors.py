"""Adding, counting and removing what a person signs in with."""

import uuid

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import audit, factors
from network.actions.mail import write_mail
from network.actions.news import tell_of_factor
from network.errors import Conflict, Forbidden, Invalid, NotFound, SignInFailed
from network.models import Authority, Membership, Person, SignIn
from network.policy import Actor, can_use_codes
from network.realtime import publish_on_commit, revoke_on_commit

ACCOUNT_LINK = f"{settings.SITE_ORIGIN}/account/"
PASSWORD_LEAST, PASSWORD_MOST = 12, 128
PASSKEYS_MOST = 20


def store_passkey(person: Person, new: factors.NewPasskey, *, name: str) -> int:
    """Store a verified passkey inside the caller's transaction; returns its row's id.

    Raises `SignInFailed` for a passkey that somebody has already, whoever it is.
    """
    if factors.is_registered(new):
        raise SignInFailed
    if factors.count_passkeys(person.id) >= PASSKEYS_MOST:
        raise Conflict("too-many-passkeys", _("There are too many passkeys. Remove one that is not used."))
    row = factors.passkey_row(person.id, new, _clean(name))
    row.save(force_insert=True)
    return int(row.id)


def _clean(name: str) -> str:
    """Return a name without control characters; every passkey has one."""
    return "".join(character for character in name if character.isprintable()).strip() or str(_("Passkey"))


def make_recovery_codes(person: Person) -> list[str]:
    """Replace the recovery codes inside the caller's transaction; returns the new ones, to be shown once."""
    factors.rows_of(person.id).filter(type="recovery_codes").delete()
    row = factors.recovery_row(person.id)
    row.save(force_insert=True)
    return factors.codes_of_row(row)


def forget_factors(person_id: uuid.UUID) -> None:
    """Remove all a person could sign in with, inside the caller's transaction, and end what is open."""
    factors.rows_of(person_id).delete()
    Person.objects.filter(id=person_id).update(password="")
    end_sign_ins_of(person_id)


def end_sign_ins_of(
    person_id: uuid.UUID, *, credential: str | None = None, but: uuid.UUID | None = None
) -> None:
    """End open sign-ins of a person inside the caller's transaction: all, of one passkey, all but one."""
    rows = SignIn.objects.filter(membership__person_id=person_id, ended_at__isnull=True)
    if but is not None:
        rows = rows.exclude(id=but)
    if credential is not None:
        rows = rows.filter(credential=credential)
    ids = list(rows.values_list("id", flat=True))
    SignIn.objects.filter(id__in=ids).update(ended_at=timezone.now())
    revoke_on_commit(ids)


@transaction.atomic(durable=True)
def add_passkey(actor: Actor, new: factors.NewPasskey, *, name: str) -> None:
    """Add a passkey of one's own. After a recovery code all sign-ins end: the new passkey is the way in."""
    person = Person.objects.select_for_update().get(id=actor.person_id)
    row_id = store_passkey(person, new, name=name)
    if actor.is_limited:
        end_sign_ins_of(person.id)
    told = tell_of_factor(person.id)
    audit.record(actor, "factor:add", str(row_id), kind="passkey", bound=new.is_bound)
    publish_on_commit(*told)
    write_mail("new-sign-in-factor", person, link=ACCOUNT_LINK)


@transaction.atomic(durable=True)
def rename_passkey(actor: Actor, *, passkey_id: int, name: str) -> None:
    """Give one's passkey another name; raises `NotFound`."""
    row = factors.get_row_to_change(actor.person_id, passkey_id)
    if row is None or row.type != "webauthn":
        raise NotFound
    row.data = {**row.data, "name": _clean(name)[: factors.NAME_MOST]}
    row.save(update_fields=["data"])
    audit.record(actor, "factor:rename", str(passkey_id))


@transaction.atomic(durable=True)
def remove_passkey(actor: Actor, *, passkey_id: int) -> None:
    """Remove one's passkey and end the sign-ins made with it; never the last, nor the one in use."""
    row = factors.get_row_to_change(actor.person_id, passkey_id)
    if row is None or row.type != "webauthn":
        raise NotFound
    if actor.credential == str(passkey_id):
        raise Conflict(
            "passkey-in-use", _("You are signed in with this passkey. Sign in with another one to remove it.")
        )
    if factors.count_passkeys(actor.person_id) < 2:
        raise Conflict("last-passkey", _("This is your only passkey. Add another one first."))
    row.delete()
    end_sign_ins_of(actor.person_id, credential=str(passkey_id), but=actor.sign_in_id)
    audit.record(actor, "factor:remove", str(passkey_id), kind="passkey")
    write_mail("sign-in-factor-removed", Person.objects.get(id=actor.person_id), link=ACCOUNT_LINK)


@transaction.atomic(durable=True)
def renew_recovery_codes(actor: Actor) -> list[str]:
    """Replace one's recovery codes; returns the new ones, to be shown once."""
    person = Person.objects.select_for_update().get(id=actor.person_id)
    codes = make_recovery_codes(person)
    audit.record(actor, "factor:renew-recovery-codes", person.id.hex)
    write_mail("new-sign-in-factor", person, link=ACCOUNT_LINK)
    return codes


@transaction.atomic(durable=True)
def turn_on_codes(actor: Actor, *, password: str, secret: str, code: str) -> None:
    """Let oneself in by password and one-time codes from now on, where the authority allows it."""
    if not may_use_codes(actor.person_id):
        raise Forbidden("codes-not-allowed")
    person = Person.objects.select_for_update().get(id=actor.person_id)
    authority = Authority.objects.get(id=actor.authority_id)
    store_codes(person, authority, password=password, secret=secret, code=code)
    told = tell_of_factor(person.id)
    audit.record(actor, "factor:add", person.id.hex, kind="codes")
    publish_on_commit(*told)
    write_mail("new-sign-in-factor", person, link=ACCOUNT_LINK)


def store_codes(person: Person, authority: Authority, *, password: str, secret: str, code: str) -> int:
    """Store password and secret inside the caller's transaction; returns the row's id. Raises `Invalid`."""
    counter = factors.find_counter(secret, code)
    if counter is None:
        raise Invalid("wrong-code", _("This is not the code of this moment. Check the clock of your device."))
    check_password_rules(password, person, authority)
    person.set_password(password)
    person.save(update_fields=["password"])
    for old in factors.rows_of(person.id).filter(type="totp"):
        end_sign_ins_of(person.id, credential=str(old.id))
        old.delete()
    row = factors.codes_row(person.id, secret, counter)
    row.save(force_insert=True)
    return int(row.id)


@transaction.atomic(durable=True)
def turn_off_codes(actor: Actor) -> None:
    """Forget one's password and one-time codes and end the sign-ins made with them."""
    row = factors.rows_of(actor.person_id).filter(type="totp").first()
    if row is None:
        raise NotFound
    end_sign_ins_of(actor.person_id, credential=str(row.id))
    row.delete()
    Person.objects.filter(id=actor.person_id).update(password="")
    audit.record(actor, "factor:remove", actor.person_id.hex, kind="codes")
    write_mail("sign-in-factor-removed", Person.objects.get(id=actor.person_id), link=ACCOUNT_LINK)


def may_use_codes(person_id: uuid.UUID) -> bool:
    """Answer whether the person may sign in with password and code: every standing must allow it."""
    rows = Membership.objects.filter(person_id=person_id, until_at__isnull=True).select_related("authority")
    return can_use_codes((row.role_set, row.authority.allows_codes) for row in rows)


def check_password_rules(password: str, person: Person, authority: Authority) -> None:
    """Raise `Invalid` for a password that is too short, common, or made of what everybody knows."""
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        raise Invalid("weak-password", _("A password has 12 to 128 characters."))
    lowered = password.casefold()
    known = {*person.name.casefold().split(), *authority.name.casefold().split(), "password", "network"}
    rest = lowered
    for word in sorted((word for word in known if len(word) > 3), key=len, reverse=True):
        rest = rest.replace(word, "")
    try:
        CommonPasswordValidator().validate(lowered)
    except ValidationError:
        rest = ""
    if len(set(rest)) < 5:
        raise Invalid("weak-password", _("This password is too easy to guess. Take several unrelated words."))


def count_passkey_use(proof: factors.PasskeyProof) -> None:
    """Store that a passkey was used, inside the caller's transaction; raises `SignInFailed`.

    A counter that does not move on means that the key exists twice, or that an answer was sent again.
    """
    row = factors.get_row_to_change(proof.person_id, proof.passkey_id)
    if row is None:
        raise SignInFailed
    before = row.data.get("sign_count", 0)
    if (before or proof.sign_count) and proof.sign_count <= before:
        raise SignInFailed
    row.data = {**row.data, "sign_count": proof.sign_count}
    row.last_used_at = timezone.now()
    row.save(update_fields=["data", "last_used_at"])


def count_code_use(proof: factors.CodeProof) -> None:
    """Store that a one-time code was used, inside the caller's transaction; raises `SignInFailed`."""
    row = factors.get_row_to_change(proof.person_id, proof.codes_id)
    if row is None or proof.counter <= row.data["counter"]:
        raise SignInFailed
    row.data = {**row.data, "counter": proof.counter}
    row.last_used_at = timezone.now()
    row.save(update_fields=["data", "last_used_at"])
