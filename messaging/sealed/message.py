"""Messages: sealing, the validator for server and clients, opening (rules M1 to M5, M7, T4)."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from messaging.sealed.encoding import (
    Encodable,
    Value,
    context,
    context_hash,
    decode,
    derive_key,
    encode,
    sha256,
)
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Keyrings
from messaging.sealed.keys import SigningKey, aead_open, aead_seal
from messaging.sealed.statement import (
    Fields,
    Statement,
    bad,
    parse,
    sign,
    take_bytes,
    take_map,
    take_text,
    take_uint,
    verify,
)
from messaging.sealed.thread import (
    After,
    By,
    DeviceProgress,
    ThreadState,
    check_author,
    needs_refresh,
    next_transcript,
)
from messaging.sealed.thread_rules import read_after, read_by

KINDS = ("note", "acknowledgement")
CIPHERTEXT_SIZES = (512, 1024, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 40960)
OVERHEAD = 48
"""Bytes of a ciphertext that are not padded text: the blind (32) and the tag (16)."""
ID_SIZE = 16
SUBJECT_LIMIT = 200
REFERENCE_LIMIT = 100
LANGUAGE_LIMIT = 35
VOID_LIMIT = 16
"""How many refused messages one message can name."""


@dataclass(frozen=True)
class Note:
    """A plain text."""

    text: str

    kind = "note"

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in the plaintext."""
        return {"type": self.kind, "text": self.text}


