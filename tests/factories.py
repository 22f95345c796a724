"""Personas at work: real keys, real keyrings and threads, through the public door."""

import base64
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from messaging.sealed.client import Device, Mailbox, NewEntry, Person, make_device, make_keyring
from messaging.sealed.confirmation import sign_confirm
from messaging.sealed.correspondence import Applied, Item
from messaging.sealed.encoding import sha256
from messaging.sealed.keyring import Change
from messaging.sealed.mandate import Admitted
from messaging.sealed.message import Acknowledgement, Note, Plaintext, SealedMessage
from messaging.sealed.practice import make_first_device, make_practitioner
from messaging.server_key import server_key
from network.key_file import make_key_file
from tests.personas import Cast, Persona


def to_text(data: bytes) -> str:
    """Return base64 as it goes over the wire."""
    return base64.b64encode(data).decode("ascii")


def to_bytes(text: str | None) -> bytes | None:
    """Return what base64 from the wire stands for."""
    return None if text is None else base64.b64decode(text, validate=True)


def now() -> int:
    """Return unix seconds."""
    return int(time.time())


def note(text: str, *, subject: str | None = None) -> Plaintext:
    """Return the plaintext of a note in English."""
    return Plaintext(Note(text), "en", subject=subject)


def on_wire(sealed: SealedMessage) -> dict[str, str]:
    """Return a sealed message as a client sends it."""
    return {"item": to_text(sealed.item), "ciphertext": to_text(sealed.ciphertext)}


def person_of(persona: Persona) -> Person:
    """Return whom a device of this persona says it belongs to."""
    actor = persona.actor
    return Person(actor.person_id.hex, actor.person_name, actor.office)


def call(
    client: Client, method: str, path: str, body: object = None, *, raw: bytes | None = None
) -> HttpResponse:
    """Call the API with a JSON body, or with these very bytes."""
    data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
    return cast(HttpResponse, client.generic(method, f"/api{path}", data, "application/json"))


def answer(response: HttpResponse, status: int = 200) -> Any:
    """Return the body of an answer with this status; anything else fails the test with what was said."""
    assert response.status_code == status, (response.status_code, response.content[:500])
    return json.loads(response.content)


def code_of(response: HttpResponse) -> tuple[int, str]:
    """Return status and error code of a refusal."""
    return response.status_code, json.loads(response.content)["error"]["code"]


