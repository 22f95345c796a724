"""Records: a thread, or one message of it, in a file that proves itself on a machine of its own (R1, R3).

Here are the parts and how they are put together; record_check reads them. A part is a name and bytes:

    manifest                    the signed list of all other parts (whole threads only)
    facts                       network, server key, thread, names of the authorities
    keyrings/PRINCIPAL/N        an entry of a keyring, of the own one with its envelopes
    statements/HASH             a device statement
    items/SEQ                   an entry or message with its receipt, as the server hands it out
    opened/PRINCIPAL            how far a member has opened the thread, signed by its device
    texts/SEQ                   blind and padded text of a message, held against its signed commitment
    evidence                    two versions of a place, where the server has contradicted itself
    keys                        the messages' own keys, sealed to an opening code
    confirms/PRINCIPAL/…        what the secretariat has confirmed of its keys (record_confirms)
    log/checkpoint, log/…       that the entries and confirms stood in the log of keys (record_log), and since
                                when the thread did (record_anchors)
    record.html                 for reading
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from messaging.sealed.container import pack
from messaging.sealed.correspondence import Item
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
from messaging.sealed.keys import SigningKey, aead_open, aead_seal, print_groups, read_groups
from messaging.sealed.places import By
from messaging.sealed.statement import Fields, sign, take_bytes, take_list, take_map, take_text, take_uint

MANIFEST, FACTS, KEYS, READABLE = "manifest", "facts", "keys", "record.html"
WHOLE, ONE = "thread", "message"
AUTHORITY_LIMIT = 200
_ITEM_BYTES = ("item", "receipt", "ciphertext", "envelopes")


@dataclass(frozen=True)
class NamedAuthority:
    """Who a principal is in the directory: the server's word, not proven by the record."""

    principal: bytes
    id: str
    name: str
    state: str | None


@dataclass(frozen=True)
class Facts:
    """What a record is about. ``kind``: a whole thread or one message; ``own``: who exported it."""

    kind: str
    net: str
    server_key: bytes
    thread: bytes
    own: bytes | None = None
    authorities: tuple[NamedAuthority, ...] = ()

    def encode(self) -> bytes:
        """As the part ``facts``."""
        rows = [[row.principal, row.id, row.name, row.state] for row in self.authorities]
        fields: dict[str, Encodable] = {
            "kind": self.kind,
            "net": self.net,
            "server_key": self.server_key,
            "thread": self.thread,
            "own": self.own,
            "authorities": rows,
        }
        return encode(fields)


def read_facts(raw: bytes) -> Facts:
    """Read the part ``facts``. Raises Refused E1, E2."""
    fields = take_map(decode(raw), "kind", "net", "server_key", "thread", "own", "authorities")
    return Facts(
        kind=fields.text("kind"),
        net=fields.text("net", AUTHORITY_LIMIT),
        server_key=fields.data("server_key"),
        thread=fields.data("thread"),
        own=fields.optional("own", fields.data),
        authorities=tuple(_read_authority(row) for row in fields.items("authorities")),
    )


def _read_authority(row: Value) -> NamedAuthority:
    principal, name_id, name, state = (*take_list(row), None, None, None, None)[:4]
    return NamedAuthority(
        take_bytes(principal, 32),
        take_text(name_id, AUTHORITY_LIMIT),
        take_text(name, AUTHORITY_LIMIT),
        None if state is None else take_text(state, AUTHORITY_LIMIT),
    )


@dataclass(frozen=True)
class ExportedKeyring:
    """A keyring with the envelopes that are at hand, by n (of the own one), and its device statements."""

    principal: bytes
    entries: Sequence[bytes]
    statements: Iterable[bytes]
    envelopes: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Disclosed:
    """The opening of a message's commitment: whoever has it reads this message and no other."""

    blind: bytes
    padded: bytes = field(repr=False)

    def encode(self) -> bytes:
        """As the part ``texts/SEQ``."""
        return encode({"blind": self.blind, "padded": self.padded})


def read_disclosed(raw: bytes) -> Disclosed:
    """Read a part ``texts/SEQ``. Raises Refused E1, E2."""
    fields = take_map(decode(raw), "blind", "padded")
    padded = fields.any("padded")
    return Disclosed(
        fields.data("blind"), take_bytes(padded, len(padded) if isinstance(padded, bytes) else 0)
    )


def item_path(seq: int) -> str:
    """Where an item stands."""
    return f"items/{seq:08d}"


def text_path(seq: int) -> str:
    """Where the text of a message stands."""
    return f"texts/{seq:08d}"


def entry_path(principal: bytes, n: int) -> str:
    """Where an entry of a keyring stands."""
    return f"keyrings/{principal.hex()}/{n:08d}"


def keyring_parts(keyring: ExportedKeyring) -> dict[str, bytes]:
    """The parts of a keyring."""
    parts = {
        entry_path(keyring.principal, n): encode({"entry": raw, "envelopes": keyring.envelopes.get(n)})
        for n, raw in enumerate(keyring.entries)
    }
    return parts | {f"statements/{sha256(raw).hex()}": raw for raw in keyring.statements}


