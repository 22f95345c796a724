"""A client's view of one thread: its verified items in order (T5, T7, T8), what the device signed (M4)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NoReturn

from messaging.sealed import envelopes as sealing
from messaging.sealed.encoding import sha256
from messaging.sealed.envelopes import Envelope
from messaging.sealed.errors import Refused
from messaging.sealed.follower import Follower
from messaging.sealed.gossip import check_sent
from messaging.sealed.keyring import Keyrings
from messaging.sealed.keys import KemKey
from messaging.sealed.mandate import Withdrawal
from messaging.sealed.message import LogPlace, Message, Plaintext, accept_message, open_message
from messaging.sealed.places import After, By
from messaging.sealed.receipt import check_receipt, read_receipt
from messaging.sealed.thread import (
    Member,
    ThreadEntry,
    ThreadState,
    accept_entry,
    accept_withdrawal,
    open_epoch,
    open_history,
    read_entry,
)


@dataclass(frozen=True)
class Item:
    """One item of a thread as the server hands it out; ``type`` is "entry", "message" or "withdrawal"."""

    thread: bytes
    seq: int
    type: str
    item: bytes
    receipt: bytes
    ciphertext: bytes | None = None
    envelopes: bytes | None = None


@dataclass(frozen=True)
class Applied:
    """A verified item. ``failed`` is the code of why a message could not be opened: show the place only.

    ``is_member``: whether the own principal was in the thread then.
    """

    seq: int
    received_at: int
    entry: ThreadEntry | None = None
    message: Message | None = None
    withdrawal: Withdrawal | None = None
    plaintext: Plaintext | None = None
    failed: str | None = None
    is_member: bool = True

    @property
    def by(self) -> By:
        """The principal, and its entry, under which the item was signed."""
        return self._signed.by

    @property
    def device(self) -> bytes:
        """The device that signed the item."""
        return self._signed.statement.kid

    @property
    def after(self) -> After:
        """How far its author had seen the thread."""
        return self._signed.after

    @property
    def _signed(self) -> ThreadEntry | Message | Withdrawal:
        signed = self.entry or self.message or self.withdrawal
        if signed is None:
            raise ValueError("an item is an entry, a message or a withdrawal")
        return signed


@dataclass
class Signed:
    """What this device has signed in a thread (M4): stored before anything is sent."""

    counter: int = -1
    prev: bytes = bytes(32)
    void: list[bytes] = field(default_factory=list)
    pending: bytes | None = None


@dataclass
class Correspondence:
    """Grows by verified items only. ``fork`` keeps both versions once the server contradicts itself (T8).

    ``broken``: why an epoch could not be opened (T7), until a repair; ``is_member``: whether the own
    principal is in the newest entry.
    """

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
    is_member: bool = False
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
        now = self._received_at(item)
        state, found = self._accept(item, keyrings, now)
        self._check_receipt(item, state)
        pin = self.pin
        if pin is not None and pin.seq == state.seq and pin.hash != state.transcript:
            self._stop(None, item, "another transcript than was seen before")
        self.state = state
        self.transcripts.append(state.transcript)
        self.raw.append(item)
        applied = self._open(item, state, found, now, open_mailbox)
        self.applied.append(applied)
        if applied.entry is not None:
            self._open_again()
        return applied

    def _accept(
        self, item: Item, keyrings: Keyrings, now: int
    ) -> tuple[ThreadState, ThreadEntry | Message | Withdrawal]:
        if item.type == "entry":
            blob = item.envelopes or b""
            after = accept_entry(self.net, self.state, item.item, blob, keyrings, now=now, reading=True)
            return after, read_entry(self.net, item.item)
        if self.state is None:
            raise Refused("T1", "missing-item", "a thread starts with its genesis")  # T1
        at = self.transcript_at
        if item.type == "withdrawal":
            return accept_withdrawal(
                self.net, self.state, item.item, keyrings, transcript_at=at, reading=True
            )
        return accept_message(
            self.net,
            self.state,
            keyrings,
            item.item,
            item.ciphertext or b"",
            is_known=self.ids.__contains__,
            transcript_at=at,
            reading=True,
            now=now,
        )

    def _open(
        self,
        item: Item,
        state: ThreadState,
        found: ThreadEntry | Message | Withdrawal,
        at: int,
        open_mailbox: Callable[[Member], KemKey | None],
    ) -> Applied:
        if isinstance(found, ThreadEntry):
            return self._open_entry(item, found, state, at, open_mailbox)
        if isinstance(found, Message):
            self.ids.add(found.id)
            return replace(self._open_message(item, found, at), is_member=self.is_member)
        return Applied(state.seq, at, withdrawal=found, is_member=self.is_member)

    def check_end(self) -> ThreadState:
        """The state, verified at least as far as ever before. Raises Refused M9 ``not-verified``."""
        reached = self.pin is None or len(self.raw) >= self.pin.seq
        if self.state is None or self.refused is not None or not reached:  # M9
            raise Refused("M9", "not-verified", "the thread has not been verified to its end")
        return self.state

    def _received_at(self, item: Item) -> int:
        """When the server says it received the item; its place is checked with the rest of the receipt."""
        return read_receipt(self.net, self.server_key, item.receipt).at

    def check_log(self, log: Follower, applied: Applied, item: Item) -> None:
        """L6: the author of a verified message saw the same log; else the thread stops. Raises Refused."""
        if applied.message is None:
            return
        try:
            note = applied.plaintext.checkpoint if applied.plaintext else None
            log.check_message(applied.message.log, note)
        except Refused as refused:
            self.refused = refused.code
            self._stop(None, item, refused.detail)  # L6 T8

    def _check_receipt(self, item: Item, state: ThreadState) -> None:
        if state.thread != self.thread:  # T8
            raise Refused("T8", "wrong-receipt", "an item of another thread")
        place = {"thread": self.thread, "item": sha256(item.item), "transcript": state.transcript}
        check_receipt(self.net, self.server_key, item.receipt, seq=state.seq, **place)

    def _open_entry(
        self,
        item: Item,
        entry: ThreadEntry,
        state: ThreadState,
        at: int,
        open_mailbox: Callable[[Member], KemKey | None],
    ) -> Applied:
        self.entries.append(entry)
        self.is_member = False
        try:
            for member in state.members:
                key = open_mailbox(member)
                if key is not None:
                    self.is_member = True
                    self._open_epochs(entry, sealing.read("T1", item.envelopes or b""), member, key)
                    self.broken = None if entry.reason == "repair" else self.broken
        except Refused as refused:  # T7
            self.is_member = True
            self.broken = self.broken or refused.code
        return Applied(state.seq, at, entry=entry, is_member=self.is_member)

    def _open_epochs(
        self, entry: ThreadEntry, envelopes: list[Envelope], member: Member, key: KemKey
    ) -> None:
        """Open an epoch, and back along the histories what is not open yet (T6, T7)."""
        secret = self.epochs[entry.n] = open_epoch(self.net, entry, envelopes, member, key)
        while entry.history is not None:
            before = self.entries[entry.history.of]
            earlier = open_history(self.net, entry, secret, before)
            was_open = before.n in self.epochs
            if self.epochs.setdefault(before.n, earlier) != earlier:  # T7
                raise Refused("T7", "wrong-history", "the history leads to another secret")
            if was_open:
                return
            entry, secret = before, earlier

    def _open_again(self) -> None:
        """What could not be opened before, because its epoch is shared only now (T6)."""
        for place, applied in enumerate(self.applied):
            message = applied.message
            if message is not None and applied.failed == "cannot-open" and message.n in self.epochs:
                again = self._open_message(self.raw[place], message, applied.received_at)
                self.applied[place] = replace(again, is_member=applied.is_member)

    def _open_message(self, item: Item, message: Message, at: int) -> Applied:
        secret = self.epochs.get(message.n)
        if secret is None:
            return Applied(message.seq, at, message=message, failed="cannot-open")
        try:
            plaintext = open_message(self.net, message, item.ciphertext or b"", secret)
            check_sent(self.net, self.server_key, plaintext.checkpoint, message.log)
        except Refused as refused:  # M5 L6
            return Applied(message.seq, at, message=message, failed=refused.code)
        return Applied(message.seq, at, message=message, plaintext=plaintext)

    def unanchored(self, keyrings: Keyrings) -> set[int]:
        """M8: the places of items by devices no longer listed, which no still listed device of the same
        principal has covered by a later ``after``: whoever took such a device could have written them later.
        """
        covered: dict[bytes, int] = {}
        found = set()
        for applied in reversed(self.applied):
            newest = keyrings.newest(applied.by.principal)
            is_listed = newest is not None and newest.device(applied.device) is not None
            reach = covered.get(applied.by.principal, 0)
            if is_listed:
                covered[applied.by.principal] = max(reach, applied.after.seq)
            elif reach < applied.seq:  # M8
                found.add(applied.seq)
        return found


def last_place(thread: Correspondence | None, device: bytes) -> LogPlace | None:
    """What a device's last message in a thread said of the log, or None."""
    for applied in reversed(thread.applied if thread else []):
        if applied.message is not None and applied.message.device == device:
            return applied.message.log
    return None
