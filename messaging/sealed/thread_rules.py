"""Threads: types, reading, and the validator of entries for server and clients (rules T1 to T4, T6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from messaging.sealed import envelopes as sealing
from messaging.sealed.encoding import ZERO, Encodable, Value, context_hash
from messaging.sealed.envelopes import History
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Keyrings, ListedDevice
from messaging.sealed.statement import Fields, Statement, parse, take_map, verify

KINDS = ("case",)
ROLES = ("party",)
REASONS = ("genesis", "refresh")
PARTIES_LIMIT = 2


@dataclass(frozen=True)
class After:
    """A place in a thread's sequence: ``seq`` (the genesis is 1) and the transcript hash X_seq."""

    seq: int
    hash: bytes

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in a statement."""
        return {"seq": self.seq, "hash": self.hash}


@dataclass(frozen=True)
class By:
    """The keyring entry an author signs under."""

    principal: bytes
    n: int
    head: bytes

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in a statement."""
        return {"principal": self.principal, "n": self.n, "head": self.head}


@dataclass(frozen=True)
class Member:
    """A principal in a thread, with the keyring entry to whose mailbox the epoch is sealed."""

    principal: bytes
    keyring_n: int
    keyring_head: bytes
    role: str

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in an entry."""
        return {
            "principal": self.principal,
            "keyring_n": self.keyring_n,
            "keyring_head": self.keyring_head,
            "role": self.role,
            "mandate": None,
        }


@dataclass(frozen=True)
class DeviceProgress:
    """A device's last message in a thread. Columns of that message: counter, item hash, seq."""

    counter: int
    item: bytes
    seq: int


@dataclass(frozen=True)
class ThreadState:
    """A thread after ``seq`` items.

    Columns: of the thread kind, n, head (hash of entry n), commit, seq, transcript (X_seq); its members in
    the newest entry (principal, keyring_n, keyring_head, role); ``by_n``: for each principal the highest
    ``by.n`` an item of it had; ``devices``: for each device its last message. A server may give ``devices``
    for the senders at hand only. ``voided`` are ids that devices named as refused, for readers.
    """

    thread: bytes
    kind: str
    n: int
    head: bytes
    members: tuple[Member, ...]
    commit: bytes
    seq: int
    transcript: bytes
    by_n: Mapping[bytes, int] = field(default_factory=dict)
    devices: Mapping[bytes, DeviceProgress] = field(default_factory=dict)
    voided: frozenset[bytes] = frozenset()

    def member(self, principal: bytes) -> Member | None:
        """The member of this principal, or None."""
        return next((member for member in self.members if member.principal == principal), None)


@dataclass(frozen=True)
class ThreadEntry:
    """An entry that has been taken apart (E2)."""

    statement: Statement
    thread: bytes
    n: int
    prev: bytes
    after: After
    salt: bytes | None
    kind: str | None
    members: tuple[Member, ...]
    by: By
    commit: bytes
    history: History | None
    sealed: bytes
    reason: str


def read_entry(net: str, raw: bytes) -> ThreadEntry:
    """Take an entry apart. Raises Refused E1, E2, T3 for what later parts of the protocol bring."""
    statement = parse(net, raw, "thread")
    fields = statement.fields
    if fields.any("link") is not None:  # T3
        raise Refused("T3", "unknown-field-value", "link must be null")
    if fields.items("acts"):  # T3
        raise Refused("T3", "unknown-act", "acts must be empty")
    return ThreadEntry(
        statement=statement,
        thread=fields.data("thread"),
        n=fields.uint("n"),
        prev=fields.data("prev"),
        after=read_after(fields),
        salt=fields.optional("salt", lambda name: fields.data(name, 16)),
        kind=fields.optional("kind", fields.text),
        members=tuple(_read_member(row) for row in fields.items("members")),
        by=read_by(fields),
        commit=fields.data("commit"),
        history=sealing.read_history(fields),
        sealed=fields.data("sealed"),
        reason=fields.text("reason"),
    )


def read_after(fields: Fields) -> After:
    """The field ``after``. Raises Refused E2 ``bad-statement``."""
    pair = fields.map("after", "seq", "hash")
    return After(pair.uint("seq"), pair.data("hash"))