@dataclass
class Workplace:
    """A persona at a browser with keys, doing what the browser's client does."""

    persona: Persona
    http: Client
    mailbox: Mailbox

    @classmethod
    def of(cls, persona: Persona, device: Device) -> "Workplace":
        """Sit down with a device."""
        make_key_file(settings.SERVER_KEY_FILE)
        mailbox = Mailbox(settings.ORIGIN_NAME, server_key().key.public, device)
        return cls(persona, persona.client(), mailbox)

    @property
    def principal(self) -> str:
        """Return the own principal's id."""
        return self.mailbox.principal.hex()

    def get(self, path: str) -> Any:
        """Return the body of a successful GET."""
        return answer(call(self.http, "GET", path))

    def post(self, path: str, body: object) -> Any:
        """Return the body of a successful POST."""
        return answer(call(self.http, "POST", path, body))

    def learn(self, principal: bytes) -> None:
        """Fetch what is new of a keyring and verify it."""
        body = self.get(f"/keyrings/{principal.hex()}?from={self.mailbox.keyring_from(principal)}")
        entries = [(to_bytes(row["entry"]) or b"", to_bytes(row["envelopes"])) for row in body["entries"]]
        statements = [base64.b64decode(text) for text in body["statements"]]
        self.mailbox.apply_keyring(principal, entries, statements)

    def read(self, thread: str) -> list[Applied]:
        """Fetch what is new of a thread, verify and open it; returns the new items."""
        known = self.mailbox.threads.get(bytes.fromhex(thread))
        after = len(known.applied) if known else 0
        items = self.get(f"/threads/{thread}/items?after={after}")["items"]
        return [self.apply(row) for row in items]

    def apply(self, row: dict[str, Any]) -> Applied:
        """Verify and open one item as it came over the wire."""
        item = Item(
            thread=bytes.fromhex(row["thread"]),
            seq=row["seq"],
            type=row["type"],
            item=base64.b64decode(row["item"]),
            receipt=base64.b64decode(row["receipt"]),
            ciphertext=to_bytes(row["ciphertext"]),
            envelopes=to_bytes(row["envelopes"]),
        )
        for principal, _ in self.mailbox.needs(item):
            self.learn(principal)
        return self.mailbox.apply_item(item)

    def thread_form(self, to: list[bytes], text: str | None) -> tuple[str, dict[str, Any]]:
        """Return the id of a new thread and the body that opens it."""
        for principal in to:
            self.learn(principal)
        made = self.mailbox.open_thread(to, note(text) if text else None, at=now())
        body = {
            "entry": to_text(made.entry),
            "envelopes": to_text(made.envelopes),
            "messages": [on_wire(message) for message in made.messages],
        }
        return made.thread.hex(), body

    def open_thread(self, to: "Workplace", text: str | None = "Good morning.") -> str:
        """Open a thread with another authority, and read it to its end."""
        thread, body = self.thread_form([to.mailbox.principal], text)
        self.post("/threads", body)
        self.read(thread)
        return thread

    def seal(self, thread: str, text: str, **handling: Any) -> dict[str, str]:
        """Seal a note at the end of a thread as this desk knows it; `handling`: urgency, due, reason."""
        plaintext = Plaintext(Note(text, **handling), "en") if handling else note(text)
        return on_wire(self.mailbox.seal(bytes.fromhex(thread), plaintext, at=now()))

    def acknowledge(self, thread: str, of: bytes, seq: int) -> dict[str, str]:
        """Seal an acknowledgement."""
        plaintext = Plaintext(Acknowledgement(of, seq), "en")
        return on_wire(self.mailbox.seal(bytes.fromhex(thread), plaintext, at=now()))

    def append(self, *messages: dict[str, str]) -> list[dict[str, Any]]:
        """Send messages; returns one result for each."""
        results: list[dict[str, Any]] = self.post("/messages", {"messages": list(messages)})["results"]
        return results

    def send(self, thread: str, text: str) -> dict[str, Any]:
        """Read a thread to its end, send a note and read it again; returns the stored place."""
        self.read(thread)
        (result,) = self.append(self.seal(thread, text))
        assert "receipt" in result, result
        self.read(thread)
        return result

    def refresh_form(self, thread: str) -> dict[str, str]:
        """Return the body of an entry that re-keys a thread."""
        for member in self.mailbox.threads[bytes.fromhex(thread)].state.members:  # type: ignore[union-attr]
            self.learn(member.principal)
        made = self.mailbox.refresh(bytes.fromhex(thread), at=now())
        return {"entry": to_text(made.entry), "envelopes": to_text(made.envelopes)}


def keyring_form(
    persona: Persona,
    roles: tuple[str, ...] = ("officer", "steward", "supervisor"),
    *,
    kind: str = "authority",
) -> Any:
    """Return a new device and the body that creates a keyring with it."""
    made = make_keyring(settings.ORIGIN_NAME, person_of(persona), at=now(), roles=roles, kind=kind)
    body = {
        "entry": to_text(made.entry),
        "envelopes": to_text(made.envelopes),
        "statements": [to_text(statement) for statement in made.statements],
    }
    return made.device, body


def create_keyring(persona: Persona) -> Workplace:
    """Create the keyring of the persona's authority."""
    device, body = keyring_form(persona)
    workplace = Workplace.of(persona, device)
    workplace.post("/keyrings", body)
    workplace.learn(workplace.mailbox.principal)
    return workplace


def create_secretariat(first: Persona, second: Persona) -> tuple[Workplace, Workplace]:
    """Create the secretariat's keyring with a device of each of two directory officers."""
    device, body = keyring_form(first, ("steward",), kind="secretariat")
    keeper = Workplace.of(first, device)
    keeper.post("/keyrings", body)
    keeper.learn(keeper.mailbox.principal)
    other = request_device(second, keeper.mailbox.principal)
    entries = f"/keyrings/{keeper.principal}/entries"
    keeper.post(entries, addition_form(keeper, other, roles=("steward",)))
    for officer in (keeper, other):
        officer.learn(keeper.mailbox.principal)
    return keeper, other


