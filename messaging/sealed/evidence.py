"""What a client keeps of a thread in which the server contradicted itself, to show it to others (rule T8)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from messaging.sealed.encoding import Encodable, Value, decode, encode
from messaging.sealed.statement import bad

if TYPE_CHECKING:
    from messaging.sealed.correspondence import Correspondence, Item


@dataclass(frozen=True)
class Version:
    """One of the versions of an item, with the server's signature on it."""

    item: bytes
    receipt: bytes
    ciphertext: bytes | None


@dataclass(frozen=True)
class Evidence:
    """Two versions of one place, or one that does not fit what was verified before it.

    ``transcript`` is X_(seq-1) as this device has verified it; None at the start of a thread.
    """

    net: str
    server_key: bytes
    thread: bytes
    seq: int
    transcript: bytes | None
    versions: tuple[Version, ...]


def make_evidence(found: "Correspondence") -> bytes | None:
    """E1 bytes with everything that shows the contradiction, and no text; None for a sound thread."""
    if found.fork is None:
        return None
    known, item = found.fork
    versions = [_version(one) for one in (known, item) if one is not None]
    return encode(
        {
            "net": found.net,
            "server_key": found.server_key,
            "thread": found.thread,
            "seq": item.seq,
            "transcript": found.transcript_at(item.seq - 1),
            "versions": versions,
        }
    )


def _version(item: "Item") -> list[Encodable]:
    return [item.item, item.receipt, item.ciphertext]


def read_evidence(raw: bytes) -> Evidence:
    """What ``make_evidence`` gave. Raises Refused E1, E2."""
    match decode(raw):
        case {
            "net": str(net),
            "server_key": bytes(server_key),
            "thread": bytes(thread),
            "seq": int(seq),
            "transcript": transcript,
            "versions": list(rows),
            **rest,
        } if not rest and (transcript is None or isinstance(transcript, bytes)):
            versions = tuple(_read_version(row) for row in rows)
            return Evidence(net, server_key, thread, seq, transcript, versions)
    raise bad("not the evidence of a stopped thread")  # E2


def _read_version(row: Value) -> Version:
    match row:
        case [bytes(item), bytes(receipt), ciphertext] if ciphertext is None or isinstance(ciphertext, bytes):
            return Version(item, receipt, ciphertext)
    raise bad("a version is [item, receipt, ciphertext]")  # E2


def take_evidence(value: Value) -> bytes:
    """The bytes, if they are evidence. Raises Refused E1, E2."""
    if not isinstance(value, bytes):  # E2
        raise bad("not the evidence of a stopped thread")
    read_evidence(value)
    return value
