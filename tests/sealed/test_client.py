"""A client against servers that lie (K7, K8, K10, M4, M9, T7, T8)."""

from dataclasses import replace

import pytest

from messaging.sealed import message
from messaging.sealed.client import Device, Mailbox, Person, make_device
from messaging.sealed.correspondence import Applied
from messaging.sealed.encoding import encode
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import NewestKeyrings
from messaging.sealed.keys import SigningKey
from messaging.sealed.message import Note, Plaintext, SealedMessage
from messaging.sealed.receipt import check_opened
from messaging.sealed.ring import Pin
from messaging.sealed.thread import After
from tests.sealed.breaking import assert_refused, breaks
from tests.sealed.cases.base import Case
from tests.sealed.world import NET, START, Party, ThreadServer, World, forge, seed, tampered, world

NOTE = Plaintext(Note("hello"), "en")


def mailbox_of(made: World, party: Party, device: Device, a: int = 1) -> Mailbox:
    """A client that has fetched the keyrings of A (to entry ``a``) and B."""
    device = replace(device, principal=party.principal)
    client = Mailbox(NET, made.server_key.public, device)
    for one, end in ((made.a, a), (made.b, 0)):
        fetch_ring(client, one, end)
    return client


def fetch_ring(client: Mailbox, party: Party, end: int) -> None:
    links = party.links[client.keyring_from(party.principal) : end + 1]
    own = party.principal == client.principal
    client.apply_keyring(
        party.principal,
        [(link.entry, link.envelopes if own else None) for link in links],
        [statement for link in links for statement in link.statements],
    )


def read(client: Mailbox, made: World, count: int = 5) -> list[Applied]:
    return [client.apply_item(item) for item in made.server.items[:count]]


@pytest.mark.parametrize("person", ["dara", "elin", "femi"])
def test_every_member_reads_everything(person: str) -> None:
    made = world()
    party = made.b if person == "femi" else made.a
    applied = read(mailbox_of(made, party, party.devices[person]), made)
    assert [one.failed for one in applied] == [None] * 5
    assert {one.seq: one.plaintext for one in applied if one.plaintext} == made.server.plaintexts


def test_an_outsider_who_has_the_items_reads_nothing() -> None:
    made = world()
    applied = read(mailbox_of(made, made.c, made.gita), made)
    assert [one.failed for one in applied if one.message] == ["cannot-open"] * 3
    assert not [one for one in applied if one.plaintext]


def test_a_device_survives_export_and_a_mailbox_keeps_its_record() -> None:
    made = world()
    client = mailbox_of(made, made.a, Device.load(replace(made.elin, principal=made.a.principal).export()))
    read(client, made)
    client.seal(made.server.state.thread, NOTE, at=START)
    fresh = Mailbox(NET, client.server_key, client.device)
    fresh.load_state(client.export_state())
    assert (fresh.pins, fresh.signed, fresh.places) == (client.pins, client.signed, client.places)
    assert fresh.signed[made.server.state.thread].counter == 1


# keyrings


def test_k7_a_wrong_secret_alarms_and_nothing_is_sealed() -> None:
    made = world()
    client = mailbox_of(made, made.a, made.dara)
    ring = client.rings[made.a.principal]
    del ring.secrets[1]
    ring.envelopes[1] = encode([[made.dara.id, bytes(1168)]])
    ring.open(made.dara.id, made.dara.kem_key)
    assert ring.broken == "cannot-open"
    with pytest.raises(Refused, match="K7 not-verified"):
        client.open_thread([made.b.principal], NOTE, at=START)


def test_k4_other_envelopes_for_a_known_own_entry_are_refused() -> None:
    made = world()
    client = mailbox_of(made, made.a, made.dara)
    other = encode([[made.dara.id, bytes(1168)]])
    with pytest.raises(Refused, match="K4 wrong-recipients"):
        client.apply_keyring(made.a.principal, [(made.a.links[1].entry, other)], [])


def test_k10_a_keyring_rolled_back_is_refused() -> None:
    made = world()
    client = mailbox_of(made, made.a, made.dara)
    again = Mailbox(NET, client.server_key, client.device)
    again.load_state(client.export_state())
    with pytest.raises(Refused, match="K10 stale-keyring"):
        fetch_ring(again, made.a, 0)
    assert made.a.principal not in again.rings


def test_k10_another_entry_at_a_known_place_is_refused() -> None:
    made = world()
    client = mailbox_of(made, made.a, made.dara)
    other = forge(made.a.links[1].entry, made.dara, at=1)
    with pytest.raises(Refused, match="K10 forked-keyring"):
        client.apply_keyring(made.a.principal, [(other, None)], [])


