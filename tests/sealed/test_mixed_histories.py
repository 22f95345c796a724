"""Random honest histories of both implementations: who reads agrees, who was removed reads no more."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest

from messaging.sealed import keyring
from messaging.sealed.consent import Admission
from messaging.sealed.keyring import KeyringState, NewestKeyrings
from messaging.sealed.keys import SigningKey
from messaging.sealed.membership import Membership
from messaging.sealed.message import read_message
from tests.sealed.desks import Desk, Entry, PythonDesk, PythonMaker, Script, Shown
from tests.sealed.world import NET, START, ThreadServer, seed

Maker = PythonMaker | Script
STEPS = 40
VERBS = (
    ["note"] * 6
    + ["file", "acknowledge", "refused", "refresh", "add", "add", "add", "remove", "remove"]
    + ["rotate", "role", "recovery-key", "recover", "observer"]
)


@dataclass
class Reader:
    """A device with what it has been shown."""

    desk: Desk
    person: str
    shown: list[Shown] = field(default_factory=list)
    removed_at: int | None = None  # how many items there were; None while it is listed


@dataclass
class Office:
    """One authority: its keyring as the server has it, and its devices; the first is the steward's."""

    label: str
    principal: bytes
    kit: str
    readers: list[Reader]
    chain: list[tuple[bytes, bytes]] = field(default_factory=list)
    statements: list[bytes] = field(default_factory=list)
    lost: list[Reader] = field(default_factory=list)
    states: list[KeyringState] = field(default_factory=list)

    @property
    def state(self) -> KeyringState:
        return self.states[-1]

    def grow(self, made: Entry) -> None:
        """Take an entry as a server does."""
        before = self.states[-1] if self.states else None
        statements = [*self.statements, *made.statements]
        self.states.append(keyring.accept_entry(NET, before, made.entry, statements, made.envelopes))
        self.statements = statements
        self.chain.append((made.entry, made.envelopes))
        self.kit = made.kit if made.kit and self.changes_kit(made) else self.kit

    def changes_kit(self, made: Entry) -> bool:
        return keyring.read_entry(NET, made.entry).reason in {"genesis", "recovery-key", "recover"}


