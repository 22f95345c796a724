"""K6, K7, K9, K11: what devices and kit can open of a keyring that lived through everything."""

from dataclasses import replace

import pytest

from messaging.sealed import keyring
from messaging.sealed.client import Mailbox
from messaging.sealed.encoding import encode
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_acts import is_in_force
from messaging.sealed.keys import SigningKey
from messaging.sealed.recovery import try_kit
from messaging.sealed.ring import Ring
from messaging.sealed.statement import type_of
from tests.sealed.story import ANSWERING, PRACTITIONER, STORY, SUCCESSOR, TAKEN, end_of, kit_of, make
from tests.sealed.world import NET, START, Party, forge, found, newest_keyrings, seed

SERVER_KEY = SigningKey(seed("server")).public


def sit_down(party: Party, person: str, links: int | None = None) -> Mailbox:
    """A device of a keyring that has learned so many entries."""
    device = replace(party.devices[person], principal=party.principal)
    mailbox = Mailbox(NET, SERVER_KEY, device)
    rows = [(link.entry, link.envelopes) for link in party.links[:links]]
    mailbox.apply_keyring(party.principal, rows, [raw for link in party.links for raw in link.statements])
    return mailbox


def generations(mailbox: Mailbox) -> list[int]:
    return sorted(mailbox.rings[mailbox.principal].secrets)


def test_k7_each_device_opens_what_it_was_listed_for_and_all_before() -> None:
    assert generations(sit_down(STORY, "rosa")) == list(range(11))
    assert generations(sit_down(STORY, "olga")) == list(range(9))
    assert generations(sit_down(STORY, "mats")) == list(range(7))
    assert generations(sit_down(STORY, "nora")) == list(range(5))


def test_k7_a_removed_device_holds_no_newest_secret_and_writes_nothing() -> None:
    mats = sit_down(STORY, "mats")
    assert not mats.is_listed()
    with pytest.raises(Refused, match="K7 not-verified"):
        mats.stewardship.make(mats.stewardship.rotation(), at=START)


def test_k7_an_entry_that_does_not_hold_alarms_until_it_is_repaired() -> None:
    party = found("alarmed", "lena", "mats")
    made = make(party, keyring.rotation(party.newest), party.devices["lena"])
    wrong = forge(made.entry, party.devices["lena"], history={"of": 0, "wrap": bytes(48)})
    mailbox = sit_down(party, "mats")
    mailbox.apply_keyring(party.principal, [(wrong, made.envelopes)], [])
    ring = mailbox.rings[party.principal]
    assert (ring.broken, sorted(ring.secrets)) == ("wrong-history", [0, 1])
    with pytest.raises(Refused, match="K7 not-verified"):
        mailbox.stewardship.make(mailbox.stewardship.rotation(), at=START)
    repaired = mailbox.stewardship.make(mailbox.stewardship.repair(), at=START + 9)
    mailbox.apply_keyring(party.principal, [(repaired.entry, repaired.envelopes)], [])
    assert ring.broken is None
    assert ring.entries[2].history is not None
    assert ring.entries[2].history.of == 0


def test_k7_a_garbled_envelope_is_an_alarm_too() -> None:
    party = found("garbled", "lena", "mats")
    mailbox = Mailbox(NET, SERVER_KEY, party.devices["mats"])
    ring = Ring(NET)
    link = party.links[0]
    ring.accept(link.entry, link.statements, link.envelopes)
    ring.envelopes[0] = encode([[mailbox.device.id, bytes(1168)]])
    ring.open(mailbox.device.id, mailbox.device.kem_key)
    assert (ring.broken, ring.held()) == ("cannot-open", None)


def test_k11_the_newest_kit_opens_everything_and_an_older_one_is_refused() -> None:
    entries = [(link.entry, link.envelopes) for link in STORY.links]
    statements = [raw for link in STORY.links for raw in link.statements]
    ring = try_kit(NET, kit_of("story third"), entries, statements)
    assert (sorted(ring.secrets), ring.broken) == (list(range(11)), None)
    for kit in (STORY.kit, kit_of("story second"), kit_of("another")):
        with pytest.raises(Refused, match="K11 other-kit"):
            try_kit(NET, kit, entries, statements)


def test_k6_who_removes_another_steward_alone_is_told_before() -> None:
    lena = sit_down(STORY, "lena", 7)
    stewardship = lena.stewardship
    assert stewardship.need(stewardship.removal([STORY.devices["mats"].id])) == "advised"
    assert stewardship.need(stewardship.removal([lena.device.id])) == "none"
    assert stewardship.need(stewardship.roles({STORY.devices["mats"].id: ["officer"]})) == "steward"
    alone = sit_down(STORY, "lena", 8).stewardship
    assert alone.need(alone.new_recovery_key(kit_of("x").public)) == "recovery-key"


def test_k9_a_practitioner_stands_while_the_sponsor_lists_it_and_answers() -> None:
    keyrings = newest_keyrings(ANSWERING.newest)
    assert is_in_force(NET, PRACTITIONER.newest, keyrings, START + 86_400)
    assert not is_in_force(NET, PRACTITIONER.newest, keyrings, START + 301 * 86_400)
    before = newest_keyrings(ANSWERING.links[0].state)
    assert not is_in_force(NET, PRACTITIONER.newest, before, START + 86_400)
    statement = dict(ANSWERING.newest.sponsored)[PRACTITIONER.principal]
    end = end_of(ANSWERING, PRACTITIONER.principal, statement)
    made = make(ANSWERING, keyring.sponsoring(ANSWERING.newest, {}), ANSWERING.devices["xena"], acts=[end])
    after = keyring.accept_entry(NET, ANSWERING.newest, made.entry, [], made.envelopes)
    assert type_of(end) == "sponsor-end"
    assert not is_in_force(NET, PRACTITIONER.newest, newest_keyrings(after), START + 86_400)


def test_k12_a_successor_names_whom_it_follows() -> None:
    assert SUCCESSOR.newest.succeeds == TAKEN.principal
