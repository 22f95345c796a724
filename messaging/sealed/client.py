"""A client: one device of one principal, what it knows, and what it may seal (rules K7, K10, M4, M9, T7, T8).

Pure: no input, no output, no clock. Whoever uses it fetches, stores and sends.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from messaging.sealed import keyring, thread
from messaging.sealed.correspondence import Applied, Correspondence, Item, Signed
from messaging.sealed.device import read_device
from messaging.sealed.encoding import decode, encode, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import KeyringState
from messaging.sealed.keys import KemKey, RecoveryKit, SigningKey
from messaging.sealed.message import VOID_LIMIT, Plaintext, SealedMessage, read_message, seal_message
from messaging.sealed.receipt import Opened, check_opened, make_opened
from messaging.sealed.ring import Pin, Ring
from messaging.sealed.statement import take_bytes, take_list, take_map, take_text, take_uint
from messaging.sealed.thread import After, By, Member, ThreadState, needs_refresh


@dataclass(frozen=True)
class Device:
    """A device's own keys; ``principal`` is the keyring it belongs to or asks to join."""

    principal: bytes
    statement: bytes
    signing_key: SigningKey = field(repr=False)
    kem_key: KemKey = field(repr=False)

    @property
    def id(self) -> bytes:
        """SHA-256 of its statement."""
        return sha256(self.statement)

    def export(self) -> dict[str, bytes]:
        """What an encrypted file must hold; the seeds are secret."""
        return {
            "principal": self.principal,
            "statement": self.statement,
            "sig_seed": self.signing_key.seed,
            "kem_seed": self.kem_key.seed,
        }

    @classmethod
    def load(cls, exported: Mapping[str, bytes]) -> "Device":
        """What ``export`` gave."""
        return cls(
            exported["principal"],
            exported["statement"],
            SigningKey(exported["sig_seed"]),
            KemKey(exported["kem_seed"]),
        )


@dataclass(frozen=True)
class Person:
    """Whom a device belongs to: id, name and office as the directory has them."""

    person: str
    name: str
    office: str


@dataclass(frozen=True)
class NewKeyring:
    """A genesis that has been made and not yet sent. The kit is shown once and never stored."""

    device: Device
    kit: RecoveryKit
    entry: bytes
    envelopes: bytes
    statements: tuple[bytes, ...]


@dataclass(frozen=True)
class NewEntry:
    """A keyring or thread entry that has been made and not yet sent."""

    entry: bytes
    envelopes: bytes
    statements: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class NewThread:
    """A thread that has been made and not yet sent, with its first message."""

    thread: bytes
    entry: bytes
    envelopes: bytes
    messages: tuple[SealedMessage, ...]


def make_device(net: str, principal: bytes, person: Person, *, at: int) -> Device:
    """A device that asks to join the principal's keyring; a steward adds its statement."""
    return _make_device(net, principal, None, person, at)


def _make_device(net: str, principal: bytes | None, salt: bytes | None, person: Person, at: int) -> Device:
    signing_key, kem_key = SigningKey.generate(), KemKey.generate()
    statement = keyring.make_device_statement(
        net,
        principal=principal,
        salt=salt,
        person=person.person,
        name=person.name,
        office=person.office,
        signing_key=signing_key,
        kem_public=kem_key.public,
        at=at,
    )
    return Device(principal or b"", statement, signing_key, kem_key)


def make_keyring(
    net: str,
    person: Person,
    *,
    at: int,
    roles: Sequence[str] = ("officer", "steward", "supervisor"),
    kind: str = "authority",
) -> NewKeyring:
    """The genesis of a principal with one device, and its recovery kit."""
    salt = secrets.token_bytes(16)
    device = _make_device(net, None, salt, person, at)
    kit = RecoveryKit.generate(net)
    made = keyring.make_genesis(
        net,
        kind=kind,
        salt=salt,
        devices=[(read_device(net, device.statement), roles)],
        recovery=kit.public,
        author=device.id,
        key=device.signing_key,
        at=at,
    )
    principal = keyring.read_entry(net, made.entry).principal
    device = replace(device, principal=principal)
    return NewKeyring(device, kit, made.entry, made.envelopes, (device.statement,))


