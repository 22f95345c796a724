"""Messages: sealing, the validator for server and clients, opening (rules M1 to M5, M7, M10 to M12, T4)."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from messaging.sealed.attachment import FileHeader, read_headers
from messaging.sealed.encoding import (
    Encodable,
    context,
    context_hash,
    derive_key,
    sha256,
)
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Keyrings
from messaging.sealed.keys import SigningKey, aead_open, aead_seal
from messaging.sealed.mandate import read_mandate, terms_hash
from messaging.sealed.places import After, By, read_after, read_by
from messaging.sealed.plaintext import (
    CIPHERTEXT_SIZES,
    ID_SIZE,
    KINDS,
    LAST_DUE,
    About,
    Acknowledgement,
    Enclosure,
    Note,
    Plaintext,
    StageChange,
    check_handling,
    check_plaintext,
    pad,
    read_text,
    step_in,
    unpad,
    with_handling,
)
from messaging.sealed.stage_rules import Case, Step, accept_step, read_step
from messaging.sealed.statement import (
    Fields,
    Statement,
    bad,
    parse,
    sign,
    take_bytes,
    verify,
)
from messaging.sealed.thread import (
    DeviceProgress,
    ThreadState,
    check_author,
    ended_members,
    needs_refresh,
    next_transcript,
)
from messaging.sealed.thread_entry import WRITING_ROLES

__all__ = [
    "CIPHERTEXT_SIZES",
    "LAST_DUE",
    "VOID_LIMIT",
    "About",
    "Acknowledgement",
    "Enclosure",
    "LogPlace",
    "Message",
    "Note",
    "Plaintext",
    "SealedMessage",
    "StageChange",
    "Step",
    "accept_message",
    "check_plaintext",
    "message_key",
    "open_message",
    "open_padded",
    "pad",
    "read_message",
    "read_padded",
    "seal_message",
]

VOID_LIMIT = 16
"""How many refused messages one message can name."""


@dataclass(frozen=True)
class LogPlace:
    """The newest checkpoint of the transparency log that the sender had verified (L6)."""

    size: int
    root: bytes

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in the header."""
        return {"size": self.size, "root": self.root}


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
    urgency: int
    due: int | None
    plain: bytes
    cipher: bytes
    log: LogPlace | None = None
    files: tuple[FileHeader, ...] = ()
    step: Step | None = None
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
        urgency=fields.uint("urgency"),
        due=fields.optional("due", fields.uint),
        plain=fields.data("plain"),
        cipher=fields.data("cipher"),
        log=fields.optional("log", lambda name: _read_log(fields, name)),
        files=read_headers(fields),
        step=read_step(fields),
    )
    _check_terms(fields, message)
    return message


def _read_log(fields: Fields, name: str) -> LogPlace:
    found = fields.map(name, "size", "root")
    place = LogPlace(found.uint("size"), found.data("root"))
    if place.size == 0:  # M3
        raise Refused("M3", "unknown-field-value", "an empty log says nothing")
    return place


def _read_void(fields: Fields) -> tuple[bytes, ...]:
    found = fields.items("void")
    if len(found) > VOID_LIMIT:  # E2
        raise bad("more refused messages than one message may name")
    return tuple(take_bytes(value, ID_SIZE) for value in found)


def _check_terms(fields: Fields, message: Message) -> None:
    if message.kind not in KINDS:  # M3
        raise Refused("M3", "unknown-kind", "unknown kind of message")
    check_handling(message.kind, message.urgency, message.due, message.step)  # M3 M10
    if message.files and message.kind != Note.kind:  # M3
        raise Refused("M3", "wrong-files", "files go with a note only")
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
    now: int | None = None,
    signed_by: bytes | None = None,
) -> tuple[ThreadState, Message]:
    """The thread after this message, and the message.

    ``is_known`` answers whether a message id stands in this thread, ``transcript_at`` gives X_seq of it.
    A server first answers the same bytes as the first time (M2: same item hash) and calls this for others.
    ``reading``: a client replays an old item; a wrong counter becomes a mark (M4). ``now``: when the server
    received it, against which mandates are judged (T5). ``signed_by``: the public key with which the caller
    has verified this item's signature already; it is verified again only where the author's key on the
    keyring is another. Raises Refused.
    """
    message = read_message(net, item)
    _check_epoch(net, state, message, keyrings, now, reading=reading)
    author = check_author("M1", state.members, message.by, message.device, keyrings, reading=reading)
    _check_may_write(state, message)
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
    case = _case_after(state, message, keyrings, now)
    return _next_state(net, replace(state, case=case), replace(message, seq=state.seq + 1, marks=marks))


