"""What stands in a record beside keyrings and items: who has opened the thread, and a contradiction (R2, T8).

opened/PRINCIPAL    how far a member has opened the thread, as its device has signed
evidence            what the server handed out that does not fit (evidence.py)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.sealed.evidence import Evidence, Version, read_evidence
from messaging.sealed.keyring_entry import Keyrings
from messaging.sealed.receipt import Opened, Receipt, check_opened, read_receipt
from messaging.sealed.thread import ThreadState, next_transcript

EVIDENCE = "evidence"
_OPENED = "opened/"


@dataclass(frozen=True)
class Reader:
    """What the statements beside a thread are judged by: the thread as it was verified."""

    net: str
    server_key: bytes
    state: ThreadState
    keyrings: Keyrings
    transcript_at: Callable[[int], bytes | None]


@dataclass(frozen=True)
class Contradiction:
    """The server handed out something else at place ``seq``. ``is_signed``: it has signed for both."""

    seq: int
    is_signed: bool


def opened_path(principal: bytes) -> str:
    """Where a member's statement of having opened stands."""
    return f"{_OPENED}{principal.hex()}"


def opened_parts(reader: Reader, statements: Iterable[bytes]) -> dict[str, bytes]:
    """The parts of those of these statements that hold: what does not is the server's word and left out."""
    parts = {}
    for raw in statements:
        try:
            parts[opened_path(_check_opened(reader, raw).by.principal)] = raw
        except Refused:
            continue
    return parts


def _check_opened(reader: Reader, raw: bytes) -> Opened:
    return check_opened(
        reader.net,
        raw,
        reader.state,
        reader.keyrings,
        transcript_at=reader.transcript_at,
        reading=True,
    )


def is_opened_part(path: str) -> bool:
    """Whether a part is a statement of having opened."""
    return path.startswith(_OPENED)


def read_opened(reader: Reader, path: str, raw: bytes) -> Opened:
    """How far a member has opened the thread. Raises Refused E1, E2, M1, M7; R2 ``wrong-place``."""
    opened = _check_opened(reader, raw)
    if path != opened_path(opened.by.principal):  # R2
        raise Refused("R2", "wrong-place", "another member than the name of the part says")
    return opened


def read_contradiction(reader: Reader, raw: bytes) -> Contradiction:
    """What a stopped thread shows against the server. Raises Refused E1, E2; R2 ``wrong-place``."""
    found = read_evidence(raw)
    place = (found.net, found.server_key, found.thread)
    if place != (reader.net, reader.server_key, reader.state.thread):  # R2
        raise Refused("R2", "wrong-place", "the evidence is of another thread or server")
    receipts = [receipt for version in found.versions if (receipt := _receipt(reader, found, version))]
    sides = {(receipt.item, receipt.transcript) for receipt in receipts}
    return Contradiction(found.seq, is_signed=len(sides) > 1 or _breaks_chain(reader, found, receipts))


def _receipt(reader: Reader, found: Evidence, version: Version) -> Receipt | None:
    """The server's word for this version, if it has signed one."""
    try:
        receipt = read_receipt(reader.net, reader.server_key, version.receipt)
    except Refused:
        return None
    signed = (receipt.thread, receipt.seq, receipt.item)
    return receipt if signed == (found.thread, found.seq, sha256(version.item)) else None


def _breaks_chain(reader: Reader, found: Evidence, receipts: Iterable[Receipt]) -> bool:
    """Whether the server signed for a transcript that does not follow from the one in this record."""
    before = reader.transcript_at(found.seq - 1) if found.seq > 1 else None
    if found.seq > 1 and before is None:
        return False
    net, thread, seq = found.net, found.thread, found.seq
    return any(
        receipt.transcript != next_transcript(net, thread, seq, before, receipt.item) for receipt in receipts
    )
