"""Lies about who writes under a mandate: admitted again, without consent, or after the end was withheld."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import time
from typing import Any

from messaging.sdk.inbox import Inbox
from messaging.sealed import thread, thread_changes, thread_rules
from messaging.sealed.client import Mailbox
from messaging.sealed.correspondence import Correspondence
from messaging.sealed.encoding import sha256
from messaging.sealed.follower import Follower
from messaging.sealed.mandate import Admitted
from messaging.sealed.plaintext import Enclosure
from messaging.sealed.statement import type_of
from messaging.sealed.thread import Rekey
from messaging.sealed.thread_entry import Member
from tests.lying.defences import Defence, pass_by
from tests.lying.server import Altered, LyingServer, told_as_it_is
from tests.lying.thread import Items, Lie, text


@dataclass(frozen=True)
class Contact:
    """What the operator knows: A's head conspires; `ended` had a practitioner in it, `open_still` has one.

    `mandate` and `consents` were used in `ended`, where the mandate was withdrawn at `withdrawn_seq`.
    """

    head: Mailbox
    practitioner: bytes
    ended: str
    open_still: str
    withdrawn_seq: int
    mandate: bytes
    consents: tuple[bytes, ...]


@dataclass(frozen=True)
class MandateLie:
    """One lie, to whom of State B it is told, and in which thread that one writes."""

    name: str
    says: str
    told_to: str
    defences: tuple[Defence, ...]
    items: Callable[[Contact], Lie] | None = None
    answers: Callable[[Contact], Altered] | None = None
    in_ended: bool = True

    def tell(self, liar: LyingServer, contact: Contact) -> None:
        """Begin to lie so."""
        liar.lies = {contact.ended: self.items(contact)} if self.items else {}
        liar.alter = self.answers(contact) if self.answers else told_as_it_is
        liar.swallows = True


def withheld_withdrawal(contact: Contact) -> Lie:
    """As if nobody had withdrawn the mandate."""
    return lambda items: items[: contact.withdrawn_seq - 1]


def joined(contact: Contact, mandate: bytes, acts: tuple[bytes, ...]) -> Lie:
    """A's head lets the practitioner in at the end of the thread, on these statements."""
    head = contact.head
    found = head.threads[bytes.fromhex(contact.ended)]
    assert found.state is not None
    known = head.rings[contact.practitioner].states[-1]
    newcomer = Member(known.principal, known.n, known.head, "practitioner", sha256(mandate))
    made = thread.make_change(
        head.net,
        found.state,
        Rekey("join", [*found.state.members, newcomer], found.state.n, None, acts),
        keyrings={principal: ring.states[-1] for principal, ring in head.rings.items()},
        by=head.by(),
        author=head.device.id,
        key=head.device.signing_key,
        at=int(time()),
        previous=found.epochs[found.state.n],
    )
    row: dict[str, Any] = {
        "type": "entry",
        "item": text(made.entry),
        "ciphertext": None,
        "envelopes": text(made.envelopes),
        "received_at": int(time()),
    }

    def lie(items: Items) -> Items:
        return [*items, row]

    return lie


def spent_mandate(contact: Contact) -> Lie:
    return joined(contact, contact.mandate, (contact.mandate, *contact.consents))


def ghost_practitioner(contact: Contact) -> Lie:
    """Under a mandate of A's alone."""
    head = contact.head
    sponsor = head.rings[contact.practitioner].states[-1].sponsor
    assert sponsor is not None
    admitted = [Admitted(contact.practitioner, sponsor.by.principal)]
    made = head.membership.mandate(bytes.fromhex(contact.ended), admitted, "Alone.", at=int(time()) - 1)
    assert isinstance(made.body, Enclosure)
    return joined(contact, made.body.statement, (made.body.statement,))


def withheld_end_of_sponsor(contact: Contact) -> Altered:
    """A's keyring without the entry by which it answers for the practitioner no more."""
    path = f"/api/keyrings/{contact.head.principal.hex()}"

    def alter(asked: str, body: Any) -> Any:
        known = contact.head.newest(contact.head.principal)
        if asked != path or known is None:
            return body
        return {**body, "entries": [row for row in body["entries"] if row["n"] < known.n]}

    return alter


_next_state = thread_rules._next_state


def forget_used(*args: Any) -> Any:
    """Do not remember which mandates and consents were used."""
    return replace(_next_state(*args), spent=frozenset())


def any_consents(change: thread_changes.Change, *_: object) -> None:
    """Whatever consents there are suffice."""
    change._unused = {act for act in change._unused if type_of(act) != "consent"}


LIES = (
    MandateLie(
        "withheld withdrawal",
        "T8: the thread is shorter than what this device had verified",
        "seen",
        ((Inbox, "_check_end", pass_by), (Correspondence, "check_end", lambda view: view.state)),
        items=withheld_withdrawal,
    ),
    MandateLie(
        "spent mandate and consents",
        "T3 consent-spent",
        "fresh",
        ((thread_rules, "_next_state", forget_used),),
        items=spent_mandate,
    ),
    MandateLie(
        "ghost practitioner",
        "T3 consent-missing",
        "fresh",
        ((thread_changes.Change, "check_consents", any_consents),),
        items=ghost_practitioner,
    ),
    MandateLie(
        "withheld end of a sponsor",
        "L2",
        "fresh",
        ((Follower, "check_newest", pass_by), (Follower, "check_sealing", pass_by)),
        answers=withheld_end_of_sponsor,
        in_ended=False,
    ),
)