def read_by(fields: Fields) -> By:
    """The field ``by``. Raises Refused E2 ``bad-statement``."""
    found = fields.map("by", "principal", "n", "head")
    return By(found.data("principal"), found.uint("n"), found.data("head"))


def _read_member(row: Value) -> Member:
    found = take_map(row, "principal", "keyring_n", "keyring_head", "role", "mandate")
    if found.any("mandate") is not None:  # T3
        raise Refused("T3", "unknown-field-value", "mandate must be null")
    return Member(
        found.data("principal"), found.uint("keyring_n"), found.data("keyring_head"), found.text("role")
    )


def thread_id(net: str, salt: bytes, kind: str, members: Sequence[Member], author: bytes) -> bytes:
    """The id that follows from a genesis."""
    return context_hash(net, "thread", salt, kind, None, [member.as_map() for member in members], author)


def next_transcript(net: str, thread: bytes, seq: int, before: bytes | None, item: bytes) -> bytes:
    """X_seq from X_(seq-1) and the item's hash; ``before`` is None for the first item."""
    start = context_hash(net, "transcript", thread) if before is None else before
    return context_hash(net, "transcript", thread, seq, start, item)


def needs_refresh(state: ThreadState, keyrings: Keyrings) -> bool:
    """Whether a member's keyring entry lies below that principal's floor (T4)."""
    newest = ((member, keyrings.newest(member.principal)) for member in state.members)
    return any(keyring is None or member.keyring_n < keyring.floor for member, keyring in newest)


def accept_entry(
    net: str,
    state: ThreadState | None,
    entry: bytes,
    envelopes: bytes,
    keyrings: Keyrings,
    *,
    reading: bool = False,
) -> ThreadState:
    """The thread after this entry; ``state`` is the one before, None for a genesis.

    ``reading``: a client replays an old item, so members' entries need only lie on their chains. Otherwise
    (a server takes a new one) they must be the newest. Raises Refused.
    """
    read = read_entry(net, entry)
    _check_order(state, read)
    _check_terms(read)
    _check_members(read, keyrings, reading=reading)
    author = check_author("T2", read.members, read.by, read.statement.kid, keyrings, reading=reading)
    _check_by_n(state, read)
    verify(read.statement, author.sig, net)
    if state is None:
        _check_genesis(net, read)
    else:
        _check_refresh(state, read)
    sealing.check(net, "T1", envelopes, [member.principal for member in read.members], read.sealed)  # T1
    return _next_state(net, state, read)


def _check_order(state: ThreadState | None, entry: ThreadEntry) -> None:
    newest = -1 if state is None else state.n
    if entry.n <= newest:  # T1
        raise Refused("T1", "stale-epoch", "another entry already stands at this place")
    if entry.n > newest + 1:  # T1
        raise Refused("T1", "missing-entry", "an entry before this one is missing")
    if entry.prev != (ZERO if state is None else state.head):  # T1
        raise Refused("T1", "wrong-predecessor", "the entry does not follow the newest one")
    if state is not None and entry.thread != state.thread:  # T1
        raise Refused("T1", "wrong-predecessor", "the entry belongs to another thread")
    if entry.after != (After(0, ZERO) if state is None else After(state.seq, state.transcript)):  # T1
        raise Refused("T1", "stale-transcript", "the author had not seen the thread to its end")


def _check_terms(entry: ThreadEntry) -> None:
    if entry.reason not in REASONS:  # T3
        raise Refused("T3", "unknown-reason", "unknown reason of an entry")
    if entry.kind is not None and entry.kind not in KINDS:  # T3
        raise Refused("T3", "unknown-kind", "unknown kind of thread")
    if any(member.role not in ROLES for member in entry.members):  # T3
        raise Refused("T3", "unknown-role", "unknown role in a thread")
    principals = [member.principal for member in entry.members]
    if not 1 <= len(principals) <= PARTIES_LIMIT or not sealing.is_strictly_sorted(principals):  # T3
        raise Refused("T3", "wrong-members", "one or two parties, sorted, none twice")


