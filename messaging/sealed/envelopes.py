"""What keyrings and threads share: envelopes (E5, K4, T1) and history wraps (E8, K7, T7)."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from messaging.sealed.encoding import Encodable, context, context_hash, decode, derive_key, encode
from messaging.sealed.errors import Refused
from messaging.sealed.keys import SEALED_SECRET_SIZE, WRAP_SIZE, aead_open, aead_seal, seal
from messaging.sealed.statement import Fields

Ordered = TypeVar("Ordered", bytes, str)

Envelope = tuple[bytes, bytes]
"""(recipient id, the secret sealed to the recipient: 1,168 bytes)"""


@dataclass(frozen=True)
class History:
    """The secret of an earlier generation or epoch ``of``, encrypted under the newer one's (48 bytes)."""

    of: int
    wrap: bytes

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in an entry."""
        return {"of": self.of, "wrap": self.wrap}


def is_strictly_sorted(values: Sequence[Ordered]) -> bool:
    """Whether the values rise, none standing twice."""
    return all(left < right for left, right in itertools.pairwise(values))


def read_history(fields: Fields) -> History | None:
    """The field ``history`` of an entry. Raises Refused E2 ``bad-statement``."""
    if fields.any("history") is None:
        return None
    pair = fields.map("history", "of", "wrap")
    return History(pair.uint("of"), pair.data("wrap", WRAP_SIZE))


def make(
    net: str, secret: bytes, recipients: Mapping[bytes, bytes], info: Callable[[bytes], bytes]
) -> tuple[bytes, bytes]:
    """Seal a secret to recipients (id → public KEM key). Gives the blob for the wire and ``sealed``."""
    listed = [
        [recipient, seal(key, secret, info(recipient))] for recipient, key in sorted(recipients.items())
    ]
    return encode(listed), context_hash(net, "envelopes", listed)


def check(net: str, rule: str, blob: bytes, recipients: Sequence[bytes], sealed: bytes) -> None:
    """That the blob holds exactly these recipients, right sizes, and is what ``sealed`` names.

    Raises Refused E1, or this rule (K4, T1) with ``wrong-recipients``, ``bad-envelope-size``,
    ``wrong-sealed``.
    """
    envelopes = read(rule, blob)
    if [recipient for recipient, _ in envelopes] != sorted(recipients):  # K4 T1
        raise Refused(rule, "wrong-recipients", "the envelopes are not for exactly those listed")
    if any(len(box) != SEALED_SECRET_SIZE for _, box in envelopes):  # K4 T1
        raise Refused(rule, "bad-envelope-size", "an envelope has another size")
    if context_hash(net, "envelopes", envelopes) != sealed:  # K4 T1
        raise Refused(rule, "wrong-sealed", "the entry was signed for other envelopes")


def read(rule: str, blob: bytes) -> list[Envelope]:
    """Take the blob apart. Raises Refused E1, or this rule with ``wrong-recipients``."""
    rows = decode(blob)
    envelopes: list[Envelope] = []
    for row in rows if isinstance(rows, list) else [None]:
        match row:
            case [bytes(recipient), bytes(box)]:
                envelopes.append((recipient, box))
            case _:  # K4 T1
                raise Refused(rule, "wrong-recipients", "not a list of [recipient, bytes]")
    return envelopes


def find(rule: str, envelopes: Sequence[Envelope], recipient: bytes) -> bytes:
    """The sealed bytes for a recipient. Raises Refused with ``wrong-recipients``."""
    for found, box in envelopes:
        if found == recipient:
            return box
    raise Refused(rule, "wrong-recipients", "no envelope for this recipient")


def wrap(net: str, purpose: str, subject: bytes, n: int, secret: bytes, of: int, earlier: bytes) -> History:
    """Encrypt the secret of ``of`` under that of ``n``. Purpose: "keyring history" or "thread history"."""
    key = derive_key(net, secret, purpose, subject, n)
    return History(of, aead_seal(key, earlier, context(net, purpose, subject, n, of)))


def unwrap(net: str, purpose: str, subject: bytes, n: int, secret: bytes, history: History) -> bytes:
    """The earlier secret, not yet checked against its commit. Raises Refused E8 ``cannot-open``."""
    key = derive_key(net, secret, purpose, subject, n)
    return aead_open(key, history.wrap, context(net, purpose, subject, n, history.of))
