"""A client: one device of one principal, what it knows, and what it may seal (rules K7, K10, M4, M9, T7, T8).

Pure: no input, no output, no clock. Whoever uses it fetches, stores and sends.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from messaging.sealed import client_state, keyring, thread
from messaging.sealed.correspondence import Applied, Correspondence, Item, Signed, last_place
from messaging.sealed.counterparts import Trust, check_trusted
from messaging.sealed.device import read_device
from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.sealed.evidence import make_evidence
from messaging.sealed.follower import Follower
from messaging.sealed.gossip import with_checkpoint
from messaging.sealed.keyring import Held, KeyringState, NewEntry
from messaging.sealed.keys import KemKey, RecoveryKit
from messaging.sealed.membership import Membership, check_may_write, keyrings_of
from messaging.sealed.message import (
    VOID_LIMIT,
    LogPlace,
    Plaintext,
    SealedMessage,
    read_message,
    seal_message,
)
from messaging.sealed.own_cases import check_own_step
from messaging.sealed.own_device import Device, Person, make_device, state_device
from messaging.sealed.practice import Practice, answering
from messaging.sealed.receipt import Opened, check_opened, make_opened
from messaging.sealed.ring import Pin, Ring, is_of_one_line
from messaging.sealed.stewardship import Stewardship
from messaging.sealed.thread import After, By, Member, ThreadState, needs_refresh

__all__ = [
    "Device",
    "Mailbox",
    "NewEntry",
    "NewKeyring",
    "NewThread",
    "Person",
    "make_device",
    "make_keyring",
]


@dataclass(frozen=True)
class NewKeyring:
    """A genesis that has been made and not yet sent. The kit is shown once and never stored."""

    device: Device
    kit: RecoveryKit
    entry: bytes
    envelopes: bytes
    statements: tuple[bytes, ...]


@dataclass(frozen=True)
class NewThread:
    """A thread that has been made and not yet sent, with its first message."""

    thread: bytes
    entry: bytes
    envelopes: bytes
    messages: tuple[SealedMessage, ...]


def make_keyring(
    net: str,
    person: Person,
    *,
    at: int,
    roles: Sequence[str] = ("officer", "steward", "supervisor"),
    kind: str = "authority",
    succeeds: bytes | None = None,
) -> NewKeyring:
    """The genesis of a principal with one device, and its recovery kit; it may succeed another (K12)."""
    salt = secrets.token_bytes(16)
    device = state_device(net, None, salt, person, at)
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
        succeeds=succeeds,
    )
    principal = keyring.read_entry(net, made.entry).principal
    device = replace(device, principal=principal)
    return NewKeyring(device, kit, made.entry, made.envelopes, (device.statement,))


@dataclass
class Mailbox:
    """One device at work: keyrings and threads it verified, secrets it opened, items it signed.

    ``pins``, ``authorities``, ``places``, ``signed`` and ``stopped`` (T8: evidence by thread) outlive the
    process by ``export_state`` and ``load_state``; nothing in them is secret. They are to be stored before
    anything sealed is sent (M4). Without ``trust``, whoever uses it answers for whom is sealed to (K8).
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
    log: Follower | None = None
    trust: Trust | None = None
    stopped: dict[bytes, bytes] = field(default_factory=dict)
    set_aside: set[bytes] = field(default_factory=set)  # threads with something that this process refused

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

        ``authority`` is the directory's id: it and the principal keep each other from first sight on (K8);
        of a practitioner it says where he or she works, and binds nobody. Raises Refused; K10
        ``stale-keyring`` when the answer ends before what was seen before.
        """
        ring = self.rings.get(principal, Ring(self.net))
        for raw, envelopes in entries:
            state = ring.accept(raw, statements, envelopes, self)
            if state.principal != principal:  # K1
                raise Refused("K1", "wrong-predecessor", "the keyring of another principal")
        if principal == self.principal:
            ring.open(self.device.id, self.device.kem_key)
        ring.check_pin(self.pins.get(principal))
        newest = ring.newest
        if newest is None:  # K1
            raise Refused("K1", "missing-entry", "no entry of this keyring is known")
        authority = None if newest.kind == "practitioner" else authority
        before = self.rings.get(principal)
        self.rings[principal] = ring  # what it follows is looked up in it
        try:
            self._check_name(authority, principal)
        except Refused:
            if before is None:
                del self.rings[principal]
            raise
        self.pins[principal] = Pin(newest.n, newest.head)
        if authority is not None:
            self.authorities.setdefault(authority, principal)
        return newest

    def _check_name(self, authority: str | None, principal: bytes) -> None:
        if authority is None:
            return
        bound = self.authorities.get(authority, principal)
        is_same = bound == principal or is_of_one_line(self.rings, bound, principal)  # K12
        named = next((name for name, found in self.authorities.items() if found == principal), authority)
        if not is_same or named != authority:  # K8
            raise Refused("K8", "changed-principal", "authority and fingerprint belonged to others before")

    def authority_of(self, principal: bytes) -> str | None:
        """The directory's id of the authority that this principal has had from first sight on (K8).

        Otherwise that of the keyring which it follows, or which follows it: whose it says to be, and no more.
        What is sealed asks who confirmed or accepted it (K12).
        """
        named = {found: name for name, found in self.authorities.items()}
        if principal in named:
            return named[principal]
        return next(
            (name for found, name in named.items() if is_of_one_line(self.rings, found, principal)), None
        )

    def check_authority(self, authority: str, principal: bytes) -> None:
        """That a verified keyring belongs to the authority somebody chose. Raises Refused K8."""
        if self.authority_of(principal) != authority:  # K8
            raise Refused("K8", "changed-principal", "this keyring is not the chosen authority's")

    def is_listed(self) -> bool:
        """Whether this device stands in the newest own entry."""
        own = self.newest(self.principal)
        return own is not None and own.device(self.device.id) is not None

    def make_addition(self, requests: Sequence[tuple[bytes, Sequence[str]]], *, at: int) -> NewEntry:
        """The entry that adds devices, given by (device statement, roles). Raises Refused."""
        change = self.stewardship.addition([(sha256(statement), roles) for statement, roles in requests])
        return self.stewardship.make(change, at=at, statements=[statement for statement, _ in requests])

    @property
    def stewardship(self) -> Stewardship:
        """What this device can do with the own keyring."""
        return Stewardship(self)

    def held(self, *, repairing: bool = False) -> Held | None:
        """The newest own generation; when ``repairing`` (K7), the newest that holds. Raises Refused."""
        if repairing:
            ring = self.rings.get(self.principal)
            return ring.held() if ring else None
        own, secret = self._own()
        return Held(own.n, secret)

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
        check_trusted(self, state)  # K8 K11
        return state

    # threads

    def needs(self, item: Item) -> list[tuple[bytes, int]]:
        """The keyrings to fetch before ``apply_item``: (principal, entry number to start from)."""
        wanted = keyrings_of(self.net, item)
        missing = {principal for principal, n in wanted if self.at(principal, n) is None}
        return [(principal, self.keyring_from(principal)) for principal in sorted(missing)]

    def apply_item(self, item: Item) -> Applied:
        """Verify and open the next item of a thread; a known one is compared. Raises Refused.

        T8 ``forked-thread``: the thread is stopped, ``threads[…].fork`` keeps both versions.
        """
        if self.needs(item):  # K10
            raise Refused("K10", "keyring-unknown", "fetch the keyrings that the item needs first")
        self._check_ahead(item)
        fresh = Correspondence(self.net, item.thread, self.server_key, pin=self.places.get(item.thread))
        found = self.threads.get(item.thread, fresh)
        self.threads[item.thread] = found
        self.check_not_stopped(item.thread)
        try:
            applied = found.apply(item, self, self._mailbox_key)
        finally:
            if evidence := make_evidence(found):  # T8
                self.stopped.setdefault(item.thread, evidence)
        if found.state is not None and found.state.seq > self.places.get(item.thread, After(0, b"")).seq:
            self.places[item.thread] = After(found.state.seq, found.state.transcript)
        message = applied.message
        if self.log is not None:
            found.check_log(self.log, applied, item)
        if message is not None and message.device == self.device.id:
            self._confirm(item.thread, message.id, message.counter, message.statement.hash)
        return applied

    def check_not_stopped(self, thread_id: bytes) -> None:
        """Raises Refused T8 ``thread-stopped`` once there was evidence against a thread, on any visit."""
        if thread_id in self.stopped:  # T8
            raise Refused("T8", "thread-stopped", "this thread has two versions; both are kept")

    def is_behind(self, item: Item) -> bool:
        """Whether the sender of this item has seen more of the log: follow it before ``apply_item`` (L6)."""
        if self.log is None or item.type != "message":
            return False
        return self.log.is_behind(read_message(self.net, item.item).log)

    def _check_ahead(self, item: Item) -> None:
        if self.is_behind(item):  # L6
            raise Refused("L6", "log-withheld", "the sender of this message has seen more of the log")

    def _logged(
        self, states: Sequence[KeyringState], at: int, plaintext: Plaintext | None = None
    ) -> LogPlace | None:
        """M9 by the log, where it is followed: what the message says of it. Raises Refused L1 to L5."""
        is_urgent = plaintext is not None and plaintext.body.urgency > 0
        named = [*states, *answering(self, states)]  # K9
        return None if self.log is None else self.log.check_sealing(named, at, urgent=is_urgent)

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

    def open_thread(
        self, to: Sequence[bytes], plaintext: Plaintext | None, *, at: int, kind: str = "case"
    ) -> NewThread:
        """A new correspondence with other principals (or none), and its first message."""
        own, _ = self._own()
        parties = [own, *(self._sealable(principal) for principal in to)]
        log = self._logged(parties, at, plaintext)  # M9
        made = thread.make_genesis(
            self.net,
            kind=kind,
            salt=secrets.token_bytes(16),
            parties=parties,
            by=self._by(own),
            author=self.device.id,
            key=self.device.signing_key,
            at=at,
        )
        state = thread.accept_entry(self.net, None, made.entry, made.envelopes, self)
        if plaintext is None:
            return NewThread(state.thread, made.entry, made.envelopes, ())
        first = self._seal(state, made.secret, own, plaintext, at, log)
        return NewThread(state.thread, made.entry, made.envelopes, (first,))

    @staticmethod
    def _by(own: KeyringState) -> By:
        return By(own.principal, own.n, own.head)

    def _ready(self, thread_id: bytes) -> tuple[Correspondence, ThreadState, bytes]:
        """The thread, verified to its end, and the secret of its epoch (M9)."""
        found, state = self.verified(thread_id)
        if found.broken is not None or state.n not in found.epochs:  # M9 T7
            raise Refused("M9", "not-verified", "the newest epoch cannot be opened or does not hold")
        return found, state, found.epochs[state.n]

    def needs_refresh(self, thread_id: bytes, *, at: int | None = None) -> bool:
        """Whether an entry must come before the next message (T4), by time too when it is given (T5)."""
        _, state, _ = self._ready(thread_id)
        return needs_refresh(self.net, state, self, at)

    @property
    def practice(self) -> Practice:
        """What this device can do about practitioners for whom its authority answers."""
        return Practice(self)

    @property
    def membership(self) -> Membership:
        """Who is in threads: what this device can propose, consent to and change."""
        return Membership(self)

    def by(self) -> By:
        """The own entry under which this device signs. Raises Refused K7."""
        return self._by(self._own()[0])

    def refresh(self, thread_id: bytes, *, at: int) -> NewEntry:
        """The entry that re-keys a thread; it drops whose mandate has ended (T4, T5)."""
        return self.membership.refresh(thread_id, at=at)

    def check_members(self, members: Sequence[bytes], at: int) -> dict[bytes, KeyringState]:
        """Their newest keyrings, if anything may be sealed to them now (K8, K11, M9). Raises Refused."""
        states = {principal: self._sealable(principal) for principal in members}
        self._logged(list(states.values()), at)  # M9
        return states

    def verified(self, thread_id: bytes) -> tuple[Correspondence, ThreadState]:
        """A running thread, verified to its end (T8, M9); its newest epoch need not be open."""
        found = self.threads.get(thread_id)
        if found is None:  # M9
            raise Refused("M9", "not-verified", "the thread has not been verified")
        self.check_not_stopped(thread_id)  # T8
        if thread_id in self.set_aside:  # T8
            raise Refused("T8", "thread-stopped", "what the server tells of this thread was refused")
        return found, found.check_end()

    def seal(self, thread_id: bytes, plaintext: Plaintext, *, at: int) -> SealedMessage:
        """Seal at the verified end of a thread. Raises Refused M9 to M12, T4, T7, T8."""
        _, state, secret = self._ready(thread_id)
        own, _ = self._own()
        for member in state.members:
            self._sealable(member.principal)  # K11
        check_may_write(state, self.principal)  # M1
        if needs_refresh(self.net, state, self, at):  # T4 T5 M9
            raise Refused("T4", "stale-epoch", "the thread must be refreshed first")
        log = self._logged(self._members(state), at, plaintext)  # M9
        return self._seal(state, secret, own, plaintext, at, log)

    def _members(self, state: ThreadState) -> list[KeyringState]:
        return [self._sealable(member.principal) for member in state.members]

    def _seal(
        self,
        state: ThreadState,
        secret: bytes,
        own: KeyringState,
        plaintext: Plaintext,
        at: int,
        log: LogPlace | None,
    ) -> SealedMessage:
        signed = self.signed.setdefault(state.thread, Signed())
        if signed.pending is not None:  # M9
            raise Refused("M9", "message-pending", "a sealed message has had no definite answer yet")
        check_own_step(state, plaintext.body, self, at)  # M10 M11
        message_id = secrets.token_bytes(16)
        sent = last_place(self.threads.get(state.thread), self.device.id)
        sealed = seal_message(
            self.net,
            state,
            with_checkpoint(plaintext, self.log, sent, at),
            secret=secret,
            by=self._by(own),
            device=self.device.id,
            key=self.device.signing_key,
            counter=signed.counter + 1,
            prev=signed.prev,
            void=signed.void,
            at=at,
            message_id=message_id,
            log=log,
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
        """Pins and counters as E1 bytes. Nothing in them is secret. The log's state is kept apart (L7)."""
        return client_state.export_state(self)

    def load_state(self, exported: bytes) -> None:
        """What ``export_state`` gave. Raises Refused E1, E2; T8 ``server-key-changed``."""
        client_state.load_state(self, exported)
