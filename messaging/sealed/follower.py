"""A client follows the log (rules L1 to L8): it takes every leaf, computes the root, and remembers.

Pure, like client: whoever uses it fetches checkpoints and leaves. ``Follower`` is one device's view.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from messaging.sealed.checkpoint import Checkpoint, Signer, read_checkpoint, read_signer
from messaging.sealed.encoding import Encodable, Value, decode, encode
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import KeyringState
from messaging.sealed.message import LogPlace
from messaging.sealed.ring import Pin
from messaging.sealed.statement import take_bytes, take_list, take_map, take_text, take_uint
from messaging.sealed.transparency import (
    CHAINED,
    Leaf,
    Tree,
    as_encodable,
    leaf_hash,
    log_label,
    read_leaf,
    read_tree,
    statement_value,
)

FRESH_SECONDS = 24 * 3600
URGENT_HOURS_MOST = 72
FUTURE_SECONDS = 300
ROOTS_KEPT = 256
EVIDENCE_KEPT = 16


@dataclass(frozen=True)
class Evidence:
    """Two things of the server's that cannot both be true; the notes are signed by the log."""

    code: str
    kept: str
    given: str


@dataclass
class Follower:
    """What a device knows of the log. ``quorum`` of the ``witnesses`` must have cosigned what is relied on.

    ``chained`` has the newest number and value of every label, ``stated`` label and value of every confirm,
    ``roots`` the roots at the sizes last passed. ``broken`` is the code of why nothing may be sealed any more
    (L5, L6). ``urgent_seconds``: how old a checkpoint may be for an urgent message (L4), at most 72 hours.
    """

    net: str
    server_key: bytes
    label_key: bytes
    witnesses: tuple[Signer, ...] = ()
    quorum: int = 0
    tree: Tree = field(default_factory=Tree)
    note: str = ""
    fresh_at: int = 0
    chained: dict[tuple[str, bytes], Pin] = field(default_factory=dict)
    stated: set[tuple[bytes, bytes]] = field(default_factory=set)
    frozen: set[bytes] = field(default_factory=set)
    roots: dict[int, bytes] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    broken: str | None = None
    urgent_seconds: int = FRESH_SECONDS

    # following

    def read(self, note: str, *, now: int) -> Checkpoint:
        """Read a checkpoint and compare it with what is known.

        Raises Refused L5 ``bad-checkpoint``, ``future-checkpoint``, ``forked-log``.
        """
        found = read_checkpoint(self.net, self.server_key, note, self.witnesses)
        times = [found.at, *(cosignature.at for cosignature in found.witnesses)]
        if max(times) > now + FUTURE_SECONDS:  # L5
            raise Refused("L5", "future-checkpoint", "a checkpoint of the future")
        known = self.root_at(found.size)
        if known is not None and known != found.root:  # L5 T8
            self._keep("forked-log", note)
            self.broken = "forked-log"  # T8: two states signed by the log itself stop everything
            raise Refused("L5", "forked-log", "the log has signed two states of one size")
        return found

    def _keep(self, code: str, given: str) -> None:
        found = Evidence(code, self.note, given)
        if found not in self.evidence:
            self.evidence = [*self.evidence, found][:EVIDENCE_KEPT]

    def root_at(self, size: int) -> bytes | None:
        """The root at this size, as far as it is remembered."""
        return self.tree.root if size == self.tree.size else self.roots.get(size)

    def follow(self, note: str, leaves: Sequence[bytes], *, now: int) -> Checkpoint:
        """Take the leaves from the own size on and check that they lead to this checkpoint (L2).

        What is refused leaves everything as it was, but for the evidence. Raises Refused L2 ``bad-leaf``,
        ``missing-leaves``; L5 as ``read``, ``smaller-checkpoint``, ``inconsistent-log``.
        """
        found = self.read(note, now=now)
        if found.size < self.tree.size:  # L5 L8
            self._keep("smaller-checkpoint", note)
            raise Refused("L5", "smaller-checkpoint", "the log is shorter than it was")
        if len(leaves) < found.size - self.tree.size:  # L2
            raise Refused("L2", "missing-leaves", "leaves of the log are missing")
        wanted = leaves[: found.size - self.tree.size]
        tree, roots, read = self.tree, {}, []
        for at, raw in enumerate(wanted):
            read.append(read_leaf(raw))
            if at >= len(wanted) - ROOTS_KEPT:  # only the last ones are kept
                roots[tree.size] = tree.root
            tree = tree.append(leaf_hash(raw))
        if tree.root != found.root:  # L5
            self._keep("inconsistent-log", note)
            raise Refused("L5", "inconsistent-log", "the leaves do not lead to the root that was signed")
        self.tree, self.note = tree, note
        self.roots = dict(sorted({**self.roots, **roots, tree.size: tree.root}.items())[-ROOTS_KEPT:])
        for leaf in read:
            self._take(leaf)
        self._refresh(found)
        return found

    def _take(self, leaf: Leaf) -> None:
        """L3: under one label numbers only rise, and one number has one value."""
        if leaf.type == "confirm":
            self.stated.add((leaf.label, leaf.value))
        if leaf.type not in CHAINED:
            return
        place = (leaf.type, leaf.label)
        before = self.chained.get(place)
        if before is not None and leaf.n <= before.n:  # L3
            self.frozen.add(leaf.label)
            self._keep("contradicting-leaves", leaf.encode().hex())
            return
        self.chained[place] = Pin(leaf.n, leaf.value)

    def refresh(self, note: str, *, now: int) -> None:
        """Take the time of an older checkpoint that witnesses have cosigned, if it was passed here (L4)."""
        found = self.read(note, now=now)
        if self.root_at(found.size) == found.root:
            self._refresh(found)

    def _refresh(self, found: Checkpoint) -> None:
        times = (
            [found.at] if self.quorum == 0 else sorted((each.at for each in found.witnesses), reverse=True)
        )
        if len(times) >= max(self.quorum, 1):
            self.fresh_at = max(self.fresh_at, times[max(self.quorum, 1) - 1])

    # what follows from it

    def newest(self, principal: bytes) -> Pin | None:
        """The newest logged entry of a principal's keyring."""
        return self.newest_of("keyring", principal)

    def newest_of(self, leaf_type: str, subject: bytes) -> Pin | None:
        """The newest number and value under a label whose leaves follow each other."""
        return self.chained.get((leaf_type, log_label(self.label_key, leaf_type, subject)))

    def allow_urgent(self, hours: int) -> None:
        """L4: how old a checkpoint may be for urgent messages: 24 to 72 hours, whatever the server says."""
        self.urgent_seconds = min(max(hours * 3600, FRESH_SECONDS), URGENT_HOURS_MOST * 3600)

    def is_old(self, now: int) -> bool:
        """Whether only urgent messages may still be sealed, with a mark (L4)."""
        return now - self.fresh_at > FRESH_SECONDS

    def check_fresh(self, now: int, *, urgent: bool = False) -> None:
        """L4: the quorum has seen the log within a day, or what is allowed for urgent. Raises Refused."""
        if self.broken is not None:  # L5
            raise Refused("L5", "forked-log", "the log has two versions; nothing is sealed")
        if self.quorum > len(self.witnesses):  # L4
            raise Refused("L4", "too-few-witnesses", "fewer witnesses are known than must have signed")
        most = self.urgent_seconds if urgent else FRESH_SECONDS
        if self.tree.size == 0 or now - self.fresh_at > most:  # L4
            raise Refused(
                "L4", "stale-checkpoint", "nobody has vouched for the state of the log within a day"
            )

    def check_newest(self, state: KeyringState) -> None:
        """That the log has exactly this entry as the newest of its principal. Raises Refused.

        L1 ``not-logged``: the log does not have it yet; L2 ``withheld-entry``: it has a newer one;
        L3 ``contradicting-leaves``: it has another at this place, or two at one place.
        """
        label = log_label(self.label_key, "keyring", state.principal)
        logged = self.chained.get(("keyring", label))
        if label in self.frozen:  # L3
            raise _contradicting()
        if logged is None or logged.n < state.n:  # L1
            raise Refused("L1", "not-logged", "the newest entry of this keyring is not in the log yet")
        if logged.n > state.n:  # L2 K10
            raise Refused("L2", "withheld-entry", "the log has a newer entry of this keyring")
        if logged.head != state.head:  # L3
            self.frozen.add(label)
            self._keep("contradicting-leaves", state.head.hex())
            raise _contradicting()

    def check_stated(self, kind: str, subject: bytes, statement: bytes) -> None:
        """That the log has a statement, given by its hash, about this subject. Raises Refused L1."""
        label = log_label(self.label_key, kind, subject)
        if (label, statement_value(self.net, statement)) not in self.stated:  # L1
            raise Refused("L1", "not-logged", "this statement is not in the log")

    def check_sealing(self, states: Iterable[KeyringState], now: int, *, urgent: bool = False) -> LogPlace:
        """M9 by the log: it is fresh, and has each of these as the newest. Gives what the message names."""
        self.check_fresh(now, urgent=urgent)  # M9
        for state in states:
            self.check_newest(state)  # M9
        return LogPlace(self.tree.size, self.tree.root)

    def is_behind(self, place: LogPlace | None) -> bool:
        """Whether a message's sender had seen more of the log: then follow first (L6)."""
        return place is not None and place.size > self.tree.size

    def check_message(self, place: LogPlace | None, note: str | None = None) -> None:
        """L6: the sender saw the same log, as far as its roots are remembered here. Raises Refused L6.

        ``note`` is the checkpoint that came in the text, by which the log has signed that place: another root
        is then proof against the log itself, and stops everything.
        """
        if place is None:
            return
        if self.is_behind(place):  # L6
            raise Refused("L6", "log-withheld", "the sender of this message has seen more of the log")
        known = self.root_at(place.size)
        if known is not None and known != place.root:  # L6 T8
            if note is not None:
                self._keep("forked-log", note)
                self.broken = "forked-log"  # T8: two states signed by the log itself stop everything
            raise Refused("L6", "other-log", "the sender of this message was shown another log")

    # what outlives the process (L7)

    def export(self) -> Encodable:
        """For E1; nothing in it is secret but the label key, which every member has."""
        return {
            "tree": as_encodable(self.tree),
            "note": self.note,
            "fresh": self.fresh_at,
            "labels": self.label_key,
            "witnesses": [self.quorum, [witness.line for witness in self.witnesses]],
            "chained": [[kind, label, pin.n, pin.head] for (kind, label), pin in self.chained.items()],
            "frozen": sorted(self.frozen),
            "stated": [[label, value] for label, value in sorted(self.stated)],
            "roots": [[size, root] for size, root in sorted(self.roots.items())],
            "evidence": [[each.code, each.kept, each.given] for each in self.evidence],
            "broken": self.broken,
        }

    def export_state(self) -> bytes:
        """As E1 bytes."""
        return encode(self.export())


