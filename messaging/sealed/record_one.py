"""Checking the record of one message without a key, another message or a colleague's name (R1, R2, R3)."""

from dataclasses import dataclass

from messaging.sealed.container import unpack
from messaging.sealed.device import DeviceStatement, read_device
from messaging.sealed.encoding import ZERO, decode, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import KeyringEntry, principal_id, read_entry
from messaging.sealed.message import CIPHERTEXT_SIZES, Message, Plaintext, read_message, read_padded
from messaging.sealed.receipt import Receipt, read_receipt
from messaging.sealed.record import (
    FACTS,
    ONE,
    Disclosed,
    Facts,
    entry_path,
    item_path,
    read_disclosed,
    read_facts,
    read_item,
    text_path,
)
from messaging.sealed.record_anchors import LINK, Anchored, anchor_paths, follow_link, read_anchor
from messaging.sealed.record_check import ARCHIVE, Fault, Rings
from messaging.sealed.record_confirms import NOTE, Confirmed, confirms_path, principals_in, read_confirmed
from messaging.sealed.record_log import (
    CHECKPOINT,
    Heads,
    LogProof,
    check_log,
    heads_of,
    is_log_part,
    proof_paths,
)
from messaging.sealed.ring import Ring
from messaging.sealed.statement import take_map, verify


@dataclass(frozen=True)
class Proven:
    """One message, its text, who signed it, and the server's receipt.

    The entries of the sender's keyring follow from its fingerprint by their hashes. What would verify their
    stewards' signatures is not in the record (it would name colleagues): that the entries were in force is
    what the server, which checked them, has signed for in the receipt, and what the log shows (``log``).
    """

    facts: Facts
    message: Message
    plaintext: Plaintext
    disclosed: Disclosed
    sender: DeviceStatement
    receipt: Receipt
    log: LogProof | None = None
    confirmed: Confirmed | None = None
    officers: tuple[DeviceStatement, ...] = ()
    """Who signed what the secretariat has confirmed of these keys (``confirmed``)."""
    anchored: Anchored | None = None
    """The oldest day on which the log held this message."""


class _Reading:
    """The parts that are left, and the part at hand."""

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}
        self.at = ARCHIVE

    def take(self, path: str) -> bytes:
        """The part, which nobody asks for again. Raises Refused R1 ``missing-part``."""
        self.at = path
        if path not in self.parts:  # R1
            raise Refused("R1", "missing-part", "this part is missing")
        return self.parts.pop(path)


def check_message_record(data: bytes) -> Proven | Fault:
    """What the record of one message proves, or the first fault."""
    reading = _Reading()
    try:
        return _check(data, reading)
    except Refused as refused:
        return Fault(reading.at, refused.rule, refused.code, refused.detail)


def _check(data: bytes, reading: _Reading) -> Proven:
    unpacked = unpack(data)
    reading.parts = dict(unpacked.parts)
    facts = read_facts(reading.take(FACTS))
    if facts.kind != ONE or facts.own is not None or facts.authorities:  # R1
        raise Refused("R1", "unexpected-part", "not the facts of one message")
    message, receipt = _read_message(reading, facts)
    entry, hashes = _read_chain(reading, facts, message)
    sender = _read_sender(reading, facts, message, entry)
    disclosed = read_disclosed(reading.take(text_path(receipt.seq)))
    plaintext = read_padded(facts.net, message, disclosed.blind, disclosed.padded)  # R3
    rings = Rings()
    confirmed = _read_confirmed(reading, facts, entry.principal, rings)
    log = _read_log(reading, facts, heads_of(entry.principal, hashes), confirmed, rings)
    anchored = _read_anchor(reading, facts, receipt, log)
    for path in sorted(reading.parts):  # R1
        reading.at = path
        raise Refused("R1", "unexpected-part", "this has no place in the record of one message")
    reading.at = ARCHIVE
    if unpacked.odd_at is not None:  # R1
        raise Refused("R1", "bad-container", f"the file was changed at byte {unpacked.odd_at + 1}")
    officers = _officers(confirmed, rings)
    return Proven(facts, message, plaintext, disclosed, sender, receipt, log, confirmed, officers, anchored)


def _read_message(reading: _Reading, facts: Facts) -> tuple[Message, Receipt]:
    path = next((name for name in reading.parts if name.startswith("items/")), item_path(0))
    seq = int(path[6:]) if path[6:].isdecimal() else 0
    item = read_item(facts.thread, seq, reading.take(path))
    message = read_message(facts.net, item.item)
    if message.thread != facts.thread or path != item_path(seq):  # R2
        raise Refused("R2", "wrong-place", "a message of another thread or place than its name says")
    receipt = read_receipt(facts.net, facts.server_key, item.receipt)
    if (receipt.thread, receipt.seq, receipt.item) != (facts.thread, seq, sha256(item.item)):  # R2
        raise Refused("R2", "wrong-place", "the server signed for another message or another place")
    ciphertext = item.ciphertext or b""
    if len(ciphertext) not in CIPHERTEXT_SIZES or sha256(ciphertext) != message.cipher:  # M3
        raise Refused("M3", "wrong-cipher", "the ciphertext is not the one that was signed")
    return message, receipt


