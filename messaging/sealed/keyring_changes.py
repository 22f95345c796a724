"""What each reason of a keyring entry may change (rules K3, K4, K9, K11, K12)."""

from messaging.sealed.envelopes import is_strictly_sorted
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import (
    KINDS,
    REASONS,
    ROLES,
    KeyringEntry,
    KeyringState,
    principal_id,
)
from messaging.sealed.keys import check_kem_key, check_signing_key

RAISES_FLOOR = frozenset({"remove", "rotate", "recovery-key", "recover", "repair"})
_MAY_SKIP_HISTORY = frozenset({"recover", "repair"})


def check_lists(entry: KeyringEntry) -> None:
    """That all lists are sorted, of known words, and name a steward. Raises Refused K3."""
    if entry.kind not in KINDS:  # K3
        raise Refused("K3", "unknown-kind", "unknown kind of principal")
    if entry.reason not in REASONS:  # K3
        raise Refused("K3", "unknown-reason", "unknown reason of an entry")
    if not is_strictly_sorted([device for device, _ in entry.devices]):  # K3
        raise Refused("K3", "not-sorted", "devices are unsorted, or one stands twice")
    if not is_strictly_sorted([practitioner for practitioner, _ in entry.change.sponsored]):  # K3
        raise Refused("K3", "not-sorted", "practitioners are unsorted, or one stands twice")
    for _, roles in entry.devices:
        if not roles or not set(roles) <= set(ROLES):  # K3
            raise Refused("K3", "unknown-role", "unknown role, or no role at all")
        if not is_strictly_sorted(roles):  # K3
            raise Refused("K3", "not-sorted", "roles are unsorted, or one stands twice")
    if not any("steward" in roles for _, roles in entry.devices):  # K3
        raise Refused("K3", "no-steward", "no device is a steward")


def check_change(net: str, state: KeyringState | None, entry: KeyringEntry) -> None:
    """That only what the reason names changes, against the state before. Raises Refused."""
    if (entry.reason == "genesis") != (state is None) or (entry.salt is None) == (state is None):  # K3
        raise _unexpected("a genesis comes first, once, and alone has a salt")
    if (entry.recovery is None) != (entry.kind == "practitioner"):  # K3
        raise _unexpected("who has a recovery key are authorities and the secretariat")
    if entry.change.sponsored and entry.kind != "authority":  # K9
        raise Refused("K9", "wrong-sponsor", "only an authority answers for practitioners")
    _check_floor(state, entry)
    if state is None:
        _check_genesis(net, entry)
        return
    if (entry.kind, entry.sponsor, entry.succeeds) != (state.kind, None, None):  # K3
        raise _unexpected("kind, sponsor and predecessor belong to the genesis")
    _check_history(entry)
    _CHANGES.get(entry.reason, _check_nothing_else)(state, entry)
    if entry.reason != "sponsor" and entry.change.sponsored != state.sponsored:  # K3
        raise _unexpected("who is sponsored does not change here")
    if entry.reason not in {"recover", "recovery-key"} and entry.recovery != state.recovery:  # K3
        raise _unexpected("the recovery key does not change here")


def _unexpected(detail: str) -> Refused:
    return Refused("K3", "unexpected-change", detail)


def _check_floor(state: KeyringState | None, entry: KeyringEntry) -> None:
    before = 0 if state is None else state.floor
    if entry.floor != (entry.n if entry.reason in RAISES_FLOOR else before):  # K4
        raise Refused("K4", "wrong-floor", "the floor is not what the reason makes it")