def encode_item(item: Item) -> bytes:
    """As the part ``items/SEQ``."""
    return encode({"type": item.type} | {name: getattr(item, name) for name in _ITEM_BYTES})


def read_item(thread: bytes, seq: int, raw: bytes) -> Item:
    """Read a part ``items/SEQ``. Raises Refused E1, E2."""
    fields = take_map(decode(raw), "type", *_ITEM_BYTES)
    found = {name: _any_bytes(fields, name) for name in _ITEM_BYTES}
    return Item(
        thread,
        seq,
        fields.text("type"),
        found["item"] or b"",
        found["receipt"] or b"",
        found["ciphertext"],
        found["envelopes"],
    )


def _any_bytes(fields: Fields, name: str) -> bytes | None:
    value = fields.any(name)
    return take_bytes(value, len(value)) if isinstance(value, bytes) else None


# --- the list of parts, and its signature


@dataclass(frozen=True)
class ListedPart:
    """A part as the manifest names it."""

    path: str
    size: int
    hash: bytes


def sign_manifest(
    facts: Facts,
    parts: Mapping[str, bytes],
    *,
    by: By,
    device: bytes,
    key: SigningKey,
    seq: int,
    transcript: bytes,
    at: int,
) -> bytes:
    """The signed list of these parts, for a thread that ends at ``seq`` with this transcript."""
    fields: dict[str, Encodable] = {
        "by": by.as_map(),
        "thread": facts.thread,
        "seq": seq,
        "transcript": transcript,
        "parts": [[path, len(parts[path]), sha256(parts[path])] for path in sorted(parts)],
    }
    return sign(facts.net, "record", fields, at=at, kid=device, key=key)


def read_listed(fields: Fields) -> tuple[ListedPart, ...]:
    """The parts that a manifest names. Raises Refused E2."""
    rows = [(*take_list(row), None, None, None)[:3] for row in fields.items("parts")]
    return tuple(
        ListedPart(take_text(path, AUTHORITY_LIMIT), take_uint(size), take_bytes(digest, 32))
        for path, size, digest in rows
    )


def make_thread_record(parts: Mapping[str, bytes], manifest: bytes) -> bytes:
    """The file of a whole thread. Raises Refused R1 ``bad-container`` when it is too large."""
    return pack({**parts, MANIFEST: manifest})


def make_message_record(
    facts: Facts,
    keyring: ExportedKeyring,
    item: Item,
    disclosed: Disclosed,
    more: Mapping[str, bytes] | None = None,
) -> bytes:
    """The file that proves one message: no key, no other message, no colleague's name is in it.

    ``more``: the parts of record_log for these entries, and of record_confirms with the secretariat's own.

    ``keyring``: of the sender up to ``by.head``, without envelopes, with the sender's device statement only.
    """
    bare = Item(item.thread, item.seq, item.type, item.item, item.receipt, item.ciphertext)
    parts = keyring_parts(keyring) | {item_path(item.seq): encode_item(bare)}
    parts |= {FACTS: facts.encode(), text_path(item.seq): disclosed.encode()}
    return pack(parts | dict(more or {}))


# --- the opening code


@dataclass(frozen=True)
class OpeningCode:
    """32 random bytes, printed like a recovery kit, that open the messages of one record and nothing else."""

    net: str
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, net: str) -> "OpeningCode":
        """A new code from the system's randomness."""
        return cls(net, secrets.token_bytes(32))

    def print(self) -> str:
        """12 groups of 5 Crockford characters."""
        return print_groups(self.secret + self._check())

    @classmethod
    def parse(cls, net: str, printed: str) -> "OpeningCode":
        """Read a typed code. Raises Refused E6 ``opening-code-mistyped``."""
        mistyped = Refused("E6", "opening-code-mistyped", "this is not an opening code of this network")
        data = read_groups(printed, mistyped)
        code = cls(net, data[:32])
        if code._check() != data[32:]:  # E6
            raise mistyped
        return code

    def _check(self) -> bytes:
        return context_hash(self.net, "record check", self.secret)[:5]

    def seal_keys(self, thread: bytes, keys: Mapping[int, bytes]) -> bytes:
        """The part ``keys``: each message's own key, by its place."""
        text = encode([[seq, keys[seq]] for seq in sorted(keys)])
        return aead_seal(self._key(thread), text, context(self.net, "record keys", thread))

    def open_keys(self, thread: bytes, sealed: bytes) -> dict[int, bytes]:
        """The messages' keys. Raises Refused E8 ``cannot-open`` for another record's code."""
        text = aead_open(self._key(thread), sealed, context(self.net, "record keys", thread))
        rows = [(*take_list(row), None, None)[:2] for row in take_list(decode(text))]
        return {take_uint(seq): take_bytes(key, 32) for seq, key in rows}

    def _key(self, thread: bytes) -> bytes:
        return derive_key(self.net, self.secret, "record key", thread)
