"""The only place that speaks to the library which keeps passkeys, one-time codes and recovery codes.

Nothing here writes to the database but `use_recovery_code`, which marks a code as used; what is read here is
stored and counted by `actions.factors`. Every failure is one `SignInFailed`, whatever its cause.
"""

import logging
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from fido2.cose import ES256, UnsupportedKey
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestedCredentialData,
    AuthenticationResponse,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from network.errors import Forbidden, SignInFailed
from network.field_encryption import open_field, seal_field
from network.models import Person, Role
from network.policy import is_privileged

logger = logging.getLogger(__name__)

CHALLENGE_SECONDS = 300
CHALLENGE_KEY = "factors.challenge"
WAITING_KEY = "factors.waiting"
NAME_MOST = 60
REQUIRED = UserVerificationRequirement.REQUIRED


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps the library's secrets encrypted at rest."""

    def encrypt(self, text: str) -> str:
        """Return the secret as it is stored."""
        return seal_field("factor.secret", text).hex()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a stored secret."""
        return open_field("factor.secret", bytes.fromhex(encrypted_text))


class PasskeyNotBound(Forbidden):
    """A passkey that can be copied to other devices, for a role that must not have one."""

    default_code = "passkey-not-bound"
    default_sentence = _(
        "This passkey can be copied to other devices. For your role use one that stays in one device: a "
        "security key, or the built-in one of a computer that does not share passkeys."
    )


@dataclass(frozen=True)
class NewPasskey:
    """A passkey that was just made and verified, for the person whose id was given to `begin_passkey`."""

    person_id: uuid.UUID
    credential: dict[str, Any]  # as the library stores it
    sign_count: int
    is_bound: bool  # cannot leave its device


@dataclass(frozen=True)
class PasskeyProof:
    """A verified answer of a known passkey; `sign_count` has still to be compared and stored."""

    person_id: uuid.UUID
    passkey_id: int
    sign_count: int
    is_bound: bool


@dataclass(frozen=True)
class CodeProof:
    """A right password and one-time code; `counter` has still to be compared and stored."""

    person_id: uuid.UUID
    codes_id: int
    counter: int


@dataclass(frozen=True)
class Passkey:
    """One line of the list of a person's passkeys."""

    id: int
    name: str
    created_at: datetime
    used_at: datetime | None
    is_bound: bool


# Passkeys


@cache
def _server() -> Fido2Server:
    """Return the verifier: this site's host name and exactly this origin, whatever a request says."""
    host = urlsplit(settings.SITE_ORIGIN).hostname
    site = PublicKeyCredentialRpEntity(id=host, name=settings.MFA_TOTP_ISSUER)
    return Fido2Server(site, verify_origin=lambda origin: bool(origin == settings.SITE_ORIGIN))


@contextmanager
def _whatever_it_raises() -> Iterator[None]:
    """Turn whatever the library raises over what a stranger sent into the one refusal."""
    try:
        yield
    except Forbidden:
        raise
    except Exception as error:  # it parses bytes of strangers: structs, CBOR, keys, points
        logger.info("a passkey was refused: %s", type(error).__name__)
        raise SignInFailed from error


def _keep_challenge(http_request: HttpRequest, purpose: str, person_id: uuid.UUID | None, state: Any) -> None:
    http_request.session[CHALLENGE_KEY] = {
        "challenge": state["challenge"],
        "purpose": purpose,
        "person": person_id.hex if person_id else "",
        "at": time.time(),
    }


def _take_challenge(http_request: HttpRequest, purpose: str) -> dict[str, Any]:
    """Return the challenge of this session and forget it before anything is verified: it counts once."""
    kept = http_request.session.pop(CHALLENGE_KEY, None)
    if not kept or kept["purpose"] != purpose or not 0 <= time.time() - kept["at"] <= CHALLENGE_SECONDS:
        raise SignInFailed
    return {**kept, "user_verification": REQUIRED}


