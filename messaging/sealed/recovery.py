"""The recovery kit at work: trying it, and taking the keyring over when every device is lost (K11)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from messaging.sealed import keyring
from messaging.sealed.device import read_device
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Author, Change, KeyringState, NewEntry
from messaging.sealed.keys import RecoveryKit
from messaging.sealed.own_device import Device, Person, make_device
from messaging.sealed.ring import Ring
from messaging.sealed.stewardship import check_kit

Entries = Sequence[tuple[bytes, bytes | None]]
"""Keyring entries with their envelopes, oldest first, from the genesis on."""


def try_kit(net: str, kit: RecoveryKit, entries: Entries, statements: Sequence[bytes]) -> Ring:
    """The keyring as the kit opens it: nothing is changed by trying.

    Raises Refused for a keyring that does not hold, K11 ``other-kit`` for a kit that is not its newest,
    K7 ``not-verified`` when the newest envelope does not open.
    """
    ring = Ring(net)
    for raw, envelopes in entries:
        ring.accept(raw, statements, envelopes)
    state = _newest(ring)
    check_kit(state, kit)
    ring.open(kit.id, kit.kem_key)
    if state.n not in ring.secrets:  # K7
        raise Refused("K7", "not-verified", "the kit does not open the newest generation")
    return ring


def _newest(ring: Ring) -> KeyringState:
    if ring.newest is None:  # K1
        raise Refused("K1", "missing-entry", "no entry of this keyring is known")
    return ring.newest


@dataclass(frozen=True)
class Recovery:
    """A keyring about to be taken over by its kit, with one new device and a new kit to print.

    ``change`` is what a steward of the keyring can approve: with an approval counterparts go on as before.
    """

    net: str
    kit: RecoveryKit = field(repr=False)
    new_kit: RecoveryKit = field(repr=False)
    device: Device
    change: Change
    ring: Ring = field(repr=False)

    @classmethod
    def begin(
        cls,
        net: str,
        kit: RecoveryKit,
        entries: Entries,
        statements: Sequence[bytes],
        *,
        person: Person,
        roles: Sequence[str],
        at: int,
    ) -> "Recovery":
        """Verify the keyring and make the new device and kit. Raises Refused as ``try_kit`` does.

        Where the newest envelope does not open, an older one is taken: what it opens can be read.
        """
        try:
            ring = try_kit(net, kit, entries, statements)
        except Refused as refused:
            if refused.code != "not-verified":
                raise
            ring = _open_older(net, kit, entries, statements)
        state = _newest(ring)
        device = make_device(net, state.principal, person, at=at)
        new_kit = RecoveryKit.generate(net)
        change = keyring.recovery_by_kit(state, [(device.id, roles)], new_kit.public)
        return cls(net, kit, new_kit, device, change, ring)

    def make(self, *, at: int, approvals: Collection[bytes] = ()) -> NewEntry:
        """The entry that drops every device there was and lists the new one. Raises Refused."""
        state = _newest(self.ring)
        statements = (self.device.statement,)
        author = Author(self.kit.id, self.kit.signing_key, at)
        added = [read_device(self.net, self.device.statement)]
        made = keyring.make_entry(self.net, state, self.change, author, self.ring.held(), added, approvals)
        keyring.accept_entry(self.net, state, made.entry, statements, made.envelopes)
        return NewEntry(made.entry, made.envelopes, statements)


def _open_older(net: str, kit: RecoveryKit, entries: Entries, statements: Sequence[bytes]) -> Ring:
    ring = Ring(net)
    for raw, envelopes in entries:
        ring.accept(raw, statements, envelopes)
    ring.open(kit.id, kit.kem_key)
    return ring