@dataclass(frozen=True)
class Acknowledgement:
    """A named officer confirms the message ``of`` (its id) at ``seq``."""

    of: bytes
    seq: int

    kind = "acknowledgement"

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in the plaintext."""
        return {"type": self.kind, "of": self.of, "seq": self.seq}


@dataclass(frozen=True)
class Plaintext:
    """What only members read. Subject at most 200 characters, references 100."""

    body: Note | Acknowledgement
    language: str
    subject: str | None = None
    own_reference: str | None = None
    foreign_reference: str | None = None

    def encode(self) -> bytes:
        """E1 bytes, not yet padded."""
        return encode(
            {
                "body": self.body.as_map(),
                "checkpoint": None,
                "foreign_reference": self.foreign_reference,
                "language": self.language,
                "marks": [],
                "own_reference": self.own_reference,
                "subject": self.subject,
            }
        )


@dataclass(frozen=True)
class Message:
    """A message as its signed header names it; ``marks`` are what a reader must be shown (M4)."""

    statement: Statement
    thread: bytes
    n: int
    head: bytes
    by: By
    id: bytes
    counter: int
    prev: bytes
    void: tuple[bytes, ...]
    after: After
    kind: str
    plain: bytes
    cipher: bytes
    seq: int = 0
    marks: tuple[str, ...] = ()

    @property
    def device(self) -> bytes:
        """The id of the device that signed it."""
        return self.statement.kid


def read_message(net: str, item: bytes) -> Message:
    """Take a header apart. Raises Refused E1, E2; M3 for what later parts of the protocol bring."""
    statement = parse(net, item, "message")
    fields = statement.fields
    message = Message(
        statement=statement,
        thread=fields.data("thread"),
        n=fields.uint("n"),
        head=fields.data("head"),
        by=read_by(fields),
        id=fields.data("id", ID_SIZE),
        counter=fields.uint("counter"),
        prev=fields.data("prev"),
        void=_read_void(fields),
        after=read_after(fields),
        kind=fields.text("kind"),
        plain=fields.data("plain"),
        cipher=fields.data("cipher"),
    )
    _check_terms(fields, message.kind)
    return message


def _read_void(fields: Fields) -> tuple[bytes, ...]:
    found = fields.items("void")
    if len(found) > VOID_LIMIT:  # E2
        raise bad("more refused messages than one message may name")
    return tuple(take_bytes(value, ID_SIZE) for value in found)


def _check_terms(fields: Fields, kind: str) -> None:
    if kind not in KINDS:  # M3
        raise Refused("M3", "unknown-kind", "unknown kind of message")
    nothing = [fields.any(name) is None for name in ("stage", "due", "log")]
    if not all(nothing) or fields.uint("urgency") != 0 or fields.items("files"):  # M3
        raise Refused("M3", "unknown-field-value", "stage, urgency, due, files and log are not in use yet")
    if fields.items("acts"):  # M3
        raise Refused("M3", "unknown-act", "acts must be empty")


def accept_message(
    net: str,
    state: ThreadState,
    keyrings: Keyrings,
    item: bytes,
    ciphertext: bytes,
    *,
    is_known: Callable[[bytes], bool],
    transcript_at: Callable[[int], bytes | None],
    reading: bool = False,
    signed_by: bytes | None = None,
) -> tuple[ThreadState, Message]:
    """The thread after this message, and the message.

    ``is_known`` answers whether a message id stands in this thread, ``transcript_at`` gives X_seq of it.
    A server first answers the same bytes as the first time (M2: same item hash) and calls this for others.
    ``reading``: a client replays an old item; a wrong counter becomes a mark (M4). ``signed_by``: the public
    key with which the caller has verified this item's signature already; it is verified again only where the
    author's key on the keyring is another. Raises Refused.
    """
    message = read_message(net, item)
    _check_epoch(state, message, keyrings, reading=reading)
    author = check_author("M1", state.members, message.by, message.device, keyrings, reading=reading)
    if message.by.n < state.by_n.get(message.by.principal, 0):  # M1
        raise Refused("M1", "author-keyring-fell", "an earlier item of this principal had a newer entry")
    if author.sig != signed_by:
        verify(message.statement, author.sig, net)  # M3
    if len(ciphertext) not in CIPHERTEXT_SIZES:  # M3
        raise Refused("M3", "bad-size", "not one of the sizes of a ciphertext")
    if sha256(ciphertext) != message.cipher:  # M3
        raise Refused("M3", "wrong-cipher", "the ciphertext is not the one that was signed")
    if is_known(message.id):  # M2
        raise Refused("M2", "repeated-id", "another message of this thread has this id")
    marks = _check_counter(state, message, reading=reading)
    _check_after(state, message, transcript_at)
    return _next_state(net, state, replace(message, seq=state.seq + 1, marks=marks))


def _check_epoch(state: ThreadState, message: Message, keyrings: Keyrings, *, reading: bool) -> None:
    if message.thread != state.thread:  # M1
        raise Refused("M1", "wrong-thread", "the message belongs to another thread")
    if message.n < state.n:  # T4
        raise Refused("T4", "stale-epoch", "the thread has a newer entry")
    if message.n > state.n or message.head != state.head:  # M1
        raise Refused("M1", "wrong-epoch", "not the head of this thread")
    if not reading and needs_refresh(state, keyrings):  # T4
        raise Refused("T4", "stale-epoch", "a member's keyring moved on; the thread must be refreshed")


def _check_counter(state: ThreadState, message: Message, *, reading: bool) -> tuple[str, ...]:
    last = state.devices.get(message.device)
    due = len(message.void) + (0 if last is None else last.counter + 1)
    before = bytes(32) if last is None else last.item
    marks = []
    if message.counter != due or len(set(message.void)) != len(message.void):  # M4
        marks.append("counter-gap")
    elif not message.void and message.prev != before:  # M4
        marks.append("wrong-previous")
    if message.id in state.voided or message.id in message.void:  # M4
        marks.append("never-delivered")
    if marks and not reading:  # M4
        raise Refused("M4", marks[0], "the device's messages in this thread do not follow each other")
    return tuple(marks)


def _check_after(state: ThreadState, message: Message, transcript_at: Callable[[int], bytes | None]) -> None:
    last = state.devices.get(message.device)
    seq = message.after.seq
    is_late = message.id in state.voided  # M4: turns up after all, so it is shown and counts for nothing
    least = 1 if last is None or is_late else last.seq
    if not least <= seq <= state.seq:  # M7
        raise Refused("M7", "wrong-transcript", "the place the author had read to is not in this thread")
    found = state.transcript if seq == state.seq else transcript_at(seq)
    if found != message.after.hash:  # M7
        raise Refused("M7", "wrong-transcript", "the author saw another transcript")


def _next_state(net: str, state: ThreadState, message: Message) -> tuple[ThreadState, Message]:
    item, by = message.statement.hash, message.by
    devices, by_n = state.devices, state.by_n
    if message.id not in state.voided:  # M4
        devices = {**devices, message.device: DeviceProgress(message.counter, item, message.seq)}
    if by_n.get(by.principal) != by.n:
        by_n = {**by_n, by.principal: by.n}
    after = replace(
        state,
        seq=message.seq,
        transcript=next_transcript(net, state.thread, message.seq, state.transcript, item),
        by_n=by_n,
        devices=devices,
        voided=state.voided.union(message.void) if message.void else state.voided,
    )
    return after, message


# --- sealing and opening


def pad(text: bytes) -> bytes:
    """Padded to the smallest size that fits: text, 0x80, zeros. Raises Refused M3 ``bad-size``."""
    for size in CIPHERTEXT_SIZES:
        if len(text) < size - OVERHEAD:
            return (text + b"\x80").ljust(size - OVERHEAD, b"\0")
    raise Refused("M3", "bad-size", "the text is too long for a message")  # M3


def _unpad(padded: bytes) -> bytes:
    text, mark, zeros = padded.rpartition(b"\x80")
    if not mark or zeros.strip(b"\0") or len(pad(text)) != len(padded):  # M5
        raise Refused("M5", "wrong-body", "wrong padding")
    return text


def _text_key(net: str, secret: bytes, place: tuple[bytes, int, bytes, bytes], plain: bytes) -> bytes:
    return derive_key(net, secret, "message key", *place, plain)


@dataclass(frozen=True)
class SealedMessage:
    """A message for the wire: the signed header and the ciphertext."""

    item: bytes
    ciphertext: bytes


def seal_message(
    net: str,
    state: ThreadState,
    plaintext: Plaintext,
    *,
    secret: bytes,
    by: By,
    device: bytes,
    key: SigningKey,
    counter: int,
    prev: bytes,
    void: Sequence[bytes],
    at: int,
    message_id: bytes | None = None,
    blind: bytes | None = None,
) -> SealedMessage:
    """Seal at the end of the thread as ``state`` has it; ``secret`` is the epoch's.

    ``counter``, ``prev`` and ``void`` are the device's own record of what it signed (M4). Raises Refused
    M3, M5 as ``check_plaintext``, before anything is signed.
    """
    text = check_plaintext(plaintext)
    message_id = secrets.token_bytes(ID_SIZE) if message_id is None else message_id
    blind = secrets.token_bytes(32) if blind is None else blind
    padded = pad(text)
    plain = context_hash(net, "plain", blind, padded)
    place = (state.thread, state.n, message_id, device)
    text_key = _text_key(net, secret, place, plain)
    ciphertext = aead_seal(text_key, blind + padded, context(net, "message", *place))
    fields: dict[str, Encodable] = {
        "thread": state.thread,
        "n": state.n,
        "head": state.head,
        "by": by.as_map(),
        "id": message_id,
        "counter": counter,
        "prev": prev,
        "void": list(void),
        "after": After(state.seq, state.transcript).as_map(),
        "kind": plaintext.body.kind,
        "stage": None,
        "urgency": 0,
        "due": None,
        "plain": plain,
        "cipher": sha256(ciphertext),
        "files": [],
        "log": None,
        "acts": [],
    }
    return SealedMessage(sign(net, "message", fields, at=at, kid=device, key=key), ciphertext)


def open_message(net: str, message: Message, ciphertext: bytes, secret: bytes) -> Plaintext:
    """Open with the epoch's secret. Raises Refused E8 ``cannot-open``; M5 ``wrong-plain``, ``wrong-body``."""
    place = (message.thread, message.n, message.id, message.device)
    text_key = _text_key(net, secret, place, message.plain)
    opened = aead_open(text_key, ciphertext, context(net, "message", *place))
    blind, padded = opened[:32], opened[32:]
    if context_hash(net, "plain", blind, padded) != message.plain:  # M5
        raise Refused("M5", "wrong-plain", "the text is not the one that was signed")
    plaintext = _read_text(_unpad(padded))
    if plaintext.body.kind != message.kind:  # M5
        raise Refused("M5", "wrong-body", "the body is of another kind than the header says")
    return plaintext


