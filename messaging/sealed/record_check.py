"""Checking and opening a record without network and without trust in whoever made it (R1, R2, R3).

A fault is collected, never raised, with the part it was found in: whoever checks wants to know all of them.
What no record can prove by itself is whose keys those in it are: compare the fingerprints.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from messaging.sealed import keyring
from messaging.sealed.container import unpack
from messaging.sealed.correspondence import Correspondence
from messaging.sealed.device import DeviceStatement
from messaging.sealed.encoding import decode, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import KeyringState
from messaging.sealed.keys import KemKey
from messaging.sealed.message import Message, Plaintext, message_key, open_padded, read_padded
from messaging.sealed.places import By, read_by
from messaging.sealed.receipt import Opened
from messaging.sealed.record import (
    FACTS,
    KEYS,
    MANIFEST,
    ONE,
    WHOLE,
    Disclosed,
    Facts,
    ListedPart,
    OpeningCode,
    entry_path,
    item_path,
    read_disclosed,
    read_facts,
    read_item,
    read_listed,
    text_path,
)
from messaging.sealed.record_anchors import Anchored, anchor_paths, read_anchor
from messaging.sealed.record_beside import (
    EVIDENCE,
    Contradiction,
    Reader,
    is_opened_part,
    read_contradiction,
    read_opened,
)
from messaging.sealed.record_confirms import NOTE, Confirmed, confirms_path, principals_in, read_confirmed
from messaging.sealed.record_log import CHECKPOINT, LogProof, check_log, heads_of, is_log_part
from messaging.sealed.ring import Ring
from messaging.sealed.statement import Statement, parse, take_map, verify
from messaging.sealed.thread import Member

ARCHIVE = "archive"
"""Where a fault is found that lies between the parts."""


@dataclass(frozen=True)
class Fault:
    """Something in ``part`` breaks a rule."""

    part: str
    rule: str
    code: str
    detail: str


@dataclass(frozen=True)
class Exporter:
    """Who signed the list of parts, when (unix seconds), and what it lists."""

    by: By
    device: bytes
    at: int
    parts: tuple[ListedPart, ...]


@dataclass
class Rings:
    """The keyrings of a record; what the rules of threads look up."""

    rings: dict[bytes, Ring] = field(default_factory=dict)

    def newest(self, principal: bytes) -> KeyringState | None:
        """The newest state, or None for a principal that is not in the record."""
        ring = self.rings.get(principal)
        return ring.newest if ring else None

    def at(self, principal: bytes, n: int) -> KeyringState | None:
        """The state after entry n, or None."""
        ring = self.rings.get(principal)
        return ring.at(n) if ring else None


@dataclass
class Checked:
    """What a record holds, as far as it holds, and everything that does not."""

    facts: Facts | None = None
    exporter: Exporter | None = None
    faults: list[Fault] = field(default_factory=list)
    keyrings: Rings = field(default_factory=Rings)
    thread: Correspondence | None = None
    texts: dict[int, Plaintext] = field(default_factory=dict)
    log: LogProof | None = None
    anchors: list[Anchored] = field(default_factory=list)
    """What the log held of the thread on which day, the oldest first."""
    opened: dict[bytes, Opened] = field(default_factory=dict)
    """By principal: how far each member has opened the thread, as its device has signed."""
    contradiction: Contradiction | None = None
    confirmed: dict[bytes, Confirmed] = field(default_factory=dict)
    """By principal: what two persons of the secretariat have confirmed of its keys."""
    disclosed: dict[int, Disclosed] = field(default_factory=dict)
    """By place: the openings of the commitments that hold, also those found with a key."""

    @property
    def is_sound(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.faults

    def messages(self) -> list[Message]:
        """The verified messages in order."""
        applied = self.thread.applied if self.thread else []
        return [each.message for each in applied if each.message is not None]

    def device(self, message: Message) -> DeviceStatement | None:
        """The statement of the device that signed a message."""
        ring = self.keyrings.rings.get(message.by.principal)
        return ring.devices.get(message.device) if ring else None

    def noting(self, part: str) -> "_Noting":
        """Collect a refusal as a fault of this part."""
        return _Noting(self.faults, part)


class _Noting:
    """Swallows a refusal and notes it (``contextmanager`` would hide that from the type checker)."""

    def __init__(self, faults: list[Fault], part: str) -> None:
        self._faults, self._part = faults, part

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, Refused):
            self._faults.append(Fault(self._part, error.rule, error.code, error.detail))
        return isinstance(error, Refused)


@dataclass(frozen=True)
class Key:
    """A device's or recovery kit's key: ``recipient`` is its id in the envelopes of the own keyring."""

    recipient: bytes
    kem: KemKey = field(repr=False)


def kind_of(data: bytes) -> str:
    """``thread`` or ``message``. Raises Refused R1, E1, E2 for what is no record."""
    facts = unpack(data).parts.get(FACTS)
    if facts is None:  # R1
        raise Refused("R1", "missing-part", "the facts are missing")
    return read_facts(facts).kind


def check_thread_record(data: bytes, key: Key | OpeningCode | None = None) -> Checked:
    """Check the record of a whole thread and open it with the key, if one is given.

    Of texts that stand in the record openly, and of those the key opens, each is held against its
    commitment. A key that opens nothing is a fault of the part ``keys`` or of the own keyring.
    """
    checked = Checked()
    parts = _read_archive(checked, data)
    with checked.noting(FACTS):
        checked.facts = _read_kind(parts, WHOLE)
    if checked.facts is None:
        return checked
    statement = _read_manifest(checked, parts, checked.facts)
    own_key = key if isinstance(key, Key) else None
    _read_keyrings(checked, parts, checked.facts, own_key)
    _read_confirms(checked, parts, checked.facts)
    _read_log(checked, parts, checked.facts)
    _read_thread(checked, parts, checked.facts)
    _read_anchors(checked, parts, checked.facts)
    _read_beside(checked, parts, checked.facts)
    if statement is not None:
        _check_exporter(checked, statement, checked.facts)
    _read_texts(checked, parts, checked.facts.net)
    if isinstance(key, OpeningCode):
        _open_with_code(checked, parts, key)
    return checked


def _read_archive(checked: Checked, data: bytes) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    with checked.noting(ARCHIVE):
        unpacked = unpack(data)
        parts = unpacked.parts
        if unpacked.odd_at is not None:  # R1
            raise Refused("R1", "bad-container", f"the file was changed at byte {unpacked.odd_at + 1}")
    return parts


def _read_kind(parts: Mapping[str, bytes], kind: str) -> Facts:
    if FACTS not in parts:  # R1
        raise Refused("R1", "missing-part", "the facts are missing")
    facts = read_facts(parts[FACTS])
    if facts.kind != kind:  # R1
        raise Refused("R1", "unexpected-part", f"not a record of a {kind}")
    return facts


def _read_manifest(checked: Checked, parts: Mapping[str, bytes], facts: Facts) -> Statement | None:
    """R1: the parts are those that the exporter listed, no more, no less, none changed."""
    with checked.noting(MANIFEST):
        if MANIFEST not in parts:  # R1
            raise Refused("R1", "missing-part", "the signed list of parts is missing")
        # Judged by its own network first: were it that of the facts, a change of the facts would hide itself.
        statement = parse(_net_of(parts[MANIFEST]) or facts.net, parts[MANIFEST], "record")
        listed = read_listed(statement.fields)
        by = read_by(statement.fields)
        checked.exporter = Exporter(by, statement.kid, statement.at, listed)
        checked.faults += list(compare_parts(listed, parts))
        return statement
    return None


def _net_of(raw: bytes) -> str | None:
    match decode(raw):
        case [_, _, bytes(payload), _]:
            found = decode(payload)
            net = found.get("net") if isinstance(found, dict) else None
            return net if isinstance(net, str) else None
    return None


def compare_parts(listed: tuple[ListedPart, ...], parts: Mapping[str, bytes]) -> Iterator[Fault]:
    """R1: every listed part is there as it was, and nothing else."""
    names = {row.path for row in listed}
    for row in listed:
        if row.path not in parts:
            yield Fault(row.path, "R1", "missing-part", "this part is missing")
        elif len(parts[row.path]) != row.size or sha256(parts[row.path]) != row.hash:
            yield Fault(row.path, "R1", "altered-part", "this part was changed after the export")
    for path in sorted(parts.keys() - names - {MANIFEST}):
        yield Fault(path, "R1", "unexpected-part", "this part was added after the export")


def _read_keyrings(checked: Checked, parts: Mapping[str, bytes], facts: Facts, key: Key | None) -> None:
    """R2: every keyring in the record holds from its first entry on."""
    statements = [raw for path, raw in parts.items() if path.startswith("statements/")]
    envelopes: dict[int, bytes] = {}
    for principal, entries in _keyrings_of(parts).items():
        ring = Ring(facts.net)
        for n in sorted(entries):
            path = entry_path(principal, n)
            is_good = False
            with checked.noting(path):
                found = take_map(decode(entries[n]), "entry", "envelopes")
                raw, blob = found.any("entry"), found.any("envelopes")
                opened = blob if isinstance(blob, bytes) and principal == facts.own else None
                state = ring.accept(raw if isinstance(raw, bytes) else b"", statements, opened)
                if state.principal != principal or state.n != n:  # R2
                    raise Refused("R2", "wrong-place", "another entry than its name says")
                if opened is not None:
                    envelopes[n] = opened
                is_good = True
            if not is_good:
                break
        if ring.newest is not None:
            checked.keyrings.rings[principal] = ring
    if key is not None and facts.own is not None:
        _open_keyring(checked, facts.own, envelopes, key)


def _keyrings_of(parts: Mapping[str, bytes]) -> dict[bytes, dict[int, bytes]]:
    found: dict[bytes, dict[int, bytes]] = {}
    for path, raw in parts.items():
        pieces = path.split("/")
        if len(pieces) == 3 and pieces[0] == "keyrings" and pieces[2].isdecimal():
            try:
                principal = bytes.fromhex(pieces[1])
            except ValueError:
                continue
            found.setdefault(principal, {})[int(pieces[2])] = raw
    return found


def _open_keyring(checked: Checked, own: bytes, envelopes: Mapping[int, bytes], key: Key) -> None:
    """Open every generation that this key opens, and from it the older ones."""
    ring = checked.keyrings.rings.get(own)
    with checked.noting(f"keyrings/{own.hex()}"):
        if ring is None:
            raise Refused("R2", "cannot-open", "the keyring of the own authority is not sound")
        for n in sorted(envelopes):
            ring.keep_envelopes(n, envelopes[n])
        ring.open(key.recipient, key.kem)
        if ring.secrets:
            return
        raise Refused("R2", "cannot-open", "this key is none of the keys that the record can be opened with")


def _mailbox_opener(checked: Checked, facts: Facts) -> Callable[[Member], KemKey | None]:
    ring = checked.keyrings.rings.get(facts.own or b"")

    def open_mailbox(member: Member) -> KemKey | None:
        if ring is None or member.principal != facts.own or not ring.secrets:
            return None
        secret = ring.secrets.get(member.keyring_n)
        if secret is None:
            return None
        return keyring.mailbox_key(facts.net, member.principal, member.keyring_n, secret)

    return open_mailbox


def _read_thread(checked: Checked, parts: Mapping[str, bytes], facts: Facts) -> None:
    """R2: the items hold one after the other, each with its receipt, as for any reader."""
    thread = checked.thread = Correspondence(facts.net, facts.thread, facts.server_key)
    open_mailbox = _mailbox_opener(checked, facts)
    places = sorted(path for path in parts if path.startswith("items/"))
    for seq, path in enumerate(places, 1):
        count = len(checked.faults)
        with checked.noting(path):
            if path != item_path(seq):  # R2
                raise Refused("R2", "wrong-place", "an item before this one is missing")
            item = read_item(facts.thread, seq, parts[path])
            applied = thread.apply(item, checked.keyrings, open_mailbox)
            if applied.message is not None and applied.plaintext is not None:
                checked.texts[seq] = applied.plaintext
                secret = thread.epochs[applied.message.n]
                key = message_key(facts.net, applied.message, secret)
                opened = open_padded(facts.net, applied.message, item.ciphertext or b"", key)
                checked.disclosed[seq] = Disclosed(*opened)
        if len(checked.faults) > count:
            return


def _check_exporter(checked: Checked, statement: Statement, facts: Facts) -> None:
    """R1: the list of parts is signed by a device of a member, for this thread and its end."""
    with checked.noting(MANIFEST):
        fields = statement.fields
        by = read_by(fields)
        state = checked.keyrings.at(by.principal, by.n)
        device = state.device(statement.kid) if state and state.head == by.head else None
        if device is None:  # R1
            raise Refused("R1", "unknown-exporter", "the list of parts is not signed by a listed device")
        verify(statement, device.sig, facts.net)  # R1
        end = checked.thread.state if checked.thread else None
        named = (fields.data("thread"), fields.uint("seq"), fields.data("transcript"))
        if end is None or named != (end.thread, end.seq, end.transcript):  # R1
            raise Refused("R1", "wrong-end", "the thread does not end where the exporter says")
        entries = checked.thread.entries if checked.thread else []
        if not any(row.principal == by.principal for entry in entries for row in entry.members):  # R1
            raise Refused("R1", "unknown-exporter", "who exported this never was a member of the thread")


def _read_confirms(checked: Checked, parts: Mapping[str, bytes], facts: Facts) -> None:
    """K8: what the secretariat has confirmed is about the authorities that the record names."""
    named = {row.principal: row.id for row in facts.authorities}
    for principal in principals_in(parts):
        path = confirms_path(principal, NOTE)
        with checked.noting(path):
            found = read_confirmed(facts.net, principal, parts, checked.keyrings)
            if named.get(principal) != found.authority:  # K8
                raise Refused("K8", "not-confirmed", "another authority was confirmed than the record names")
            checked.confirmed[principal] = found


def _read_log(checked: Checked, parts: Mapping[str, bytes], facts: Facts) -> None:
    """L2: where the record has the log's word, every entry of its keyrings stood in the log."""
    if not any(is_log_part(path) for path in parts):
        return
    with checked.noting(CHECKPOINT):
        if CHECKPOINT not in parts:  # R1
            raise Refused("R1", "missing-part", "the checkpoint of the log is missing")
        heads: dict[tuple[bytes, int], bytes] = {}
        for principal, ring in checked.keyrings.rings.items():
            heads |= heads_of(principal, [entry.statement.hash for entry in ring.entries])
        confirms = [one for found in checked.confirmed.values() for one in found.hashes]
        checked.log = check_log(facts.net, facts.server_key, parts, heads, confirms)