def _mapping(credential: object) -> dict[str, Any]:
    if not isinstance(credential, dict):
        raise SignInFailed
    return credential


def _check_frame(client_data: CollectedClientData) -> None:
    if client_data.cross_origin:
        raise SignInFailed


def begin_passkey(http_request: HttpRequest, person: Person, *, takes_place: bool = False) -> dict[str, Any]:
    """Return what a browser needs to make a passkey for a person, who may not be stored yet.

    A device that holds one of the person's passkeys makes no second one, unless it takes the place of all.
    """
    user = PublicKeyCredentialUserEntity(id=person.id.bytes, name=person.name, display_name=person.name)
    options, state = _server().register_begin(
        user=user,
        credentials=[] if takes_place else [data for _, data in _passkeys_of(person.id)],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=REQUIRED,
        extensions={"credProps": True},
    )
    _keep_challenge(http_request, "make", person.id, state)
    return dict(options)


def read_new_passkey(
    http_request: HttpRequest, credential: object, roles: Iterable[Role], *, person: Person | None = None
) -> NewPasskey:
    """Verify a passkey that was just made; stores nothing. `roles` are those its owner will have.

    Raises `SignInFailed`, and `PasskeyNotBound` for a privileged role and a passkey that can be copied.
    """
    state = _take_challenge(http_request, "make")
    if person and person.id.hex != state["person"]:
        raise SignInFailed
    with _whatever_it_raises():
        response = RegistrationResponse.from_dict(_mapping(credential))
        _check_frame(response.response.client_data)
        verified = _server().register_complete(state, response)
        made = verified.credential_data
        if made is None or isinstance(made.public_key, UnsupportedKey):
            raise SignInFailed
        is_bound = not verified.is_backup_eligible()
        stored = _as_stored(credential, made.credential_id)
    if is_privileged(roles) and not is_bound:
        raise PasskeyNotBound
    return NewPasskey(uuid.UUID(state["person"]), stored, verified.counter, is_bound)


def _as_stored(credential: Any, credential_id: bytes) -> dict[str, Any]:
    """Return of a registration only what is needed to verify with it later, its id spelled in the one way."""
    response, spelled = credential["response"], websafe_encode(credential_id)
    return {
        "id": spelled,
        "rawId": spelled,
        "type": "public-key",
        "response": {name: response[name] for name in ("clientDataJSON", "attestationObject")},
        "clientExtensionResults": {},
    }


def begin_proof(http_request: HttpRequest, person_id: uuid.UUID | None = None) -> dict[str, Any]:
    """Return what a browser needs to answer with a passkey: any of this site, or one of a known person."""
    known = [data for _, data in _passkeys_of(person_id)] if person_id else []
    options, state = _server().authenticate_begin(credentials=known, user_verification=REQUIRED)
    _keep_challenge(http_request, "prove", person_id, state)
    return dict(options)


def read_proof(
    http_request: HttpRequest, credential: object, person_id: uuid.UUID | None = None
) -> PasskeyProof:
    """Verify the answer of a passkey of whoever it says, or of a known person; raises `SignInFailed`.

    An unknown passkey takes the same steps with a key that never signed anything.
    """
    state = _take_challenge(http_request, "prove")
    if state["person"] != (person_id.hex if person_id else ""):
        raise SignInFailed
    with _whatever_it_raises():
        response = AuthenticationResponse.from_dict(_mapping(credential))
        _check_frame(response.response.client_data)
        handle = response.response.user_handle
        owner = person_id or uuid.UUID(bytes=handle if handle and len(handle) == 16 else bytes(16))
        known = {data.credential_id: (row, data) for row, data in _passkeys_of(owner)}
        row, data = known.get(response.raw_id) or (None, _nobodys_passkey(response.raw_id))
        _server().authenticate_complete(state, [data], response)
        if row is None:
            raise SignInFailed
        verified = response.response.authenticator_data
        is_bound = not verified.is_backup_eligible() and not row.data.get("backup_eligible")
        return PasskeyProof(owner, row.id, verified.counter, is_bound)


