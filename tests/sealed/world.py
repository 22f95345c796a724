"""Two authorities, a third, a secretariat, and one correspondence, made from fixed seeds.

Central authority A: first one device of Dara (officer, steward, supervisor), then a second device of Elin
(officer). B: one device of Femi. C: one device of Gita, in no thread. The thread: genesis by Dara, her note,
Femi's acknowledgement, a refresh by Elin after A's keyring grew, Elin's note.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from messaging.sealed import keyring, message, receipt, thread
from messaging.sealed.client import Device
from messaging.sealed.correspondence import Item
from messaging.sealed.encoding import context_hash, decode, encode, sha256
from messaging.sealed.keyring import KeyringState, NewestKeyrings
from messaging.sealed.keys import KemKey, RecoveryKit, SigningKey
from messaging.sealed.message import Acknowledgement, Note, Plaintext, SealedMessage
from messaging.sealed.thread import By, ThreadState

NET = "network.example/s1"
START = 1_790_000_000


def seed(label: str) -> bytes:
    """A fixed 32-byte seed."""
    return hashlib.sha256(b"test seed " + label.encode()).digest()


@dataclass(frozen=True)
class Link:
    """A keyring entry with what travels beside it, its secret, the state after it, and the kit it brings."""

    entry: bytes
    envelopes: bytes
    statements: tuple[bytes, ...]
    secret: bytes
    state: KeyringState
    kit: RecoveryKit | None = None


@dataclass
class Party:
    """A principal, its devices by label, its recovery kit and its keyring."""

    label: str
    kind: str = "authority"
    devices: dict[str, Device] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)

    @property
    def kit(self) -> RecoveryKit:
        return RecoveryKit(NET, seed(f"{self.label} kit"))

    @property
    def salt(self) -> bytes:
        return seed(f"{self.label} salt")[:16]

    @property
    def principal(self) -> bytes:
        return self.links[0].state.principal

    @property
    def newest(self) -> KeyringState:
        return self.links[-1].state

    def by(self, n: int = -1) -> By:
        state = self.links[n].state
        return By(state.principal, state.n, state.head)


def make_device(
    label: str, *, principal: bytes | None = None, salt: bytes | None = None, person: str | None = None
) -> Device:
    """A device whose keys and person come from its label."""
    signing_key, kem_key = SigningKey(seed(f"{label} sig")), KemKey(seed(f"{label} kem"))
    statement = keyring.make_device_statement(
        NET,
        principal=principal,
        salt=salt,
        person=person or f"person-{label}",
        name=label.title(),
        office="Central Authority",
        signing_key=signing_key,
        kem_public=kem_key.public,
        at=START,
    )
    return Device(principal or b"", statement, signing_key, kem_key)


def found(label: str, *people: str, kind: str = "authority") -> Party:
    """A principal with one device for each person, the first with all roles, the others stewards."""
    party = Party(label, kind)
    party.devices = {person: make_device(person, salt=party.salt) for person in people}
    first = party.devices[people[0]]
    roles = {people[0]: ["officer", "steward", "supervisor"]}
    listed = [
        (keyring.read_device(NET, device.statement), roles.get(person, ["steward"]))
        for person, device in party.devices.items()
    ]
    made = keyring.make_genesis(
        NET,
        kind=kind,
        salt=party.salt,
        devices=listed,
        recovery=party.kit.public,
        author=first.id,
        key=first.signing_key,
        at=START + 1,
        randomness=seed(f"{label} genesis"),
    )
    statements = tuple(device.statement for device in party.devices.values())
    state = keyring.accept_entry(NET, None, made.entry, statements, made.envelopes)
    party.links.append(Link(made.entry, made.envelopes, statements, made.secret, state))
    return party


def make_addition(party: Party, person: str, *roles: str) -> tuple[Device, keyring.MadeEntry]:
    """The entry by which the first device adds one of another person; not yet accepted."""
    device = make_device(person, principal=party.principal)
    author = next(iter(party.devices.values()))
    made = keyring.make_addition(
        NET,
        party.newest,
        devices=[(keyring.read_device(NET, device.statement), roles)],
        secret=party.links[-1].secret,
        author=author.id,
        key=author.signing_key,
        at=START + 100,
        randomness=seed(f"{party.label} {person} addition"),
    )
    return device, made


def add(party: Party, person: str, *roles: str) -> None:
    """Add a device and grow the keyring."""
    device, made = make_addition(party, person, *roles)
    state = keyring.accept_entry(NET, party.newest, made.entry, [device.statement], made.envelopes)
    party.devices[person] = device
    party.links.append(Link(made.entry, made.envelopes, (device.statement,), made.secret, state))


def newest_keyrings(*states: KeyringState) -> NewestKeyrings:
    return NewestKeyrings({state.principal: state for state in states})


@dataclass
class ThreadServer:
    """A thread as an honest server keeps it: items, receipts, states after each, secrets of epochs."""

    server_key: SigningKey
    items: list[Item] = field(default_factory=list)
    states: list[ThreadState] = field(default_factory=list)
    ids: set[bytes] = field(default_factory=set)
    secrets: list[bytes] = field(default_factory=list)
    plaintexts: dict[int, Plaintext] = field(default_factory=dict)

    @property
    def state(self) -> ThreadState:
        return self.states[-1]

    def transcript_at(self, seq: int) -> bytes | None:
        return self.states[seq - 1].transcript if 1 <= seq <= len(self.states) else None

    def receive_entry(self, made: keyring.MadeEntry, keyrings: NewestKeyrings) -> None:
        state = self.states[-1] if self.states else None
        now = self._now()
        self.states.append(thread.accept_entry(NET, state, made.entry, made.envelopes, keyrings, now=now))
        self.secrets.append(made.secret)
        self._keep("entry", made.entry, envelopes=made.envelopes)

    def receive_message(
        self, sealed: SealedMessage, keyrings: NewestKeyrings, plaintext: Plaintext | None = None
    ) -> None:
        state, accepted = message.accept_message(
            NET,
            self.state,
            keyrings,
            sealed.item,
            sealed.ciphertext,
            is_known=self.ids.__contains__,
            transcript_at=self.transcript_at,
            now=self._now(),
        )
        self.states.append(state)
        self.ids.add(accepted.id)
        if plaintext is not None:
            self.plaintexts[state.seq] = plaintext
        self._keep("message", sealed.item, ciphertext=sealed.ciphertext)

    def receive_withdrawal(self, raw: bytes, keyrings: NewestKeyrings) -> None:
        at = self.transcript_at
        state, _ = thread.accept_withdrawal(NET, self.state, raw, keyrings, transcript_at=at)
        self.states.append(state)
        self._keep("withdrawal", raw)

    def _now(self) -> int:
        return START + 1001 + len(self.states)

    def _keep(
        self, kind: str, item: bytes, *, ciphertext: bytes | None = None, envelopes: bytes | None = None
    ) -> None:
        signed = self.receipt(self.state.seq, item, self.state.transcript)
        self.items.append(Item(self.state.thread, self.state.seq, kind, item, signed, ciphertext, envelopes))

    def receipt(self, seq: int, item: bytes, transcript: bytes, **changes: bytes) -> bytes:
        place = {"thread": self.state.thread, "item": sha256(item), "transcript": transcript} | changes
        return receipt.make_receipt(NET, self.server_key, seq=seq, at=START + 1000 + seq, **place)


def seal(
    state: ThreadState,
    secret: bytes,
    by: By,
    device: Device,
    plaintext: Plaintext,
    *,
    counter: int = 0,
    prev: bytes = bytes(32),
    void: tuple[bytes, ...] = (),
    label: str = "",
) -> SealedMessage:
    """A message with an id and blind from the label."""
    return message.seal_message(
        NET,
        state,
        plaintext,
        secret=secret,
        by=by,
        device=device.id,
        key=device.signing_key,
        counter=counter,
        prev=prev,
        void=void,
        at=START + 200,
        message_id=seed(f"{label} id")[:16],
        blind=seed(f"{label} blind"),
    )


class World:
    """Everything above, in order."""

    def __init__(self) -> None:
        self.server_key = SigningKey(seed("server"))
        self.a = found("A", "dara")
        self.b = found("B", "femi")
        self.c = found("C", "gita")
        self.secretariat = found("secretariat", "hugo", "ivan", kind="secretariat")
        self.server = ThreadServer(self.server_key)
        self._open_thread()
        add(self.a, "elin", "officer")
        self._refresh()

    @property
    def dara(self) -> Device:
        return self.a.devices["dara"]

    @property
    def elin(self) -> Device:
        return self.a.devices["elin"]

    @property
    def gita(self) -> Device:
        return self.c.devices["gita"]

    @property
    def femi(self) -> Device:
        return self.b.devices["femi"]

    def keyrings(self, a: int = 1) -> NewestKeyrings:
        """The newest keyrings while A's was at entry ``a``."""
        others = (self.b.newest, self.c.newest, self.secretariat.newest)
        return newest_keyrings(self.a.links[a].state, *others)

    def make_genesis(self, *parties: Party, label: str = "T", n: int = 0) -> keyring.MadeEntry:
        return thread.make_genesis(
            NET,
            kind="case",
            salt=seed(f"{label} salt")[:16],
            parties=[party.links[n if party is self.a else 0].state for party in parties],
            by=self.a.by(n),
            author=self.dara.id,
            key=self.dara.signing_key,
            at=START + 10,
            randomness=seed(f"{label} genesis"),
        )

    def make_refresh(self, state: ThreadState, secret: bytes, a: int = 1) -> keyring.MadeEntry:
        return thread.make_refresh(
            NET,
            state,
            keyrings=self.keyrings(a).states,
            by=self.a.by(a),
            secret=secret,
            author=self.elin.id if a else self.dara.id,
            key=self.elin.signing_key if a else self.dara.signing_key,
            at=START + 110,
            randomness=seed("T refresh"),
        )

    def _open_thread(self) -> None:
        keyrings = newest_keyrings(self.a.newest, self.b.newest)
        server = self.server
        server.receive_entry(self.make_genesis(self.a, self.b), keyrings)
        body = Note("Vi ber om bevis. 我们请求。 نطلب", 2, START + 86_400, "Häktning till i morgon")
        note = Plaintext(body, "sv", subject="Begäran 17", own_reference="A-17/2026")
        sealed = seal(server.state, server.secrets[0], self.a.by(), self.dara, note, label="first")
        server.receive_message(sealed, keyrings, note)
        answer = Plaintext(Acknowledgement(seed("first id")[:16], 2), "en", foreign_reference="A-17/2026")
        sealed = seal(server.state, server.secrets[0], self.b.by(), self.femi, answer, label="answer")
        server.receive_message(sealed, keyrings, answer)

    def _refresh(self) -> None:
        server, keyrings = self.server, self.keyrings()
        server.receive_entry(self.make_refresh(server.state, server.secrets[0]), keyrings)
        note = Plaintext(Note("x" * 1000), "en")
        sealed = seal(server.state, server.secrets[1], self.a.by(), self.elin, note, label="second")
        server.receive_message(sealed, keyrings, note)


