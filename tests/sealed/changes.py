"""Threads whose members change, made from the same seeds as world.py.

``joined``: direct contact of A and B; C comes to read along, becomes a party with what was before, leaves;
B renews the keys, A repairs them, B sends a consent. ``mandated``: as if C were a practitioner of B: admitted
under a mandate, writes, the mandate is withdrawn, C is dropped. ``succeeded``: as if C followed B.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from messaging.sealed import thread
from messaging.sealed.client import Device
from messaging.sealed.consent import Admission, make_consent
from messaging.sealed.encoding import sha256
from messaging.sealed.keyring import KeyringState, MadeEntry, NewestKeyrings
from messaging.sealed.mandate import Admitted, make_mandate, make_withdrawal, terms_hash
from messaging.sealed.places import After
from messaging.sealed.plaintext import Enclosure, Note, Plaintext
from messaging.sealed.sponsor import make_sponsor
from messaging.sealed.thread import Member, Rekey
from messaging.sealed.trust import make_accept, make_confirm
from tests.sealed.world import NET, START, Party, ThreadServer, newest_keyrings, seal, seed, world
from tests.vectors.replay import pretended

DAY = 86_400
NOW = START + 1000
"""When the first item was received."""


@dataclass
class Changing:
    """A thread of changing members, as a server keeps it, and what its keyrings pretend to be."""

    kind: str = "direct"
    pretend: dict[str, dict[str, Any]] = field(default_factory=dict)
    server: ThreadServer = field(default_factory=lambda: ThreadServer(world().server_key))
    counters: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)

    @property
    def states(self) -> dict[str, KeyringState]:
        """The keyrings by label, some of them changed for the sake of the tests."""
        made = world()
        parties = (made.a, made.b, made.c, made.secretariat)
        return {one.label: pretended(NET, one.newest, self.pretend.get(one.label, {})) for one in parties}

    @property
    def keyrings(self) -> NewestKeyrings:
        return newest_keyrings(*self.states.values())

    @property
    def thread(self) -> bytes:
        return self.server.state.thread

    def at(self, before: int) -> "Changing":
        """The same after so many items."""
        states = self.server.states[:before]
        server = ThreadServer(
            self.server.server_key,
            self.server.items[:before],
            states,
            set(self.server.ids),
            self.server.secrets[: states[-1].n + 1],
        )
        return Changing(self.kind, self.pretend, server)

    def open(self, label: str) -> None:
        """The genesis by Dara, of A and B."""
        made = world()
        entry = thread.make_genesis(
            NET,
            kind=self.kind,
            salt=seed(f"{label} salt")[:16],
            parties=[made.a.newest, made.b.newest],
            by=made.a.by(),
            author=made.dara.id,
            key=made.dara.signing_key,
            at=START + 500,
            randomness=seed(f"{label} genesis"),
        )
        self.server.receive_entry(entry, self.keyrings)

    def member(self, label: str, role: str, mandate: bytes | None = None) -> Member:
        return thread.member_of(self.states[label], role, mandate)

    def change(
        self,
        reason: str,
        members: Sequence[Member],
        by: Party,
        author: Device,
        *,
        of: int | None = None,
        shares: bool = True,
        acts: Sequence[bytes] = (),
    ) -> MadeEntry:
        """An entry at the end of the thread, not yet accepted."""
        state = self.server.state
        shared = state.n if of is None else of
        secret = self.server.secrets[shared] if shares else None
        return thread.make_change(
            NET,
            state,
            Rekey(reason, members, shared, secret, acts),
            keyrings={one.principal: one for one in self.states.values()},
            by=by.by(),
            author=author.id,
            key=author.signing_key,
            at=START + 600,
            previous=self.server.secrets[-1],
            randomness=seed(f"{reason} {state.seq}"),
        )

    def take(self, made: MadeEntry) -> None:
        self.server.receive_entry(made, self.keyrings)

    def write(self, plaintext: Plaintext, by: Party, device: Device) -> None:
        """A message by this device, which counts its own."""
        state, label = self.server.state, f"message {self.server.state.seq}"
        counter, prev = self.counters.get(device.id, (0, bytes(32)))
        sealed = seal(
            state,
            self.server.secrets[state.n],
            by.by(),
            device,
            plaintext,
            counter=counter,
            prev=prev,
            label=label,
        )
        self.server.receive_message(sealed, self.keyrings, plaintext)
        last = self.server.state.devices[device.id]
        self.counters[device.id] = (counter + 1, last.item)

    def consents(self, subject: Admission | bytes, *, history: bool = False, **changes: Any) -> list[bytes]:
        """Of A's and of B's supervisor."""
        made = world()
        signers = ((made.a, made.dara), (made.b, made.femi))
        return [self.consent(party, device, subject, history=history, **changes) for party, device in signers]

    def consent(
        self,
        party: Party,
        device: Device,
        subject: Admission | bytes,
        *,
        history: bool = False,
        **changes: Any,
    ) -> bytes:
        given: dict[str, Any] = {
            "thread": self.thread,
            "at": START + 550,
            "until": START + 550 + 30 * DAY,
        } | changes
        return make_consent(
            NET,
            by=party.by(),
            device=device.id,
            key=device.signing_key,
            subject=subject,
            history=history,
            **given,
        )

    def mandate(self, **changes: Any) -> bytes:
        """Dara's proposal that C, sponsored by B, writes directly for ninety days."""
        made = world()
        given: dict[str, Any] = {
            "thread": self.thread,
            "parties": [made.a.principal, made.b.principal],
            "admitted": [Admitted(made.c.principal, made.b.principal)],
            "start": START + 540,
            "until": START + 540 + 90 * DAY,
            "inform": "copy",
            "terms": terms_hash(NET, seed("blind"), "Bank records of one account"),
            "salt": seed("mandate salt")[:16],
            "at": START + 540,
            "by": made.a.by(),
            "device": made.dara.id,
            "key": made.dara.signing_key,
        } | changes
        return make_mandate(NET, **given)

    def withdrawal(self, party: Party, device: Device, of: bytes, **changes: Any) -> bytes:
        state = self.server.state
        given: dict[str, Any] = {
            "thread": self.thread,
            "after": After(state.seq, state.transcript),
            "at": START + 700,
        } | changes
        return make_withdrawal(NET, by=party.by(), device=device.id, key=device.signing_key, of=of, **given)

    def confirms(self, *persons: str, **changes: Any) -> list[bytes]:
        """Of persons of the secretariat: C's keyring is the authority's."""
        made = world()
        given: dict[str, Any] = {
            "authority": "authority-b",
            "principal": made.c.principal,
            "head": None,
        } | changes
        return [
            make_confirm(
                NET,
                by=made.secretariat.by(),
                device=made.secretariat.devices[person].id,
                key=made.secretariat.devices[person].signing_key,
                document=seed("notification"),
                at=START + 560,
                **given,
            )
            for person in persons or ("hugo", "ivan")
        ]

    def accept(self, device: Device | None = None, **changes: Any) -> bytes:
        """Of A's supervisor: C's keyring is the authority's."""
        made = world()
        signer = device or made.dara
        given: dict[str, Any] = {
            "by": made.a.by(),
            "authority": "authority-b",
            "principal": made.c.principal,
            "head": None,
            "how": "voice",
        } | changes
        return make_accept(NET, device=signer.id, key=signer.signing_key, at=START + 570, **given)


