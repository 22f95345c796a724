"""Random honest histories: everybody who reads agrees."""

from hypothesis import given, settings
from hypothesis import strategies as some

from messaging.sealed import keyring
from messaging.sealed.client import Mailbox, NewKeyring, Person, make_device, make_keyring
from messaging.sealed.correspondence import Applied
from messaging.sealed.keyring import KeyringState, NewestKeyrings
from messaging.sealed.keys import SigningKey
from messaging.sealed.message import Acknowledgement, Note, Plaintext, SealedMessage
from tests.sealed.world import NET, START, ThreadServer, seed

NOTE = Plaintext(Note("hello"), "en")


class Office:
    """One authority in a history: its keyring and the mailboxes of its officers."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.new: NewKeyring = make_keyring(NET, Person(label, label, "Desk"), at=START)
        self.boxes: list[Mailbox] = []
        self.chain: list[tuple[bytes, bytes]] = [(self.new.entry, self.new.envelopes)]
        self.statements = list(self.new.statements)
        self.state = keyring.accept_entry(NET, None, self.new.entry, self.statements, self.new.envelopes)

    def catch_up(self, client: Mailbox) -> None:
        start = client.keyring_from(self.state.principal)
        own = client.principal == self.state.principal
        entries = [(entry, blob if own else None) for entry, blob in self.chain[start:]]
        if entries:
            client.apply_keyring(self.state.principal, entries, self.statements)


class History:
    """Two offices and one thread on an honest server."""

    def __init__(self) -> None:
        self.key = SigningKey(seed("server"))
        self.offices = [Office("one"), Office("two")]
        for office in self.offices:
            office.boxes.append(Mailbox(NET, self.key.public, office.new.device))
        self.catch_up()
        self.server = ThreadServer(self.key)
        opener, other = self.offices
        made = opener.boxes[0].open_thread([other.state.principal], NOTE, at=START)
        first = keyring.MadeEntry(made.entry, made.envelopes, b"")
        self.server.receive_entry(first, self.keyrings())
        self.send(made.messages[0])

    def keyrings(self) -> NewestKeyrings:
        states: list[KeyringState] = [office.state for office in self.offices]
        return NewestKeyrings({state.principal: state for state in states})

    def catch_up(self) -> None:
        for office in self.offices:
            for client in office.boxes:
                for one in self.offices:
                    one.catch_up(client)

    def deliver(self, client: Mailbox) -> list[Applied]:
        found = client.threads.get(self.server.state.thread)
        start = len(found.raw) if found else 0
        return [client.apply_item(item) for item in self.server.items[start:]]

    def send(self, sealed: SealedMessage) -> None:
        self.server.receive_message(sealed, self.keyrings())

    def step(self, verb: str, side: int, who: int) -> None:
        office = self.offices[side]
        client = office.boxes[who % len(office.boxes)]
        self.deliver(client)
        place = self.server.state.thread
        if verb == "note":
            self.send(client.seal(place, Plaintext(Note(verb * who), "en", own_reference=str(who)), at=START))
        elif verb == "acknowledge":
            answer = Acknowledgement(bytes(16), self.server.state.seq)
            self.send(client.seal(place, Plaintext(answer, "fr"), at=START))
        elif verb == "refused":
            client.seal(place, NOTE, at=START)
            client.mark_refused(place)
            self.send(client.seal(place, NOTE, at=START))
        elif verb == "refresh":
            made = client.refresh(place, at=START)
            self.server.receive_entry(keyring.MadeEntry(made.entry, made.envelopes, b""), self.keyrings())
        else:
            self.add(office)

    def add(self, office: Office) -> None:
        number = len(office.boxes)
        person = Person(f"{office.label}-{number}", "Name", "Desk")
        device = make_device(NET, office.state.principal, person, at=START)
        made = office.boxes[0].make_addition([(device.statement, ["officer"])], at=START)
        office.statements += made.statements
        office.chain.append((made.entry, made.envelopes))
        office.state = keyring.accept_entry(NET, office.state, made.entry, made.statements, made.envelopes)
        office.boxes.append(Mailbox(NET, self.key.public, device))
        self.catch_up()


steps = some.tuples(
    some.sampled_from(["note", "acknowledge", "refused", "refresh", "add"]),
    some.integers(0, 1),
    some.integers(0, 9),
)


@settings(max_examples=15, deadline=None)
@given(some.lists(steps, max_size=14))
def test_everybody_agrees_after_any_honest_history(history: list[tuple[str, int, int]]) -> None:
    run = History()
    for verb, side, who in history:
        run.step(verb, side, who)
    readers = [client for office in run.offices for client in office.boxes]
    for client in readers:
        run.deliver(client)
    views = [client.threads[run.server.state.thread] for client in readers]
    assert {view.state.transcript for view in views if view.state} == {run.server.state.transcript}
    assert not [view.broken for view in views if view.broken]
    assert not [one for view in views for one in view.applied if one.failed]
    assert not [
        one.message.marks for view in views for one in view.applied if one.message and one.message.marks
    ]
    texts = [[one.plaintext for one in view.applied] for view in views]
    assert all(text == texts[0] for text in texts)