def _check_members(entry: ThreadEntry, keyrings: Keyrings, *, reading: bool) -> None:
    for member in entry.members:
        newest = keyrings.newest(member.principal)
        if newest is not None and newest.kind != "authority":  # T3
            raise Refused("T3", "not-an-authority", "only authorities can be in a thread")
        place = keyrings.at(member.principal, member.keyring_n)
        if not reading and newest is not None and place != newest:  # T1
            raise Refused("T1", "stale-member-keyring", "a member's keyring entry is not the newest")
        if place is None or place.head != member.keyring_head:  # T1
            raise Refused("T1", "unknown-member-keyring", "a member's entry does not lie on its keyring")


def check_author(
    rule: str, members: Sequence[Member], by: By, kid: bytes, keyrings: Keyrings, *, reading: bool
) -> ListedDevice:
    """The author's device as its keyring lists it (rule T2 for entries, M1 for messages and opened).

    Raises Refused with ``not-a-member``, ``stale-author-keyring``, ``author-keyring-fell``,
    ``unlisted-device``.
    """
    member = next((member for member in members if member.principal == by.principal), None)
    if member is None:  # T2 M1
        raise Refused(rule, "not-a-member", "the author's principal is not in the thread")
    place = keyrings.at(by.principal, by.n)
    if place is None or place.head != by.head:  # T2 M1
        raise Refused(rule, "stale-author-keyring", "the author's entry does not lie on its keyring")
    if not reading and place != keyrings.newest(by.principal):  # T2 M1
        raise Refused(rule, "stale-author-keyring", "the author's entry is not its keyring's newest")
    if by.n < member.keyring_n:  # T2 M1
        raise Refused(rule, "author-keyring-fell", "the author's entry is older than the one in the thread")
    device = place.device(kid)
    if device is None:  # T2 M1
        raise Refused(rule, "unlisted-device", "the device is not listed in that entry")
    return device


def _check_by_n(state: ThreadState | None, entry: ThreadEntry) -> None:
    if state is not None and entry.by.n < state.by_n.get(entry.by.principal, 0):  # T2
        raise Refused("T2", "author-keyring-fell", "an earlier item of this principal had a newer entry")


def _check_genesis(net: str, entry: ThreadEntry) -> None:
    if entry.reason != "genesis" or entry.salt is None or entry.kind is None:  # T2
        raise Refused("T2", "unexpected-change", "a genesis comes first and has a salt and a kind")
    if entry.history is not None:  # T6
        raise Refused("T6", "bad-history", "a genesis has no history")
    author = entry.statement.kid
    if entry.thread != thread_id(net, entry.salt, entry.kind, entry.members, author):  # T3
        raise Refused("T3", "wrong-thread", "the id does not follow from the genesis")


def _check_refresh(state: ThreadState, entry: ThreadEntry) -> None:
    if entry.reason == "genesis" or entry.salt is not None or entry.kind is not None:  # T2
        raise Refused("T2", "unexpected-change", "salt and kind belong to the genesis")
    before = [(member.principal, member.role) for member in state.members]
    if [(member.principal, member.role) for member in entry.members] != before:  # T2
        raise Refused("T2", "unexpected-change", "a refresh changes no member and no role")
    pairs = zip(state.members, entry.members, strict=True)
    if any(new.keyring_n < old.keyring_n for old, new in pairs):  # T2
        raise Refused("T2", "unexpected-change", "a member's keyring entry fell")
    if entry.history is None or entry.history.of != entry.n - 1:  # T6
        raise Refused("T6", "bad-history", "the history must lead to the entry before")


def _next_state(net: str, state: ThreadState | None, entry: ThreadEntry) -> ThreadState:
    seq = 1 if state is None else state.seq + 1
    item, before = entry.statement.hash, None if state is None else state.transcript
    transcript = next_transcript(net, entry.thread, seq, before, item)
    if state is None:
        by_n = {entry.by.principal: entry.by.n}
        kind = entry.kind or ""
        place = (entry.thread, kind, 0, item, entry.members, entry.commit)
        return ThreadState(*place, seq=seq, transcript=transcript, by_n=by_n)
    return replace(
        state,
        n=entry.n,
        head=item,
        members=entry.members,
        commit=entry.commit,
        seq=seq,
        transcript=transcript,
        by_n={**state.by_n, entry.by.principal: entry.by.n},
    )