def test_k10_another_entry_than_the_pinned_is_refused() -> None:
    made = world()
    client = mailbox_of(made, made.a, made.dara)
    again = Mailbox(NET, client.server_key, client.device, pins={made.a.principal: Pin(1, seed("x"))})
    with pytest.raises(Refused, match="K10 forked-keyring"):
        fetch_ring(again, made.a, 1)


def test_k1_the_keyring_of_another_is_refused() -> None:
    made = world()
    client = mailbox_of(made, made.a, made.dara)
    link = made.c.links[0]
    with pytest.raises(Refused, match="K1 wrong-predecessor"):
        client.apply_keyring(seed("x"), [(link.entry, None)], link.statements)
    with pytest.raises(Refused, match="K1 missing-entry"):
        client.apply_keyring(made.c.principal, [], [])


# threads


def started(person: str = "femi", count: int = 5) -> tuple[World, Mailbox]:
    made = world()
    party = made.b if person == "femi" else made.a
    client = mailbox_of(made, party, party.devices[person])
    read(client, made, count)
    return made, client


def test_t8_another_item_at_a_known_place_stops_the_thread_and_both_are_kept() -> None:
    made, client = started()
    item = made.server.items[4]
    other = replace(item, item=forge(item.item, made.elin, at=1))
    assert client.apply_item(item).seq == 5
    with pytest.raises(Refused, match="T8 forked-thread"):
        client.apply_item(other)
    found = client.threads[item.thread]
    assert found.fork == (item, other)
    with pytest.raises(Refused, match="T8 thread-stopped"):
        client.seal(item.thread, NOTE, at=START)
    with pytest.raises(Refused, match="T8 thread-stopped"):
        client.apply_item(item)


def test_t8_a_receipt_for_another_transcript_stops_the_thread() -> None:
    made, client = started(count=1)
    item = made.server.items[1]
    other = replace(item, receipt=made.server.receipt(2, item.item, seed("x")))
    with pytest.raises(Refused, match="T8 forked-thread"):
        client.apply_item(other)
    assert client.threads[item.thread].fork == (None, other)


def test_t8_a_dropped_item_is_noticed_with_the_next() -> None:
    made, client = started(count=2)
    with pytest.raises(Refused, match="T1 missing-item"):
        client.apply_item(made.server.items[3])
    moved = replace(made.server.items[3], seq=3)
    with pytest.raises(Refused, match="T8 forked-thread"):
        client.apply_item(moved)


def test_t8_two_readers_cannot_be_shown_different_threads_unnoticed() -> None:
    made = World()
    client = mailbox_of(made, made.b, made.femi)
    read(client, made, 4)
    state, secret = made.server.states[3], made.server.secrets[1]
    hidden = message.seal_message(
        NET, state, NOTE, secret=secret, by=made.a.by(), device=made.elin.id, key=made.elin.signing_key,
        counter=0, prev=bytes(32), void=[], at=START,
    )  # fmt: skip
    fork = ThreadServer(made.server_key)
    fork.states, fork.items = made.server.states[:4], made.server.items[:4]
    fork.receive_message(hidden, made.keyrings())
    client.apply_item(fork.items[4])
    answer = client.seal(state.thread, NOTE, at=START)
    with pytest.raises(Refused, match="M7 wrong-transcript"):
        made.server.receive_message(answer, made.keyrings())


def test_t7_a_wrong_epoch_secret_alarms_and_nothing_is_sealed() -> None:
    made, client = started()
    found = client.threads[made.server.state.thread]
    found.broken = "wrong-commit"
    with pytest.raises(Refused, match="M9 not-verified"):
        client.seal(found.thread, NOTE, at=START)


def test_t7_without_the_mailbox_secret_an_epoch_stays_closed() -> None:
    made = world()
    client = mailbox_of(made, made.a, made.dara)
    client.rings[made.a.principal].secrets.clear()
    applied = read(client, made)
    assert client.threads[made.server.state.thread].broken == "cannot-open"
    assert applied[1].failed == "cannot-open"


def test_k10_an_item_waits_for_the_keyrings_it_names() -> None:
    made = world()
    client = mailbox_of(made, made.b, made.femi, a=0)
    read(client, made, 3)
    item = made.server.items[3]
    assert client.needs(item) == [(made.a.principal, 1)]
    with pytest.raises(Refused, match="K10 keyring-unknown"):
        client.apply_item(item)
    fetch_ring(client, made.a, 1)
    assert client.apply_item(item).entry is not None


