"""Whom a device may seal to: whom the secretariat confirmed or the own authority accepted (K8, K11).

What the own authority knows stands in its ledger: accepts of its supervisors, and pins of its devices, from
which a new device starts (L7).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from messaging.sealed.correspondence import Correspondence
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import KeyringState
from messaging.sealed.message import LogPlace
from messaging.sealed.plaintext import Enclosure
from messaging.sealed.ring import Pin, successors_of
from messaging.sealed.statement import type_of
from messaging.sealed.trust import Accept, Confirm, Pins, check_accept, check_confirms, check_pins

if TYPE_CHECKING:
    from messaging.sealed.client import Mailbox

Level = Literal["own", "confirmed", "accepted", "seen", "new"]
"""Sealed to are the first three: ``seen`` was met before, by this device or a colleague's, ``new`` never."""
TRUSTED: tuple[Level, ...] = ("own", "confirmed", "accepted")


@dataclass
class Trust:
    """What a device goes by. ``secretariat`` is the principal that confirms, as it was first met.

    ``confirms`` are the statements the server gives for a principal, verified when they are asked for;
    ``earlier`` are the principals met on an earlier visit or by a colleague. ``refuses``: whether nothing is
    sealed to anybody else.
    """

    secretariat: bytes | None = None
    confirms: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    earlier: set[bytes] = field(default_factory=set)
    refuses: bool = True
    kept: tuple[tuple[bytes, int, int], list[Accept]] | None = field(default=None, repr=False)

    def meet(self, secretariat: bytes | None) -> None:
        """Keep the secretariat's principal from first sight on. Raises Refused K8 ``changed-principal``."""
        if self.secretariat is None:
            self.secretariat = secretariat
        elif secretariat not in {None, self.secretariat}:  # K8
            raise Refused("K8", "changed-principal", "another secretariat than at first sight")


# --- who stands how


def level_of(mailbox: "Mailbox", principal: bytes) -> Level:
    """How far a principal is known here; a practitioner stands as its sponsor does (K8)."""
    if principal == mailbox.principal:
        return "own"
    answers = _answering(mailbox, principal)
    if confirmed(mailbox, answers) is not None:
        return "confirmed"
    if _is_own_sponsor(mailbox, answers) or any(row.principal == answers for row in accepts(mailbox)):
        return "accepted"
    trust = mailbox.trust
    return "seen" if trust is not None and principal in trust.earlier else "new"


def check_trusted(mailbox: "Mailbox", state: KeyringState) -> None:
    """That something may be sealed to this keyring. Raises Refused K8 ``not-compared``, K10, K11, K12.

    Where a mailbox has no ``trust``, whoever uses it answers for that.
    """
    if state.principal == mailbox.principal:
        return
    refuses = mailbox.trust is not None and mailbox.trust.refuses
    if refuses and level_of(mailbox, state.principal) not in TRUSTED:  # K8
        raise Refused("K8", "not-compared", "nobody has compared the fingerprint of this keyring")
    if successor_of(mailbox, state.principal) is not None:  # K12
        raise Refused("K12", "succeeded", "other keys have taken the place of this keyring")
    mailbox.rings[state.principal].check_pin(mailbox.pins.get(state.principal))  # K10
    if is_unconfirmed(mailbox, state.principal, state.n):  # K11
        raise Refused("K11", "unconfirmed-recovery", "this keyring was taken over and nobody confirmed it")


def successor_of(mailbox: "Mailbox", principal: bytes) -> bytes | None:
    """Whose keyring has taken the place of this one: of the same authority, and trusted here (K12)."""
    authority = mailbox.authority_of(principal)
    for found in successors_of(mailbox.rings, principal) if authority else ():
        if mailbox.authority_of(found) == authority and level_of(mailbox, found) in TRUSTED:
            return found
    return None


def is_unconfirmed(mailbox: "Mailbox", principal: bytes, n: int) -> bool:
    """Whether what a principal signed under its entry ``n`` stands on a recovery nobody confirmed (K11)."""
    state = mailbox.newest(principal)
    since = state.unconfirmed if state else None
    if since is None or n < since or principal == mailbox.principal:
        return False
    heads = {row.head for row in accepts(mailbox) if row.principal == principal}
    found = confirmed(mailbox, principal)
    heads |= {found.head} if found else set()
    places = [mailbox.at(principal, place) for place in range(since, state.n + 1)] if state else []
    return not any(place.head in heads for place in places if place)


def _answering(mailbox: "Mailbox", principal: bytes) -> bytes:
    state = mailbox.newest(principal)
    return state.sponsor.by.principal if state and state.sponsor else principal


def _is_own_sponsor(mailbox: "Mailbox", principal: bytes) -> bool:
    own = mailbox.newest(mailbox.principal)
    return own is not None and own.sponsor is not None and own.sponsor.by.principal == principal