def check_plaintext(plaintext: Plaintext) -> bytes:
    """Its E1 bytes, if every reader will take them. Raises Refused M3 ``bad-size``, M5 ``wrong-body``."""
    try:
        text = plaintext.encode()
    except Refused as refused:
        raise Refused("M5", "wrong-body", refused.detail) from None  # M5
    pad(text)
    _read_text(text)
    return text


def _read_text(text: bytes) -> Plaintext:
    """M5: a text of another shape is a wrong body, whatever the shape lacks."""
    try:
        return _read_plaintext(decode(text))
    except Refused as refused:
        raise Refused("M5", "wrong-body", refused.detail) from None  # M5


def _read_plaintext(value: Value) -> Plaintext:
    names = ("body", "checkpoint", "foreign_reference", "language", "marks", "own_reference", "subject")
    found = take_map(value, *names)
    if found.any("checkpoint") is not None or found.items("marks"):  # M5
        raise Refused("M5", "wrong-body", "checkpoint and marks are not in use yet")
    return Plaintext(
        body=_read_body(found.any("body")),
        language=found.text("language", LANGUAGE_LIMIT),
        subject=found.optional("subject", lambda name: found.text(name, SUBJECT_LIMIT)),
        own_reference=found.optional("own_reference", lambda name: found.text(name, REFERENCE_LIMIT)),
        foreign_reference=found.optional("foreign_reference", lambda name: found.text(name, REFERENCE_LIMIT)),
    )


def _read_body(value: Value) -> Note | Acknowledgement:
    match value:
        case {"type": "note", "text": text, **rest} if not rest:
            return Note(take_text(text, CIPHERTEXT_SIZES[-1]))
        case {"type": "acknowledgement", "of": of, "seq": seq, **rest} if not rest:
            return Acknowledgement(take_bytes(of, ID_SIZE), take_uint(seq))
    raise Refused("M5", "wrong-body", "unknown body")  # M5
