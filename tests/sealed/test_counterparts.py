"""K8, K11, L7: whom a client seals to, and what it has from its authority's ledger."""

from dataclasses import replace
from typing import Any

import pytest

from messaging.sealed import counterparts
from messaging.sealed.client import Mailbox
from messaging.sealed.counterparts import Trust, is_unconfirmed, level_of, start_from_pins
from messaging.sealed.encoding import decode, encode, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import MadeEntry, NewestKeyrings
from messaging.sealed.plaintext import Enclosure, Note, Plaintext
from messaging.sealed.ring import Pin
from messaging.sealed.transparency import Leaf, log_label, statement_value
from messaging.sealed.trust import PinnedHead, make_accept, make_confirm, make_pins
from tests.sealed.log_world import LABELS, LogServer
from tests.sealed.story import ANSWERING, PRACTITIONER, SUCCESSOR, TAKEN
from tests.sealed.world import NET, START, Party, ThreadServer, newest_keyrings, seed, world

NOTE = Plaintext(Note("hello"), "en")
OF_B = "authority-b"


def learn(mailbox: Mailbox, party: Party, authority: str | None = None) -> None:
    """Fetch a keyring, of the own authority with its envelopes."""
    own = party.principal == mailbox.principal
    rows = [(link.entry, link.envelopes if own else None) for link in party.links]
    statements = [raw for link in party.links for raw in link.statements]
    mailbox.apply_keyring(party.principal, rows, statements, authority)


class Office:
    """Dara of A, who knows B and the secretariat; her authority's ledger on an honest server."""

    def __init__(self, person: str = "dara") -> None:
        made = world()
        device = replace(made.a.devices[person], principal=made.a.principal)
        self.mailbox = Mailbox(NET, made.server_key.public, device, trust=Trust(made.secretariat.principal))
        for party, authority in ((made.a, "authority-a"), (made.b, OF_B), (made.secretariat, "secretariat")):
            learn(self.mailbox, party, authority)
        self.ledger = ThreadServer(made.server_key)

    @property
    def trust(self) -> Trust:
        assert self.mailbox.trust is not None
        return self.mailbox.trust

    @property
    def keyrings(self) -> NewestKeyrings:
        return newest_keyrings(world().a.newest)

    def open_ledger(self) -> None:
        made = self.mailbox.membership.open_own("ledger", at=START + 10)
        self.ledger.receive_entry(MadeEntry(made.entry, made.envelopes, b""), self.keyrings)
        self.deliver(self.mailbox)

    def write(self, plaintext: Plaintext) -> None:
        """Into the ledger, and back."""
        sealed = self.mailbox.seal(self.ledger.state.thread, plaintext, at=START + 20)
        self.ledger.receive_message(sealed, self.keyrings)
        self.deliver(self.mailbox)

    def deliver(self, mailbox: Mailbox) -> None:
        """All of the ledger, to any device of A."""
        known = mailbox.threads.get(self.ledger.state.thread)
        for item in self.ledger.items[len(known.raw) if known else 0 :]:
            mailbox.apply_item(item)

    def accept(self, party: Party, head: bytes | None = None) -> None:
        if not self.ledger.states:
            self.open_ledger()
        membership = self.mailbox.membership
        self.write(membership.accept(OF_B, party.principal, how="voice", at=START + 20, head=head))

    def refused(self, party: Party) -> str:
        """The code by which nothing is sealed to a principal."""
        with pytest.raises(Refused) as caught:
            self.mailbox.open_thread([party.principal], NOTE, at=START + 30)
        return f"{caught.value.rule} {caught.value.code}"


def confirms(*persons: str, **changes: Any) -> tuple[bytes, ...]:
    """Of persons of the secretariat: B's keyring is its authority's."""
    made = world()
    given: dict[str, Any] = {
        "authority": OF_B,
        "principal": made.b.principal,
        "head": None,
        "by": made.secretariat.by(),
    }
    signers = [made.secretariat.devices[person] for person in persons or ("hugo", "ivan")]
    return tuple(
        make_confirm(
            NET,
            device=signer.id,
            key=signer.signing_key,
            document=seed("note"),
            at=START,
            **(given | changes),
        )
        for signer in signers
    )


