"""Failed attempts to sign in, noted in memory for every address alike, known or not.

Whether the address belongs to anybody is looked up later and elsewhere (`network.actions.failed_sign_ins`),
so that no answer, and no time that an answer takes, tells a stranger who has an account.
"""

from collections import Counter
from threading import Lock

from network.addresses import parse_address
from network.errors import Invalid
from network.field_encryption import index_field

ADDRESSES_MOST = 10_000

_noted: Counter[str] = Counter()
_lock = Lock()


def note_failure(address: str) -> None:
    """Note one failed attempt; of a flood of addresses the later ones are not noted."""
    try:
        index = index_field("person.address", parse_address(address))
    except Invalid:
        return
    with _lock:
        if index in _noted or len(_noted) < ADDRESSES_MOST:
            _noted[index] += 1


def take_failures() -> dict[str, int]:
    """Return how often each address (its keyed hash) failed since the last time, and forget it."""
    with _lock:
        taken = dict(_noted)
        _noted.clear()
    return taken