def signed_note(officer: Workplace, of: Workplace, reference: str, date: str) -> dict[str, str]:
    """Return what an officer's device signs about the keys of an authority, as the form has it."""
    authority, principal = of.persona.actor.authority_id.hex, of.mailbox.principal
    officer.learn(principal)
    officer.mailbox.authorities[authority] = principal
    signed = sign_confirm(
        officer.mailbox, authority=authority, principal=principal, reference=reference, date=date, at=now()
    )
    return {"statement": to_text(signed.statement), "blind": to_text(signed.blind)}


def request_device(persona: Persona, principal: bytes) -> Workplace:
    """Ask that a new device of the persona be listed."""
    device = make_device(settings.ORIGIN_NAME, principal, person_of(persona), at=now())
    workplace = Workplace.of(persona, device)
    workplace.post("/devices/requests", {"statement": to_text(device.statement), "roles": ["officer"]})
    return workplace


def addition_form(steward: Workplace, *asking: Workplace, roles: tuple[str, ...] = ("officer",)) -> Any:
    """Return the body of an entry that adds devices."""
    steward.learn(steward.mailbox.principal)
    made = steward.mailbox.make_addition(
        [(workplace.mailbox.device.statement, roles) for workplace in asking], at=now()
    )
    return {
        "entry": to_text(made.entry),
        "envelopes": to_text(made.envelopes),
        "statements": [to_text(statement) for statement in made.statements],
    }


def enrol(steward: Workplace, persona: Persona) -> Workplace:
    """Give the persona a device that the steward has added."""
    workplace = request_device(persona, steward.mailbox.principal)
    steward.post(f"/keyrings/{steward.principal}/entries", addition_form(steward, workplace))
    workplace.learn(workplace.mailbox.principal)
    return workplace


def entry_form(made: NewEntry) -> dict[str, Any]:
    """Return the body of a keyring entry."""
    return {
        "entry": to_text(made.entry),
        "envelopes": to_text(made.envelopes),
        "statements": [to_text(statement) for statement in made.statements],
    }


def change_form(
    steward: Workplace, change: Change, approvals: Iterable[bytes] = (), statements: Iterable[bytes] = ()
) -> dict[str, Any]:
    """Return the body of an entry by which a change comes true."""
    made = steward.mailbox.stewardship.make(
        change, at=now(), approvals=list(approvals), statements=list(statements)
    )
    return entry_form(made)


def change_keyring(steward: Workplace, change: Change, approvals: Iterable[bytes] = ()) -> dict[str, Any]:
    """Write the next entry of the own keyring and learn it; returns its place."""
    path = f"/keyrings/{steward.principal}/entries"
    place: dict[str, Any] = steward.post(path, change_form(steward, change, approvals))
    steward.learn(steward.mailbox.principal)
    return place


@dataclass
class Offices:
    """Three authorities at work: A and B write to each other, C has no part in it."""

    supervisor_a: Workplace
    officer_a: Workplace
    supervisor_b: Workplace
    officer_b: Workplace
    supervisor_c: Workplace


def open_offices(cast: Cast) -> Offices:
    """Create the keyrings of A, B and C, and add a device for an officer of A and of B."""
    supervisor_a, supervisor_b = create_keyring(cast.supervisor_a), create_keyring(cast.supervisor_b)
    return Offices(
        supervisor_a=supervisor_a,
        officer_a=enrol(supervisor_a, cast.officer_a),
        supervisor_b=supervisor_b,
        officer_b=enrol(supervisor_b, cast.officer_b),
        supervisor_c=create_keyring(cast.supervisor_c),
    )


def ask_to_practise(persona: Persona) -> Workplace:
    """Ask for somebody who answers, with the first device of a practitioner."""
    device = make_first_device(settings.ORIGIN_NAME, person_of(persona), at=now())
    workplace = Workplace.of(persona, device)
    workplace.post("/devices/requests", {"statement": to_text(device.statement), "roles": []})
    return workplace


