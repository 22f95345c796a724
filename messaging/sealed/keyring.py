"""The keyring: the signed chain of a principal's devices (rules K1 to K7).

The types stand in keyring_entry, the validator in keyring_rules; here are secrets and the making of entries.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from messaging.sealed import envelopes as sealing
from messaging.sealed.device import DeviceStatement, make_device_statement, read_device
from messaging.sealed.encoding import ZERO, Encodable, context, context_hash, derive_key
from messaging.sealed.envelopes import Envelope, History
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import (
    KeyringEntry,
    Keyrings,
    KeyringState,
    ListedDevice,
    NewestKeyrings,
    principal_id,
    read_entry,
    recovery_map,
)
from messaging.sealed.keyring_rules import accept_entry, check_envelopes
from messaging.sealed.keys import KemKey, Recovery, SigningKey
from messaging.sealed.statement import sign

__all__ = [
    "DeviceStatement",
    "KeyringEntry",
    "KeyringState",
    "Keyrings",
    "ListedDevice",
    "MadeEntry",
    "NewestKeyrings",
    "accept_entry",
    "check_envelopes",
    "mailbox_key",
    "make_addition",
    "make_device_statement",
    "make_genesis",
    "next_secret",
    "open_generation",
    "open_history",
    "principal_id",
    "read_device",
    "read_entry",
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


def make_genesis(
    net: str,
    *,
    kind: str,
    salt: bytes,
    devices: Sequence[tuple[DeviceStatement, Sequence[str]]],
    recovery: Recovery,
    author: bytes,
    key: SigningKey,
    at: int,
    randomness: bytes | None = None,
) -> MadeEntry:
    """The first entry, signed by the steward device ``author`` among ``devices``."""
    listed = sorted((device.id, sorted(roles)) for device, roles in devices)
    principal = principal_id(net, kind, salt, listed, recovery)
    draft = _Draft(
        principal=principal,
        kind=kind,
        n=0,
        prev=ZERO,
        salt=salt,
        listed=listed,
        recovery=recovery,
        recipients={device.id: device.kem for device, _ in devices},
        secret=next_secret(net, principal, 0, None, randomness),
        history=None,
        floor=0,
        reason="genesis",
    )
    return _make(net, draft, author, key, at)


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
    n = state.n + 1
    new_secret = next_secret(net, state.principal, n, secret, randomness)
    rows = [(device.id, list(device.roles)) for device in state.devices]
    rows += [(device.id, sorted(roles)) for device, roles in devices]
    recipients = {device.id: device.kem for device in state.devices}
    draft = _Draft(
        principal=state.principal,
        kind=state.kind,
        n=n,
        prev=state.head,
        salt=None,
        listed=sorted(rows),
        recovery=state.recovery,
        recipients=recipients | {device.id: device.kem for device, _ in devices},
        secret=new_secret,
        history=sealing.wrap(net, "keyring history", state.principal, n, new_secret, state.n, secret),
        floor=state.floor,
        reason="add",
    )
    return _make(net, draft, author, key, at)


@dataclass(frozen=True)
class _Draft:
    """An entry before it is sealed and signed; ``recipients`` are device id → public KEM key."""

    principal: bytes
    kind: str
    n: int
    prev: bytes
    salt: bytes | None
    listed: list[tuple[bytes, list[str]]]
    recovery: Recovery
    recipients: Mapping[bytes, bytes]
    secret: bytes
    history: History | None
    floor: int
    reason: str


def _make(net: str, draft: _Draft, author: bytes, key: SigningKey, at: int) -> MadeEntry:
    principal, n = draft.principal, draft.n
    commit = _commit(net, principal, n, draft.secret)
    blob, sealed = sealing.make(
        net,
        draft.secret,
        {**draft.recipients, draft.recovery.id(net): draft.recovery.kem},
        lambda recipient: _info(net, principal, n, draft.prev, commit, recipient, author),
    )
    fields: dict[str, Encodable] = {
        "principal": principal,
        "kind": draft.kind,
        "n": n,
        "prev": draft.prev,
        "salt": draft.salt,
        "sponsor": None,
        "succeeds": None,
        "devices": draft.listed,
        "recovery": recovery_map(draft.recovery),
        "sponsored": [],
        "floor": draft.floor,
        "mailbox": mailbox_key(net, principal, n, draft.secret).public,
        "commit": commit,
        "history": draft.history.as_map() if draft.history else None,
        "sealed": sealed,
        "reason": draft.reason,
        "acts": [],
    }
    return MadeEntry(sign(net, "keyring", fields, at=at, kid=author, key=key), blob, draft.secret)