def _read_confirmed(reading: _Reading, facts: Facts, principal: bytes, rings: Rings) -> Confirmed | None:
    """K8: what the secretariat has confirmed of the sender's keys, with its own keyring."""
    if principal not in principals_in(reading.parts):
        return None
    prefix, parts = confirms_path(principal, ""), reading.parts
    reading.at = prefix + NOTE
    statements = [raw for path, raw in parts.items() if path.startswith("statements/")]
    for path in sorted(path for path in parts if path.startswith("keyrings/")):
        fields = take_map(decode(parts[path]), "entry", "envelopes")
        raw = fields.any("entry")
        ring = rings.rings.setdefault(bytes.fromhex(path.split("/")[1]), Ring(facts.net))
        ring.accept(raw if isinstance(raw, bytes) else b"", statements, None)
    found = read_confirmed(facts.net, principal, parts, rings)
    ring = rings.rings[found.secretariat]
    used = {path for path in parts if path.startswith(prefix)}
    used |= {entry_path(found.secretariat, n) for n in range(len(ring.entries))}
    used |= {f"statements/{device.hex()}" for device in ring.devices}
    reading.parts = {path: part for path, part in parts.items() if path not in used}
    return found


def _officers(confirmed: Confirmed | None, rings: Rings) -> tuple[DeviceStatement, ...]:
    if confirmed is None:
        return ()
    devices = rings.rings[confirmed.secretariat].devices
    return tuple(devices[device] for device in confirmed.devices)


def _read_log(
    reading: _Reading, facts: Facts, heads: Heads, confirmed: Confirmed | None, rings: Rings
) -> LogProof | None:
    """L2: where the record has the log's word, each of these entries and confirms stood in the log."""
    if CHECKPOINT not in reading.parts:
        return None
    reading.at = CHECKPOINT
    for principal, ring in rings.rings.items():
        heads = {**heads, **heads_of(principal, [entry.statement.hash for entry in ring.entries])}
    confirms = confirmed.hashes if confirmed else ()
    parts = {path: part for path, part in reading.parts.items() if is_log_part(path)}
    proof = check_log(facts.net, facts.server_key, parts, heads, confirms)
    wanted = proof_paths(facts.net, heads, confirms)
    reading.parts = {path: part for path, part in reading.parts.items() if path not in wanted}
    return proof


def _read_anchor(reading: _Reading, facts: Facts, receipt: Receipt, log: LogProof | None) -> Anchored | None:
    """L2: the day on which the log held the message, by the hashes from it to the anchored end."""
    path = next(iter(anchor_paths(reading.parts)), None)
    if path is None or log is None:
        return None
    link = reading.take(LINK)
    found = follow_link(facts.net, facts.thread, receipt.seq, receipt.item, link)
    if found[receipt.seq] != receipt.transcript:  # R2
        raise Refused("R2", "wrong-place", "the message does not lead to the transcript of its receipt")
    return read_anchor(
        facts.net,
        facts.thread,
        path,
        reading.take(path),
        log=(log.size, log.root),
        transcript_at=found.get,
    )


def _read_chain(reading: _Reading, facts: Facts, message: Message) -> tuple[KeyringEntry, list[bytes]]:
    """R2: from the fingerprint to the entry that the message names, each by the hash of the one before."""
    principal, before, entry = message.by.principal, ZERO, None
    hashes: list[bytes] = []
    for n in range(message.by.n + 1):
        found = take_map(decode(reading.take(entry_path(principal, n))), "entry", "envelopes")
        raw = found.any("entry")
        entry = read_entry(facts.net, raw if isinstance(raw, bytes) else b"")
        if found.any("envelopes") is not None:  # R1
            raise Refused("R1", "unexpected-part", "envelopes have no place in the record of one message")
        if (entry.principal, entry.n, entry.prev) != (principal, n, before):  # K1
            raise Refused("K1", "wrong-predecessor", "the entry does not follow the one before")
        if n == 0:
            _check_genesis(facts.net, entry)
        before = entry.statement.hash
        hashes.append(before)
    if entry is None or before != message.by.head:  # M1
        raise Refused("M1", "stale-author-keyring", "the message names another entry")
    return entry, hashes


def _check_genesis(net: str, entry: KeyringEntry) -> None:
    if entry.recovery is None or entry.salt is None:  # K3
        raise Refused("K3", "unexpected-change", "not the genesis of an authority")
    if principal_id(net, entry.kind, entry.salt, entry.devices, entry.recovery) != entry.principal:  # K3
        raise Refused("K3", "wrong-principal", "the id does not follow from the genesis")


def _read_sender(reading: _Reading, facts: Facts, message: Message, entry: KeyringEntry) -> DeviceStatement:
    sender = read_device(facts.net, reading.take(f"statements/{message.device.hex()}"))
    if sender.id != message.device or sender.id not in {device for device, _ in entry.devices}:  # M1
        raise Refused("M1", "unlisted-device", "the device is not listed in that entry")
    verify(message.statement, sender.sig, facts.net)
    return sender
