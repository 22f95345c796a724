"""Which keys this server holds for an authority, and how officers sign that they are the right ones.

The base app has no keys and no signatures; who has them registers here.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from network.frames import Notice
from network.policy import Actor

# Returns the 60 digits of an authority's keys without blanks, or None while it has none.
FINGERPRINTS: list[Callable[[uuid.UUID], str | None]] = []


@dataclass(frozen=True)
class Signed:
    """What an officer's device has signed about keys, and the blind that hides the State's note in it."""

    statement: bytes
    blind: bytes


@dataclass(frozen=True)
class Signing:
    """How confirmations are signed. `facts` are a `network.proposal_facts.ConfirmFingerprint`."""

    # What the two persons agree on besides the digits; its rows stay locked until the end.
    state_of: Callable[[uuid.UUID], list[object]]
    # Raises `Refusal` unless a device of the actor's has signed just these facts.
    check: Callable[[Actor, Any, Signed], None]
    # Keeps what the two persons have signed, inside the transaction of the act, and returns whom to tell;
    # raises `Refusal`.
    keep: Callable[[Actor, Any, Signed, Signed], list[Notice]]
    # The parts of the pages by which it is signed: in the head, and in front of the form.
    head: str
    part: str


SIGNINGS: list[Signing] = []


def fingerprint_held(authority_id: uuid.UUID) -> str | None:
    """Return the digits of the keys this server holds for an authority, or None while it has none."""
    return next((found for find in FINGERPRINTS if (found := find(authority_id))), None)


def signing() -> Signing | None:
    """Return how confirmations are signed; None where nothing has keys."""
    return SIGNINGS[0] if SIGNINGS else None