def test_k8_nothing_is_sealed_to_who_is_neither_confirmed_nor_accepted() -> None:
    office, b = Office(), world().b
    assert level_of(office.mailbox, b.principal) == "new"
    assert office.refused(b) == "K8 not-compared"
    office.trust.earlier.add(b.principal)
    assert level_of(office.mailbox, b.principal) == "seen"
    assert office.refused(b) == "K8 not-compared"


def test_k8_without_the_check_it_is_sealed() -> None:
    office = Office()
    office.mailbox.trust = None
    assert office.mailbox.open_thread([world().b.principal], NOTE, at=START + 30).messages


def test_k8_two_persons_of_the_secretariat_confirm() -> None:
    office, b = Office(), world().b
    office.trust.confirms[b.principal] = confirms()
    assert level_of(office.mailbox, b.principal) == "confirmed"
    assert office.mailbox.open_thread([b.principal], NOTE, at=START + 30).messages


@pytest.mark.parametrize(
    "given",
    [
        (),
        confirms("hugo"),
        confirms("hugo", "hugo"),
        confirms(principal=world().c.principal),
        confirms(authority="authority-c"),
        (confirms("hugo")[0], confirms("ivan", authority="authority-c")[0]),
        (confirms("hugo")[0], confirms("ivan", head=seed("head"))[0]),
        (confirms("hugo")[0], confirms("ivan")[0][:-1] + b"\0"),
        confirms(by=world().a.by()),
    ],
)
def test_k8_what_is_not_said_by_two_of_the_secretariat_confirms_nobody(given: tuple[bytes, ...]) -> None:
    office, b = Office(), world().b
    office.trust.confirms[b.principal] = given
    assert office.refused(b) == "K8 not-compared"


def test_k8_another_secretariat_than_the_first_met_confirms_nobody() -> None:
    office, b = Office(), world().b
    office.trust.secretariat = None
    office.trust.meet(seed("first met"))
    with pytest.raises(Refused, match="K8 changed-principal"):
        office.trust.meet(world().secretariat.principal)
    office.trust.confirms[b.principal] = confirms()
    assert office.refused(b) == "K8 not-compared"


def test_k8_a_confirm_that_is_not_in_the_log_counts_for_nothing() -> None:
    office, made, log = Office(), world(), LogServer(world().server_key)
    for party in (made.a, made.b, made.secretariat):
        log.log_party(party)
    office.trust.confirms[made.b.principal] = given = confirms()
    label = log_label(LABELS, "confirm", OF_B.encode())
    for raw in given:
        office.mailbox.log = log.followed(at=START + 30)
        assert office.refused(made.b) == "K8 not-compared"
        log.append(Leaf("confirm", label, 0, statement_value(NET, sha256(raw))))
    office.mailbox.log = log.followed(at=START + 30)
    assert office.mailbox.open_thread([made.b.principal], NOTE, at=START + 30).messages


def test_k8_what_a_supervisor_accepted_all_devices_of_the_authority_seal_to() -> None:
    office, colleague, b = Office(), Office("elin"), world().b
    office.accept(b)
    assert level_of(office.mailbox, b.principal) == "accepted"
    assert colleague.refused(b) == "K8 not-compared"
    office.deliver(colleague.mailbox)
    assert colleague.mailbox.open_thread([b.principal], NOTE, at=START + 30).messages


def test_k8_what_an_officer_accepts_counts_for_nothing() -> None:
    office, colleague, made = Office(), Office("elin"), world()
    office.open_ledger()
    office.deliver(colleague.mailbox)
    with pytest.raises(Refused, match="K8 not-a-supervisor"):
        colleague.mailbox.membership.accept(OF_B, made.b.principal, how="voice", at=START)
    given: dict[str, Any] = {"authority": OF_B, "principal": made.b.principal, "head": None}
    raw = make_accept(NET, by=made.a.by(), device=made.elin.id, key=made.elin.signing_key, how="voice",
                      at=START, **given)  # fmt: skip
    office.write(Plaintext(Enclosure(raw), "en"))
    assert office.refused(made.b) == "K8 not-compared"