def _read_anchors(checked: Checked, parts: Mapping[str, bytes], facts: Facts) -> None:
    """L2: up to where the thread stood in the log, and on which day."""
    if checked.log is None or checked.thread is None:
        return
    log = (checked.log.size, checked.log.root)
    for path in anchor_paths(parts):
        with checked.noting(path):
            transcript_at = checked.thread.transcript_at
            found = read_anchor(
                facts.net, facts.thread, path, parts[path], log=log, transcript_at=transcript_at
            )
            checked.anchors.append(found)


def _read_beside(checked: Checked, parts: Mapping[str, bytes], facts: Facts) -> None:
    """R2: who has opened the thread, and what a stopped one shows against the server."""
    thread = checked.thread
    if thread is None or thread.state is None:
        return
    reader = Reader(facts.net, facts.server_key, thread.state, checked.keyrings, thread.transcript_at)
    for path in sorted(path for path in parts if is_opened_part(path)):
        with checked.noting(path):
            opened = read_opened(reader, path, parts[path])
            checked.opened[opened.by.principal] = opened
    if EVIDENCE in parts:
        with checked.noting(EVIDENCE):
            checked.contradiction = read_contradiction(reader, parts[EVIDENCE])


def _read_texts(checked: Checked, parts: Mapping[str, bytes], net: str) -> None:
    """R3: each text is the one that its message committed to."""
    messages = {message.seq: message for message in checked.messages()}
    for path in sorted(path for path in parts if path.startswith("texts/")):
        with checked.noting(path):
            seq = int(path[6:]) if path[6:].isdecimal() else 0
            if seq not in messages or path != text_path(seq):  # R3
                raise Refused("R3", "wrong-place", "a text without a verified message")
            _take_text(checked, net, messages[seq], read_disclosed(parts[path]))


def _take_text(checked: Checked, net: str, message: Message, disclosed: Disclosed) -> None:
    checked.texts[message.seq] = read_padded(net, message, disclosed.blind, disclosed.padded)  # R3
    checked.disclosed[message.seq] = disclosed


def _open_with_code(checked: Checked, parts: Mapping[str, bytes], code: OpeningCode) -> None:
    facts, thread = checked.facts, checked.thread
    if facts is None or thread is None:
        return
    with checked.noting(KEYS):
        if KEYS not in parts:  # R2
            raise Refused("R2", "cannot-open", "this record was made without an opening code")
        keys = code.open_keys(facts.thread, parts[KEYS])
        for message in checked.messages():
            if message.seq in keys and message.seq not in checked.texts:
                sealed = thread.raw[message.seq - 1].ciphertext or b""
                opened = open_padded(facts.net, message, sealed, keys[message.seq])
                _take_text(checked, facts.net, message, Disclosed(*opened))


def is_one_message(data: bytes) -> bool:
    """Whether this is the record of one message."""
    return kind_of(data) == ONE
