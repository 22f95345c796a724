"""Who has to agree to a keyring entry, and whether they did (rules K6, K9, K11)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from messaging.sealed.approval import ABOUT_KEYRING, Approval, read_approval
from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import Change, KeyringEntry, Keyrings, KeyringState, ListedDevice
from messaging.sealed.places import By
from messaging.sealed.sponsor import Sponsor, SponsorEnd, read_sponsor, read_sponsor_end
from messaging.sealed.statement import Statement, type_of, verify

STANDING_ROLES = frozenset({"steward", "supervisor"})


@dataclass(frozen=True)
class Agreed:
    """What follows from the acts of an entry: is the recovery key needed from now on, is it confirmed."""

    only_recovery: bool
    unconfirmed: int | None


def check_acts(
    net: str,
    state: KeyringState,
    entry: KeyringEntry,
    keyrings: Keyrings | None,
    now: int | None,
) -> Agreed:
    """That everybody agreed who has to. ``now`` is a server's time of receipt, in unix seconds.

    Raises Refused K6 ``approval-needed``, ``expired-approval``, ``wrong-approval``; K9 ``approval-needed``,
    ``keyring-unknown``, ``wrong-sponsor``.
    """
    given = [(act, type_of(act)) for act in entry.acts]
    approvals = [read_approval(net, act) for act, kind in given if kind == "approval"]
    ends = [read_sponsor_end(net, act) for act, kind in given if kind == "sponsor-end"]
    author = state.device(entry.statement.kid)
    approvers = [
        _check_approval(net, state, entry, approval, author, keyrings, now) for approval in approvals
    ]
    _check_sponsored(net, state, entry, ends)
    if state.kind == "practitioner":
        _check_addition(entry, approvers)
    is_by_recovery = _RECOVERY in approvers
    stewards = {name for name in approvers if name not in {_RECOVERY, _SPONSOR}}
    if entry.reason == "recover":  # K11
        return Agreed(only_recovery=False, unconfirmed=state.unconfirmed if stewards else entry.n)
    return Agreed(_check_standing(state, entry, author, is_by_recovery, stewards), state.unconfirmed)


_RECOVERY = "the recovery key"
_SPONSOR = "the sponsor"


def _check_approval(
    net: str,
    state: KeyringState,
    entry: KeyringEntry,
    approval: Approval,
    author: ListedDevice | None,
    keyrings: Keyrings | None,
    now: int | None,
) -> str:
    """Who approved: a person, the recovery key, or the sponsor's supervisor."""
    named = entry.change.hash(net, entry.principal, entry.prev)
    _check_named(state, approval, named)
    if any(not approval.counts_at(at) for at in (entry.statement.at, now) if at is not None):  # K6
        raise Refused("K6", "expired-approval", "an approval holds for a day at most")
    if approval.by is None:
        return _check_recovery_approval(net, state, approval)
    if approval.by.principal != state.principal:
        return _check_sponsor_approval(net, state, approval, keyrings, is_new=now is not None)
    steward = check_steward_approval(net, state, approval, named)
    if author is not None and author.person == steward.person:  # K6
        raise Refused("K6", "wrong-approval", "the approval is by the author's own person")
    return steward.person


def _check_named(state: KeyringState, approval: Approval, named: bytes) -> None:
    if (approval.about, approval.on, approval.change) != (ABOUT_KEYRING, state.head, named):  # K6
        raise Refused("K6", "wrong-approval", "the approval is about something else")


def check_steward_approval(net: str, state: KeyringState, approval: Approval, named: bytes) -> ListedDevice:
    """The steward who approved the change of this hash, as the next entry. Raises Refused K6, E2."""
    _check_named(state, approval, named)
    by, steward = approval.by, state.device(approval.statement.kid)
    is_here = by is not None and (by.principal, by.n, by.head) == (state.principal, state.n, state.head)
    if steward is None or "steward" not in steward.roles or not is_here:  # K6
        raise Refused("K6", "wrong-approval", "who approves is no steward of the entry before")
    verify(approval.statement, steward.sig, net)
    return steward


def _check_recovery_approval(net: str, state: KeyringState, approval: Approval) -> str:
    recovery = state.recovery
    if recovery is None or approval.statement.kid != recovery.id(net):  # K6
        raise Refused("K6", "wrong-approval", "not the recovery key of the entry before")
    verify(approval.statement, recovery.sig, net)
    return _RECOVERY


def check_sponsor_approval(
    net: str, state: KeyringState, approval: Approval, named: bytes, keyrings: Keyrings
) -> None:
    """That a supervisor of a practitioner's sponsor agrees to a change now. Raises Refused K6, K9, E2."""
    _check_named(state, approval, named)
    _check_sponsor_approval(net, state, approval, keyrings, is_new=True)


def _check_sponsor_approval(
    net: str, state: KeyringState, approval: Approval, keyrings: Keyrings | None, *, is_new: bool
) -> str:
    if state.sponsor is None or approval.by is None or approval.by.principal != state.sponsor.by.principal:
        raise Refused("K6", "wrong-approval", "the approval is by somebody without a part in this")  # K6
    check_supervisor(net, approval.statement, approval.by, keyrings, is_new=is_new)
    return _SPONSOR