def test_k8_what_a_removed_device_may_have_accepted_since_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office, b = Office(), world().b
    office.accept(b)
    (ledger,) = office.mailbox.threads.values()
    monkeypatch.setattr(type(ledger), "unanchored", lambda *_: {2})
    office.trust.kept = None
    assert office.refused(b) == "K8 not-compared"


def test_k8_a_practitioner_stands_as_its_sponsor_does() -> None:
    office = Office()
    learn(office.mailbox, ANSWERING, "authority-of-sponsor")
    learn(office.mailbox, PRACTITIONER)
    assert office.refused(PRACTITIONER) == "K8 not-compared"
    office.trust.confirms[ANSWERING.principal] = confirms(
        principal=ANSWERING.principal, authority="authority-of-sponsor"
    )
    assert level_of(office.mailbox, PRACTITIONER.principal) == "confirmed"


def succeeded() -> Office:
    """Dara, whose authority accepted keys that others then say to follow."""
    office = Office()
    office.mailbox.authorities.clear()
    learn(office.mailbox, TAKEN, OF_B)
    office.accept(TAKEN, TAKEN.links[1].state.head)
    assert office.mailbox.open_thread([TAKEN.principal], NOTE, at=START + 30).messages
    learn(office.mailbox, SUCCESSOR, OF_B)
    return office


def test_k12_nothing_is_sealed_to_keys_whose_place_others_have_taken() -> None:
    office = succeeded()
    # What only says so changes nothing: neither whom is sealed to, nor whose the keys were.
    assert office.refused(SUCCESSOR) == "K8 not-compared"
    assert office.mailbox.open_thread([TAKEN.principal], NOTE, at=START + 30).messages
    assert office.mailbox.authorities == {OF_B: TAKEN.principal}
    office.trust.confirms[SUCCESSOR.principal] = confirms(principal=SUCCESSOR.principal)
    assert level_of(office.mailbox, SUCCESSOR.principal) == "confirmed"
    assert office.refused(TAKEN) == "K12 succeeded"
    office.mailbox.check_authority(OF_B, SUCCESSOR.principal)
    assert office.mailbox.open_thread([SUCCESSOR.principal], NOTE, at=START + 30).messages


def test_k12_who_meets_the_new_keys_first_knows_the_old_ones_too() -> None:
    office = Office()
    office.mailbox.authorities.clear()
    learn(office.mailbox, SUCCESSOR, OF_B)
    learn(office.mailbox, TAKEN, OF_B)
    assert office.mailbox.authority_of(TAKEN.principal) == OF_B
    with pytest.raises(Refused, match="K8 changed-principal"):
        learn(office.mailbox, ANSWERING, OF_B)


def test_k12_another_authority_takes_no_place_by_saying_so() -> None:
    office = Office()
    office.mailbox.authorities.clear()
    learn(office.mailbox, TAKEN, OF_B)
    office.accept(TAKEN, TAKEN.links[1].state.head)
    learn(office.mailbox, SUCCESSOR, "authority-of-somebody-else")
    office.trust.confirms[SUCCESSOR.principal] = confirms(
        principal=SUCCESSOR.principal, authority="authority-of-somebody-else"
    )
    assert level_of(office.mailbox, SUCCESSOR.principal) == "confirmed"
    assert office.mailbox.open_thread([TAKEN.principal], NOTE, at=START + 30).messages


def test_k11_a_keyring_taken_over_is_sealed_to_when_its_entry_was_compared() -> None:
    office = Office()
    office.mailbox.authorities.clear()
    learn(office.mailbox, TAKEN, OF_B)
    office.accept(TAKEN)
    assert not is_unconfirmed(office.mailbox, TAKEN.principal, 0)
    assert is_unconfirmed(office.mailbox, TAKEN.principal, 1)
    assert office.refused(TAKEN) == "K11 unconfirmed-recovery"
    office.accept(TAKEN, TAKEN.links[0].state.head)
    assert office.refused(TAKEN) == "K11 unconfirmed-recovery"
    office.accept(TAKEN, TAKEN.links[1].state.head)
    assert not is_unconfirmed(office.mailbox, TAKEN.principal, 1)
    assert office.mailbox.open_thread([TAKEN.principal], NOTE, at=START + 30).messages