def sponsor(supervisor: Workplace, asking: Workplace, **terms: int) -> bytes:
    """Answer for a practitioner who has asked; returns the statement."""
    supervisor.learn(supervisor.mailbox.principal)
    device = asking.mailbox.device
    made = supervisor.mailbox.practice.sponsor(device.statement, at=now(), **terms)
    supervisor.post(f"/practitioners/{device.id.hex()}/sponsor", {"statement": to_text(made)})
    return made


def genesis_form(asking: Workplace, statement: bytes) -> tuple[Device, dict[str, Any]]:
    """Return the device and body with which a practitioner begins."""
    made = make_practitioner(settings.ORIGIN_NAME, asking.mailbox.device, statement, at=now())
    return made.device, entry_form(made.made)


def begin_practice(supervisor: Workplace, persona: Persona) -> Workplace:
    """Give the persona a keyring of his or her own, for which the supervisor's authority answers."""
    asking = ask_to_practise(persona)
    statement = sponsor(supervisor, asking)
    device, body = genesis_form(asking, statement)
    asking.post("/keyrings", body)
    enlist(supervisor, device.principal, statement)
    practitioner = Workplace.of(persona, device)
    practitioner.learn(supervisor.mailbox.principal)
    practitioner.learn(device.principal)
    return practitioner


def enlist(supervisor: Workplace, practitioner: bytes, statement: bytes) -> None:
    """Let the supervisor's authority list a practitioner: from then on it answers."""
    supervisor.learn(supervisor.mailbox.principal)
    supervisor.learn(practitioner)
    change_keyring(supervisor, supervisor.mailbox.practice.listing(practitioner, statement))


def end_practice(supervisor: Workplace, practitioner: bytes) -> None:
    """Answer for a practitioner no more."""
    supervisor.learn(supervisor.mailbox.principal)
    change, end = supervisor.mailbox.practice.ending(practitioner, at=now())
    change_keyring(supervisor, change, [end])


def open_direct(a: Workplace, b: Workplace) -> str:
    """Open direct contact of two authorities, read by both."""
    a.learn(a.mailbox.principal)
    a.learn(b.mailbox.principal)
    made = a.mailbox.open_thread([b.mailbox.principal], note("Let them talk."), at=now(), kind="direct")
    messages = [on_wire(message) for message in made.messages]
    a.post(
        "/threads", {"entry": to_text(made.entry), "envelopes": to_text(made.envelopes), "messages": messages}
    )
    thread = made.thread.hex()
    a.read(thread)
    b.read(thread)
    return thread


def admission_form(
    a: Workplace, b: Workplace, thread: str, *practitioners: Workplace
) -> tuple[bytes, dict[str, str]]:
    """Return a mandate to which both supervisors consent, and the body of the entry that carries it out."""
    key, principals = bytes.fromhex(thread), sorted(one.mailbox.principal for one in practitioners)
    for workplace in (a, b):
        workplace.learn(a.mailbox.principal)
        for principal in principals:
            workplace.learn(principal)
        workplace.read(thread)
    membership = a.mailbox.membership
    admitted = [
        Admitted(principal, a.mailbox.newest(principal).sponsor.by.principal)  # type: ignore[union-attr]
        for principal in principals
    ]
    enclosure = membership.mandate(key, admitted, "One account.", at=now() - 1).body
    mandate: bytes = enclosure.statement  # type: ignore[union-attr]
    of = sha256(mandate)
    consents = [one.mailbox.membership.consent(key, of, at=now() - 1) for one in (a, b)]
    newcomers = [membership.newcomer(principal, "practitioner", of) for principal in principals]
    made = membership.join(key, newcomers, [mandate, *consents], at=now())
    return of, {"entry": to_text(made.entry), "envelopes": to_text(made.envelopes)}


def admit(a: Workplace, b: Workplace, thread: str, *practitioners: Workplace) -> bytes:
    """Let practitioners into direct contact, read by all; returns the mandate's hash."""
    of, body = admission_form(a, b, thread, *practitioners)
    a.post(f"/threads/{thread}/entries", body)
    for workplace in (a, b, *practitioners):
        workplace.read(thread)
    return of
