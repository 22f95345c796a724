"""Practitioners: how one begins, and how an authority answers for one (rule K9)."""

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from messaging.sealed import keyring
from messaging.sealed.approval import make_approval
from messaging.sealed.device import read_device
from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Change, KeyringState, NewEntry
from messaging.sealed.own_device import Device, Person, state_device
from messaging.sealed.sponsor import Sponsor, make_sponsor, make_sponsor_end, read_sponsor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from messaging.sealed.client import Mailbox

YEAR_SECONDS = 365 * 86_400
CLOCK_SECONDS = 300
OWN_ROLES = ("officer", "steward")


@dataclass(frozen=True)
class NewPractitioner:
    """A practitioner's genesis that has been made and not yet sent; ``device`` belongs to it."""

    device: Device
    made: NewEntry


def make_first_device(net: str, person: Person, *, at: int) -> Device:
    """The device with which somebody will begin, once a supervisor answers for it."""
    return state_device(net, None, secrets.token_bytes(16), person, at)


def make_practitioner(net: str, device: Device, sponsor: bytes, *, at: int) -> NewPractitioner:
    """The genesis of a practitioner with the first device, under the statement for it.

    Raises Refused K9 ``wrong-sponsor`` for a statement that names another device.
    """
    statement = read_device(net, device.statement)
    if read_sponsor(net, sponsor).device != device.id or statement.salt is None:  # K9
        raise Refused("K9", "wrong-sponsor", "the sponsor names another device")
    made = keyring.make_genesis(
        net,
        kind="practitioner",
        salt=statement.salt,
        devices=[(statement, OWN_ROLES)],
        recovery=None,
        author=device.id,
        key=device.signing_key,
        at=at,
        sponsor=sponsor,
    )
    principal = keyring.read_entry(net, made.entry).principal
    entry = NewEntry(made.entry, made.envelopes, (device.statement,))
    return NewPractitioner(replace(device, principal=principal), entry)


def sponsor_of(net: str, entry: bytes) -> bytes | None:
    """The principal that answers for whoever begins with this entry; None where nobody has to."""
    raw = keyring.read_entry(net, entry).sponsor
    return None if raw is None else read_sponsor(net, raw).by.principal


def answering(mailbox: "Mailbox", states: "Sequence[KeyringState]") -> list[KeyringState]:
    """The keyrings of those who answer for the practitioners among these, as far as they are known."""
    found = (mailbox.newest(one.sponsor.by.principal) for one in states if one.sponsor is not None)
    return [state for state in found if state is not None]


@dataclass(frozen=True)
class Practice:
    """What a supervisor's device does about the practitioners of its authority; nothing is sent here."""

    mailbox: "Mailbox"

    def sponsor(self, statement: bytes, *, at: int, until: int | None = None) -> bytes:
        """That the own authority answers for who has this device, for a year where no end is given."""
        box = self.mailbox
        device = read_device(box.net, statement)
        return make_sponsor(
            box.net,
            by=box.by(),
            person=device.person,
            office=device.office,
            device=device.id,
            begins=at - CLOCK_SECONDS,
            until=at + YEAR_SECONDS - CLOCK_SECONDS if until is None else until,
            author=box.device.id,
            key=box.device.signing_key,
            at=at,
        )

    def listed(self) -> dict[bytes, Sponsor]:
        """For whom the own authority answers, by practitioner."""
        rows = self.mailbox.stewardship.state.sponsored
        return {practitioner: read_sponsor(self.mailbox.net, raw) for practitioner, raw in rows}

    def listing(self, practitioner: bytes, statement: bytes) -> Change:
        """Let the own keyring list a practitioner with this statement: from then on it is in force."""
        own = self.mailbox.stewardship
        return own.sponsoring({**dict(own.state.sponsored), practitioner: statement})

    def ending(self, practitioner: bytes, *, at: int) -> tuple[Change, bytes]:
        """Answer for a practitioner no more: the change, and the statement it needs.

        Raises Refused K9 ``wrong-sponsor`` where the own authority does not answer for this one.
        """
        box, own = self.mailbox, self.mailbox.stewardship
        rows = dict(own.state.sponsored)
        raw = rows.pop(practitioner, None)
        if raw is None:  # K9
            raise Refused("K9", "wrong-sponsor", "this authority does not answer for this practitioner")
        end = make_sponsor_end(
            box.net,
            by=box.by(),
            practitioner=practitioner,
            of=sha256(raw),
            author=box.device.id,
            key=box.device.signing_key,
            at=at,
        )
        return own.sponsoring(rows), end

    def approve(self, practitioner: bytes, change: Change, *, at: int) -> bytes:
        """A supervisor agrees to a further device of a practitioner, for a day."""
        box = self.mailbox
        state = box.newest(practitioner)
        if state is None:  # K9
            raise Refused("K9", "keyring-unknown", "fetch the keyring of the practitioner first")
        return make_approval(
            box.net,
            by=box.by(),
            author=box.device.id,
            key=box.device.signing_key,
            on=state.head,
            change=change.hash(box.net, state.principal, state.head),
            at=at,
        )
