"""Rules E2 and E3: every signed thing is an untagged COSE_Sign1 (RFC 9052) with one shape."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from messaging.sealed.encoding import Encodable, Value, decode, encode, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keys import SigningKey, verify_signature

T = TypeVar("T")

_COMMON = frozenset({"t", "v", "suite", "net", "at"})
_FIELD_NAMES = {
    "device": "principal salt person name office sig kem",
    "keyring": "principal kind n prev salt sponsor succeeds devices recovery sponsored floor mailbox commit "
    "history sealed reason acts",
    "thread": "thread n prev after salt kind link members by commit history sealed reason acts",
    "message": "thread n head by id counter prev void after kind stage urgency due plain cipher files log "
    "acts",
    "receipt": "thread seq item transcript",
    "opened": "by thread seq transcript",
    "approval": "by about on change until",
    "sponsor": "by person office device replaces from until",
    "sponsor-end": "by practitioner of",
    "consent": "by thread action subject history until",
    "mandate": "by thread parties admitted from until inform terms salt",
    "mandate-withdrawal": "by thread of after",
    "confirm": "by authority principal head document",
    "accept": "by authority principal head how",
    "pins": "by log heads",
    "restore": "by serial log cause acts",
    "record": "by thread seq transcript parts",
    "report": "by thread cause words messages",
}
FIELDS: Mapping[str, frozenset[str]] = {
    name: frozenset(names.split()) for name, names in _FIELD_NAMES.items()
}
"""The exact field names of each type, besides t, v, suite, net and at."""


class Fields:
    """A decoded map whose values are taken by name and type.

    Each method raises Refused E2 ``bad-statement`` when the value has another type or size.
    """

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def any(self, name: str) -> Value:
        """The value as it is."""
        return self._values[name]

    def uint(self, name: str) -> int:
        """An unsigned integer; True is not one."""
        return take_uint(self._values[name])

    def data(self, name: str, size: int = 32) -> bytes:
        """A byte string of exactly ``size`` bytes."""
        return take_bytes(self._values[name], size)

    def raw(self, name: str) -> bytes:
        """A byte string of any size."""
        value = self._values[name]
        if not isinstance(value, bytes):  # E2
            raise bad("not a byte string")
        return value

    def text(self, name: str, limit: int = 32) -> str:
        """A text of at most ``limit`` characters."""
        return take_text(self._values[name], limit)

    def items(self, name: str) -> list[Value]:
        """An array."""
        return take_list(self._values[name])

    def map(self, name: str, *keys: str) -> "Fields":
        """A map with exactly these keys."""
        return take_map(self._values[name], *keys)

    def optional(self, name: str, take: Callable[[str], T]) -> T | None:
        """None for null, else what ``take`` gives for this name."""
        return None if self._values[name] is None else take(name)


def bad(detail: str) -> Refused:
    """The refusal of E2 for a wrong shape."""
    return Refused("E2", "bad-statement", detail)


def take_uint(value: Value) -> int:
    """The value if it is an unsigned integer, else Refused E2."""
    if type(value) is not int:  # E2
        raise bad("not an integer")
    return value


def take_bytes(value: Value, size: int) -> bytes:
    """The value if it is a byte string of this size, else Refused E2."""
    if not isinstance(value, bytes) or len(value) != size:  # E2
        raise bad(f"not {size} bytes")
    return value


def take_text(value: Value, limit: int) -> str:
    """The value if it is text of at most ``limit`` characters, else Refused E2."""
    if not isinstance(value, str) or len(value) > limit:  # E2
        raise bad(f"not text of at most {limit} characters")
    return value


def take_list(value: Value) -> list[Value]:
    """The value if it is an array, else Refused E2."""
    if not isinstance(value, list):  # E2
        raise bad("not an array")
    return value


def take_map(value: Value, *keys: str) -> Fields:
    """The value if it is a map with exactly these keys, else Refused E2."""
    if not isinstance(value, dict) or value.keys() != set(keys):  # E2
        raise bad("not a map with the expected names")
    return Fields(value)


@dataclass(frozen=True)
class Statement:
    """A signed object that has been taken apart, its signature not yet verified.

    ``hash`` (E3) is SHA-256 of ``raw``, the bytes as sent; stored bytes are never encoded again.
    """

    type: str
    at: int
    kid: bytes
    fields: Fields
    raw: bytes
    hash: bytes
    signature: bytes
    protected: bytes
    payload: bytes


def _protected(kid: bytes) -> bytes:
    # E2: {1: -19 (Ed25519, RFC 9864), 4: kid}; written out because E1 has no such map.
    return bytes.fromhex("a2013204") + encode(kid)


def _signed_bytes(net: str, statement_type: str, protected: bytes, payload: bytes) -> bytes:
    """Sig_structure of RFC 9052, 4.4."""
    return encode(["Signature1", protected, encode(["S1", statement_type, net]), payload])


def sign(
    net: str, statement_type: str, fields: Mapping[str, Encodable], *, at: int, kid: bytes, key: SigningKey
) -> bytes:
    """The complete bytes of a signed statement. ``at`` is in unix seconds."""
    if fields.keys() != FIELDS[statement_type]:
        raise bad(f"fields of {statement_type}: {sorted(fields)}")  # E2
    payload = encode({**fields, "t": statement_type, "v": 1, "suite": 1, "net": net, "at": at})
    protected = _protected(kid)
    signature = key.sign(_signed_bytes(net, statement_type, protected, payload))
    return encode([protected, {}, payload, signature])


def parse(net: str, raw: bytes, expect: str) -> Statement:
    """Take a statement apart and check its shape, type, suite and network, not its signature.

    Raises Refused E1 ``bad-encoding``; E2 ``bad-statement``, ``unknown-type``, ``wrong-type``,
    ``unknown-suite``, ``wrong-network``.
    """
    protected, payload, signature = _take_apart(raw)
    kid = _read_kid(protected)
    fields = _read_payload(payload)
    at = _check_payload(net, fields, expect)
    own = Fields({name: value for name, value in fields.items() if name not in _COMMON})
    return Statement(expect, at, kid, own, raw, sha256(raw), signature, protected, payload)


def type_of(raw: bytes) -> str:
    """The type that a statement says it has; nothing else of it is checked. Raises Refused E1, E2."""
    _, payload, _ = _take_apart(raw)
    found = _read_payload(payload).get("t")
    if not isinstance(found, str):  # E2
        raise bad("the payload has no type")
    return found


def _take_apart(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Protected header, payload and signature."""
    parts = take_list(decode(raw))
    if len(parts) != 4 or parts[1] != {}:  # E2
        raise bad("not a COSE_Sign1 with an empty unprotected header")
    protected, payload = parts[0], parts[2]
    if not isinstance(protected, bytes) or not isinstance(payload, bytes):  # E2
        raise bad("header and payload must be byte strings")
    return protected, payload, take_bytes(parts[3], 64)