class History:
    """Two offices, one founded by each implementation, a third one that reads along, and one thread."""

    def __init__(self, script: Script, random: Random) -> None:
        self.key = SigningKey(seed("server"))
        self.python, self.script, self.random = PythonMaker(self.key.public), script, random
        self.offices = [self.found(self.python, "one"), self.found(script, "two")]
        self.observer = self.found(self.python, "three")
        self.is_observed = False  # ever: who has left still reads what was before
        self.count = 0
        # Whoever lets others in has to consent by a supervisor's device, and so far only Python's can.
        self.add(self.offices[1], self.python)
        self.server = ThreadServer(self.key)
        self.catch_up()
        opener = self.offices[0].readers[0].desk
        assert isinstance(opener, PythonDesk)
        made = opener.box.open_thread([self.offices[1].principal], None, at=START)
        self.take_entry(Entry(made.entry, made.envelopes))

    def found(self, maker: Maker, label: str) -> Office:
        desk, principal, entry = maker.found(f"{label} 0")
        office = Office(label, principal, entry.kit or "", [Reader(desk, f"{label} 0")])
        office.grow(entry)
        return office

    @property
    def everybody(self) -> list[Office]:
        return [*self.offices, self.observer]

    def keyrings(self) -> NewestKeyrings:
        return NewestKeyrings({office.principal: office.state for office in self.everybody})

    def maker(self) -> Maker:
        return self.python if self.random.random() < 0.5 else self.script

    def thread(self) -> bytes:
        return self.server.state.thread

    # delivery

    def catch_up(self) -> None:
        """Give every device everything there is; also those that were removed, who ask for it in vain."""
        for office in self.everybody:
            for reader in [*office.readers, *office.lost]:
                for one in self.everybody:
                    own = one is office
                    reader.desk.take_keyring(one.principal, one.chain, one.statements, own=own)
                if office is not self.observer or self.is_observed:
                    self.deliver(reader)

    def deliver(self, reader: Reader) -> None:
        for item in self.server.items[len(reader.shown) :] if hasattr(self, "server") else []:
            reader.shown.append(reader.desk.take(item))

    def take_entry(self, made: Entry) -> None:
        self.server.receive_entry(keyring.MadeEntry(made.entry, made.envelopes, b""), self.keyrings())

    # what may happen

    def step(self) -> None:
        verb, office = self.random.choice(VERBS), self.random.choice(self.offices)
        self.count += 1
        self.catch_up()
        writer = self.random.choice(office.readers).desk
        if verb in {"note", "file", "acknowledge", "refused"}:
            self.write(writer, verb)
        elif verb == "refresh":
            self.take_entry(writer.refresh(self.thread()))
        elif verb == "add":
            self.add(office, self.maker())
        elif verb == "observer":
            self.let_in()
        else:
            self.change(office, verb)

    def write(self, writer: Desk, verb: str) -> None:
        if writer.needs_refresh(self.thread()):
            self.take_entry(writer.refresh(self.thread()))
            self.catch_up()
        if verb == "refused":
            writer.note(self.thread(), "never sent")
            writer.refuse(self.thread())
        first = next((item for item in self.server.items if item.type == "message"), None)
        if verb == "acknowledge" and first is not None:
            sealed = writer.acknowledge(self.thread(), read_message(NET, first.item).id, first.seq)
        else:
            sealed = writer.note(self.thread(), f"{verb} {self.count}")
        self.server.receive_message(sealed, self.keyrings())

    def add(self, office: Office, maker: Maker) -> None:
        person = f"{office.label} {self.count} {len(office.statements)}"
        desk = maker.request(person, office.principal)
        office.readers[0].desk.take_keyring(office.principal, office.chain, office.statements, own=True)
        office.grow(office.readers[0].desk.change("add", devices=[], statements=[desk.statement]))
        office.readers.append(Reader(desk, person))

    def change(self, office: Office, verb: str) -> None:
        steward, others = office.readers[0], office.readers[1:]
        if verb == "recover":
            self.recover(office)
            return
        # One supervisor's device of Python stays, to consent.
        movable = [one for one in others if one is not self.consenting(office)]
        devices = [self.random.choice(movable).desk.id] if movable else []
        if verb in {"remove", "role"} and (not devices or self.is_officer(office, devices[0], verb)):
            return
        office.grow(steward.desk.change(verb, devices=devices, statements=[]))
        if verb == "remove":
            self.drop(office, [one for one in others if one.desk.id in devices])

    def is_officer(self, office: Office, device: bytes, verb: str) -> bool:
        """Whether this device has been made a mere officer before, so that its role cannot change again."""
        listed = office.state.device(device)
        return verb == "role" and listed is not None and listed.roles == ("officer",)

    def consenting(self, office: Office) -> Reader:
        return next(
            one
            for one in office.readers
            if isinstance(one.desk, PythonDesk)
            and "supervisor" in (office.state.device(one.desk.id) or office.state.devices[0]).roles
        )

    def drop(self, office: Office, gone: list[Reader]) -> None:
        for one in gone:
            one.removed_at = len(self.server.items)
            office.readers.remove(one)
            office.lost.append(one)

    def recover(self, office: Office) -> None:
        """The kit takes over for a new device; the steward of before approves, and goes with all others."""
        maker = self.maker()
        person = f"{office.label} {self.count} recovered"
        before = office.readers[0].desk
        desk, entry = maker.recover(
            person, office.kit, office.principal, office.chain, office.statements, before
        )
        office.grow(entry)
        self.drop(office, list(office.readers))
        office.readers.append(Reader(desk, person))
        self.add(office, self.python)

    def let_in(self) -> None:
        """The third office reads along from now on, or goes again."""
        author = self.consenting(self.offices[0]).desk
        assert isinstance(author, PythonDesk)
        own = author.box.membership
        if author.needs_refresh(self.thread()):
            self.take_entry(author.refresh(self.thread()))
            self.catch_up()
        if self.server.state.member(self.observer.principal) is not None:
            made = own.drop(self.thread(), [self.observer.principal], at=START)
        else:
            subject = Admission(self.observer.principal, "observer")
            acts = [self.consent(office, subject) for office in self.offices]
            newcomer = own.newcomer(self.observer.principal, "observer")
            made = own.join(self.thread(), [newcomer], acts, at=START + self.count)
        self.take_entry(Entry(made.entry, made.envelopes))
        self.is_observed = True

    def consent(self, office: Office, subject: Admission) -> bytes:
        desk = self.consenting(office).desk
        assert isinstance(desk, PythonDesk)
        # Two consents of one second would be one statement, which counts once.
        return Membership(desk.box).consent(self.thread(), subject, at=START + self.count)


@pytest.fixture(scope="module")
def script() -> Iterator[Script]:
    """Give the process with the devices of the browser client."""
    started = Script(SigningKey(seed("server")).public)
    yield started
    started.close()


@pytest.mark.parametrize("number", range(6))
def test_both_implementations_agree_after_any_honest_history(number: int, script: Script) -> None:
    history = History(script, Random(number))
    for _ in range(STEPS):
        history.step()
    history.catch_up()
    readers = [reader for office in history.offices for reader in office.readers]
    assert {reader.desk.transcript(history.thread()) for reader in readers} == {
        history.server.state.transcript
    }
    for reader in readers:
        assert not [one for one in reader.shown if one.failed]
        assert not [one for one in reader.shown if one.marks]
        assert [one.text for one in reader.shown] == [one.text for one in readers[0].shown]
    check_removed(history)


def check_removed(history: History) -> None:
    """Nobody who was removed has opened anything that was sealed once the thread was re-keyed for it."""
    whole = history.offices[0].readers[0].shown
    for office in history.offices:
        for gone in office.lost:
            rekeyed = next(
                (
                    place
                    for place, item in enumerate(history.server.items)
                    if place >= (gone.removed_at or 0) and item.type == "entry"
                ),
                len(whole),
            )
            assert all(one.text is None for one in gone.shown[rekeyed:])
            assert [one.text for one in gone.shown[:rekeyed]] == [one.text for one in whole[:rekeyed]]
