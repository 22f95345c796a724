"""The keyring: the signed chain of a principal's devices (rules K1 to K7).

The types stand in keyring_entry, the validator in keyring_rules; here are secrets and the making of entries.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from messaging.sealed import envelopes as sealing
from messaging.sealed.acts import sort_acts
from messaging.sealed.device import DeviceStatement, make_device_statement, read_device
from messaging.sealed.encoding import ZERO, Encodable, context, context_hash, derive_key
from messaging.sealed.envelopes import Envelope, History
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_changes import RAISES_FLOOR
from messaging.sealed.keyring_entry import (
    Change,
    KeyringEntry,
    Keyrings,
    KeyringState,
    ListedDevice,
    Listing,
    NewestKeyrings,
    principal_id,
    read_entry,
)
from messaging.sealed.keyring_rules import accept_entry, check_envelopes
from messaging.sealed.keys import KemKey, Recovery, SigningKey
from messaging.sealed.statement import sign

__all__ = [
    "Author",
    "Change",
    "DeviceStatement",
    "Held",
    "KeyringEntry",
    "KeyringState",
    "Keyrings",
    "ListedDevice",
    "MadeEntry",
    "NewEntry",
    "NewestKeyrings",
    "accept_entry",
    "addition",
    "check_envelopes",
    "mailbox_key",
    "make_addition",
    "make_device_statement",
    "make_entry",
    "make_genesis",
    "next_secret",
    "open_generation",
    "open_history",
    "principal_id",
    "read_device",
    "read_entry",
    "recovery_by_kit",
    "recovery_change",
    "removal",
    "role_change",
    "rotation",
    "sponsoring",
]


def mailbox_key(net: str, principal: bytes, n: int, secret: bytes) -> KemKey:
    """The key pair to which others seal, made from the generation's secret."""
    return KemKey(derive_key(net, secret, "mailbox seed", principal, n))


def next_secret(
    net: str, principal: bytes, n: int, previous: bytes | None, randomness: bytes | None = None
) -> bytes:
    """A new generation's secret: 32 random bytes, hedged with the secret before."""
    salt = ZERO if previous is None else derive_key(net, previous, "keyring chain", principal, n)
    fresh = secrets.token_bytes(32) if randomness is None else randomness
    return derive_key(net, fresh, "keyring secret", principal, n, salt=salt)


def _commit(net: str, principal: bytes, n: int, secret: bytes) -> bytes:
    return context_hash(net, "mailbox commit", principal, n, secret)


def _info(
    net: str, principal: bytes, n: int, prev: bytes, commit: bytes, recipient: bytes, author: bytes
) -> bytes:
    return context(net, "keyring envelope", principal, n, prev, commit, recipient, author)


def open_generation(
    net: str, entry: KeyringEntry, envelopes: Sequence[Envelope], recipient: bytes, key: KemKey
) -> bytes:
    """The generation's secret from the own envelope, checked against commit and mailbox (K7).

    Raises Refused E5 ``cannot-open``; K7 ``wrong-commit``, ``wrong-mailbox``; K4 without an envelope.
    """
    author = entry.statement.kid
    info = _info(net, entry.principal, entry.n, entry.prev, entry.commit, recipient, author)
    secret = key.open(sealing.find("K4", envelopes, recipient), info)
    _check_secret(net, entry, secret, "wrong-commit")
    if mailbox_key(net, entry.principal, entry.n, secret).public != entry.mailbox:  # K7
        raise Refused("K7", "wrong-mailbox", "the mailbox key does not follow from the secret")
    return secret


def _check_secret(net: str, entry: KeyringEntry, secret: bytes, code: str) -> None:
    if len(secret) != 32 or _commit(net, entry.principal, entry.n, secret) != entry.commit:  # K7
        raise Refused("K7", code, "the secret is not the one the entry commits to")


