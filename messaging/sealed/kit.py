"""The recovery kit in three parts of which any two make it whole again (Shamir's scheme). Rule E6.

Each byte of the kit is the value at 0 of a line over GF(2^8), modulo x^8 + x^4 + x^3 + x + 1; a share is the
values of all lines at its number. One share alone says nothing about the kit.
"""

import secrets
from dataclasses import dataclass, field

from messaging.sealed.encoding import context_hash
from messaging.sealed.errors import Refused
from messaging.sealed.keys import RecoveryKit, print_groups, read_groups

SHARE_NUMBERS = (1, 2, 3)
_SECRET_SIZE = 32
_SET_SIZE = 4
_REDUCTION = 0x11B


@dataclass(frozen=True)
class KitShare:
    """One of three parts: its number, the values, and what marks parts of the same kit (4 bytes)."""

    number: int
    values: bytes = field(repr=False)
    mark: bytes

    def print(self) -> str:
        """12 groups of 5 Crockford characters, like a whole kit."""
        return print_groups(bytes([self.number]) + self.values + self.mark)

    @classmethod
    def parse(cls, printed: str) -> "KitShare":
        """Read a typed share; raises Refused E6 ``recovery-share-mistyped``.

        A share has no checksum of its own: a wrong character is noticed when two are joined.
        """
        mistyped = Refused("E6", "recovery-share-mistyped", "this is not a printed share of a kit")
        data = read_groups(printed, mistyped)
        if data[0] not in SHARE_NUMBERS:
            raise mistyped
        return cls(data[0], data[1:33], data[33:])


def split_kit(kit: RecoveryKit, *, slopes: bytes | None = None) -> list[KitShare]:
    """Three shares of a kit. `slopes`: 32 bytes, for tests; otherwise from the system's randomness."""
    chosen = secrets.token_bytes(_SECRET_SIZE) if slopes is None else slopes
    mark = _mark(kit.net, kit.secret)
    return [
        KitShare(
            number,
            bytes(start ^ _times(slope, number) for start, slope in zip(kit.secret, chosen, strict=True)),
            mark,
        )
        for number in SHARE_NUMBERS
    ]


def join_shares(net: str, one: KitShare, other: KitShare) -> RecoveryKit:
    """The kit that two shares make.

    Raises Refused E6 ``recovery-shares-differ`` for the same number twice or shares of two kits,
    ``recovery-share-mistyped`` when what they make is not their kit.
    """
    if one.number == other.number or one.mark != other.mark:
        raise Refused("E6", "recovery-shares-differ", "these are not two different shares of one kit")
    # The line through both points, at 0; minus is plus here.
    scale = _inverse(one.number ^ other.number)
    first, second = _times(other.number, scale), _times(one.number, scale)
    secret = bytes(
        _times(a, first) ^ _times(b, second) for a, b in zip(one.values, other.values, strict=True)
    )
    if _mark(net, secret) != one.mark:
        raise Refused("E6", "recovery-share-mistyped", "a share was typed wrong, or is of another network")
    return RecoveryKit(net, secret)


def _mark(net: str, secret: bytes) -> bytes:
    return context_hash(net, "kit set", secret)[:_SET_SIZE]


def _times(one: int, other: int) -> int:
    product = 0
    for bit in range(8):
        product ^= (one << bit) * (other >> bit & 1)
    for bit in range(14, 7, -1):
        product ^= (_REDUCTION << bit - 8) * (product >> bit & 1)
    return product


def _inverse(value: int) -> int:
    """value^254: the group has 255 elements."""
    result = 1
    for _ in range(254):
        result = _times(result, value)
    return result