def test_m5_a_message_that_cannot_be_opened_keeps_its_place() -> None:
    made, client = started(count=4)
    found = client.threads[made.server.state.thread]
    found.epochs[1] = seed("x")
    applied = client.apply_item(made.server.items[4])
    assert (applied.plaintext, applied.failed, applied.seq) == (None, "cannot-open", 5)


def test_m3_a_ciphertext_exchanged_by_the_server_is_refused() -> None:
    made, client = started(count=1)
    item = made.server.items[1]
    with pytest.raises(Refused, match="M3 wrong-cipher"):
        client.apply_item(replace(item, ciphertext=tampered(item.ciphertext or b"")))


def test_m4_a_refused_message_is_sealed_anew_and_named() -> None:
    made = World()
    client = mailbox_of(made, made.b, made.femi)
    read(client, made)
    place = made.server.state.thread
    first = client.seal(place, NOTE, at=START)
    with pytest.raises(Refused, match="M9 message-pending"):
        client.seal(place, NOTE, at=START)
    client.mark_refused(place)
    second = client.seal(place, NOTE, at=START)
    header = message.read_message(NET, second.item)
    assert header.counter == 2
    assert header.void == (message.read_message(NET, first.item).id,)
    made.server.receive_message(second, made.keyrings())
    assert client.apply_item(made.server.items[-1]).plaintext == NOTE
    assert client.signed[place].void == []


def test_m4_a_refused_message_that_turns_up_late_is_shown_and_the_thread_goes_on() -> None:
    made, writer = started()
    reader = started("dara")[1]
    place = made.server.state.thread
    first = writer.seal(place, NOTE, at=START)
    writer.mark_refused(place)  # said the server
    second = writer.seal(place, NOTE, at=START)
    server = LyingServer(made)
    for sealed in (second, first):
        server.receive_whatever(sealed, made.keyrings())
    for client in (reader, writer):
        late = [client.apply_item(item) for item in server.items[5:]][-1]
        assert late.message is not None
        assert "never-delivered" in late.message.marks
        assert late.plaintext == NOTE
    server.receive_message(writer.seal(place, NOTE, at=START), made.keyrings())
    applied = reader.apply_item(server.items[-1])
    assert applied.message is not None
    assert (applied.message.marks, applied.message.counter) == ((), 3)
    assert reader.seal(place, NOTE, at=START).item


class LyingServer(ThreadServer):
    """One that takes what it had refused before."""

    def __init__(self, made: World) -> None:
        super().__init__(made.server_key)
        self.states, self.items = [*made.server.states], [*made.server.items]

    def receive_whatever(self, sealed: SealedMessage, keyrings: NewestKeyrings) -> None:
        state, _ = message.accept_message(
            NET, self.state, keyrings, sealed.item, sealed.ciphertext,
            is_known=self.ids.__contains__, transcript_at=self.transcript_at, reading=True,
        )  # fmt: skip
        self.states.append(state)
        self._keep("message", sealed.item, ciphertext=sealed.ciphertext)


def test_m4_after_many_refused_messages_the_device_still_writes() -> None:
    made, client = started()
    place = made.server.state.thread
    for _ in range(40):
        client.seal(place, NOTE, at=START)
        client.mark_refused(place)
    again = mailbox_of(made, made.b, made.femi)
    again.load_state(client.export_state())
    read(again, made)
    server = LyingServer(made)
    server.receive_message(again.seal(place, NOTE, at=START), made.keyrings())
    applied = again.apply_item(server.items[-1])
    assert applied.message is not None
    assert len(applied.message.void) == message.VOID_LIMIT
    assert applied.message.marks == ()


@pytest.mark.parametrize("length", [201, 50_000])
def test_m5_a_text_that_cannot_be_read_costs_no_counter(length: int) -> None:
    made, client = started()
    place = made.server.state.thread
    before = client.export_state()
    with pytest.raises(Refused, match=r"M5 wrong-body|M3 bad-size"):
        client.seal(place, replace(NOTE, subject="s" * length), at=START)
    assert client.export_state() == before
    assert client.seal(place, NOTE, at=START).item


def test_k8_an_authority_keeps_the_fingerprint_it_had() -> None:
    made = world()
    client = mailbox_of(made, made.a, made.dara)
    for party in (made.b, made.c):
        entries = [(link.entry, None) for link in party.links]
        if party is made.b:
            client.apply_keyring(party.principal, entries, party.links[0].statements, authority="femi's")
            continue
        with pytest.raises(Refused, match="K8 changed-principal"):
            client.apply_keyring(party.principal, entries, party.links[0].statements, authority="femi's")