def _check_genesis(net: str, entry: KeyringEntry) -> None:
    if entry.history is not None:  # K3
        raise Refused("K3", "bad-history", "a genesis has no history")
    if entry.acts:  # K3
        raise Refused("K3", "unknown-act", "nobody approves a genesis")
    if (entry.sponsor is None) == (entry.kind == "practitioner"):  # K9
        raise Refused("K9", "wrong-sponsor", "a practitioner has a sponsor, and nobody else")
    if entry.succeeds is not None and entry.kind != "authority":  # K12
        raise Refused("K12", "wrong-succession", "only an authority succeeds another")
    if entry.change.sponsored:  # K9
        raise Refused("K9", "wrong-sponsor", "an authority answers for others after its genesis")
    salt, recovery = entry.salt or b"", entry.recovery
    named = principal_id(net, entry.kind, salt, entry.devices, recovery, entry.sponsor, entry.succeeds)
    if entry.principal != named:  # K3
        raise Refused("K3", "wrong-principal", "the id does not follow from the genesis")
    if recovery is not None:
        check_signing_key(recovery.sig)  # E7
        check_kem_key(recovery.kem)  # E7


def _check_history(entry: KeyringEntry) -> None:
    if entry.reason in _MAY_SKIP_HISTORY:
        if entry.history is not None and entry.history.of >= entry.n:  # K3
            raise Refused("K3", "bad-history", "the history leads to an earlier entry")
    elif entry.history is None or entry.history.of != entry.n - 1:  # K3
        raise Refused("K3", "bad-history", "the history must lead to the entry before")


def _check_nothing_else(state: KeyringState, entry: KeyringEntry) -> None:
    """``rotate``, ``repair``: nothing but the secrets changes."""
    if entry.devices != _rows(state):  # K3
        raise _unexpected("the devices and their roles do not change here")


def _check_addition(state: KeyringState, entry: KeyringEntry) -> None:
    rows = dict(entry.devices)
    if any(rows.get(device) != roles for device, roles in _rows(state)):  # K3
        raise _unexpected("a device listed before is missing or has other roles")
    if len(rows) == len(state.devices):  # K3
        raise _unexpected("nothing is added")


def _check_removal(state: KeyringState, entry: KeyringEntry) -> None:
    before = dict(_rows(state))
    if any(before.get(device) != roles for device, roles in entry.devices):  # K3
        raise _unexpected("a device is new or has other roles")
    if len(entry.devices) == len(before):  # K3
        raise _unexpected("nothing is removed")


def _check_roles(state: KeyringState, entry: KeyringEntry) -> None:
    if [device for device, _ in entry.devices] != [device.id for device in state.devices]:  # K3
        raise _unexpected("the devices do not change here, only their roles")
    if entry.devices == _rows(state):  # K3
        raise _unexpected("no role changes")


def _check_recovery_key(state: KeyringState, entry: KeyringEntry) -> None:
    _check_nothing_else(state, entry)
    _check_new_recovery(state, entry)


def _check_recovery(state: KeyringState, entry: KeyringEntry) -> None:
    before = {device.id for device in state.devices}
    if any(device in before for device, _ in entry.devices):  # K11
        raise Refused("K11", "unexpected-change", "a recovery drops every device there was")
    _check_new_recovery(state, entry)


def _check_new_recovery(state: KeyringState, entry: KeyringEntry) -> None:
    old, new = state.recovery, entry.recovery
    if old is None or new is None or new.sig == old.sig or new.kem == old.kem:  # K11
        raise Refused("K11", "unexpected-change", "the recovery key must be another one")
    check_signing_key(new.sig)  # E7
    check_kem_key(new.kem)  # E7


def _check_sponsoring(state: KeyringState, entry: KeyringEntry) -> None:
    _check_nothing_else(state, entry)
    if entry.change.sponsored == state.sponsored:  # K3
        raise _unexpected("nobody's sponsor changes")


def _rows(state: KeyringState) -> tuple[tuple[bytes, tuple[str, ...]], ...]:
    return tuple((device.id, device.roles) for device in state.devices)


_CHANGES = {
    "add": _check_addition,
    "remove": _check_removal,
    "role": _check_roles,
    "recovery-key": _check_recovery_key,
    "recover": _check_recovery,
    "sponsor": _check_sponsoring,
}