def check_supervisor(
    net: str, statement: Statement, by: By, keyrings: Keyrings | None, *, is_new: bool
) -> None:
    """That a supervisor's device signed, as the entry it signed under lists it. Raises Refused K9.

    ``is_new``: a server takes the statement, so the sponsor's newest entry must list the device too.
    """
    place = keyrings.at(by.principal, by.n) if keyrings else None
    newest = keyrings.newest(by.principal) if keyrings else None
    if place is None or newest is None:  # K9
        raise Refused("K9", "keyring-unknown", "fetch the keyring of the sponsor first")
    device = place.device(statement.kid) if place.head == by.head else None
    if device is not None and is_new:
        device = newest.device(statement.kid)
    if device is None or "supervisor" not in device.roles:  # K9
        raise Refused("K9", "wrong-sponsor", "not signed by a supervisor of the sponsor")
    verify(statement, device.sig, net)


def _check_addition(entry: KeyringEntry, approvers: Collection[str]) -> None:
    if entry.reason == "add" and _SPONSOR not in approvers:  # K9
        raise Refused("K9", "approval-needed", "the sponsor must approve a practitioner's further device")


def _check_standing(
    state: KeyringState,
    entry: KeyringEntry,
    author: ListedDevice | None,
    is_by_recovery: bool,
    stewards: Collection[str],
) -> bool:
    """Whether from now on only the recovery key can approve (K6)."""
    lost = lost_stewards(state, entry.change)
    if not needs_approval(state, entry.change):
        return state.only_recovery and not is_by_recovery
    others = set(stewards) - {device.person for device in lost}
    if is_by_recovery:
        return False
    if others and not state.only_recovery:
        return False
    if entry.reason != "remove":  # K6
        raise Refused("K6", "approval-needed", "another steward, or the recovery key, must approve")
    own = author.person if author else ""
    return state.only_recovery or any(device.person != own for device in lost)


def needs_approval(state: KeyringState, change: Change) -> bool:
    """Whether this makes, raises or removes who stands over others, or changes the recovery key (K6)."""
    if not state.had_two_stewards:
        return False
    before = {device.id: set(device.roles) for device in state.devices}
    is_raised = any(
        STANDING_ROLES & (set(roles) - before.get(device, set())) for device, roles in change.devices
    )
    return is_raised or bool(lost_stewards(state, change)) or change.recovery != state.recovery


def lost_stewards(state: KeyringState, change: Change) -> list[ListedDevice]:
    """The devices that are stewards no more."""
    after = dict(change.devices)
    stewards = [device for device in state.devices if "steward" in device.roles]
    return [device for device in stewards if "steward" not in after.get(device.id, ())]


# --- sponsors


def check_genesis_sponsor(
    net: str, entry: KeyringEntry, keyrings: Keyrings | None, now: int | None
) -> Sponsor | None:
    """The statement under which a practitioner begins: for its author, by a supervisor (K9)."""
    if entry.sponsor is None:
        return None
    sponsor = read_sponsor(net, entry.sponsor)
    if sponsor.device != entry.statement.kid or len(entry.devices) != 1:  # K9
        raise Refused("K9", "wrong-sponsor", "the sponsor names another device")
    if any(not sponsor.counts_at(at) for at in (entry.statement.at, now) if at is not None):  # K9
        raise Refused("K9", "sponsor-ended", "the sponsor does not answer at this time")
    check_supervisor(net, sponsor.statement, sponsor.by, keyrings, is_new=now is not None)
    return sponsor


def _check_sponsored(net: str, state: KeyringState, entry: KeyringEntry, ends: Sequence[SponsorEnd]) -> None:
    """Each new row has a supervisor's statement, each dropped one the end of it."""
    before, after = dict(state.sponsored), dict(entry.change.sponsored)
    for raw in (raw for practitioner, raw in after.items() if before.get(practitioner) != raw):
        sponsor = read_sponsor(net, raw)
        if sponsor.by.principal != state.principal:  # K9
            raise Refused("K9", "wrong-sponsor", "another authority answers for this practitioner")
        _check_own_supervisor(net, state, sponsor.statement)
    dropped = {practitioner: sha256(raw) for practitioner, raw in before.items() if practitioner not in after}
    if {end.practitioner: end.of for end in ends} != dropped or len(ends) != len(dropped):  # K9
        raise Refused("K9", "wrong-sponsor", "exactly who is dropped has the end of its sponsoring")
    for end in ends:
        _check_own_supervisor(net, state, end.statement)


def _check_own_supervisor(net: str, state: KeyringState, statement: Statement) -> None:
    device = state.device(statement.kid)
    if device is None or "supervisor" not in device.roles:  # K9
        raise Refused("K9", "wrong-sponsor", "not signed by a supervisor of this authority")
    verify(statement, device.sig, net)


def is_in_force(net: str, practitioner: KeyringState, keyrings: Keyrings, at: int | None) -> bool:
    """Whether the sponsor's newest entry lists a practitioner with a statement that holds now (K9).

    ``at`` None: with any statement.
    """
    if practitioner.sponsor is None:
        return False
    answering = keyrings.newest(practitioner.sponsor.by.principal)
    raw = dict(answering.sponsored).get(practitioner.principal) if answering else None
    if raw is None:
        return False
    listed = read_sponsor(net, raw)
    first = practitioner.sponsor
    is_same = (listed.device, listed.person) == (first.device, first.person)
    return is_same and (at is None or listed.counts_at(at))
