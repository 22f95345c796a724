"""T5 to T10, M8: a client among changing members, and what it can open then."""

from dataclasses import replace

import pytest

from messaging.sealed.client import Device, Mailbox
from messaging.sealed.correspondence import Correspondence
from messaging.sealed.errors import Refused
from messaging.sealed.evidence import read_evidence
from messaging.sealed.keyring import NewestKeyrings, mailbox_key
from messaging.sealed.keys import KemKey
from messaging.sealed.plaintext import Note
from messaging.sealed.thread import Member, accept_entry
from tests.sealed.changes import NOW, Changing, joined, mandated, succeeded
from tests.sealed.world import NET, Party, world


def read(changing: Changing, party: Party | None, *, until: int | None = None) -> Correspondence:
    """The thread as a device of this party reads it; None: by nobody who is in it."""
    found = Correspondence(NET, changing.thread, world().server_key.public)

    def mailbox(member: Member) -> KemKey | None:
        if party is None or member.principal != party.principal:
            return None
        return mailbox_key(NET, member.principal, member.keyring_n, party.links[member.keyring_n].secret)

    for item in changing.server.items[:until]:
        found.apply(item, changing.keyrings, mailbox)
    return found


def texts(found: Correspondence) -> list[str | None]:
    """What each message says, None where it cannot be opened."""
    messages = [applied for applied in found.applied if applied.message is not None]
    bodies = [applied.plaintext.body if applied.plaintext else None for applied in messages]
    return [body.text if isinstance(body, Note) else None for body in bodies]


def test_t6_who_comes_to_read_along_reads_from_then_on() -> None:
    assert texts(read(joined(), world().c, until=4)) == [None, "C reads this."]


def test_t6_who_is_let_read_what_was_before_reads_it_as_far_as_it_is_shared() -> None:
    # The entry by which C came leads to nothing: what was before it stays closed.
    assert texts(read(joined(), world().c, until=6)) == [None, "C reads this.", "From C."]


def test_t9_who_has_left_opens_nothing_that_comes_after() -> None:
    found = read(joined(), world().c)
    assert not found.is_member
    assert set(found.epochs) == {1, 2}
    assert texts(found)[-1] is None


def test_t7_a_repair_leads_to_an_older_epoch_and_everybody_reads_on() -> None:
    for party in (world().a, world().b):
        found = read(joined(), party)
        assert found.broken is None
        assert set(found.epochs) == {0, 1, 2, 3, 4, 5}
        assert texts(found)[:3] == ["Before C came.", "C reads this.", "From C."]


def test_t7_an_epoch_that_did_not_open_stays_an_alarm_until_a_repair() -> None:
    changing = joined()
    party = world().b
    found = Correspondence(NET, changing.thread, world().server_key.public)

    def mailbox(member: Member) -> KemKey | None:
        if member.principal != party.principal:
            return None
        if len(found.raw) == 7:
            raise Refused("T7", "cannot-open", "a mailbox that is not open")
        return mailbox_key(NET, member.principal, member.keyring_n, party.links[member.keyring_n].secret)

    for item in changing.server.items[:8]:
        found.apply(item, changing.keyrings, mailbox)
    assert found.broken == "cannot-open"
    found.apply(changing.server.items[8], changing.keyrings, mailbox)
    assert found.broken is None


def test_t5_a_practitioner_reads_until_dropped() -> None:
    assert texts(read(mandated(), world().c)) == ["Written directly.", None]
    assert texts(read(mandated(), world().a)) == ["Written directly.", "Without C."]


def test_t10_a_successor_reads_and_writes_from_then_on() -> None:
    found = read(succeeded(), world().c)
    assert texts(found) == ["From the successor."]
    assert found.state is not None
    assert world().b.principal not in found.state.parties


def test_a_reader_without_keys_verifies_all_of_it() -> None:
    for changing in (joined(), mandated(), succeeded()):
        found = read(changing, None)
        assert found.state == changing.server.state
        assert not found.epochs


def without(changing: Changing, device: Device) -> NewestKeyrings:
    """The keyrings once this device was removed."""
    states = [
        replace(state, devices=tuple(row for row in state.devices if row.id != device.id))
        for state in changing.keyrings.states.values()
    ]
    return NewestKeyrings({state.principal: state for state in states})


def test_m8_what_a_removed_device_wrote_last_is_unanchored() -> None:
    changing, made = joined(), world()
    found = read(changing, made.a)
    assert found.unanchored(changing.keyrings) == set()
    # Femi wrote the last items of B; nobody else of B has ever covered them.
    assert found.unanchored(without(changing, made.femi)) == {4, 5, 8, 10}


def test_m8_what_a_listed_device_has_covered_is_anchored() -> None:
    made = world()
    found = Correspondence(NET, made.server.state.thread, made.server_key.public)
    for item in made.server.items:
        found.apply(item, made.keyrings(0 if item.seq < 4 else 1), lambda _: None)
    left = [device for device in made.a.newest.devices if device.id == made.elin.id]
    removed = replace(made.a.newest, devices=tuple(left))
    keyrings = NewestKeyrings({**made.keyrings().states, removed.principal: removed})
    # Elin's entry and note say that she had seen everything that Dara wrote.
    assert found.unanchored(keyrings) == set()
    alone = replace(removed, devices=())
    assert found.unanchored(NewestKeyrings({**keyrings.states, alone.principal: alone})) == {1, 2, 4, 5}


def test_t3_nothing_is_in_force_before_the_time_is_known() -> None:
    changing = joined()
    item = changing.server.items[2]
    state = changing.server.states[1]
    with pytest.raises(Refused, match="T3 consent-expired"):
        accept_entry(NET, state, item.item, item.envelopes or b"", changing.keyrings)
    assert accept_entry(NET, state, item.item, item.envelopes or b"", changing.keyrings, now=NOW).n == 1


def test_t8_what_a_server_contradicts_is_kept_and_stays_stopped() -> None:
    made = world()
    server = made.server
    box = reader()
    for item in server.items[:2]:
        box.apply_item(item)
    other = server.receipt(3, server.items[1].item, server.states[2].transcript)
    with pytest.raises(Refused, match="T8 forked-thread"):
        box.apply_item(replace(server.items[2], receipt=other))
    again = reader()
    again.load_state(box.export_state())
    with pytest.raises(Refused, match="T8 thread-stopped"):
        again.apply_item(server.items[0])
    found = read_evidence(again.stopped[server.state.thread])
    assert (found.seq, found.transcript) == (3, server.states[1].transcript)
    assert [version.receipt for version in found.versions] == [other]


def reader() -> Mailbox:
    """Femi's device, which knows the keyrings as they were at the start."""
    made = world()
    box = Mailbox(NET, made.server_key.public, replace(made.femi, principal=made.b.principal))
    for party in (made.b, made.a):
        links = party.links[:1]
        blobs = [link.envelopes if party is made.b else None for link in links]
        entries = list(zip([link.entry for link in links], blobs, strict=True))
        box.apply_keyring(party.principal, entries, [text for link in links for text in link.statements])
    return box
