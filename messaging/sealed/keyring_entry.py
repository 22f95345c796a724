"""The entry of a keyring and what follows from it: types, and reading (rule K3, in part)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from messaging.sealed import envelopes as sealing
from messaging.sealed.acts import read_acts
from messaging.sealed.encoding import Encodable, context_hash, decode, encode
from messaging.sealed.envelopes import History
from messaging.sealed.keys import KEM_PUBLIC_SIZE, Recovery
from messaging.sealed.sponsor import Sponsor
from messaging.sealed.statement import (
    Fields,
    Statement,
    bad,
    parse,
    take_bytes,
    take_list,
    take_map,
    take_text,
)

KINDS = ("authority", "practitioner", "secretariat")
ROLES = ("officer", "steward", "supervisor")
REASONS = (
    "genesis",
    "add",
    "remove",
    "role",
    "rotate",
    "recovery-key",
    "recover",
    "sponsor",
    "repair",
)
ACTS = ("approval", "sponsor-end")

Listing = tuple[bytes, tuple[str, ...]]
"""(device id, its roles in order)"""
Sponsored = tuple[bytes, bytes]
"""(practitioner, the complete statement by which this authority answers for it)"""


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
    needed in ``devices``. ``only_recovery`` (K6): a steward removed another one alone, so only the recovery
    key can approve. ``unconfirmed`` (K11): the entry by which the kit took over without a steward. A
    practitioner has a ``sponsor`` and no ``recovery``; ``sponsored`` are those an authority answers for.
    """

    principal: bytes
    kind: str
    n: int
    head: bytes
    devices: tuple[ListedDevice, ...]
    recovery: Recovery | None
    mailbox: bytes
    commit: bytes
    floor: int
    had_two_stewards: bool
    used: frozenset[bytes] = frozenset()
    only_recovery: bool = False
    unconfirmed: int | None = None
    sponsor: Sponsor | None = None
    succeeds: bytes | None = None
    sponsored: tuple[Sponsored, ...] = ()

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
class Change:
    """What an entry says of whom: the part that an approval is about (K6). All lists are absolute."""

    reason: str
    devices: tuple[Listing, ...]
    recovery: Recovery | None
    sponsored: tuple[Sponsored, ...] = ()

    def hash(self, net: str, principal: bytes, prev: bytes) -> bytes:
        """What an approval names: this change, as the entry after ``prev``."""
        return context_hash(net, "change", principal, prev, *self._values())

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in an entry."""
        reason, devices, recovery, sponsored = self._values()
        return {"reason": reason, "devices": devices, "recovery": recovery, "sponsored": sponsored}

    def encode(self) -> bytes:
        """As it is handed to who is asked to approve."""
        return encode(self._values())

    @classmethod
    def decode(cls, raw: bytes) -> "Change":
        """What ``encode`` gave. Raises Refused E1, E2."""
        values = take_list(decode(raw))
        if len(values) != 4:  # E2
            raise bad("a change is reason, devices, recovery, sponsored")
        reason, devices, recovery, sponsored = values
        return cls(
            take_text(reason, 32),
            tuple(_read_listing(row) for row in take_list(devices)),
            None if recovery is None else _read_recovery(take_map(recovery, "sig", "kem")),
            tuple(_read_sponsored(row) for row in take_list(sponsored)),
        )

    def _values(self) -> list[Encodable]:
        devices: list[Encodable] = [[device, list(roles)] for device, roles in self.devices]
        recovery = recovery_map(self.recovery) if self.recovery else None
        return [self.reason, devices, recovery, list(self.sponsored)]


@dataclass(frozen=True)
class KeyringEntry:
    """An entry that has been taken apart (E2); ``acts`` are complete statements, not yet verified."""

    statement: Statement
    principal: bytes
    kind: str
    n: int
    prev: bytes
    salt: bytes | None
    sponsor: bytes | None
    succeeds: bytes | None
    change: Change
    floor: int
    mailbox: bytes
    commit: bytes
    history: History | None
    sealed: bytes
    acts: tuple[bytes, ...]

    @property
    def reason(self) -> str:
        """Why the entry was made: one of REASONS."""
        return self.change.reason

    @property
    def devices(self) -> tuple[Listing, ...]:
        """The devices as listed."""
        return self.change.devices

    @property
    def recovery(self) -> Recovery | None:
        """The public half of the recovery kit."""
        return self.change.recovery


def read_entry(net: str, raw: bytes) -> KeyringEntry:
    """Take an entry apart. Raises Refused E1, E2; K3 ``unknown-act``."""
    statement = parse(net, raw, "keyring")
    fields = statement.fields
    change = Change(
        reason=fields.text("reason"),
        devices=tuple(_read_listing(row) for row in fields.items("devices")),
        recovery=fields.optional("recovery", lambda name: _read_recovery(fields.map(name, "sig", "kem"))),
        sponsored=tuple(_read_sponsored(row) for row in fields.items("sponsored")),
    )
    return KeyringEntry(
        statement=statement,
        principal=fields.data("principal"),
        kind=fields.text("kind"),
        n=fields.uint("n"),
        prev=fields.data("prev"),
        salt=fields.optional("salt", lambda name: fields.data(name, 16)),
        sponsor=fields.optional("sponsor", fields.raw),
        succeeds=fields.optional("succeeds", fields.data),
        change=change,
        floor=fields.uint("floor"),
        mailbox=fields.data("mailbox", KEM_PUBLIC_SIZE),
        commit=fields.data("commit"),
        history=sealing.read_history(fields),
        sealed=fields.data("sealed"),
        acts=read_acts(fields, "K3", ACTS),  # K3
    )


def _read_listing(row: object) -> Listing:
    if not isinstance(row, list) or len(row) != 2:  # E2
        raise bad("a listed device is [id, roles]")
    return take_bytes(row[0], 32), tuple(take_text(role, 32) for role in take_list(row[1]))


def _read_sponsored(row: object) -> Sponsored:
    match row:
        case [bytes(practitioner), bytes(statement)] if len(practitioner) == 32:
            return practitioner, statement
    raise bad("a sponsored practitioner is [id, statement]")  # E2


def _read_recovery(pair: Fields) -> Recovery:
    return Recovery(pair.data("sig"), pair.data("kem", KEM_PUBLIC_SIZE))


def principal_id(
    net: str,
    kind: str,
    salt: bytes,
    devices: Sequence[tuple[bytes, Sequence[str]]],
    recovery: Recovery | None,
    sponsor: bytes | None = None,
    succeeds: bytes | None = None,
) -> bytes:
    """The principal's id, which is its fingerprint; no part of it depends on the id."""
    key = recovery_map(recovery) if recovery else None
    return context_hash(net, "principal", kind, salt, list(devices), key, sponsor, succeeds)


def recovery_map(recovery: Recovery) -> dict[str, Encodable]:
    return {"sig": recovery.sig, "kem": recovery.kem}