def _nobodys_passkey(credential_id: bytes) -> AttestedCredentialData:
    """Return a passkey whose public key is the generator of P-256: nobody knows anything it has signed."""
    x = bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
    y = bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
    key = ES256({1: 2, 3: -7, -1: 1, -2: x, -3: y})
    return AttestedCredentialData.create(Aaguid(bytes(16)), credential_id, key)


def _passkeys_of(person_id: uuid.UUID) -> list[tuple[Authenticator, AttestedCredentialData]]:
    rows = Authenticator.objects.filter(user_id=person_id, type=Authenticator.Type.WEBAUTHN).order_by("id")
    return [(row, row.wrap().authenticator_data.credential_data) for row in rows]


def list_passkeys(person_id: uuid.UUID) -> list[Passkey]:
    """Return the passkeys of a person, the oldest first."""
    return [
        Passkey(
            row.id, row.data["name"], row.created_at, row.last_used_at, not row.data.get("backup_eligible")
        )
        for row, _ in _passkeys_of(person_id)
    ]


def count_passkeys(person_id: uuid.UUID) -> int:
    """Return how many passkeys a person has."""
    return int(Authenticator.objects.filter(user_id=person_id, type=Authenticator.Type.WEBAUTHN).count())


def is_registered(new: NewPasskey) -> bool:
    """Answer whether anybody has this passkey already: two accounts with one key would be one person."""
    rows = Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN)
    return bool(rows.filter(data__credential__id=new.credential["id"]).exists())


def has_factor(person_id: uuid.UUID, row_id: str) -> bool:
    """Answer whether the person still has what a proof was made with."""
    return bool(row_id.isdecimal() and Authenticator.objects.filter(user_id=person_id, id=row_id).exists())


def passkey_row(person_id: uuid.UUID, new: NewPasskey, name: str) -> Authenticator:
    """Return a row to be saved for a new passkey."""
    data = {
        "name": name[:NAME_MOST],
        "credential": new.credential,
        "sign_count": new.sign_count,
        "backup_eligible": not new.is_bound,
    }
    return Authenticator(user_id=person_id, type=Authenticator.Type.WEBAUTHN, data=data)


def get_row_to_change(person_id: uuid.UUID, row_id: int) -> Authenticator | None:
    """Return a factor of the person, locked until the transaction ends; None when it is not there."""
    return Authenticator.objects.select_for_update().filter(user_id=person_id, id=row_id).first()


def rows_of(person_id: uuid.UUID) -> Any:
    """Return every factor of a person as a query."""
    return Authenticator.objects.filter(user_id=person_id)


# Password and one-time code


def new_secret(http_request: HttpRequest) -> str:
    """Return a new secret for one-time codes, kept (encrypted) with its time until it is confirmed."""
    secret = str(totp.generate_totp_secret())
    http_request.session[WAITING_KEY] = {"secret": encrypt(secret), "at": time.time()}
    return secret


def kept_secret(http_request: HttpRequest) -> str | None:
    """Return the secret that waits to be confirmed, for half an hour."""
    kept = http_request.session.get(WAITING_KEY)
    if not kept or time.time() - kept["at"] > 6 * CHALLENGE_SECONDS:
        return None
    return str(decrypt(kept["secret"]))


def forget_secret(http_request: HttpRequest) -> None:
    """Forget the secret that waited."""
    http_request.session.pop(WAITING_KEY, None)


def picture_of_secret(secret: str) -> str:
    """Return an SVG to be photographed by an app for one-time codes; it names the network and nobody."""
    issuer = quote(settings.MFA_TOTP_ISSUER)
    return str(FactorAdapter().build_totp_svg(f"otpauth://totp/{issuer}?secret={secret}&issuer={issuer}"))


def find_counter(secret: str, code: str) -> int | None:
    """Return the time step whose code this is: this one, or the one before or after. Always the same work."""
    typed = "".join(code.split())
    now = int(time.time()) // 30
    found = [step for step in (now - 1, now, now + 1) if _is_code(secret, step, typed)]
    return found[-1] if found else None