def _case_after(state: ThreadState, message: Message, keyrings: Keyrings, now: int | None) -> Case | None:
    """M10, M11: the case after this message; of one that is no step, or turns up late (M4), as it was."""
    if message.step is None or message.id in state.voided:
        return state.case
    if state.case is None:
        raise ValueError("the steps of this thread were not read")
    return accept_step(
        state.case,
        message.step,
        kind=state.kind,
        parties=state.parties,
        by=message.by.principal,
        seq=state.seq + 1,
        due=message.due,
        now=now,
        keyrings=keyrings,
    )


def _check_may_write(state: ThreadState, message: Message) -> None:
    member = state.member(message.by.principal)
    if member is None or member.role not in WRITING_ROLES:  # M1
        raise Refused("M1", "may-not-write", "an observer reads and does not write")


def _check_epoch(
    net: str, state: ThreadState, message: Message, keyrings: Keyrings, now: int | None, *, reading: bool
) -> None:
    if message.thread != state.thread:  # M1
        raise Refused("M1", "wrong-thread", "the message belongs to another thread")
    if message.n < state.n:  # T4
        raise Refused("T4", "stale-epoch", "the thread has a newer entry")
    if message.n > state.n or message.head != state.head:  # M1
        raise Refused("M1", "wrong-epoch", "not the head of this thread")
    if state.is_left or ended_members(state, now):  # T4 T5 T9
        raise Refused("T4", "stale-epoch", "somebody has left, or a mandate has ended: an entry comes first")
    if not reading and needs_refresh(net, state, keyrings, now):  # T4
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
    log: LogPlace | None = None,
) -> SealedMessage:
    """Seal at the end of the thread as ``state`` has it; ``secret`` is the epoch's.

    ``counter``, ``prev`` and ``void`` are the device's own record of what it signed (M4). Raises Refused
    M3, M5, M10, M12 as ``check_plaintext``, before anything is signed.
    """
    text = check_plaintext(plaintext)
    step = step_in(plaintext.body)
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
        "stage": step.as_map() if step else None,
        "urgency": plaintext.body.urgency,
        "due": plaintext.body.due,
        "plain": plain,
        "cipher": sha256(ciphertext),
        "files": [file.header.as_map() for file in plaintext.body.files],
        "log": log.as_map() if log else None,
        "acts": [],
    }
    return SealedMessage(sign(net, "message", fields, at=at, kid=device, key=key), ciphertext)


def open_message(net: str, message: Message, ciphertext: bytes, secret: bytes) -> Plaintext:
    """Open with the epoch's secret. Raises Refused E8 ``cannot-open``; M5 ``wrong-plain``, ``wrong-body``;
    M12 ``wrong-facts``, ``wrong-ground``.
    """
    return read_padded(
        net, message, *open_padded(net, message, ciphertext, message_key(net, message, secret))
    )


def message_key(net: str, message: Message, secret: bytes) -> bytes:
    """The key of this one message, from the secret of its epoch; no other message opens with it."""
    return _text_key(net, secret, (message.thread, message.n, message.id, message.device), message.plain)


def open_padded(net: str, message: Message, ciphertext: bytes, key: bytes) -> tuple[bytes, bytes]:
    """The blind and the padded text, with the message's own key. Raises Refused E8 ``cannot-open``."""
    place = (message.thread, message.n, message.id, message.device)
    opened = aead_open(key, ciphertext, context(net, "message", *place))
    return opened[:32], opened[32:]


def read_padded(net: str, message: Message, blind: bytes, padded: bytes) -> Plaintext:
    """The text that the header commits to; no key is needed.

    Raises Refused M5 ``wrong-plain``, ``wrong-body``; M12 ``wrong-facts``, ``wrong-ground``.
    """
    if context_hash(net, "plain", blind, padded) != message.plain:  # M5
        raise Refused("M5", "wrong-plain", "the text is not the one that was signed")
    plaintext = read_text(unpad(padded), message.files)
    if plaintext.body.kind != message.kind:  # M5
        raise Refused("M5", "wrong-body", "the body is of another kind than the header says")
    _check_mandate_text(net, plaintext)
    return with_handling(plaintext, message.urgency, message.due, message.step)


def _check_mandate_text(net: str, plaintext: Plaintext) -> None:
    """M5: what is read of a mandate is what it commits to, and so what is consented to."""
    body = plaintext.body
    if not isinstance(body, Enclosure) or body.blind is None or body.text is None:
        return
    if read_mandate(net, body.statement).terms != terms_hash(net, body.blind, body.text):  # M5
        raise Refused("M5", "wrong-body", "the text is not the one that the mandate commits to")