@cache
def world() -> World:
    """The world, made once; tests do not change it."""
    return World()


# --- breaking things


def payload_of(raw: bytes) -> dict[str, Any]:
    """The payload of a statement as a map."""
    parts = decode(raw)
    assert isinstance(parts, list)
    assert isinstance(parts[2], bytes)
    payload = decode(parts[2])
    assert isinstance(payload, dict)
    return dict(payload)


def sign_payload(
    payload: Mapping[str, Any],
    key: SigningKey,
    kid: bytes,
    *,
    aad_type: str | None = None,
    aad_net: str | None = None,
) -> bytes:
    """Sign any payload, also one that no honest program would make."""
    protected = bytes.fromhex("a2013204") + encode(kid)
    body = encode(payload)
    net = payload.get("net", NET) if aad_net is None else aad_net
    context = encode(["S1", payload.get("t") if aad_type is None else aad_type, net])
    return encode([protected, {}, body, key.sign(encode(["Signature1", protected, context, body]))])


def forge(raw: bytes, device: Device, /, **changes: Any) -> bytes:
    """The same statement with other fields, signed again by the device."""
    parts = decode(raw)
    assert isinstance(parts, list)
    assert isinstance(parts[0], bytes)
    kid = decode(parts[0][4:])
    assert isinstance(kid, bytes)
    return sign_payload(payload_of(raw) | changes, device.signing_key, device.id if kid else b"")


def signed_by(device: Device | RecoveryKit, raw: bytes, /, **changes: Any) -> bytes:
    """The same statement with other fields, signed by another device or a recovery key under its own id."""
    return sign_payload(payload_of(raw) | changes, device.signing_key, device.id)


def with_envelopes(raw: bytes, device: Device, blob: bytes, **changes: Any) -> bytes:
    """The same entry, signed again for other envelopes."""
    return forge(raw, device, sealed=context_hash(NET, "envelopes", decode(blob)), **changes)


def tampered(raw: bytes, position: int = -1) -> bytes:
    """The same bytes with one bit turned."""
    data = bytearray(raw)
    data[position] ^= 1
    return bytes(data)
