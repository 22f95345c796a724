"""What an entry or message rests on: complete statements of others, carried along with it in ``acts``."""

from collections.abc import Collection

from messaging.sealed.encoding import sha256
from messaging.sealed.envelopes import is_strictly_sorted
from messaging.sealed.errors import Refused
from messaging.sealed.statement import Fields, type_of

ACTS_LIMIT = 40
"""How many statements one entry or message can carry: two for each of sixteen members, and some."""


def read_acts(fields: Fields, rule: str, known: Collection[str]) -> tuple[bytes, ...]:
    """The statements in ``acts``, not yet verified: of known types, sorted by their hash, none twice.

    Raises Refused E2 ``bad-statement``, or this rule with ``unknown-act``.
    """
    acts = fields.items("acts")
    found = [act for act in acts if isinstance(act, bytes)]
    if len(found) != len(acts) or len(acts) > ACTS_LIMIT or any(not _is_known(act, known) for act in found):
        raise Refused(rule, "unknown-act", "something that has no place among the acts")
    if not is_strictly_sorted([sha256(act) for act in found]):
        raise Refused(rule, "unknown-act", "the acts are not sorted, or one stands twice")
    return tuple(found)


def _is_known(act: bytes, known: Collection[str]) -> bool:
    try:
        return type_of(act) in known
    except Refused:
        return False


def sort_acts(acts: Collection[bytes]) -> list[bytes]:
    """Statements in the order in which ``acts`` holds them."""
    return sorted(acts, key=sha256)
