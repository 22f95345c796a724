"""The file of a record: a ZIP archive that any computer opens, in the only form that is accepted (rule R1).

Nothing is compressed, no time and no comment is kept, names are in order: so these parts give these bytes,
and a byte that was changed anywhere, also between the parts, is found. Source: PKWARE APPNOTE 6.3.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from messaging.sealed.errors import Refused

_LOCAL, _CENTRAL, _END = 0x04034B50, 0x02014B50, 0x06054B50
_VERSION, _UTF8, _STORED, _NO_TIME, _FIRST_DAY = 20, 0x0800, 0, 0, 0x21
_LOCAL_SIZE, _CENTRAL_SIZE, _END_SIZE = 30, 46, 22
PARTS_MOST = 65_000
SIZE_MOST = 2**32 - 2**20
NAME_MOST = 200


@dataclass(frozen=True)
class Unpacked:
    """The parts by name, and the first place where the archive is not what these parts give, or None."""

    parts: dict[str, bytes]
    odd_at: int | None


def pack(parts: Mapping[str, bytes]) -> bytes:
    """The archive of these parts. Raises Refused R1 ``bad-container`` for more than an archive can hold."""
    total = sum(len(content) + 2 * len(name) + 100 for name, content in parts.items())
    if len(parts) > PARTS_MOST or total > SIZE_MOST:  # R1
        raise Refused("R1", "bad-container", "more than fits into one record")
    body, table = bytearray(), bytearray()
    for name in sorted(parts):
        content, encoded = parts[name], name.encode()
        common = struct.pack(
            "<HHHHHIIIHH",
            _VERSION,
            _UTF8,
            _STORED,
            _NO_TIME,
            _FIRST_DAY,
            zlib.crc32(content),
            len(content),
            len(content),
            len(encoded),
            0,
        )
        table += struct.pack("<IH", _CENTRAL, _VERSION) + common
        table += struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + encoded
        body += struct.pack("<I", _LOCAL) + common + encoded + content
    count = len(parts)
    end = struct.pack("<IHHHHIIH", _END, 0, 0, count, count, len(table), len(body), 0)
    return bytes(body + table + end)


def unpack(data: bytes) -> Unpacked:
    """The parts of an archive made by ``pack``, as far as they can be found.

    Raises Refused R1 ``bad-container`` when no table of parts can be read at all.
    """
    parts = _read_parts(data)
    if parts is None:  # R1
        raise Refused("R1", "bad-container", "this is no record, or its table of parts is damaged")
    return Unpacked(parts, _first_difference(data, pack(parts)))


def _first_difference(data: bytes, expected: bytes) -> int | None:
    if data == expected:
        return None
    pairs = enumerate(zip(data, expected, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(data), len(expected)))


def _read_parts(data: bytes) -> dict[str, bytes] | None:
    """By the table at the end; where that is damaged, from part to part."""
    return _by_table(data) or _by_parts(data)


def _by_table(data: bytes) -> dict[str, bytes] | None:
    if len(data) < _END_SIZE or data[-_END_SIZE:][:4] != struct.pack("<I", _END):
        return None
    count, _, at = struct.unpack_from("<HII", data, len(data) - _END_SIZE + 10)
    parts: dict[str, bytes] = {}
    for _ in range(count):
        if data[at : at + 4] != struct.pack("<I", _CENTRAL) or at + _CENTRAL_SIZE > len(data):
            return None
        size, length = struct.unpack_from("<I", data, at + 24)[0], struct.unpack_from("<H", data, at + 28)[0]
        place = struct.unpack_from("<I", data, at + 42)[0]
        name = _name(data[at + _CENTRAL_SIZE : at + _CENTRAL_SIZE + length])
        start = place + _LOCAL_SIZE + length
        if name is None or name in parts or start + size > len(data):
            return None
        parts[name] = data[start : start + size]
        at += _CENTRAL_SIZE + length
    return parts


def _by_parts(data: bytes) -> dict[str, bytes] | None:
    parts: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == struct.pack("<I", _LOCAL) and at + _LOCAL_SIZE <= len(data):
        size, length = struct.unpack_from("<I", data, at + 22)[0], struct.unpack_from("<H", data, at + 26)[0]
        name = _name(data[at + _LOCAL_SIZE : at + _LOCAL_SIZE + length])
        start = at + _LOCAL_SIZE + length
        if name is None or start + size > len(data):
            break
        parts[name] = data[start : start + size]
        at = start + size
    return parts or None


def _name(encoded: bytes) -> str | None:
    try:
        name = encoded.decode()
    except UnicodeDecodeError:
        return None
    return name if 0 < len(name) <= NAME_MOST else None