def sponsoring(answering: Party, signer: Device, device: Device) -> bytes:
    """The statement by which a party answers for whoever has the device."""
    return make_sponsor(
        NET,
        by=answering.by(),
        person="person-gita",
        office="Prosecution Service",
        device=device.id,
        begins=START,
        until=START + 300 * DAY,
        author=signer.id,
        key=signer.signing_key,
        at=START,
    )


def note(text: str) -> Plaintext:
    return Plaintext(Note(text), "en")


@cache
def joined() -> Changing:
    """C comes, becomes a party, leaves; keys are renewed and repaired."""
    made, here = world(), Changing()
    here.open("joined")
    a, b = here.member("A", "party"), here.member("B", "party")
    here.write(note("Before C came."), made.a, made.dara)
    read_along = here.consents(Admission(made.c.principal, "observer"))
    observer = here.member("C", "observer")
    here.take(here.change("join", [a, b, observer], made.a, made.dara, shares=False, acts=read_along))
    here.write(note("C reads this."), made.b, made.femi)
    as_party = here.consents(Admission(made.c.principal, "party"), history=True)
    party = here.member("C", "party")
    here.take(here.change("join", [a, b, party], made.b, made.femi, acts=as_party))
    here.write(note("From C."), made.c, made.gita)
    here.take(here.change("leave", [a, b], made.c, made.gita))
    here.take(here.change("refresh", [a, b], made.b, made.femi))
    here.take(here.change("repair", [a, b], made.a, made.dara, of=1))
    sent = here.consent(made.b, made.femi, Admission(made.c.principal, "observer"))
    here.write(Plaintext(Enclosure(sent, text="C knows the case."), "en"), made.b, made.femi)
    here.write(Plaintext(Note("At six.", moment=START + 7 * 86_400), "en"), made.a, made.dara)
    return here


@cache
def mandated() -> Changing:
    """C, as if a practitioner of B, writes under a mandate until it is withdrawn."""
    made = world()
    answers = sponsoring(made.b, made.femi, made.gita)
    listed = [[made.c.principal.hex(), answers.hex()]]
    pretend: dict[str, dict[str, Any]] = {
        "B": {"sponsored": listed},
        "C": {"kind": "practitioner", "sponsor": answers.hex()},
    }
    here = Changing(pretend=pretend)
    here.open("mandated")
    a, b = here.member("A", "party"), here.member("B", "party")
    mandate = here.mandate()
    of = sha256(mandate)
    acts = [mandate, *here.consents(of)]
    admitted = here.member("C", "practitioner", of)
    here.take(here.change("join", [a, b, admitted], made.a, made.dara, shares=False, acts=acts))
    here.write(note("Written directly."), made.c, made.gita)
    raw = here.withdrawal(made.b, made.femi, of)
    here.server.receive_withdrawal(raw, here.keyrings)
    here.take(here.change("drop", [a, b], made.a, made.dara))
    here.write(note("Without C."), made.b, made.femi)
    return here


@cache
def succeeded() -> Changing:
    """C, as if made by B's authority after it had lost every device, takes B's place."""
    made = world()
    here = Changing(kind="case", pretend={"C": {"succeeds": made.b.principal.hex()}})
    here.open("succeeded")
    acts = [*here.confirms(), here.accept()]
    members = [here.member("A", "party"), here.member("C", "party")]
    here.take(here.change("succeed", members, made.a, made.dara, shares=False, acts=acts))
    here.write(note("From the successor."), made.c, made.gita)
    return here