@dataclass
class Mailbox:
    """One device at work: keyrings and threads it verified, secrets it opened, items it signed.

    ``pins``, ``authorities``, ``places`` and ``signed`` outlive the process by ``export_state`` and
    ``load_state``; nothing in them is secret. They are to be stored before anything sealed is sent (M4).
    """

    net: str
    server_key: bytes
    device: Device
    rings: dict[bytes, Ring] = field(default_factory=dict)
    threads: dict[bytes, Correspondence] = field(default_factory=dict)
    pins: dict[bytes, Pin] = field(default_factory=dict)
    authorities: dict[str, bytes] = field(default_factory=dict)
    places: dict[bytes, After] = field(default_factory=dict)
    signed: dict[bytes, Signed] = field(default_factory=dict)

    @property
    def principal(self) -> bytes:
        """The own principal."""
        return self.device.principal

    # keyrings; newest and at make this a Keyrings

    def newest(self, principal: bytes) -> KeyringState | None:
        """The newest verified state of a principal's keyring, or None."""
        ring = self.rings.get(principal)
        return ring.newest if ring else None

    def at(self, principal: bytes, n: int) -> KeyringState | None:
        """The state after entry n of a principal's keyring, or None."""
        ring = self.rings.get(principal)
        return ring.at(n) if ring else None

    def keyring_from(self, principal: bytes) -> int:
        """The number of the next entry to ask for."""
        newest = self.newest(principal)
        return 0 if newest is None else newest.n + 1

    def apply_keyring(
        self,
        principal: bytes,
        entries: Sequence[tuple[bytes, bytes | None]],
        statements: Sequence[bytes],
        authority: str | None = None,
    ) -> KeyringState:
        """Verify entries (with envelopes for the own keyring), oldest first; open the own secrets.

        ``authority`` is the directory's id: it and the principal keep each other from first sight on (K8).
        Raises Refused; K10 ``stale-keyring`` when the answer ends before what was seen before.
        """
        pinned = self.authority_of(principal)
        is_same = authority is None or self.authorities.get(authority, principal) == principal
        if not is_same or (authority is not None and pinned not in {None, authority}):  # K8
            raise Refused("K8", "changed-principal", "authority and fingerprint belonged to others before")
        ring = self.rings.get(principal, Ring(self.net))
        for raw, envelopes in entries:
            state = ring.accept(raw, statements, envelopes)
            if state.principal != principal:  # K1
                raise Refused("K1", "wrong-predecessor", "the keyring of another principal")
            if envelopes is not None and principal == self.principal and state.device(self.device.id):
                ring.open_blob(state.n, envelopes, self.device.id, self.device.kem_key)
        ring.check_pin(self.pins.get(principal))
        newest = ring.newest
        if newest is None:  # K1
            raise Refused("K1", "missing-entry", "no entry of this keyring is known")
        self.rings[principal] = ring
        self.pins[principal] = Pin(newest.n, newest.head)
        if authority is not None:
            self.authorities[authority] = principal
        return newest

    def authority_of(self, principal: bytes) -> str | None:
        """The directory's id of the authority that this principal has had from first sight on (K8)."""
        return next((name for name, found in self.authorities.items() if found == principal), None)

    def check_authority(self, authority: str, principal: bytes) -> None:
        """That a verified keyring belongs to the authority somebody chose. Raises Refused K8."""
        if self.authorities.get(authority) != principal:  # K8
            raise Refused("K8", "changed-principal", "this keyring is not the chosen authority's")

    def is_listed(self) -> bool:
        """Whether this device stands in the newest own entry."""
        own = self.newest(self.principal)
        return own is not None and own.device(self.device.id) is not None

    def make_addition(self, requests: Sequence[tuple[bytes, Sequence[str]]], *, at: int) -> NewEntry:
        """The entry that adds devices, given by (device statement, roles). Raises Refused."""
        own, secret = self._own()
        made = keyring.make_addition(
            self.net,
            own,
            devices=[(read_device(self.net, statement), roles) for statement, roles in requests],
            secret=secret,
            author=self.device.id,
            key=self.device.signing_key,
            at=at,
        )
        statements = tuple(statement for statement, _ in requests)
        keyring.accept_entry(self.net, own, made.entry, statements, made.envelopes)
        return NewEntry(made.entry, made.envelopes, statements)

    def _own(self) -> tuple[KeyringState, bytes]:
        """The newest own entry and its secret, which only a listed device can have."""
        ring = self.rings.get(self.principal)
        own = ring.newest if ring else None
        if ring is None or own is None or ring.broken is not None or own.n not in ring.secrets:  # K7
            raise Refused("K7", "not-verified", "this device does not hold the newest own secret")
        return own, ring.secrets[own.n]

    def _sealable(self, principal: bytes) -> KeyringState:
        state = self.newest(principal)
        if state is None:  # K8
            raise Refused("K8", "keyring-unknown", "the keyring of a member has not been verified")
        return state

    # threads

    def needs(self, item: Item) -> list[tuple[bytes, int]]:
        """The keyrings to fetch before ``apply_item``: (principal, entry number to start from)."""
        if item.type == "entry":
            entry = thread.read_entry(self.net, item.item)
            wanted = [(member.principal, member.keyring_n) for member in entry.members]
            wanted.append((entry.by.principal, entry.by.n))
        else:
            by = read_message(self.net, item.item).by
            wanted = [(by.principal, by.n)]
        missing = {principal for principal, n in wanted if self.at(principal, n) is None}
        return [(principal, self.keyring_from(principal)) for principal in sorted(missing)]

    def apply_item(self, item: Item) -> Applied:
        """Verify and open the next item of a thread; a known one is compared. Raises Refused.

        T8 ``forked-thread``: the thread is stopped, ``threads[…].fork`` keeps both versions.
        """
        if self.needs(item):  # K10
            raise Refused("K10", "keyring-unknown", "fetch the keyrings that the item needs first")
        fresh = Correspondence(self.net, item.thread, self.server_key, pin=self.places.get(item.thread))
        found = self.threads.get(item.thread, fresh)
        self.threads[item.thread] = found
        applied = found.apply(item, self, self._mailbox_key)
        if found.state is not None and found.state.seq > self.places.get(item.thread, After(0, b"")).seq:
            self.places[item.thread] = After(found.state.seq, found.state.transcript)
        message = applied.message
        if message is not None and message.device == self.device.id:
            self._confirm(item.thread, message.id, message.counter, message.statement.hash)
        return applied

    def _mailbox_key(self, member: Member) -> KemKey | None:
        if member.principal != self.principal:
            return None
        ring = self.rings.get(self.principal)
        secret = ring.secrets.get(member.keyring_n) if ring else None
        if secret is None:  # T7
            raise Refused("T7", "cannot-open", "the mailbox secret of that generation is not open")
        return keyring.mailbox_key(self.net, self.principal, member.keyring_n, secret)

    def _confirm(self, thread_id: bytes, message_id: bytes, counter: int, item: bytes) -> None:
        signed = self.signed.setdefault(thread_id, Signed())
        if signed.pending == message_id:
            signed.pending = None
            signed.void = []
        if counter > signed.counter:  # M4: a device restored without its record goes on from what it sees
            signed.counter, signed.prev = counter, item

    def open_thread(self, to: Sequence[bytes], plaintext: Plaintext | None, *, at: int) -> NewThread:
        """A new correspondence with other principals (or none), and its first message."""
        own, _ = self._own()
        made = thread.make_genesis(
            self.net,
            kind="case",
            salt=secrets.token_bytes(16),
            parties=[own, *(self._sealable(principal) for principal in to)],
            by=self._by(own),
            author=self.device.id,
            key=self.device.signing_key,
            at=at,
        )
        state = thread.accept_entry(self.net, None, made.entry, made.envelopes, self)
        if plaintext is None:
            return NewThread(state.thread, made.entry, made.envelopes, ())
        first = self._seal(state, made.secret, own, plaintext, at)
        return NewThread(state.thread, made.entry, made.envelopes, (first,))

    @staticmethod
    def _by(own: KeyringState) -> By:
        return By(own.principal, own.n, own.head)

    def _ready(self, thread_id: bytes) -> tuple[Correspondence, ThreadState, bytes]:
        """The thread, verified to its end, and the secret of its epoch (M9)."""
        found = self.threads.get(thread_id)
        if found is None:  # M9
            raise Refused("M9", "not-verified", "the thread has not been verified")
        found.check_running()  # T8
        state = found.check_end()
        if found.broken is not None or state.n not in found.epochs:  # M9 T7
            raise Refused("M9", "not-verified", "the newest epoch cannot be opened or does not hold")
        return found, state, found.epochs[state.n]

    def needs_refresh(self, thread_id: bytes) -> bool:
        """Whether the thread must be re-keyed before anything is sealed in it (T4)."""
        _, state, _ = self._ready(thread_id)
        return needs_refresh(state, self)

    def refresh(self, thread_id: bytes, *, at: int) -> NewEntry:
        """The entry that re-keys a thread to its members' newest mailboxes."""
        _, state, secret = self._ready(thread_id)
        own, _ = self._own()
        made = thread.make_refresh(
            self.net,
            state,
            keyrings={member.principal: self._sealable(member.principal) for member in state.members},
            by=self._by(own),
            secret=secret,
            author=self.device.id,
            key=self.device.signing_key,
            at=at,
        )
        return NewEntry(made.entry, made.envelopes)

    def seal(self, thread_id: bytes, plaintext: Plaintext, *, at: int) -> SealedMessage:
        """Seal at the verified end of a thread. Raises Refused M9, T4, T7, T8."""
        _, state, secret = self._ready(thread_id)
        own, _ = self._own()
        if needs_refresh(state, self):  # T4 M9
            raise Refused("T4", "stale-epoch", "the thread must be refreshed first")
        return self._seal(state, secret, own, plaintext, at)

    def _seal(
        self, state: ThreadState, secret: bytes, own: KeyringState, plaintext: Plaintext, at: int
    ) -> SealedMessage:
        signed = self.signed.setdefault(state.thread, Signed())
        if signed.pending is not None:  # M9
            raise Refused("M9", "message-pending", "a sealed message has had no definite answer yet")
        message_id = secrets.token_bytes(16)
        sealed = seal_message(
            self.net,
            state,
            plaintext,
            secret=secret,
            by=self._by(own),
            device=self.device.id,
            key=self.device.signing_key,
            counter=signed.counter + 1,
            prev=signed.prev,
            void=signed.void,
            at=at,
            message_id=message_id,
        )
        signed.counter += 1  # M4
        signed.prev = sha256(sealed.item)
        signed.pending = message_id
        return sealed

    def mark_refused(self, thread_id: bytes) -> None:
        """The server refused the pending message for good: the next one names it in ``void`` (M4)."""
        signed = self.signed[thread_id]
        if signed.pending is None:
            return
        signed.void.append(signed.pending)
        signed.pending = None
        if len(signed.void) > VOID_LIMIT:  # M4: the oldest is not counted any more, as if never signed
            del signed.void[0]
            signed.counter -= 1

    # opened

    def make_opened(self, thread_id: bytes, *, at: int) -> bytes:
        """That this device has opened the thread to its verified end."""
        _, state, _ = self._ready(thread_id)
        own, _ = self._own()
        return make_opened(
            self.net,
            by=self._by(own),
            device=self.device.id,
            key=self.device.signing_key,
            thread=thread_id,
            seq=state.seq,
            transcript=state.transcript,
            at=at,
        )

    def check_opened(self, thread_id: bytes, raw: bytes) -> Opened:
        """Verify another reader's statement. Raises Refused."""
        found, state, _ = self._ready(thread_id)
        return check_opened(self.net, raw, state, self, transcript_at=found.transcript_at, reading=True)

    # what outlives the process

    def export_state(self) -> bytes:
        """Pins and counters as E1 bytes. Nothing in them is secret."""
        return encode(
            {
                "server": [self.net, self.server_key],
                "authorities": [[name, principal] for name, principal in self.authorities.items()],
                "places": [[key, place.seq, place.hash] for key, place in self.places.items()],
                "pins": [[principal, pin.n, pin.head] for principal, pin in self.pins.items()],
                "signed": [
                    [key, signed.counter + 1, signed.prev, signed.void, signed.pending]
                    for key, signed in self.signed.items()
                ],
            }
        )

    def load_state(self, exported: bytes) -> None:
        """What ``export_state`` gave. Raises Refused E1, E2; T8 ``server-key-changed``."""
        stored = take_map(decode(exported), "authorities", "pins", "places", "server", "signed")
        if stored.items("server") != [self.net, self.server_key]:  # T8
            raise Refused("T8", "server-key-changed", "another network or server key than at first use")
        for row in stored.items("authorities"):
            name, principal = take_list(row)
            self.authorities[take_text(name, 100)] = take_bytes(principal, 32)
        for row in stored.items("places"):
            key, seq, found = take_list(row)
            self.places[take_bytes(key, 32)] = After(take_uint(seq), take_bytes(found, 32))
        for row in stored.items("pins"):
            principal, n, head = take_list(row)
            self.pins[take_bytes(principal, 32)] = Pin(take_uint(n), take_bytes(head, 32))
        for row in stored.items("signed"):
            key, count, prev, void, pending = take_list(row)
            self.signed[take_bytes(key, 32)] = Signed(
                take_uint(count) - 1,
                take_bytes(prev, 32),
                [take_bytes(value, 16) for value in take_list(void)],
                None if pending is None else take_bytes(pending, 16),
            )
