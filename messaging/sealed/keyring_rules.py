"""The validator of keyring entries, for server and clients (rules K1 to K6, K9, K11)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from messaging.sealed import envelopes as sealing
from messaging.sealed.device import DeviceStatement, read_device
from messaging.sealed.encoding import ZERO, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_acts import Agreed, check_acts, check_genesis_sponsor
from messaging.sealed.keyring_changes import check_change, check_lists
from messaging.sealed.keyring_entry import (
    KeyringEntry,
    Keyrings,
    KeyringState,
    ListedDevice,
    read_entry,
)
from messaging.sealed.keys import check_kem_key
from messaging.sealed.sponsor import Sponsor
from messaging.sealed.statement import verify


def accept_entry(
    net: str,
    state: KeyringState | None,
    entry: bytes,
    statements: Sequence[bytes],
    envelopes: bytes | None,
    is_used: Callable[[bytes], bool] = lambda _: False,
    *,
    keyrings: Keyrings | None = None,
    now: int | None = None,
) -> KeyringState:
    """The keyring after this entry; ``state`` is the one before, None for a genesis.

    ``statements`` must hold those of newly listed devices and may hold others. ``envelopes`` is one E1
    blob; None (another principal's keyring, read by a client) leaves out K4's look at it. ``is_used``
    answers whether a public key or commit stands in any keyring. ``keyrings`` are needed for the sponsors
    of practitioners (K9); ``now`` is a server's time of receipt, for approvals (K6). Raises Refused.
    """
    read = read_entry(net, entry)
    _check_order(state, read)
    check_lists(read)
    check_change(net, state, read)
    added = _read_added(net, state, read, statements)
    devices = _listed(state, read, added)
    _check_author(net, state, read, devices)
    _check_fresh(state, read, added, is_used)
    if envelopes is not None:
        check_envelopes(net, read, envelopes)
    if state is None:
        return _first_state(read, devices, added, check_genesis_sponsor(net, read, keyrings, now))
    agreed = check_acts(net, state, read, keyrings, now)
    return _next_state(state, read, devices, added, agreed)


def _by_id(state: KeyringState) -> dict[bytes, ListedDevice]:
    return {device.id: device for device in state.devices}


def _check_order(state: KeyringState | None, entry: KeyringEntry) -> None:
    newest = -1 if state is None else state.n
    if entry.n <= newest:  # K1
        raise Refused("K1", "stale-epoch", "another entry already stands at this place")
    if entry.n > newest + 1:  # K1
        raise Refused("K1", "missing-entry", "an entry before this one is missing")
    if entry.prev != (ZERO if state is None else state.head):  # K1
        raise Refused("K1", "wrong-predecessor", "the entry does not follow the newest one")
    if state is not None and entry.principal != state.principal:  # K1
        raise Refused("K1", "wrong-predecessor", "the entry belongs to another principal")


def _read_added(
    net: str, state: KeyringState | None, entry: KeyringEntry, statements: Sequence[bytes]
) -> dict[bytes, DeviceStatement]:
    known = set() if state is None else {device.id for device in state.devices}
    wanted = {device for device, _ in entry.devices} - known
    added = {hashed: raw for raw in statements if (hashed := sha256(raw)) in wanted}
    if len(added) != len(wanted):  # K3
        raise Refused("K3", "missing-statement", "a listed device has no device statement here")
    read = {device: read_device(net, raw) for device, raw in added.items()}
    for device in read.values():
        belongs = device.salt == entry.salt if state is None else device.principal == entry.principal
        if not belongs:  # K3
            raise Refused("K3", "wrong-statement", "the device statement is for another principal or genesis")
    return read


def _listed(
    state: KeyringState | None, entry: KeyringEntry, added: Mapping[bytes, DeviceStatement]
) -> tuple[ListedDevice, ...]:
    before = {} if state is None else _by_id(state)
    return tuple(
        ListedDevice(device, roles, added[device].person, added[device].sig, added[device].kem)
        if device in added
        else replace(before[device], roles=roles)
        for device, roles in entry.devices
    )


def _check_author(
    net: str, state: KeyringState | None, entry: KeyringEntry, devices: Sequence[ListedDevice]
) -> None:
    if state is not None and entry.reason == "recover":
        recovery = state.recovery
        if recovery is None or entry.statement.kid != recovery.id(net):  # K2
            raise Refused("K2", "not-the-recovery-key", "only the kit of the entry before can recover")
        verify(entry.statement, recovery.sig, net)
        return
    stewards_among = devices if state is None else state.devices
    author = next((device for device in stewards_among if device.id == entry.statement.kid), None)
    if author is None or "steward" not in author.roles:  # K2
        raise Refused("K2", "not-a-steward", "the author is not a steward device of the entry before")
    verify(entry.statement, author.sig, net)


def _new_values(
    state: KeyringState | None, entry: KeyringEntry, added: Mapping[bytes, DeviceStatement]
) -> list[bytes]:
    values = [entry.mailbox, entry.commit]
    for device in added.values():
        values += [device.sig, device.kem]
    if entry.recovery is not None and (state is None or entry.recovery != state.recovery):
        values += [entry.recovery.sig, entry.recovery.kem]
    return values


def _check_fresh(
    state: KeyringState | None,
    entry: KeyringEntry,
    added: Mapping[bytes, DeviceStatement],
    is_used: Callable[[bytes], bool],
) -> None:
    check_kem_key(entry.mailbox)  # E7
    values = _new_values(state, entry, added)
    used = _known_values(state)
    if len(set(values)) != len(values) or any(value in used or is_used(value) for value in values):  # K5
        raise Refused("K5", "reused-key", "a key or commit already stands in a keyring")


def _known_values(state: KeyringState | None) -> frozenset[bytes]:
    if state is None:
        return frozenset()
    listed = {key for device in state.devices for key in (device.sig, device.kem)}
    recovery = {state.recovery.sig, state.recovery.kem} if state.recovery else set()
    return state.used | listed | recovery | {state.mailbox, state.commit}


def _steward_persons(devices: Sequence[ListedDevice]) -> set[str]:
    return {device.person for device in devices if "steward" in device.roles}


def check_envelopes(net: str, entry: KeyringEntry, envelopes: bytes) -> None:
    """That the envelopes are the entry's own. Raises Refused K4."""
    recipients = [device for device, _ in entry.devices]
    if entry.recovery is not None:
        recipients.append(entry.recovery.id(net))
    sealing.check(net, "K4", envelopes, recipients, entry.sealed)  # K4


def _next_state(
    state: KeyringState,
    entry: KeyringEntry,
    devices: tuple[ListedDevice, ...],
    added: Mapping[bytes, DeviceStatement],
    agreed: Agreed,
) -> KeyringState:
    return replace(
        state,
        n=entry.n,
        head=entry.statement.hash,
        devices=devices,
        recovery=entry.recovery,
        mailbox=entry.mailbox,
        commit=entry.commit,
        floor=entry.floor,
        had_two_stewards=state.had_two_stewards or len(_steward_persons(devices)) > 1,
        used=state.used | frozenset(_new_values(state, entry, added)),
        only_recovery=agreed.only_recovery,
        unconfirmed=agreed.unconfirmed,
        sponsored=entry.change.sponsored,
    )


def _first_state(
    entry: KeyringEntry,
    devices: tuple[ListedDevice, ...],
    added: Mapping[bytes, DeviceStatement],
    sponsor: Sponsor | None,
) -> KeyringState:
    return KeyringState(
        principal=entry.principal,
        kind=entry.kind,
        n=entry.n,
        head=entry.statement.hash,
        devices=devices,
        recovery=entry.recovery,
        mailbox=entry.mailbox,
        commit=entry.commit,
        floor=entry.floor,
        had_two_stewards=len(_steward_persons(devices)) > 1,
        used=frozenset(_new_values(None, entry, added)),
        sponsor=sponsor,
        succeeds=entry.succeeds,
    )
