"""The entry of a thread and what follows from it: types, and reading (rule T3, in part)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from messaging.sealed import envelopes as sealing
from messaging.sealed.acts import read_acts
from messaging.sealed.encoding import Encodable, Value, context_hash
from messaging.sealed.envelopes import History
from messaging.sealed.mandate import MandateTerms
from messaging.sealed.places import After, By, read_after, read_by
from messaging.sealed.stage_rules import Case
from messaging.sealed.statement import Statement, parse, take_map

SHARED_KINDS = ("case", "direct")
"""Correspondence of one or two parties, which others can join."""
OWN_KINDS = ("ledger", "notes")
"""What an authority writes for itself: one party and never more."""
KINDS = (*SHARED_KINDS, *OWN_KINDS)
WRITING_ROLES = ("party", "practitioner")
ROLES = ("observer", *WRITING_ROLES)
REASONS = ("genesis", "refresh", "join", "leave", "drop", "succeed", "repair")
ACTS = ("accept", "confirm", "consent", "mandate")


@dataclass(frozen=True)
class Member:
    """A principal in a thread, with the keyring entry to whose mailbox the epoch is sealed.

    ``mandate`` is the hash of the mandate under which a practitioner is here, else None.
    """

    principal: bytes
    keyring_n: int
    keyring_head: bytes
    role: str
    mandate: bytes | None = None

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in an entry."""
        return {
            "principal": self.principal,
            "keyring_n": self.keyring_n,
            "keyring_head": self.keyring_head,
            "role": self.role,
            "mandate": self.mandate,
        }

    @property
    def terms(self) -> tuple[bytes, str, bytes | None]:
        """What of it a refresh leaves as it is."""
        return self.principal, self.role, self.mandate


@dataclass(frozen=True)
class DeviceProgress:
    """A device's last message in a thread. Columns of that message: counter, item hash, seq."""

    counter: int
    item: bytes
    seq: int


def parties_among(members: Iterable[Member]) -> tuple[bytes, ...]:
    """The principals that are parties."""
    return tuple(member.principal for member in members if member.role == "party")


@dataclass(frozen=True)
class ThreadState:
    """A thread after ``seq`` items.

    Columns: of the thread kind, link, n, head (hash of entry n), commit, seq, transcript (X_seq); its
    members in the newest entry (principal, keyring_n, keyring_head, role, mandate); ``by_n``: for each
    principal the highest ``by.n`` an item of it had; ``devices``: for each device its last message. A server
    may give ``devices`` for the senders at hand only. ``voided`` are ids that devices named as refused, for
    readers. ``spent`` are the hashes of consents and mandates used here, ``mandates`` those that admitted
    somebody, by hash. ``is_left``: the author of the newest entry left by it, and knows its secret. ``case``:
    where its steps have led; a server gives it where a step is at hand.
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
    link: bytes | None = None
    spent: frozenset[bytes] = frozenset()
    mandates: Mapping[bytes, MandateTerms] = field(default_factory=dict)
    is_left: bool = False
    case: Case | None = None

    def member(self, principal: bytes) -> Member | None:
        """The member of this principal, or None."""
        return next((member for member in self.members if member.principal == principal), None)

    @property
    def parties(self) -> tuple[bytes, ...]:
        """The principals that are parties."""
        return parties_among(self.members)


@dataclass(frozen=True)
class ThreadEntry:
    """An entry that has been taken apart (E2); ``acts`` are statements, not yet verified."""

    statement: Statement
    thread: bytes
    n: int
    prev: bytes
    after: After
    salt: bytes | None
    kind: str | None
    link: bytes | None
    members: tuple[Member, ...]
    by: By
    commit: bytes
    history: History | None
    sealed: bytes
    reason: str
    acts: tuple[bytes, ...]

    def member(self, principal: bytes) -> Member | None:
        """The member of this principal, or None."""
        return next((member for member in self.members if member.principal == principal), None)


def read_entry(net: str, raw: bytes) -> ThreadEntry:
    """Take an entry apart. Raises Refused E1, E2; T3 ``unknown-act``."""
    statement = parse(net, raw, "thread")
    fields = statement.fields
    return ThreadEntry(
        statement=statement,
        thread=fields.data("thread"),
        n=fields.uint("n"),
        prev=fields.data("prev"),
        after=read_after(fields),
        salt=fields.optional("salt", lambda name: fields.data(name, 16)),
        kind=fields.optional("kind", fields.text),
        link=fields.optional("link", fields.data),
        members=tuple(_read_member(row) for row in fields.items("members")),
        by=read_by(fields),
        commit=fields.data("commit"),
        history=sealing.read_history(fields),
        sealed=fields.data("sealed"),
        reason=fields.text("reason"),
        acts=read_acts(fields, "T3", ACTS),
    )


def _read_member(row: Value) -> Member:
    found = take_map(row, "principal", "keyring_n", "keyring_head", "role", "mandate")
    return Member(
        found.data("principal"),
        found.uint("keyring_n"),
        found.data("keyring_head"),
        found.text("role"),
        found.optional("mandate", found.data),
    )


def thread_id(
    net: str, salt: bytes, kind: str, members: Sequence[Member], author: bytes, link: bytes | None = None
) -> bytes:
    """The id that follows from a genesis."""
    return context_hash(net, "thread", salt, kind, link, [member.as_map() for member in members], author)


def next_transcript(net: str, thread: bytes, seq: int, before: bytes | None, item: bytes) -> bytes:
    """X_seq from X_(seq-1) and the item's hash; ``before`` is None for the first item."""
    start = context_hash(net, "transcript", thread) if before is None else before
    return context_hash(net, "transcript", thread, seq, start, item)