def test_k11_the_secretariat_confirms_a_keyring_taken_over_by_its_entry() -> None:
    office = Office()
    office.mailbox.authorities.clear()
    learn(office.mailbox, TAKEN, OF_B)
    office.trust.confirms[TAKEN.principal] = confirms(principal=TAKEN.principal)
    assert office.refused(TAKEN) == "K11 unconfirmed-recovery"
    head = TAKEN.links[1].state.head
    office.trust.confirms[TAKEN.principal] = confirms(principal=TAKEN.principal, head=head)
    assert office.mailbox.open_thread([TAKEN.principal], NOTE, at=START + 30).messages


def test_l7_a_new_device_starts_from_what_a_colleague_has_seen() -> None:
    office, b = Office(), world().b
    office.open_ledger()
    assert not counterparts.is_pinned(office.mailbox, counterparts.newest_pins(office.mailbox))
    office.write(office.mailbox.membership.pins(at=START + 20))
    assert counterparts.is_pinned(office.mailbox, counterparts.newest_pins(office.mailbox))
    new = Office("elin").mailbox
    new.pins = {new.principal: new.pins[new.principal]}
    del new.rings[b.principal]
    office.deliver(new)
    assert start_from_pins(new) is not None
    assert new.pins[b.principal] == Pin(b.newest.n, b.newest.head)
    assert level_of(new, b.principal) == "seen"


def test_k10_another_keyring_than_a_colleague_has_seen_is_refused() -> None:
    office, made = Office(), world()
    office.open_ledger()
    head = PinnedHead(made.b.principal, 0, seed("another"))
    raw = make_pins(NET, by=made.a.by(), device=made.dara.id, key=made.dara.signing_key, log=None,
                    heads=[head], at=START)  # fmt: skip
    office.write(Plaintext(Enclosure(raw), "en"))
    with pytest.raises(Refused, match="K10 forked-keyring"):
        start_from_pins(office.mailbox)


def test_l6_another_log_than_a_colleague_has_followed_is_refused() -> None:
    office, made, log = Office(), world(), LogServer(world().server_key)
    for party in (made.a, made.b, made.secretariat):
        log.log_party(party)
    office.mailbox.log = log.followed(at=START + 10)
    office.open_ledger()
    office.write(office.mailbox.membership.pins(at=START + 20))
    assert start_from_pins(office.mailbox) is not None
    other = LogServer(made.server_key)
    for party in (made.b, made.a, made.secretariat):
        other.log_party(party)
    office.mailbox.log = other.followed(at=START + 10)
    with pytest.raises(Refused, match="L6 other-log"):
        start_from_pins(office.mailbox)


def test_the_secretariat_met_first_is_kept() -> None:
    office = Office()
    again = Mailbox(NET, office.mailbox.server_key, office.mailbox.device, trust=Trust())
    again.load_state(office.mailbox.export_state())
    assert again.trust is not None
    assert again.trust.secretariat == world().secretariat.principal
    assert again.trust.earlier == set(office.mailbox.pins)


def test_what_older_files_noted_of_recoveries_opens_and_counts_for_nothing() -> None:
    office = Office()
    found = decode(office.mailbox.export_state())
    assert isinstance(found, dict)
    older = {name: value for name, value in found.items() if name != "secretariat"}
    head = TAKEN.newest.head
    again = Mailbox(NET, office.mailbox.server_key, office.mailbox.device, trust=Trust())
    again.load_state(encode({**older, "recoveries": [[TAKEN.principal, 1, head]]}))
    learn(again, TAKEN)
    assert is_unconfirmed(again, TAKEN.principal, 1)
