"""What two persons agree on, one frozen type for each act: strict, sized, unknown keys refused."""

import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from network.frames import Body, blob
from network.functions import FUNCTIONS
from network.models import SECRETARIAT_ROLES, Role

FINGERPRINT_DIGITS = 60
FUNCTIONS_MOST = 40
STATEMENT_MOST = 4096  # bytes of what a device has signed
BLIND_SIZE = 32

# Controls, line ends and signs that change the direction of what follows have no place in a name.
_HIDDEN = frozenset({"Cc", "Co", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _plain(text: str) -> str:
    if text != text.strip():
        raise ValueError("begins or ends with a blank")
    if any(sign in _TURNING or unicodedata.category(sign) in _HIDDEN for sign in text):
        raise ValueError("has signs that are not seen")
    return text


def _of_the_list(code: str) -> str:
    if code not in FUNCTIONS:
        raise ValueError("not a function of the list")
    return code


def _of_the_secretariat(roles: tuple[str, ...]) -> tuple[str, ...]:
    if not roles or not {Role(role) for role in roles} <= SECRETARIAT_ROLES:
        raise ValueError("not roles of the secretariat")
    return tuple(sorted(set(roles)))


def digits_of(text: str) -> str:
    """Return a fingerprint as it is kept, from what was typed: blanks and line ends do not matter.

    Digits of other scripts count as what they stand for. Raises ValueError unless there are 60.
    """
    signs = [sign for sign in text if not sign.isspace() and sign not in _TURNING]
    if len(signs) != FINGERPRINT_DIGITS or not all(sign.isdecimal() for sign in signs):
        raise ValueError("not 60 digits")
    return "".join(str(unicodedata.decimal(sign)) for sign in signs)


def in_groups(digits: str) -> str:
    """Return a fingerprint as it is shown: 12 groups of 5 digits."""
    return " ".join(digits[start : start + 5] for start in range(0, len(digits), 5))


Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]
Reference = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_plain)]
Citation = Annotated[str, Field(min_length=1, max_length=20), AfterValidator(_plain)]
Address = Annotated[str, Field(min_length=3, max_length=254)]  # its rules are in `network.addresses`
Language = Literal["ar", "zh-hans", "en", "fr", "ru", "es"]
Fingerprint = Annotated[str, Field(max_length=200), AfterValidator(digits_of)]
if TYPE_CHECKING:
    Statement = bytes
    Blind = bytes
else:
    Statement = blob(STATEMENT_MOST)
    Blind = blob(BLIND_SIZE)


class Notified(Body):
    """The depositary notification or note verbale by which the State said so."""

    notification: Reference
    notified_on: Annotated[date, Field(ge=date(1945, 1, 1))]


class Designated(Body):
    """One function of an authority, under one article of one instrument."""

    code: Annotated[str, AfterValidator(_of_the_list)]
    instrument: Citation
    article: Citation


class OpenAuthority(Notified):
    """A new authority, with its State if that is new, and the first person who is invited to it."""

    state_code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]  # ISO 3166-1 alpha-3, or user-assigned
    state_name: Title
    kind: Literal["central", "competent", "mission"]
    name: Title
    functions: Annotated[tuple[Designated, ...], Field(max_length=FUNCTIONS_MOST)]
    address: Address
    person: Title
    office: Title
    language: Language

    @model_validator(mode="after")
    def _check_functions(self) -> "OpenAuthority":
        if len(set(self.functions)) != len(self.functions):
            raise ValueError("functions: one stands twice")
        if self.kind == "central" and not self.functions:
            raise ValueError("functions: none")
        if self.kind == "mission" and self.functions:
            raise ValueError("functions: a mission has none")
        return self


class ConfirmFingerprint(Notified):
    """The fingerprint of an authority's keys as its State gave it in writing.

    With what the device of the officer who proposes it has signed; of old proposals nothing.
    """

    authority: UUID
    fingerprint: Fingerprint
    statement: Statement = b""
    blind: Blind = b""


class GrantSecretariatRole(Body):
    """Roles of the secretariat for one of its members, or for a new colleague who is invited."""

    membership: UUID | None = None
    roles: Annotated[tuple[str, ...], AfterValidator(_of_the_secretariat)]
    address: Address | None = None
    person: Title | None = None
    office: Title | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _check_whom(self) -> "GrantSecretariatRole":
        new = (self.address, self.person, self.office, self.language)
        wrong = any(new) if self.membership else not all(new)
        if wrong:
            raise ValueError("membership: a member or a new colleague")
        return self
