"""A steward at work: what is to change in the own keyring, who agrees to it, and the entry (K3, K6, K7)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from messaging.sealed import keyring
from messaging.sealed.approval import make_approval
from messaging.sealed.device import read_device
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Author, Change, KeyringState, NewEntry
from messaging.sealed.keyring_acts import lost_stewards, needs_approval
from messaging.sealed.keys import Recovery, RecoveryKit
from messaging.sealed.places import By

if TYPE_CHECKING:
    from messaging.sealed.client import Mailbox

Need = Literal["none", "advised", "steward", "recovery-key"]
"""Whose approval a change needs. ``advised``: it can be done alone, but afterwards only the recovery key
can approve what stands over others."""


@dataclass(frozen=True)
class Stewardship:
    """What a device does with the keyring of its own principal; nothing is sent here."""

    mailbox: "Mailbox"

    @property
    def state(self) -> KeyringState:
        """The own keyring's newest state. Raises Refused K7 ``not-verified`` before it is known."""
        found = self.mailbox.newest(self.mailbox.principal)
        if found is None:  # K7
            raise Refused("K7", "not-verified", "the own keyring has not been verified")
        return found

    def addition(self, devices: Sequence[tuple[bytes, Sequence[str]]]) -> Change:
        """List further devices, by (id, roles); their statements go to ``make``."""
        return keyring.addition(self.state, devices)

    def removal(self, devices: Collection[bytes]) -> Change:
        """List these devices no more: they open nothing that is sealed afterwards."""
        return keyring.removal(self.state, devices)

    def roles(self, roles: Mapping[bytes, Sequence[str]]) -> Change:
        """Give devices other roles."""
        return keyring.role_change(self.state, roles)

    def rotation(self) -> Change:
        """New secrets for everything; at least every 90 days."""
        return keyring.rotation(self.state)

    def repair(self) -> Change:
        """New secrets after an alarm: an entry was made that does not hold (K7)."""
        return keyring.rotation(self.state, "repair")

    def new_recovery_key(self, recovery: Recovery) -> Change:
        """Another recovery kit takes the place of the one there is."""
        return keyring.recovery_change(self.state, recovery)

    def sponsoring(self, sponsored: Mapping[bytes, bytes]) -> Change:
        """For whom the authority answers: practitioner → complete statement (K9)."""
        return keyring.sponsoring(self.state, sponsored)

    def need(self, change: Change) -> Need:
        """Whose approval the change needs if this device makes it (K6)."""
        state = self.state
        if not needs_approval(state, change):
            return "none"
        if change.reason == "remove":
            own = state.device(self.mailbox.device.id)
            persons = {device.person for device in lost_stewards(state, change)}
            return "none" if own is not None and persons <= {own.person} else "advised"
        return "recovery-key" if state.only_recovery else "steward"

    def approve(self, change: Change, *, at: int) -> bytes:
        """This device agrees to a change of the own keyring as it stands; holds for a day (K6)."""
        state, device = self.state, self.mailbox.device
        by = By(state.principal, state.n, state.head)
        return self._approve(change, by, Author(device.id, device.signing_key, at))

    def approve_with_kit(self, change: Change, kit: RecoveryKit, *, at: int) -> bytes:
        """The recovery kit agrees to a change. Raises Refused K11 ``other-kit``."""
        check_kit(self.state, kit)
        return self._approve(change, None, Author(kit.id, kit.signing_key, at))

    def _approve(self, change: Change, by: By | None, author: Author) -> bytes:
        state = self.state
        named = change.hash(self.mailbox.net, state.principal, state.head)
        return make_approval(
            self.mailbox.net,
            by=by,
            author=author.id,
            key=author.key,
            on=state.head,
            change=named,
            at=author.at,
        )

    def make(
        self,
        change: Change,
        *,
        at: int,
        approvals: Collection[bytes] = (),
        statements: Sequence[bytes] = (),
    ) -> NewEntry:
        """The entry by which the change comes true. Raises Refused for what others would refuse, and K7.

        ``approvals`` are complete statements (also the ends of sponsoring); ``statements`` those of the
        devices listed anew.
        """
        device, net = self.mailbox.device, self.mailbox.net
        held = self.mailbox.held(repairing=change.reason == "repair")
        made = keyring.make_entry(
            net,
            self.state,
            change,
            Author(device.id, device.signing_key, at),
            held,
            [read_device(net, raw) for raw in statements],
            approvals,
        )
        keyring.accept_entry(net, self.state, made.entry, statements, made.envelopes, keyrings=self.mailbox)
        return NewEntry(made.entry, made.envelopes, tuple(statements))


def check_kit(state: KeyringState, kit: RecoveryKit) -> None:
    """That this kit is the keyring's newest. Raises Refused K11 ``other-kit``."""
    if state.recovery is None or kit.public != state.recovery:  # K11
        raise Refused("K11", "other-kit", "the kit is another authority's, or was replaced")


@dataclass(frozen=True)
class Differences:
    """What a change does to a keyring, for whoever is asked to agree; device id → roles."""

    added: Mapping[bytes, tuple[str, ...]]
    removed: tuple[bytes, ...]
    changed: Mapping[bytes, tuple[str, ...]]
    recovery_changes: bool


def differences(state: KeyringState, change: Change) -> Differences:
    """What is not as it was."""
    before = {device.id: device.roles for device in state.devices}
    after = dict(change.devices)
    return Differences(
        added={device: roles for device, roles in after.items() if device not in before},
        removed=tuple(device for device in before if device not in after),
        changed={device: roles for device, roles in after.items() if before.get(device, roles) != roles},
        recovery_changes=change.recovery != state.recovery,
    )
