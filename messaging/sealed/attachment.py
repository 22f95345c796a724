"""Attachments: files sealed in chunks of 1 MiB beside a message (rules E8, M3, M5).

A file has a random key and nonce prefix of its own; both, its name, type and true size stand in the sealed
body of its message. The signed header has what the server must know: how many chunks, the padded size, and
the root over the hashes of the sealed chunks.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messaging.sealed.encoding import Encodable, Value, context, context_hash, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.statement import Fields, take_map

CHUNK = 1024 * 1024
"""Bytes of a file in one chunk; the last one may be shorter."""
TAG = 16
FILE_LIMIT = 1024 * CHUNK
"""1 GiB: the largest file; its padded size is the same."""
FILES_LIMIT = 10
"""How many files go with one message."""
ID_SIZE = 16
PREFIX_SIZE = 7
NAME_LIMIT = 200
TYPE_LIMIT = 100
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
_NO_NAME = {"", ".", ".."}
# Separators of paths; and what is not seen, or turns round what is read: controls, marks of direction, tags.
_NEVER_IN_NAMES = re.compile(
    "[/\\\\\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)


def padded_size(size: int) -> int:
    """The size that others see: Padmé (PURBs, Nikitin et al., 2019), at most 12 % more; 1 for none."""
    size = max(size, 1)
    exponent = size.bit_length() - 1
    low = exponent - exponent.bit_length()
    mask = (1 << low) - 1
    return (size + mask) & ~mask


def chunk_count(padded: int) -> int:
    """How many chunks a file of this padded size has."""
    return -(-padded // CHUNK)


def sealed_size(padded: int, index: int) -> int:
    """How many bytes the sealed chunk ``index`` of a file of this padded size has."""
    return min(CHUNK, padded - index * CHUNK) + TAG


@dataclass(frozen=True)
class FileHeader:
    """A file as the signed header names it; ``size`` is padded."""

    id: bytes
    chunks: int
    size: int
    root: bytes

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in the header."""
        return {"id": self.id, "chunks": self.chunks, "size": self.size, "root": self.root}