def test_k8_a_fingerprint_keeps_the_authority_it_had() -> None:
    made = world()
    client = mailbox_of(made, made.a, made.dara)
    link = made.b.links[0]
    client.apply_keyring(made.b.principal, [(link.entry, None)], link.statements, authority="femi's")
    with pytest.raises(Refused, match="K8 changed-principal"):
        client.apply_keyring(made.b.principal, [], [], authority="another")
    assert client.authorities == {"femi's": made.b.principal}


def test_k8_a_chosen_authority_is_the_one_its_keyring_names() -> None:
    made = world()
    client = mailbox_of(made, made.a, made.dara)
    link = made.b.links[0]
    client.apply_keyring(made.b.principal, [(link.entry, None)], link.statements, authority="femi's")
    client.check_authority("femi's", made.b.principal)
    for authority, principal in (("another", made.b.principal), ("femi's", made.c.principal)):
        with pytest.raises(Refused, match="K8 changed-principal"):
            client.check_authority(authority, principal)


def visited() -> tuple[World, Mailbox, Mailbox]:
    """A client that read everything, and the same device after a restart."""
    made, client = started()
    again = mailbox_of(made, made.b, made.femi)
    again.load_state(client.export_state())
    return made, client, again


def test_m9_nothing_is_sealed_before_all_that_was_seen_is_verified_again() -> None:
    made, _, again = visited()
    read(again, made, 3)
    with pytest.raises(Refused, match="M9 not-verified"):
        again.seal(made.server.state.thread, NOTE, at=START)
    read(again, made)
    assert again.seal(made.server.state.thread, NOTE, at=START).item


def test_m9_nothing_is_sealed_after_an_item_that_was_refused() -> None:
    made, client = started(count=4)
    item = made.server.items[4]
    with pytest.raises(Refused, match="E2 bad-signature"):
        client.apply_item(replace(item, receipt=tampered(item.receipt)))
    with pytest.raises(Refused, match="M9 not-verified"):
        client.seal(item.thread, NOTE, at=START)
    client.apply_item(item)
    assert client.seal(item.thread, NOTE, at=START).item


def test_t8_another_transcript_than_at_an_earlier_visit_stops_the_thread() -> None:
    made, _, again = visited()
    again.places[made.server.state.thread] = After(4, seed("x"))
    read(again, made, 3)
    with pytest.raises(Refused, match="T8 forked-thread"):
        again.apply_item(made.server.items[3])


def test_t8_another_server_key_than_at_the_first_visit_is_refused() -> None:
    _, client = started()
    other = Mailbox(NET, SigningKey(seed("x")).public, client.device)
    with pytest.raises(Refused, match="T8 server-key-changed"):
        other.load_state(client.export_state())


def test_m9_nothing_is_sealed_in_a_thread_not_verified() -> None:
    made = world()
    client = mailbox_of(made, made.a, made.dara)
    with pytest.raises(Refused, match="M9 not-verified"):
        client.seal(made.server.state.thread, NOTE, at=START)


def test_k8_nothing_is_sealed_to_a_principal_not_verified() -> None:
    made, client = started()
    with pytest.raises(Refused, match="K8 keyring-unknown"):
        client.open_thread([made.c.principal], NOTE, at=START)


def test_k7_a_device_not_yet_listed_seals_nothing() -> None:
    made = world()
    person = Person("p", "Paula", "Desk")
    client = mailbox_of(made, made.a, make_device(NET, made.a.principal, person, at=START))
    assert not client.is_listed()
    with pytest.raises(Refused, match="K7 not-verified"):
        client.open_thread([made.b.principal], NOTE, at=START)


def test_t4_a_refresh_comes_before_the_next_message() -> None:
    made, client = started()
    ring = client.rings[made.a.principal]
    ring.states[-1] = replace(ring.states[-1], floor=2)
    assert client.needs_refresh(made.server.state.thread)
    with pytest.raises(Refused, match="T4 stale-epoch"):
        client.seal(made.server.state.thread, NOTE, at=START)


def test_m7_an_opened_statement_of_another_transcript_is_refused() -> None:
    made, client = started()
    state = made.server.state
    signed = client.make_opened(state.thread, at=START)
    _, reader = started("dara")
    assert reader.check_opened(state.thread, signed).seq == 5
    other = replace(state, transcript=seed("x"))
    with pytest.raises(Refused, match="M7 wrong-transcript"):
        check_opened(NET, signed, other, made.keyrings(), transcript_at=lambda _: seed("x"))


@breaks("K8")
def test_k8_confirms_accepts_and_pins_are_whose_they_should_be(case: Case) -> None:
    assert_refused(case)