def open_history(net: str, entry: KeyringEntry, secret: bytes, earlier: KeyringEntry) -> bytes:
    """The earlier generation's secret, by the history of this entry. Raises Refused K7 ``wrong-history``."""
    if entry.history is None or entry.history.of != earlier.n:  # K7
        raise Refused("K7", "wrong-history", "no history to this generation")
    try:
        opened = sealing.unwrap(net, "keyring history", entry.principal, entry.n, secret, entry.history)
    except Refused:  # K7
        raise Refused("K7", "wrong-history", "the history cannot be opened") from None
    _check_secret(net, earlier, opened, "wrong-history")
    return opened


@dataclass(frozen=True)
class MadeEntry:
    """A new entry, its envelopes as one blob, and the secret of its generation or epoch."""

    entry: bytes
    envelopes: bytes
    secret: bytes


@dataclass(frozen=True)
class Author:
    """Who signs an entry, and when (unix seconds): a device, or the recovery key under its own id."""

    id: bytes
    key: SigningKey
    at: int


@dataclass(frozen=True)
class NewEntry:
    """A keyring or thread entry that has been made and not yet sent."""

    entry: bytes
    envelopes: bytes
    statements: tuple[bytes, ...] = ()


def make_genesis(
    net: str,
    *,
    kind: str,
    salt: bytes,
    devices: Sequence[tuple[DeviceStatement, Sequence[str]]],
    recovery: Recovery | None,
    author: bytes,
    key: SigningKey,
    at: int,
    randomness: bytes | None = None,
    sponsor: bytes | None = None,
    succeeds: bytes | None = None,
) -> MadeEntry:
    """The first entry, signed by the steward device ``author`` among ``devices``.

    A practitioner has a ``sponsor`` (its complete statement) and no recovery key.
    """
    listed = tuple(sorted((device.id, tuple(sorted(roles))) for device, roles in devices))
    principal = principal_id(net, kind, salt, listed, recovery, sponsor, succeeds)
    draft = _Draft(
        principal=principal,
        kind=kind,
        n=0,
        prev=ZERO,
        change=Change("genesis", listed, recovery),
        recipients=_recipients(net, {device.id: device.kem for device, _ in devices}, recovery),
        secret=next_secret(net, principal, 0, None, randomness),
        history=None,
        floor=0,
        salt=salt,
        sponsor=sponsor,
        succeeds=succeeds,
    )
    return _make(net, draft, Author(author, key, at))


def make_addition(
    net: str,
    state: KeyringState,
    *,
    devices: Sequence[tuple[DeviceStatement, Sequence[str]]],
    secret: bytes,
    author: bytes,
    key: SigningKey,
    at: int,
    randomness: bytes | None = None,
) -> MadeEntry:
    """The entry that adds devices; ``secret`` is the newest generation's."""
    rows = [(device.id, list(roles)) for device, roles in devices]
    held = Held(state.n, secret)
    added = [device for device, _ in devices]
    return make_entry(
        net, state, addition(state, rows), Author(author, key, at), held, added, randomness=randomness
    )


@dataclass(frozen=True)
class Held:
    """The newest generation whose secret an author holds, to which ``history`` leads."""

    n: int
    secret: bytes = field(repr=False)


def addition(state: KeyringState, devices: Sequence[tuple[bytes, Sequence[str]]]) -> Change:
    """The change that lists further devices, given by (id, roles)."""
    rows = [*_rows(state), *((device, tuple(sorted(roles))) for device, roles in devices)]
    return Change("add", tuple(sorted(rows)), state.recovery, state.sponsored)


def removal(state: KeyringState, devices: Collection[bytes]) -> Change:
    """The change that lists these devices no more."""
    rows = tuple(row for row in _rows(state) if row[0] not in devices)
    return Change("remove", rows, state.recovery, state.sponsored)


def role_change(state: KeyringState, roles: Mapping[bytes, Sequence[str]]) -> Change:
    """The change that gives devices other roles."""
    rows = tuple((device, tuple(sorted(roles.get(device, before)))) for device, before in _rows(state))
    return Change("role", rows, state.recovery, state.sponsored)


def rotation(state: KeyringState, reason: str = "rotate") -> Change:
    """The change of nothing but the secrets: ``rotate``, or ``repair`` after an alarm (K7)."""
    return Change(reason, _rows(state), state.recovery, state.sponsored)