def _read_payload(payload: bytes) -> dict[str, Value]:
    fields = decode(payload)
    if not isinstance(fields, dict):  # E2
        raise bad("the payload is not a map")
    return fields


def _read_kid(protected: bytes) -> bytes:
    for size in (0, 32):
        kid = protected[len(protected) - size :]
        if protected == _protected(kid):
            return kid
    raise bad("unknown protected header")  # E2


def _check_payload(net: str, fields: dict[str, Value], expect: str) -> int:
    statement_type = fields.get("t")
    if not isinstance(statement_type, str):  # E2
        raise bad("the payload has no type")
    if statement_type not in FIELDS:  # E2
        raise Refused("E2", "unknown-type", "unknown type of statement")
    if statement_type != expect:  # E2
        raise Refused("E2", "wrong-type", f"expected {expect}, not {statement_type}")
    if type(fields.get("v")) is not int or fields["v"] != 1:  # E2
        raise bad("unknown version")
    if type(fields.get("suite")) is not int or fields["suite"] != 1:  # E2
        raise Refused("E2", "unknown-suite", "unknown suite")
    if fields.get("net") != net:  # E2
        raise Refused("E2", "wrong-network", "made for another network")
    if fields.keys() != FIELDS[expect] | _COMMON:  # E2
        raise bad(f"not the fields of {expect}")
    return take_uint(fields["at"])


def verify(statement: Statement, public_key: bytes, net: str) -> None:
    """Verify the signature with a key from a verified chain. Raises Refused E2 ``bad-signature``."""
    signed = _signed_bytes(net, statement.type, statement.protected, statement.payload)
    if not verify_signature(public_key, statement.signature, signed):  # E2
        raise Refused("E2", "bad-signature", f"the signature of this {statement.type} does not hold")