@dataclass(frozen=True)
class File:
    """A file as members know it: key, nonce prefix, SHA-256 of the whole, name, type, true size, root."""

    id: bytes
    key: bytes = field(repr=False)
    prefix: bytes = field(repr=False)
    digest: bytes
    name: str
    media_type: str
    size: int
    root: bytes

    @property
    def header(self) -> FileHeader:
        """What the signed header says of it."""
        padded = padded_size(self.size)
        return FileHeader(self.id, chunk_count(padded), padded, self.root)

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in the sealed body."""
        return {
            "id": self.id,
            "key": self.key,
            "prefix": self.prefix,
            "digest": self.digest,
            "name": self.name,
            "type": self.media_type,
            "size": self.size,
        }


def read_headers(fields: Fields) -> tuple[FileHeader, ...]:
    """The files of a header. Raises Refused E2; M3 ``wrong-files`` for what no file can be."""
    found = tuple(_read_header(value) for value in fields.items("files"))
    is_sound = len(found) <= FILES_LIMIT and len({one.id for one in found}) == len(found)
    if not is_sound or not all(_is_possible(one) for one in found):  # M3
        raise Refused("M3", "wrong-files", "too many files, one twice, or of an impossible size")
    return found


def _read_header(value: Value) -> FileHeader:
    fields = take_map(value, "id", "chunks", "size", "root")
    return FileHeader(
        fields.data("id", ID_SIZE), fields.uint("chunks"), fields.uint("size"), fields.data("root")
    )


def _is_possible(one: FileHeader) -> bool:
    is_padded = 0 < one.size <= FILE_LIMIT and padded_size(one.size) == one.size
    return is_padded and one.chunks == chunk_count(one.size)


def read_files(values: Sequence[Value], headers: Sequence[FileHeader]) -> tuple[File, ...]:
    """The files of a body, each as its header says. Raises Refused E2; M5 ``wrong-files``."""
    if len(values) != len(headers):  # M5
        raise Refused("M5", "wrong-files", "the body has other files than the header")
    return tuple(_read_file(value, header) for value, header in zip(values, headers, strict=True))


def _read_file(value: Value, header: FileHeader) -> File:
    fields = take_map(value, "id", "key", "prefix", "digest", "name", "type", "size")
    found = File(
        id=fields.data("id", ID_SIZE),
        key=fields.data("key"),
        prefix=fields.data("prefix", PREFIX_SIZE),
        digest=fields.data("digest"),
        name=fields.text("name", NAME_LIMIT),
        media_type=fields.text("type", TYPE_LIMIT),
        size=fields.uint("size"),
        root=header.root,
    )
    if found.size > FILE_LIMIT or found.header != header:  # M5
        raise Refused("M5", "wrong-files", "a file is not the one that the header names")
    if not is_name(found.name) or not MEDIA_TYPE.fullmatch(found.media_type):  # M5
        raise Refused("M5", "wrong-files", "a name or type that no file may have")
    return found


def is_name(name: str) -> bool:
    """Whether a reader takes it for the name of a file: no path, nothing unseen, nothing turned round."""
    if name.strip() in _NO_NAME or len(name) > NAME_LIMIT:
        return False
    return not _NEVER_IN_NAMES.search(name)


# --- sealing and opening


def _nonce(prefix: bytes, index: int, chunks: int) -> bytes:
    return prefix + index.to_bytes(4, "big") + bytes([index == chunks - 1])


def _aad(net: str, thread: bytes, file_id: bytes, index: int) -> bytes:
    return context(net, "chunk", thread, file_id, index)


def root_of(net: str, hashes: Sequence[bytes]) -> bytes:
    """H("file", hashes of the sealed chunks in order)."""
    return context_hash(net, "file", list(hashes))


@dataclass(frozen=True)
class NewFile:
    """A file that is about to be sealed for a thread. ``digest`` is of the whole, computed before.

    The same one may be sealed again, whole or in part, only from the same bytes: key and nonces are its own.
    """

    net: str
    thread: bytes
    digest: bytes
    size: int
    id: bytes = field(default_factory=lambda: secrets.token_bytes(ID_SIZE))
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    prefix: bytes = field(default_factory=lambda: secrets.token_bytes(PREFIX_SIZE), repr=False)

    @property
    def padded(self) -> int:
        """The size that others see."""
        return padded_size(self.size)

    @property
    def chunks(self) -> int:
        """How many chunks it has."""
        return chunk_count(self.padded)

    def seal_chunk(self, index: int, part: bytes) -> bytes:
        """Seal the bytes of the file from ``index`` MiB on (at most 1 MiB; none beyond its end)."""
        due = max(0, min(CHUNK, self.size - index * CHUNK))
        if len(part) != due:
            raise ValueError("not the bytes of this chunk")
        text = part.ljust(sealed_size(self.padded, index) - TAG, b"\0")
        nonce = _nonce(self.prefix, index, self.chunks)  # E8
        return AESGCM(self.key).encrypt(nonce, text, _aad(self.net, self.thread, self.id, index))

    def finish(self, hashes: Sequence[bytes], name: str, media_type: str) -> File:
        """What goes into the message, once the hash of every sealed chunk is known."""
        root = root_of(self.net, hashes)
        return File(self.id, self.key, self.prefix, self.digest, name, media_type, self.size, root)


def check_root(net: str, file: File, hashes: Sequence[bytes]) -> None:
    """That these are the hashes of its chunks. Raises Refused M5 ``wrong-root``; comes before any chunk."""
    if len(hashes) != file.header.chunks or root_of(net, hashes) != file.root:  # M5
        raise Refused("M5", "wrong-root", "the chunks are not those that were signed")


def open_chunk(net: str, thread: bytes, file: File, index: int, sealed: bytes, expected: bytes) -> bytes:
    """The bytes of one chunk without what it was padded with; ``expected`` is its hash after ``check_root``.

    Raises Refused M5 ``wrong-chunk``, ``wrong-file``; E8 ``cannot-open``.
    """
    header = file.header
    if len(sealed) != sealed_size(header.size, index) or sha256(sealed) != expected:  # M5
        raise Refused("M5", "wrong-chunk", f"chunk {index} is not the one that was signed")
    nonce = _nonce(file.prefix, index, header.chunks)
    try:
        text = AESGCM(file.key).decrypt(nonce, sealed, _aad(net, thread, file.id, index))
    except InvalidTag:  # E8
        raise Refused("E8", "cannot-open", f"chunk {index} does not open with the key of its file") from None
    end = max(0, file.size - index * CHUNK)
    if text[end:].strip(b"\0"):  # M5
        raise Refused("M5", "wrong-file", "the padding does not hold")
    return text[:end]


class Whole:
    """What has been opened of a file, in order, to compare it with the digest at the end."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def add(self, part: bytes) -> None:
        """Take the next part."""
        self._hash.update(part)

    def check(self) -> None:
        """That the parts are the file its sender signed. Raises Refused M5 ``wrong-file``."""
        if self._hash.digest() != self._file.digest:  # M5
            raise Refused("M5", "wrong-file", "the whole is not the file that its sender signed")