# --- confirmed by the secretariat


def confirmed(mailbox: "Mailbox", principal: bytes) -> Confirm | None:
    """The confirm of two persons of the secretariat for a principal, if it holds and is in the log (K8)."""
    trust = mailbox.trust
    if trust is None or principal not in trust.confirms:
        return None
    try:
        return _check_pair(mailbox, trust, principal)
    except Refused:  # K8: what does not hold counts for nothing
        return None


def _check_pair(mailbox: "Mailbox", trust: Trust, principal: bytes) -> Confirm:
    secretariat = mailbox.newest(trust.secretariat) if trust.secretariat else None
    if secretariat is None:  # K8
        raise Refused("K8", "not-confirmed", "the keyring of the secretariat has not been verified")
    found = check_confirms(mailbox.net, trust.confirms[principal], mailbox, principal=principal, reading=True)
    authority = mailbox.authority_of(principal)
    if any((row.by.principal, row.authority) != (trust.secretariat, authority) for row in found):  # K8
        raise Refused("K8", "not-confirmed", "another secretariat, or another authority, is meant")
    if mailbox.log is not None:
        mailbox.log.check_newest(secretariat)  # L2
        for row in found:
            mailbox.log.check_stated("confirm", row.authority.encode(), row.statement.hash)  # L1
    return found[0]


# --- the ledger: what the own authority accepts, and what its devices have seen


def ledger_of(mailbox: "Mailbox") -> Correspondence | None:
    """The own ledger, as far as it is verified here."""
    for known in mailbox.threads.values():
        if known.state and known.state.kind == "ledger" and known.state.parties == (mailbox.principal,):
            return known
    return None


def _stated(mailbox: "Mailbox", ledger: Correspondence, kind: str) -> Iterator[bytes]:
    """Statements in the ledger, oldest first; not what a removed device may have written since (M8)."""
    loose = ledger.unanchored(mailbox)
    for applied in ledger.applied:
        body = applied.plaintext.body if applied.plaintext else None
        if applied.seq in loose or not isinstance(body, Enclosure) or type_of(body.statement) != kind:
            continue
        yield body.statement


def accepts(mailbox: "Mailbox") -> list[Accept]:
    """What supervisors of the own authority have accepted, oldest first (K8)."""
    ledger, own = ledger_of(mailbox), mailbox.newest(mailbox.principal)
    if ledger is None or own is None:
        return []
    now = (ledger.thread, len(ledger.applied), own.n)
    if mailbox.trust is not None and mailbox.trust.kept is not None and mailbox.trust.kept[0] == now:
        return mailbox.trust.kept[1]
    found: list[Accept] = []
    for raw in _stated(mailbox, ledger, "accept"):
        try:
            found.append(check_accept(mailbox.net, raw, mailbox, principal=mailbox.principal, reading=True))
        except Refused:  # K8: what does not hold counts for nothing
            continue
    if mailbox.trust is not None:
        mailbox.trust.kept = (now, found)
    return found


def newest_pins(mailbox: "Mailbox") -> Pins | None:
    """What a device of the own authority wrote last of others' keyrings and of the log."""
    ledger = ledger_of(mailbox)
    for raw in reversed(list(_stated(mailbox, ledger, "pins")) if ledger else []):
        try:
            return check_pins(mailbox.net, raw, mailbox, principal=mailbox.principal, reading=True)
        except Refused:  # K8: what does not hold counts for nothing
            continue
    return None


def start_from_pins(mailbox: "Mailbox") -> Pins | None:
    """Take over what colleagues' devices have seen: never less than that is believed from now on (L7, K10).

    Raises Refused K10 ``forked-keyring``, L6 ``other-log`` where this device was shown something else, and
    ``log-withheld`` while it has followed less of the log.
    """
    pins = newest_pins(mailbox)
    if pins is None:
        return None
    for head in pins.heads:
        place = mailbox.at(head.principal, head.n)
        if place is not None and place.head != head.head:  # K10
            raise Refused("K10", "forked-keyring", "a colleague's device saw another entry at this place")
        before = mailbox.pins.get(head.principal)
        if before is None or before.n < head.n:
            mailbox.pins[head.principal] = Pin(head.n, head.head)  # L7
        if mailbox.trust is not None:
            mailbox.trust.earlier.add(head.principal)
    if pins.log is not None and mailbox.log is not None:
        mailbox.log.check_message(LogPlace(pins.log.size, pins.log.root))  # L6 L7
    return pins


def is_pinned(mailbox: "Mailbox", pins: Pins | None) -> bool:
    """Whether pins say everything of others' keyrings that this device has verified."""
    known = {head.principal: head.n for head in pins.heads} if pins else {}
    own = mailbox.principal
    return all(
        known.get(principal, -1) >= pin.n for principal, pin in mailbox.pins.items() if principal != own
    )
