"""The entry of a keyring and what follows from it: types, and reading (rule K3, in part)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from messaging.sealed import envelopes as sealing
from messaging.sealed.encoding import Encodable, context_hash
from messaging.sealed.envelopes import History
from messaging.sealed.errors import Refused
from messaging.sealed.keys import KEM_PUBLIC_SIZE, Recovery
from messaging.sealed.statement import Statement, bad, parse, take_bytes, take_list, take_text

KINDS = ("authority", "secretariat")
ROLES = ("officer", "steward", "supervisor")
REASONS = ("genesis", "add")


@dataclass(frozen=True)
class ListedDevice:
    """A device as its principal's newest entry lists it. Columns: device, roles, person, sig, kem."""

    id: bytes
    roles: tuple[str, ...]
    person: str
    sig: bytes
    kem: bytes


@dataclass(frozen=True)
class KeyringState:
    """A principal's keyring after entry ``n``.

    Columns: of the keyring principal, kind, salt, n, head (hash of entry n), recovery sig and kem, mailbox,
    commit, floor, had_two_stewards (K6: whether two different persons were ever stewards at once); the
    listed devices. ``used`` holds every sig, kem, mailbox and commit this chain ever had; a server that
    asks its own table in ``is_used`` leaves it empty. To accept a message only the sender's device row is
    needed in ``devices``.
    """

    principal: bytes
    kind: str
    n: int
    head: bytes
    devices: tuple[ListedDevice, ...]
    recovery: Recovery
    mailbox: bytes
    commit: bytes
    floor: int
    had_two_stewards: bool
    used: frozenset[bytes] = frozenset()

    def device(self, device_id: bytes) -> ListedDevice | None:
        """The listed device of this id, or None."""
        return next((device for device in self.devices if device.id == device_id), None)


class Keyrings(Protocol):
    """Where the rules of threads look keyrings up."""

    def newest(self, principal: bytes) -> KeyringState | None:
        """The newest known state, or None for an unknown principal."""

    def at(self, principal: bytes, n: int) -> KeyringState | None:
        """The state after entry n, or None when it is not known."""


@dataclass(frozen=True)
class NewestKeyrings:
    """Keyrings for a server, which judges new items by the newest entries only."""

    states: Mapping[bytes, KeyringState]

    def newest(self, principal: bytes) -> KeyringState | None:
        """The newest state, or None for an unknown principal."""
        return self.states.get(principal)

    def at(self, principal: bytes, n: int) -> KeyringState | None:
        """The newest state when it has this n, else None."""
        state = self.states.get(principal)
        return state if state and state.n == n else None


@dataclass(frozen=True)
class KeyringEntry:
    """An entry that has been taken apart (E2); ``devices`` are (device id, roles) as listed."""

    statement: Statement
    principal: bytes
    kind: str
    n: int
    prev: bytes
    salt: bytes | None
    devices: tuple[tuple[bytes, tuple[str, ...]], ...]
    recovery: Recovery | None
    floor: int
    mailbox: bytes
    commit: bytes
    history: History | None
    sealed: bytes
    reason: str


def read_entry(net: str, raw: bytes) -> KeyringEntry:
    """Take an entry apart. Raises Refused E1, E2, K3 for what later parts of the protocol bring."""
    statement = parse(net, raw, "keyring")
    fields = statement.fields
    for name in ("sponsor", "succeeds"):
        if fields.any(name) is not None:  # K3
            raise Refused("K3", "unknown-field-value", f"{name} must be null")
    if fields.items("sponsored"):  # K3
        raise Refused("K3", "unknown-field-value", "sponsored must be empty")
    if fields.items("acts"):  # K3
        raise Refused("K3", "unknown-act", "acts must be empty")
    return KeyringEntry(
        statement=statement,
        principal=fields.data("principal"),
        kind=fields.text("kind"),
        n=fields.uint("n"),
        prev=fields.data("prev"),
        salt=fields.optional("salt", lambda name: fields.data(name, 16)),
        devices=tuple(_read_listing(row) for row in fields.items("devices")),
        recovery=fields.optional("recovery", lambda _: _read_recovery(statement)),
        floor=fields.uint("floor"),
        mailbox=fields.data("mailbox", KEM_PUBLIC_SIZE),
        commit=fields.data("commit"),
        history=sealing.read_history(fields),
        sealed=fields.data("sealed"),
        reason=fields.text("reason"),
    )


def _read_listing(row: object) -> tuple[bytes, tuple[str, ...]]:
    if not isinstance(row, list) or len(row) != 2:  # E2
        raise bad("a listed device is [id, roles]")
    return take_bytes(row[0], 32), tuple(take_text(role, 32) for role in take_list(row[1]))


def _read_recovery(statement: Statement) -> Recovery:
    pair = statement.fields.map("recovery", "sig", "kem")
    return Recovery(pair.data("sig"), pair.data("kem", KEM_PUBLIC_SIZE))


def principal_id(
    net: str, kind: str, salt: bytes, devices: Sequence[tuple[bytes, Sequence[str]]], recovery: Recovery
) -> bytes:
    """The principal's id, which is its fingerprint; no part of it depends on the id."""
    return context_hash(net, "principal", kind, salt, list(devices), recovery_map(recovery), None, None)


def recovery_map(recovery: Recovery) -> dict[str, Encodable]:
    return {"sig": recovery.sig, "kem": recovery.kem}
