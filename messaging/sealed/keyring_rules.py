"""The validator of keyring entries, for server and clients (rules K1 to K6)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from messaging.sealed import envelopes as sealing
from messaging.sealed.device import DeviceStatement, read_device
from messaging.sealed.encoding import ZERO, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import (
    KINDS,
    REASONS,
    ROLES,
    KeyringEntry,
    KeyringState,
    ListedDevice,
    principal_id,
    read_entry,
)
from messaging.sealed.keys import Recovery, check_kem_key, check_signing_key
from messaging.sealed.statement import verify

_STANDING_ROLES = frozenset({"steward", "supervisor"})


def accept_entry(
    net: str,
    state: KeyringState | None,
    entry: bytes,
    statements: Sequence[bytes],
    envelopes: bytes | None,
    is_used: Callable[[bytes], bool] = lambda _: False,
) -> KeyringState:
    """The keyring after this entry; ``state`` is the one before, None for a genesis.

    ``statements`` must hold those of newly listed devices and may hold others. ``envelopes`` is one E1
    blob; None (another principal's keyring, read by a client) leaves out K4's look at it. ``is_used``
    answers whether a public key or commit stands in any keyring. Raises Refused.
    """
    read = read_entry(net, entry)
    _check_order(state, read)
    _check_lists(read)
    _check_change(net, state, read)
    added = _read_added(net, state, read, statements)
    devices = _listed(state, read, added)
    _check_author(net, read, {device.id: device for device in devices} if state is None else _by_id(state))
    _check_fresh(state, read, added, is_used)
    _check_approval(state, devices)
    if envelopes is not None:
        check_envelopes(net, read, envelopes)
    return _next_state(state, read, devices, added)


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


def _check_lists(entry: KeyringEntry) -> None:
    if entry.kind not in KINDS:  # K3
        raise Refused("K3", "unknown-kind", "unknown kind of principal")
    if entry.reason not in REASONS:  # K3
        raise Refused("K3", "unknown-reason", "unknown reason of an entry")
    ids = [device for device, _ in entry.devices]
    if not sealing.is_strictly_sorted(ids):  # K3
        raise Refused("K3", "not-sorted", "devices are unsorted, or one stands twice")
    for _, roles in entry.devices:
        if not roles or not set(roles) <= set(ROLES):  # K3
            raise Refused("K3", "unknown-role", "unknown role, or no role at all")
        if not sealing.is_strictly_sorted(roles):  # K3
            raise Refused("K3", "not-sorted", "roles are unsorted, or one stands twice")
    if not any("steward" in roles for _, roles in entry.devices):  # K3
        raise Refused("K3", "no-steward", "no device is a steward")


def _unexpected(detail: str) -> Refused:
    return Refused("K3", "unexpected-change", detail)


def _check_change(net: str, state: KeyringState | None, entry: KeyringEntry) -> None:
    """Only what the reason names changes, against the state before."""
    if (entry.reason == "genesis") != (state is None) or (entry.salt is None) == (state is None):  # K3
        raise _unexpected("a genesis comes first, once, and alone has a salt")
    if entry.recovery is None:  # K3
        raise _unexpected("an authority or secretariat has a recovery key")
    if entry.floor != (0 if state is None else state.floor):  # K4
        raise Refused("K4", "wrong-floor", "the floor does not change here")
    if state is None:
        _check_genesis(net, entry, entry.recovery)
    else:
        _check_addition(state, entry)


def _check_genesis(net: str, entry: KeyringEntry, recovery: Recovery) -> None:
    if entry.history is not None:  # K3
        raise Refused("K3", "bad-history", "a genesis has no history")
    salt = entry.salt or b""
    if entry.principal != principal_id(net, entry.kind, salt, entry.devices, recovery):  # K3
        raise Refused("K3", "wrong-principal", "the id does not follow from the genesis")
    check_signing_key(recovery.sig)  # E7
    check_kem_key(recovery.kem)  # E7


def _check_addition(state: KeyringState, entry: KeyringEntry) -> None:
    if entry.kind != state.kind or entry.recovery != state.recovery:  # K3
        raise _unexpected("kind and recovery key do not change here")
    rows = dict(entry.devices)
    if any(rows.get(device.id) != device.roles for device in state.devices):  # K3
        raise _unexpected("a device listed before is missing or has other roles")
    if len(rows) == len(state.devices):  # K3
        raise _unexpected("nothing is added")
    if entry.history is None or entry.history.of != entry.n - 1:  # K3
        raise Refused("K3", "bad-history", "the history must lead to the entry before")


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
        else before[device]
        for device, roles in entry.devices
    )


def _check_author(net: str, entry: KeyringEntry, stewards_among: Mapping[bytes, ListedDevice]) -> None:
    author = stewards_among.get(entry.statement.kid)
    if author is None or "steward" not in author.roles:  # K2
        raise Refused("K2", "not-a-steward", "the author is not a steward device of the entry before")
    verify(entry.statement, author.sig, net)


def _new_values(entry: KeyringEntry, added: Mapping[bytes, DeviceStatement]) -> list[bytes]:
    values = [entry.mailbox, entry.commit]
    for device in added.values():
        values += [device.sig, device.kem]
    if entry.n == 0 and entry.recovery is not None:
        values += [entry.recovery.sig, entry.recovery.kem]
    return values


def _check_fresh(
    state: KeyringState | None,
    entry: KeyringEntry,
    added: Mapping[bytes, DeviceStatement],
    is_used: Callable[[bytes], bool],
) -> None:
    check_kem_key(entry.mailbox)  # E7
    values = _new_values(entry, added)
    used = _known_values(state)
    if len(set(values)) != len(values) or any(value in used or is_used(value) for value in values):  # K5
        raise Refused("K5", "reused-key", "a key or commit already stands in a keyring")


def _known_values(state: KeyringState | None) -> frozenset[bytes]:
    if state is None:
        return frozenset()
    listed = {key for device in state.devices for key in (device.sig, device.kem)}
    return state.used | listed | {state.mailbox, state.commit, state.recovery.sig, state.recovery.kem}


def _steward_persons(devices: Sequence[ListedDevice]) -> set[str]:
    return {device.person for device in devices if "steward" in device.roles}


def _check_approval(state: KeyringState | None, devices: Sequence[ListedDevice]) -> None:
    if state is None or not state.had_two_stewards:
        return
    before = _by_id(state)
    added = [device for device in devices if device.id not in before]
    if any(_STANDING_ROLES & set(device.roles) for device in added):  # K6
        raise Refused("K6", "approval-needed", "a second steward must approve; approvals come later")


def check_envelopes(net: str, entry: KeyringEntry, envelopes: bytes) -> None:
    """That the envelopes are the entry's own. Raises Refused K4."""
    recipients = [device for device, _ in entry.devices]
    if entry.recovery is not None:
        recipients.append(entry.recovery.id(net))
    sealing.check(net, "K4", envelopes, recipients, entry.sealed)  # K4


def _next_state(
    state: KeyringState | None,
    entry: KeyringEntry,
    devices: tuple[ListedDevice, ...],
    added: Mapping[bytes, DeviceStatement],
) -> KeyringState:
    used = (state.used if state else frozenset()) | frozenset(_new_values(entry, added))
    had_two = len(_steward_persons(devices)) > 1 or (state is not None and state.had_two_stewards)
    if state is not None:
        return replace(
            state,
            n=entry.n,
            head=entry.statement.hash,
            devices=devices,
            mailbox=entry.mailbox,
            commit=entry.commit,
            floor=entry.floor,
            had_two_stewards=had_two,
            used=used,
        )
    if entry.recovery is None:
        raise _unexpected("an authority or secretariat has a recovery key")  # K3
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
        had_two_stewards=had_two,
        used=used,
    )