def _is_code(secret: str, step: int, code: str) -> bool:
    expected = totp.format_hotp_value(totp.hotp_value(secret, step))
    return bool(totp.compare_user_code(actual=code, expected=expected))


def codes_row(person_id: uuid.UUID, secret: str, counter: int) -> Authenticator:
    """Return a row to be saved for one-time codes, the first of them used."""
    data = {"secret": encrypt(secret), "counter": counter}
    return Authenticator(user_id=person_id, type=Authenticator.Type.TOTP, data=data)


def has_codes(person_id: uuid.UUID) -> bool:
    """Answer whether the person has set up one-time codes."""
    return bool(Authenticator.objects.filter(user_id=person_id, type=Authenticator.Type.TOTP).exists())


def read_code(person_id: uuid.UUID, code: str) -> CodeProof:
    """Verify a one-time code alone, of somebody who is signed in; raises `SignInFailed`."""
    row = Authenticator.objects.filter(user_id=person_id, type=Authenticator.Type.TOTP).first()
    counter = find_counter(_secret_of(row), code)
    if row is None or counter is None or counter <= row.data["counter"]:
        raise SignInFailed
    return CodeProof(person_id, row.id, counter)


def read_password_and_code(person: Person | None, password: str, code: str) -> CodeProof:
    """Verify both; raises `SignInFailed`. Nobody, a person without either, a wrong one: all the same work."""
    person_id = person.id if person else uuid.UUID(int=0)
    row = Authenticator.objects.filter(user_id=person_id, type=Authenticator.Type.TOTP).first()
    counter = find_counter(_secret_of(row), code)
    has_password = person is not None and person.password.startswith("argon2")
    is_right = check_password(password, person.password if person and has_password else _nobodys_password())
    if not has_password or not is_right or row is None or counter is None or counter <= row.data["counter"]:
        raise SignInFailed
    return CodeProof(person_id, row.id, counter)


@cache
def _nobodys_password() -> str:
    return make_password(uuid.uuid4().hex)


@cache
def _nobodys_secret() -> str:
    return str(encrypt(totp.generate_totp_secret()))


def _secret_of(row: Authenticator | None) -> str:
    return str(decrypt(row.data["secret"] if row else _nobodys_secret()))


# Recovery codes


def recovery_row(person_id: uuid.UUID) -> Authenticator:
    """Return a row to be saved for ten new recovery codes."""
    data = {"seed": encrypt(RecoveryCodes.generate_seed()), "used_mask": 0}
    return Authenticator(user_id=person_id, type=Authenticator.Type.RECOVERY_CODES, data=data)


def codes_of_row(row: Authenticator) -> list[str]:
    """Return the recovery codes that have not been used, in groups of four digits."""
    return [
        " ".join(code[n : n + 4] for n in range(0, 16, 4)) for code in RecoveryCodes(row).get_unused_codes()
    ]


def count_recovery_codes(person_id: uuid.UUID) -> int:
    """Return how many recovery codes are left."""
    row = Authenticator.objects.filter(user_id=person_id, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(RecoveryCodes(row).get_unused_codes()) if row else 0


def use_recovery_code(person_id: uuid.UUID | None, code: str) -> None:
    """Mark a code as used, inside the caller's transaction; raises `SignInFailed`."""
    rows = Authenticator.objects.filter(type=Authenticator.Type.RECOVERY_CODES)
    row = rows.filter(user_id=person_id or uuid.UUID(int=0)).first() or _nobodys_codes()
    if not RecoveryCodes(row).validate_code(code[:40]):
        raise SignInFailed


def _nobodys_codes() -> Authenticator:
    return Authenticator(
        data={"seed": _nobodys_seed(), "used_mask": 2**settings.MFA_RECOVERY_CODE_DIGITS - 1}
    )


@cache
def _nobodys_seed() -> str:
    return str(encrypt(RecoveryCodes.generate_seed()))
