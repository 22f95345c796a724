"""Rule E1, the strict subset of CBOR, and rule E4, hashes and keys bound to their context.

Every value has exactly one encoding (RFC 8949, 4.2.1), and the decoder takes no other.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from messaging.sealed.errors import Refused

Value: TypeAlias = "bool | int | bytes | str | list[Value] | dict[str, Value] | None"
"""What decoding gives."""

Encodable: TypeAlias = "bool | int | bytes | str | Sequence[Encodable] | Mapping[str, Encodable] | None"
"""What encoding takes."""

ZERO = bytes(32)
INTEGER_LIMIT = 2**53
DEPTH_LIMIT = 8
KEY_LIMIT = 23

_UINT, _BYTES, _TEXT, _ARRAY, _MAP = 0, 2, 3, 4, 5
_SIMPLE: dict[int, bool | None] = {0xF4: False, 0xF5: True, 0xF6: None}


def encode(value: Encodable) -> bytes:
    """Encode a value. Raises Refused E1 ``bad-encoding`` for what E1 cannot hold."""
    out = bytearray()
    _write(value, out, 1)
    return bytes(out)


def decode(data: bytes) -> Value:
    """Decode bytes that hold exactly one value in its only encoding. Raises Refused E1 ``bad-encoding``."""
    value, end = _read(data, 0, 1)
    if end != len(data):  # E1
        raise _bad("bytes follow the value")
    return value


def _bad(detail: str) -> Refused:
    return Refused("E1", "bad-encoding", detail)


def _write(value: Encodable, out: bytearray, depth: int) -> None:
    if depth > DEPTH_LIMIT:  # E1
        raise _bad("nested too deeply")
    if value is None:
        out.append(0xF6)
    elif isinstance(value, bool):  # before int: E1 keeps True apart from 1
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        _write_head(_UINT, value, out)
    elif isinstance(value, bytes):
        _write_head(_BYTES, len(value), out)
        out += value
    elif isinstance(value, str):
        out += _text(value)
    else:
        _write_nested(value, out, depth)


def _write_nested(value: Sequence[Encodable] | Mapping[str, Encodable], out: bytearray, depth: int) -> None:
    if isinstance(value, Mapping):
        _write_head(_MAP, len(value), out)
        for key, name in sorted((_key(name), name) for name in value):
            out += key
            _write(value[name], out, depth + 1)
    elif isinstance(value, list | tuple):
        _write_head(_ARRAY, len(value), out)
        for item in value:
            _write(item, out, depth + 1)
    else:  # E1: floats, sets, byte arrays, dates and the like
        raise _bad(f"{type(value).__name__} cannot be encoded")


def _write_head(major: int, number: int, out: bytearray) -> None:
    if not 0 <= number < INTEGER_LIMIT:  # E1
        raise _bad("integer out of range")
    if number < 24:
        out.append(major << 5 | number)
        return
    step = 0 if number < 1 << 8 else 1 if number < 1 << 16 else 2 if number < 1 << 32 else 3
    out.append(major << 5 | 24 + step)
    out += number.to_bytes(1 << step, "big")


def _text(value: str) -> bytes:
    try:
        data = value.encode()
    except UnicodeEncodeError:  # E1: a lone surrogate
        raise _bad("text is not Unicode") from None
    out = bytearray()
    _write_head(_TEXT, len(data), out)
    return bytes(out + data)


def _key(name: object) -> bytes:
    if not isinstance(name, str):  # E1
        raise _bad("a map key is not text")
    key = _text(name)
    if len(key) > KEY_LIMIT + 1:  # E1
        raise _bad("a map key is too long")
    return key


def _read(data: bytes, start: int, depth: int) -> tuple[Value, int]:
    if depth > DEPTH_LIMIT:  # E1
        raise _bad("nested too deeply")
    if start >= len(data):  # E1
        raise _bad("cut off")
    first = data[start]
    if first in _SIMPLE:
        return _SIMPLE[first], start + 1
    major = first >> 5
    number, start = _read_head(data, start)
    if major == _UINT:
        return number, start
    if major in {_BYTES, _TEXT}:
        return _read_string(data, start, number, is_text=major == _TEXT)
    if major == _ARRAY:
        return _read_array(data, start, number, depth)
    if major == _MAP:
        return _read_map(data, start, number, depth)
    raise _bad("negative numbers, tags, floats and undefined have no place here")  # E1


def _read_head(data: bytes, start: int) -> tuple[int, int]:
    info = data[start] & 31
    start += 1
    if info < 24:
        return info, start
    if info > 27:  # E1
        raise _bad("indefinite or reserved length")
    size = 1 << info - 24
    number = int.from_bytes(data[start : start + size], "big")
    if start + size > len(data):  # E1
        raise _bad("cut off")
    least = 24 if size == 1 else 1 << 4 * size
    if number < least:  # E1
        raise _bad("integer or length longer than needed")
    if number >= INTEGER_LIMIT:  # E1
        raise _bad("integer out of range")
    return number, start + size


def _read_string(data: bytes, start: int, size: int, *, is_text: bool) -> tuple[Value, int]:
    end = start + size
    if end > len(data):  # E1
        raise _bad("cut off")
    part = data[start:end]
    if not is_text:
        return part, end
    try:
        return part.decode(), end
    except UnicodeDecodeError:  # E1
        raise _bad("text is not UTF-8") from None


def _read_array(data: bytes, start: int, count: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    for _ in range(count):
        item, start = _read(data, start, depth + 1)
        items.append(item)
    return items, start


def _read_map(data: bytes, start: int, count: int, depth: int) -> tuple[Value, int]:
    found: dict[str, Value] = {}
    last = b""
    for _ in range(count):
        name, end = _read(data, start, depth + 1)
        key = data[start:end]
        if not isinstance(name, str) or len(key) > KEY_LIMIT + 1:  # E1
            raise _bad("a map key is not text of at most 23 bytes")
        if key <= last:  # E1
            raise _bad("map keys are not sorted, or one stands twice")
        last = key
        found[name], start = _read(data, end, depth + 1)
    return found, start


def sha256(data: bytes) -> bytes:
    """SHA-256 of bytes (E3: of a statement, over its complete bytes as sent)."""
    return hashlib.sha256(data).digest()  # E3


def context(net: str, purpose: str, *parts: Encodable) -> bytes:
    """The context of E4, used as hash input, HKDF info, AEAD ``aad`` and HPKE ``info``."""
    return encode(["S1", purpose, net, *parts])  # E4


def context_hash(net: str, purpose: str, *parts: Encodable) -> bytes:
    """H(purpose, …) of E4: 32 bytes."""
    return sha256(context(net, purpose, *parts))


def derive_key(net: str, secret: bytes, purpose: str, *parts: Encodable, salt: bytes = ZERO) -> bytes:
    """K(secret, purpose, …) of E4: HKDF-SHA256 (RFC 5869), 32 bytes. The salt is zero except in chains."""
    info = context(net, purpose, *parts)
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(secret)
