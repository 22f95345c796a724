"""A client's view of one thread: its verified items in order (T7, T8) and what the device signed (M4)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from messaging.sealed import envelopes as sealing
from messaging.sealed.encoding import sha256
from messaging.sealed.envelopes import Envelope
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Keyrings
from messaging.sealed.keys import KemKey
from messaging.sealed.message import Message, Plaintext, accept_message, open_message
from messaging.sealed.receipt import check_receipt
from messaging.sealed.thread import (
    After,
    Member,
    ThreadEntry,
    ThreadState,
    accept_entry,
    open_epoch,
    open_history,
    read_entry,
)


@dataclass(frozen=True)
class Item:
    """One item of a thread as the server hands it out; ``type`` is "entry" or "message"."""

    thread: bytes
    seq: int
    type: str
    item: bytes
    receipt: bytes
    ciphertext: bytes | None = None
    envelopes: bytes | None = None


@dataclass(frozen=True)
class Applied:
    """A verified item. ``failed`` is the code of why a message could not be opened: show the place only."""

    seq: int
    received_at: int
    entry: ThreadEntry | None = None
    message: Message | None = None
    plaintext: Plaintext | None = None
    failed: str | None = None


@dataclass
class Signed:
    """What this device has signed in a thread (M4): stored before anything is sent."""

    counter: int = -1
    prev: bytes = bytes(32)
    void: list[bytes] = field(default_factory=list)
    pending: bytes | None = None


@dataclass
class Correspondence:
    """Grows by verified items only. ``fork`` keeps both versions once the server contradicts itself (T8)."""

    net: str
    thread: bytes
    server_key: bytes
    state: ThreadState | None = None
    applied: list[Applied] = field(default_factory=list)
    raw: list[Item] = field(default_factory=list)
    transcripts: list[bytes] = field(default_factory=list)
    entries: list[ThreadEntry] = field(default_factory=list)
    epochs: dict[int, bytes] = field(default_factory=dict)
    ids: set[bytes] = field(default_factory=set)
    broken: str | None = None
    refused: str | None = None
    pin: After | None = None
    fork: tuple[Item | None, Item] | None = None

    def transcript_at(self, seq: int) -> bytes | None:
        """X_seq, or None beyond the verified end."""
        return self.transcripts[seq - 1] if 1 <= seq <= len(self.transcripts) else None

    def check_running(self) -> None:
        """Raises Refused T8 ``thread-stopped`` after a fork."""
        if self.fork is not None:  # T8
            raise Refused("T8", "thread-stopped", "this thread has two versions; both are kept")

    def apply(
        self, item: Item, keyrings: Keyrings, open_mailbox: Callable[[Member], KemKey | None]
    ) -> Applied:
        """Verify the next item; one already known is compared. Raises Refused.

        Every refusal by which the server contradicts its own signature or the members' stops the thread.
        """
        self.check_running()
        if item.seq <= len(self.raw):
            return self._compare(item)
        if item.seq != len(self.raw) + 1 or item.thread != self.thread:  # T1
            raise Refused("T1", "missing-item", "not the next item of this thread")
        try:
            applied = self._append(item, keyrings, open_mailbox)
        except Refused as refused:
            self.refused = refused.code
            if refused.code in {"wrong-receipt", "wrong-transcript", "stale-transcript", "wrong-predecessor"}:
                self._stop(None, item, refused.detail)
            raise
        self.refused = None
        return applied

    def _compare(self, item: Item) -> Applied:
        known = self.raw[item.seq - 1]
        if sha256(item.item) != sha256(known.item) or item.ciphertext != known.ciphertext:
            self._stop(known, item, "another item stands at a known place")
        return self.applied[item.seq - 1]

    def _stop(self, known: Item | None, item: Item, detail: str) -> NoReturn:
        self.fork = (known, item)  # T8
        raise Refused("T8", "forked-thread", detail)

    def _append(
        self, item: Item, keyrings: Keyrings, open_mailbox: Callable[[Member], KemKey | None]
    ) -> Applied:
        message: Message | None = None
        if item.type == "entry":
            state = accept_entry(
                self.net, self.state, item.item, item.envelopes or b"", keyrings, reading=True
            )
        elif self.state is None:
            raise Refused("T1", "missing-item", "a thread starts with its genesis")  # T1
        else:
            state, message = accept_message(
                self.net,
                self.state,
                keyrings,
                item.item,
                item.ciphertext or b"",
                is_known=self.ids.__contains__,
                transcript_at=self.transcript_at,
                reading=True,
            )
        received_at = self._check_receipt(item, state)
        pin = self.pin
        if pin is not None and pin.seq == state.seq and pin.hash != state.transcript:
            self._stop(None, item, "another transcript than was seen before")
        self.state = state
        self.transcripts.append(state.transcript)
        self.raw.append(item)
        applied = (
            self._open_entry(item, state, received_at, open_mailbox)
            if message is None
            else self._open_message(item, message, received_at)
        )
        self.applied.append(applied)
        return applied

    def check_end(self) -> ThreadState:
        """The state, verified at least as far as ever before. Raises Refused M9 ``not-verified``."""
        reached = self.pin is None or len(self.raw) >= self.pin.seq
        if self.state is None or self.refused is not None or not reached:  # M9
            raise Refused("M9", "not-verified", "the thread has not been verified to its end")
        return self.state

    def _check_receipt(self, item: Item, state: ThreadState) -> int:
        if state.thread != self.thread:  # T8
            raise Refused("T8", "wrong-receipt", "an item of another thread")
        place = {"thread": self.thread, "item": sha256(item.item), "transcript": state.transcript}
        return check_receipt(self.net, self.server_key, item.receipt, seq=state.seq, **place).at

    def _open_entry(
        self, item: Item, state: ThreadState, at: int, open_mailbox: Callable[[Member], KemKey | None]
    ) -> Applied:
        entry = read_entry(self.net, item.item)
        self.entries.append(entry)
        try:
            for member in state.members:
                key = open_mailbox(member)
                if key is not None:
                    self._open_epochs(entry, sealing.read("T1", item.envelopes or b""), member, key)
        except Refused as refused:  # T7
            self.broken = refused.code
        return Applied(state.seq, at, entry=entry)

    def _open_epochs(
        self, entry: ThreadEntry, envelopes: list[Envelope], member: Member, key: KemKey
    ) -> None:
        n = entry.n
        secret = self.epochs[n] = open_epoch(self.net, entry, envelopes, member, key)
        if n > 0:
            earlier = open_history(self.net, entry, secret, self.entries[n - 1])
            if self.epochs.setdefault(n - 1, earlier) != earlier:  # T7
                raise Refused("T7", "wrong-history", "the history leads to another secret")

    def _open_message(self, item: Item, message: Message, at: int) -> Applied:
        self.ids.add(message.id)
        secret = self.epochs.get(message.n)
        if secret is None:
            return Applied(message.seq, at, message=message, failed="cannot-open")
        try:
            plaintext = open_message(self.net, message, item.ciphertext or b"", secret)
        except Refused as refused:  # M5
            return Applied(message.seq, at, message=message, failed=refused.code)
        return Applied(message.seq, at, message=message, plaintext=plaintext)
