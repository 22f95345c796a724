"""What answers a message: the server's receipt, and a reader's opened statement."""

from collections.abc import Callable
from dataclasses import dataclass

from messaging.sealed.encoding import Encodable, context_hash
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Keyrings
from messaging.sealed.keys import SigningKey
from messaging.sealed.places import By, read_by
from messaging.sealed.statement import parse, sign, verify
from messaging.sealed.thread import ThreadState, check_author


@dataclass(frozen=True)
class Receipt:
    """The server received the item (its hash) as number ``seq`` at ``at`` (unix seconds)."""

    thread: bytes
    seq: int
    item: bytes
    transcript: bytes
    at: int


@dataclass(frozen=True)
class Opened:
    """A device of ``by`` has opened the thread up to ``seq``; cumulative."""

    by: By
    device: bytes
    thread: bytes
    seq: int
    transcript: bytes
    at: int


def server_key_id(net: str, public: bytes) -> bytes:
    """The kid of the server's statements."""
    return context_hash(net, "server key", public)


def make_receipt(
    net: str, key: SigningKey, *, thread: bytes, seq: int, item: bytes, transcript: bytes, at: int
) -> bytes:
    """Sign for an item received; ``item`` is its hash, ``transcript`` X_seq."""
    fields: dict[str, Encodable] = {"thread": thread, "seq": seq, "item": item, "transcript": transcript}
    return sign(net, "receipt", fields, at=at, kid=server_key_id(net, key.public), key=key)


def read_receipt(net: str, server_key: bytes, raw: bytes) -> Receipt:
    """Read and verify with the pinned server key. Raises Refused E1, E2."""
    statement = parse(net, raw, "receipt")
    if statement.kid != server_key_id(net, server_key):  # E2
        raise Refused("E2", "bad-signature", "signed with another key than the server's")
    verify(statement, server_key, net)
    fields = statement.fields
    place = (fields.data("thread"), fields.uint("seq"), fields.data("item"), fields.data("transcript"))
    return Receipt(*place, at=statement.at)


def check_receipt(
    net: str, server_key: bytes, raw: bytes, *, thread: bytes, seq: int, item: bytes, transcript: bytes
) -> Receipt:
    """That the server signed for this item at this place. Raises Refused E1, E2; T8 ``wrong-receipt``."""
    receipt = read_receipt(net, server_key, raw)
    if receipt != Receipt(thread, seq, item, transcript, receipt.at):  # T8
        raise Refused("T8", "wrong-receipt", "the server signed for another item or transcript")
    return receipt


def make_opened(
    net: str, *, by: By, device: bytes, key: SigningKey, thread: bytes, seq: int, transcript: bytes, at: int
) -> bytes:
    """Sign that this device has opened the thread up to ``seq``, where X_seq is ``transcript``."""
    fields: dict[str, Encodable] = {"by": by.as_map(), "thread": thread, "seq": seq, "transcript": transcript}
    return sign(net, "opened", fields, at=at, kid=device, key=key)


def check_opened(
    net: str,
    raw: bytes,
    state: ThreadState,
    keyrings: Keyrings,
    *,
    transcript_at: Callable[[int], bytes | None],
    reading: bool = False,
) -> Opened:
    """Read and verify. Raises Refused E1, E2; M1 as for messages; M7 ``wrong-transcript``."""
    statement = parse(net, raw, "opened")
    fields = statement.fields
    opened = Opened(
        by=read_by(fields),
        device=statement.kid,
        thread=fields.data("thread"),
        seq=fields.uint("seq"),
        transcript=fields.data("transcript"),
        at=statement.at,
    )
    if opened.thread != state.thread:  # M1
        raise Refused("M1", "wrong-thread", "made for another thread")
    author = check_author("M1", state.members, opened.by, opened.device, keyrings, reading=reading)
    verify(statement, author.sig, net)
    if not 1 <= opened.seq <= state.seq or transcript_at(opened.seq) != opened.transcript:  # M7
        raise Refused("M7", "wrong-transcript", "the reader saw another transcript")
    return opened