_FIELDS = (
    "broken", "chained", "evidence", "fresh", "frozen", "labels", "note", "roots", "stated", "tree",
    "witnesses",
)  # fmt: skip


def load_follower(
    net: str,
    server_key: bytes,
    label_key: bytes,
    stored: bytes | None,
    *,
    witnesses: Sequence[Signer] = (),
    quorum: int = 0,
) -> Follower:
    """A follower as stored, or a new one. Witnesses once known stay, and the quorum never falls (L4).

    Raises Refused L7 ``bad-log-state``; L5 ``label-key-changed``.
    """
    if stored is None:
        return Follower(net, server_key, label_key, tuple(witnesses), quorum)
    try:
        found = _load(net, server_key, stored)
    except (Refused, ValueError, TypeError) as error:  # L7
        raise Refused("L7", "bad-log-state", "what is stored of the log does not hold together") from error
    if found.label_key != label_key:  # L5
        raise Refused("L5", "label-key-changed", "the log hides its labels in another way than before")
    found.witnesses = tuple(dict.fromkeys([*found.witnesses, *witnesses]))
    found.quorum = max(found.quorum, quorum)
    return found


def _load(net: str, server_key: bytes, stored: bytes) -> Follower:
    found = decode(stored)
    fields = take_map({"stated": [], **found} if isinstance(found, dict) else found, *_FIELDS)  # older: none
    size, frontier = take_list(fields.any("tree"))
    quorum, lines = take_list(fields.any("witnesses"))
    chained = {}
    for row in fields.items("chained"):
        kind, label, n, value = take_list(row)
        chained[take_text(kind, 24), take_bytes(label, 32)] = Pin(take_uint(n), take_bytes(value, 32))
    roots = {}
    for row in fields.items("roots"):
        at, root = take_list(row)
        roots[take_uint(at)] = take_bytes(root, 32)
    evidence = [
        Evidence(*(take_text(part, 20_000) for part in take_list(row))) for row in fields.items("evidence")
    ]
    return Follower(
        net,
        server_key,
        fields.data("labels"),
        tuple(read_signer(take_text(line, 400)) for line in take_list(lines)),
        take_uint(quorum),
        tree=read_tree(take_uint(size), [take_bytes(value, 32) for value in take_list(frontier)]),
        note=fields.text("note", 20_000),
        fresh_at=fields.uint("fresh"),
        chained=chained,
        stated={_pair(row) for row in fields.items("stated")},
        frozen={take_bytes(label, 32) for label in fields.items("frozen")},
        roots=roots,
        evidence=evidence,
        broken=fields.optional("broken", fields.text),
    )


def _pair(row: Value) -> tuple[bytes, bytes]:
    label, value = take_list(row)
    return take_bytes(label, 32), take_bytes(value, 32)


def _contradicting() -> Refused:
    return Refused("L3", "contradicting-leaves", "the log says two things of this keyring")