def recovery_change(state: KeyringState, recovery: Recovery) -> Change:
    """The change that replaces the recovery key."""
    return Change("recovery-key", _rows(state), recovery, state.sponsored)


def recovery_by_kit(
    state: KeyringState, devices: Sequence[tuple[bytes, Sequence[str]]], recovery: Recovery
) -> Change:
    """The change by which the recovery kit drops every device, lists new ones, and is itself replaced."""
    rows = sorted((device, tuple(sorted(roles))) for device, roles in devices)
    return Change("recover", tuple(rows), recovery, state.sponsored)


def sponsoring(state: KeyringState, sponsored: Mapping[bytes, bytes]) -> Change:
    """The change of for whom the authority answers: practitioner → the complete statement."""
    return Change("sponsor", _rows(state), state.recovery, tuple(sorted(sponsored.items())))


def _rows(state: KeyringState) -> tuple[Listing, ...]:
    return tuple((device.id, device.roles) for device in state.devices)


def make_entry(
    net: str,
    state: KeyringState,
    change: Change,
    author: Author,
    held: Held | None,
    added: Sequence[DeviceStatement] = (),
    acts: Collection[bytes] = (),
    *,
    randomness: bytes | None = None,
) -> MadeEntry:
    """The next entry, by which ``change`` comes true; ``acts`` are the approvals it rests on.

    ``held`` is the newest generation the author can open (None: no history); ``added`` are the statements
    of the devices that the change lists anew.
    """
    n, principal = state.n + 1, state.principal
    before = held.secret if held and held.n == state.n else None
    secret = next_secret(net, principal, n, before, randomness)
    keys = {device.id: device.kem for device in state.devices}
    keys |= {device.id: device.kem for device in added}
    listed = {device: keys[device] for device, _ in change.devices}
    history = (
        sealing.wrap(net, "keyring history", principal, n, secret, held.n, held.secret) if held else None
    )
    draft = _Draft(
        principal=principal,
        kind=state.kind,
        n=n,
        prev=state.head,
        change=change,
        recipients=_recipients(net, listed, change.recovery),
        secret=secret,
        history=history,
        floor=n if change.reason in RAISES_FLOOR else state.floor,
        acts=tuple(sort_acts(acts)),
    )
    return _make(net, draft, author)


def _recipients(net: str, devices: Mapping[bytes, bytes], recovery: Recovery | None) -> Mapping[bytes, bytes]:
    return {**devices, recovery.id(net): recovery.kem} if recovery else devices


@dataclass(frozen=True)
class _Draft:
    """An entry before it is sealed and signed; ``recipients`` are recipient id → public KEM key."""

    principal: bytes
    kind: str
    n: int
    prev: bytes
    change: Change
    recipients: Mapping[bytes, bytes]
    secret: bytes
    history: History | None
    floor: int
    salt: bytes | None = None
    sponsor: bytes | None = None
    succeeds: bytes | None = None
    acts: tuple[bytes, ...] = ()


def _make(net: str, draft: _Draft, author: Author) -> MadeEntry:
    principal, n = draft.principal, draft.n
    commit = _commit(net, principal, n, draft.secret)
    blob, sealed = sealing.make(
        net,
        draft.secret,
        draft.recipients,
        lambda recipient: _info(net, principal, n, draft.prev, commit, recipient, author.id),
    )
    fields: dict[str, Encodable] = {
        "principal": principal,
        "kind": draft.kind,
        "n": n,
        "prev": draft.prev,
        "salt": draft.salt,
        "sponsor": draft.sponsor,
        "succeeds": draft.succeeds,
        **draft.change.as_map(),
        "floor": draft.floor,
        "mailbox": mailbox_key(net, principal, n, draft.secret).public,
        "commit": commit,
        "history": draft.history.as_map() if draft.history else None,
        "sealed": sealed,
        "acts": list(draft.acts),
    }
    entry = sign(net, "keyring", fields, at=author.at, kid=author.id, key=author.key)
    return MadeEntry(entry, blob, draft.secret)
