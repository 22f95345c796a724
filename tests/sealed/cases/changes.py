"""Rules T2 to T6, T9, T10, M1 and K8: who joins, leaves, is dropped or succeeded, and what that rests on."""

from collections.abc import Sequence
from typing import Any

from messaging.sealed.client import Device
from messaging.sealed.consent import Admission
from messaging.sealed.encoding import ZERO, sha256
from messaging.sealed.keyring import MadeEntry
from messaging.sealed.keys import SigningKey
from messaging.sealed.mandate import Admitted
from messaging.sealed.message import LogPlace
from messaging.sealed.places import After, By
from messaging.sealed.receipt import server_key_id
from messaging.sealed.restore import make_restore
from messaging.sealed.statement import type_of
from messaging.sealed.thread import Member, read_entry
from messaging.sealed.trust import PinnedHead, make_pins
from tests.sealed import changes
from tests.sealed.cases.base import NEWEST, T, W, refuse
from tests.sealed.cases.threads import refuse_genesis, thread_genesis
from tests.sealed.changes import DAY, NOW, Changing
from tests.sealed.world import NET, START, Party, forge, seal, seed

# Places of the threads in the vectors.
JOINED, MANDATED, SUCCEEDED = 1, 2, 3
WORLDS = {JOINED: changes.joined(), MANDATED: changes.mandated(), SUCCEEDED: changes.succeeded()}
LATER = NOW + 100


def entry(
    rule: str, code: str, why: str, place: int, before: int, made: MadeEntry | bytes, *, now: int = LATER
) -> None:
    """An entry that no thread takes after so many items."""
    raw, blob = (made.entry, made.envelopes) if isinstance(made, MadeEntry) else (made, b"\x80")
    refuse("thread", rule, code, why, thread=place, before=before, now=now, keyrings=NEWEST, entry=raw,
           envelopes=blob)  # fmt: skip


def message(
    rule: str, code: str, why: str, place: int, before: int, by: Party, device: Device, *, now: int = LATER,
    counter: int = 0, prev: bytes = ZERO,
) -> None:  # fmt: skip
    """A message that no thread takes after so many items."""
    here = WORLDS[place].at(before)
    state, note = here.server.state, changes.note("x")
    secret = here.server.secrets[state.n]
    sealed = seal(state, secret, by.by(), device, note, counter=counter, prev=prev, label=why)
    refuse("message", rule, code, why, thread=place, before=before, now=now, keyrings=NEWEST,
           item=sealed.item, ciphertext=sealed.ciphertext)  # fmt: skip


def _genesis() -> None:
    a, b = T.states[0].members
    rows = [member.as_map() for member in (a, b)]
    alone = [row for row in rows if row["principal"] == W.a.principal]
    one, raw = thread_genesis(alone, kind="notes"), T.items[0].item
    refuse_genesis("T3", "wrong-link", "notes that belong to no thread", one)
    linked = thread_genesis(alone, kind="ledger", link=seed("x"))
    refuse_genesis("T3", "wrong-link", "a ledger that belongs to a thread", linked)
    refuse_genesis("T3", "wrong-members", "a ledger of two", thread_genesis(rows, kind="ledger"))
    observer = [dict(row) | {"role": "observer"} if row not in alone else row for row in rows]
    refuse_genesis("T3", "wrong-members", "an observer from the start", thread_genesis(observer))
    refuse_genesis(
        "T3", "wrong-thread", "a link that the id does not say", forge(raw, W.dara, link=seed("x"))
    )
    consent = WORLDS[JOINED].consents(seed("x"))[0]
    refuse_genesis("T3", "unknown-act", "a genesis with a consent", forge(raw, W.dara, acts=[consent]))


def _join(
    here: Changing, acts: Sequence[bytes], *, role: str = "observer", shares: bool = False
) -> MadeEntry:
    members = [here.member("A", "party"), here.member("B", "party"), here.member("C", role)]
    return here.change("join", members, W.a, W.dara, shares=shares, acts=acts)


def _joins() -> None:
    here = WORLDS[JOINED].at(2)
    subject = Admission(W.c.principal, "observer")
    ours, theirs = here.consents(subject)

    def with_ours(code: str, why: str, consent: bytes) -> None:
        entry("T3", code, why, JOINED, 2, _join(here, [consent, theirs]))

    entry("T3", "consent-missing", "a join without consents", JOINED, 2, _join(here, []))
    entry("T3", "consent-missing", "a join with one consent of two", JOINED, 2, _join(here, [theirs]))
    entry("T3", "consent-missing", "a join in another role than consented to", JOINED, 2,
          _join(here, [ours, theirs], role="party"))  # fmt: skip
    other = here.consent(W.a, W.dara, Admission(seed("x"), "observer"))
    with_ours("consent-missing", "a consent to somebody else", other)
    dara: dict[str, Any] = {"party": W.a, "device": W.dara, "subject": subject}
    with_ours("wrong-consent", "a consent for another thread", here.consent(**dara, thread=seed("x")))
    with_ours("consent-expired", "a consent that has run out", here.consent(**dara, until=LATER))
    with_ours("consent-expired", "a consent to come", here.consent(**dara, at=LATER + 1, until=LATER + DAY))
    with_ours("consent-expired", "a consent for more than thirty days",
              here.consent(**dara, until=START + 550 + 30 * DAY + 1))  # fmt: skip
    with_ours("not-a-supervisor", "an officer's consent", here.consent(W.a, W.elin, subject))
    with_ours("unlisted-device", "a consent by a device of another", here.consent(W.a, W.gita, subject))
    surplus = [ours, theirs, *here.consents(seed("x"))]
    entry("T3", "unknown-act", "consents that nobody asked for", JOINED, 2, _join(here, surplus))
    good = _join(here, [ours, theirs])
    acts = sorted([ours, theirs], key=sha256, reverse=True)
    for why, change in (
        ("acts that are not sorted", acts),
        ("an act twice", [ours, ours]),
        ("an act that is no statement", [b"\x00"]),
        ("an act of a type that has no place", [T.items[0].item]),
        ("an act that is no bytes", [1]),
    ):
        entry("T3", "unknown-act", why, JOINED, 2, forge(good.entry, W.dara, acts=change))
    bad = bytearray(ours)
    bad[-1] ^= 1
    entry("E2", "bad-signature", "a consent with a turned bit", JOINED, 2, _join(here, [bytes(bad), theirs]))
    entry("T6", "history-not-shared", "a newcomer who reads what was before without consent", JOINED, 2,
          _join(here, [ours, theirs], shares=True))  # fmt: skip
    later = WORLDS[JOINED].at(8)
    spent = WORLDS[JOINED].server.items[2].item
    used = list(read_entry(NET, spent).acts)
    entry("T3", "consent-spent", "consents used before", JOINED, 8, _join(later, used))
    members = [here.member("A", "party"), here.member("B", "party")]
    entry("T2", "unexpected-change", "a join by which nobody comes", JOINED, 2,
          here.change("join", members, W.a, W.dara))  # fmt: skip
    lower = WORLDS[JOINED].at(5)
    down = [lower.member("A", "party"), lower.member("B", "party"), lower.member("C", "observer")]
    entry("T2", "unexpected-change", "a party made an observer", JOINED, 5,
          lower.change("join", down, W.a, W.dara))  # fmt: skip


def _observers() -> None:
    here = WORLDS[JOINED].at(3)
    members = list(here.server.state.members)
    message("M1", "may-not-write", "an observer who writes", JOINED, 3, W.c, W.gita)
    entry("T2", "not-a-party", "a refresh by an observer", JOINED, 3,
          here.change("refresh", members, W.c, W.gita))  # fmt: skip
    leave = [member for member in members if member.principal != W.c.principal]
    entry("T2", "not-a-party", "an observer who leaves by itself", JOINED, 3,
          here.change("leave", leave, W.c, W.gita))  # fmt: skip


def _ends() -> None:
    here = WORLDS[JOINED].at(6)
    a, b, c = (here.member(label, "party") for label in "ABC")
    entry("T9", "expelled-party", "a party dropped by another", JOINED, 6,
          here.change("drop", [a, b], W.a, W.dara))  # fmt: skip
    entry("T9", "wrong-leave", "a party made to leave by another", JOINED, 6,
          here.change("leave", [a, b], W.a, W.dara))  # fmt: skip
    entry("T9", "wrong-leave", "two who leave at once", JOINED, 6,
          here.change("leave", [a], W.c, W.gita))  # fmt: skip
    entry("T9", "wrong-leave", "a leave by which nobody goes", JOINED, 6,
          here.change("leave", [a, b, c], W.a, W.dara))  # fmt: skip
    entry("T2", "unexpected-change", "a drop by which nobody goes", JOINED, 6,
          here.change("drop", [a, b, c], W.a, W.dara))  # fmt: skip
    message("T4", "stale-epoch", "a message before keys are renewed after a leave", JOINED, 7, W.a, W.dara,
            counter=1, prev=here.server.states[1].devices[W.dara.id].item)  # fmt: skip
    left = WORLDS[JOINED].at(7)
    entry("T2", "not-a-member", "an entry by who has left", JOINED, 7,
          left.change("refresh", [a, b], W.c, W.gita))  # fmt: skip
    entry("T6", "bad-history", "a refresh that leads to nothing", JOINED, 7,
          left.change("refresh", [a, b], W.a, W.dara, shares=False))  # fmt: skip
    entry("T6", "bad-history", "a refresh that leads further back", JOINED, 7,
          left.change("refresh", [a, b], W.a, W.dara, of=1))  # fmt: skip
    repair = left.change("repair", [a, b], W.a, W.dara, of=1)
    entry("T6", "bad-history", "a repair that leads to nothing", JOINED, 7,
          forge(repair.entry, W.dara, history=None))  # fmt: skip
    itself = {"of": 4, "wrap": bytes(48)}
    entry("T6", "bad-history", "a repair that leads to itself", JOINED, 7,
          forge(repair.entry, W.dara, history=itself))  # fmt: skip


def _mandate_join(here: Changing, mandate: bytes | None, consents: Sequence[bytes]) -> MadeEntry:
    of = seed("x") if mandate is None else sha256(mandate)
    members = [here.member("A", "party"), here.member("B", "party"), here.member("C", "practitioner", of)]
    acts = consents if mandate is None else [mandate, *consents]
    return here.change("join", members, W.a, W.dara, shares=False, acts=acts)


def _mandates() -> None:
    here = WORLDS[MANDATED].at(1)

    def under(rule: str, code: str, why: str, mandate: bytes, *, now: int = LATER) -> None:
        made = _mandate_join(here, mandate, here.consents(sha256(mandate)))
        entry(rule, code, why, MANDATED, 1, made, now=now)

    good = here.mandate()
    under("T3", "wrong-mandate", "a mandate for another thread", here.mandate(thread=seed("x")))
    under("T3", "wrong-mandate", "a mandate for other parties", here.mandate(parties=[W.a.principal]))
    other = [Admitted(seed("x"), W.b.principal)]
    under("T3", "wrong-mandate", "a mandate that admits somebody else", here.mandate(admitted=other))
    under("T3", "wrong-mandate", "a mandate that admits nobody", here.mandate(admitted=[]))
    under("T3", "wrong-mandate", "a mandate for more than a year",
          here.mandate(until=START + 540 + 365 * DAY + 1))  # fmt: skip
    under("T3", "wrong-mandate", "a mandate that ends before it begins", here.mandate(until=START + 540))
    under("T3", "wrong-mandate", "a mandate of unknown terms", here.mandate(inform="nobody"))
    officer = here.mandate(device=W.elin.id, key=W.elin.signing_key)
    under("T3", "not-a-supervisor", "an officer's mandate", officer)
    under("T5", "mandate-ended", "a mandate that has run out", here.mandate(until=LATER))
    under("T5", "mandate-ended", "a mandate to come", here.mandate(start=LATER + 1))
    entry("T3", "consent-missing", "a mandate with one consent of two", MANDATED, 1,
          _mandate_join(here, good, here.consents(sha256(good))[:1]))  # fmt: skip
    entry("T3", "wrong-mandate", "a practitioner without the mandate", MANDATED, 1,
          _mandate_join(here, None, []))  # fmt: skip
    subject = Admission(W.c.principal, "observer")
    observer = [here.member("A", "party"), here.member("B", "party"), here.member("C", "observer")]
    entry("T3", "not-an-authority", "a practitioner as an observer", MANDATED, 1,
          here.change("join", observer, W.a, W.dara, shares=False, acts=here.consents(subject)))  # fmt: skip
    case = WORLDS[JOINED].at(2)
    mandate = case.mandate()
    entry("T3", "not-an-authority", "an authority as a practitioner", JOINED, 2,
          _mandate_join(case, mandate, case.consents(sha256(mandate))))  # fmt: skip
    after = WORLDS[MANDATED].at(5)
    known = read_entry(NET, WORLDS[MANDATED].server.items[1].item).acts
    (spent,) = (raw for raw in known if type_of(raw) == "mandate")
    entry("T3", "consent-spent", "a mandate used before", MANDATED, 5,
          _mandate_join(after, spent, after.consents(sha256(spent))))  # fmt: skip


def _withdrawals() -> None:
    here = WORLDS[MANDATED].at(3)
    (of,) = here.server.state.mandates
    raw = here.withdrawal(W.b, W.femi, of)

    def refuse_it(code: str, why: str, raw: bytes, *, before: int = 3) -> None:
        refuse("withdrawal", "T5", code, why, thread=MANDATED, before=before, keyrings=NEWEST, withdrawal=raw)

    refuse_it("wrong-thread", "of another thread", here.withdrawal(W.b, W.femi, of, thread=seed("x")))
    refuse_it("unknown-mandate", "of a mandate that nobody knows", here.withdrawal(W.b, W.femi, seed("x")))
    refuse_it("mandate-ended", "a second time", forge(raw, W.femi), before=4)
    refuse_it("not-a-supervisor", "by an officer", here.withdrawal(W.a, W.elin, of))
    refuse_it("unlisted-device", "by a device of another", here.withdrawal(W.b, W.dara, of))
    refuse_it("not-a-member", "by the practitioner", here.withdrawal(W.c, W.gita, of))
    place = After(3, seed("x"))
    refuse_it("wrong-transcript", "on another transcript", here.withdrawal(W.b, W.femi, of, after=place))
    refuse_it("wrong-transcript", "before the beginning",
              here.withdrawal(W.b, W.femi, of, after=After(0, ZERO)))  # fmt: skip
    last = here.server.states[2].devices[W.gita.id].item
    message("T4", "stale-epoch", "a practitioner after the withdrawal", MANDATED, 4, W.c, W.gita,
            counter=1, prev=last)  # fmt: skip
    message("T4", "stale-epoch", "a party while a practitioner must be dropped", MANDATED, 4, W.a, W.dara)
    ended = START + 540 + 90 * DAY
    message("T4", "stale-epoch", "a practitioner when time is over", MANDATED, 3, W.c, W.gita, now=ended,
            counter=1, prev=last)  # fmt: skip
    after = WORLDS[MANDATED].at(4)
    kept: list[Member] = list(after.server.state.members)
    entry("T5", "mandate-ended", "a refresh that keeps a practitioner after the withdrawal", MANDATED, 4,
          after.change("refresh", kept, W.a, W.dara))  # fmt: skip
    drop = [member for member in here.server.state.members if member.role == "party"]
    entry("T2", "not-a-party", "a drop by a practitioner", MANDATED, 3,
          here.change("drop", drop, W.c, W.gita))  # fmt: skip


def _successions() -> None:
    here = WORLDS[SUCCEEDED].at(1)
    members = [here.member("A", "party"), here.member("C", "party")]

    def with_acts(code: str, why: str, acts: Sequence[bytes]) -> None:
        made = here.change("succeed", members, W.a, W.dara, shares=False, acts=acts)
        entry("T10", code, why, SUCCEEDED, 1, made)

    confirms, accept = here.confirms(), here.accept()
    with_acts("not-confirmed", "a succession that rests on nothing", [])
    with_acts("not-confirmed", "one confirm of two", [confirms[0], accept])
    twice = [*here.confirms("hugo"), *here.confirms("hugo", head=W.c.newest.head), accept]
    with_acts("not-confirmed", "two confirms of one person", twice)
    other = [confirms[0], *here.confirms("ivan", authority="authority-c"), accept]
    with_acts("not-confirmed", "confirms that say different things", other)
    with_acts("not-confirmed", "confirms of another principal",
              [*here.confirms(principal=seed("x")), accept])  # fmt: skip
    with_acts("not-confirmed", "no accept", confirms)
    with_acts("not-confirmed", "an officer's accept", [*confirms, here.accept(W.elin)])
    with_acts(
        "not-confirmed", "an accept of another principal", [*confirms, here.accept(principal=seed("x"))]
    )
    with_acts("not-confirmed", "an accept for another authority",
              [*confirms, here.accept(authority="authority-c")])  # fmt: skip
    gita = here.accept(W.gita, by=W.c.by())
    with_acts("not-confirmed", "the successor's own accept", [*confirms, gita])
    both = here.change("succeed", [*members, here.member("B", "party")], W.a, W.dara, shares=False,
                       acts=[*confirms, accept])  # fmt: skip
    entry("T10", "wrong-successor", "a successor beside the one it follows", SUCCEEDED, 1, both)
    real = WORLDS[JOINED].at(2)
    made = real.change("succeed", [real.member("A", "party"), real.member("C", "party")], W.a, W.dara,
                       shares=False, acts=[*real.confirms(), real.accept()])  # fmt: skip
    entry("T10", "wrong-successor", "a keyring that names nobody", JOINED, 2, made)
    raised = here.change("succeed", [members[0], here.member("C", "observer")], W.a, W.dara, shares=False,
                         acts=[*confirms, accept])  # fmt: skip
    entry("T10", "wrong-successor", "a successor in another role", SUCCEEDED, 1, raised)


def _trust() -> None:
    here = WORLDS[SUCCEEDED]

    def refuse_it(code: str, why: str, check: str, statements: list[bytes], **changes: Any) -> None:
        given = {"principal": W.c.principal if check == "confirms" else W.a.principal} | changes
        refuse("trust", "K8", code, why, check=check, keyrings=NEWEST, statements=statements, **given)

    refuse_it("not-confirmed", "one person", "confirms", here.confirms("hugo"))
    refuse_it("not-confirmed", "the same person twice", "confirms", here.confirms("hugo", "hugo"))
    refuse_it("not-confirmed", "another principal", "confirms", here.confirms(), principal=seed("x"))
    authority = {"by": W.a.by().as_map()}
    outsider = [forge(raw, W.dara, **authority) for raw in here.confirms()]
    refuse_it("not-confirmed", "an authority that confirms", "confirms", outsider)
    refuse_it("not-accepted", "accepted by another authority", "accept", [here.accept()],
              principal=W.b.principal)  # fmt: skip
    refuse_it("not-a-supervisor", "accepted by an officer", "accept", [here.accept(W.elin)])
    refuse_it("unlisted-device", "accepted by a device of another", "accept", [here.accept(W.femi)])
    pins = make_pins(NET, by=W.a.by(), device=W.elin.id, key=W.elin.signing_key, log=None,
                     heads=[PinnedHead(W.b.principal, 0, W.b.newest.head)], at=START)  # fmt: skip
    refuse_it("not-accepted", "pins of another authority", "pins", [pins], principal=W.b.principal)
    stranger = make_pins(NET, by=W.a.by(), device=W.femi.id, key=W.femi.signing_key, log=None, heads=[],
                         at=START)  # fmt: skip
    refuse_it("unlisted-device", "pins of a device of another", "pins", [stranger])


def _restores() -> None:
    """L8: a restore that something is wrong with, or with those who stand for it."""

    def person(name: str, **changes: Any) -> bytes:
        device = W.secretariat.devices[name]
        return restored(W.secretariat.by(), device.id, device.signing_key, **changes)

    def refuse_it(code: str, why: str, raw: bytes, principal: bytes = W.secretariat.principal) -> None:
        refuse("trust", "L8", code, why, check="restore", keyrings=NEWEST, statements=[raw],
               principal=principal)  # fmt: skip

    two = [person("hugo"), person("ivan")]
    server = (None, server_key_id(NET, W.server_key.public), W.server_key)
    refuse_it("wrong-restore", "of one person", restored(*server, acts=two[:1]))
    refuse_it("wrong-restore", "of nobody", restored(*server))
    again = person("hugo", at=START + 1)
    refuse_it("wrong-restore", "twice by one person", restored(*server, acts=[two[0], again]))
    for name, value in (("cause", "another"), ("serial", 8), ("size", 4)):
        other = [two[0], person("ivan", **{name: value})]
        refuse_it("wrong-restore", f"two who differ in {name}", restored(*server, acts=other))
    refuse_it("wrong-restore", "not the server's", person("hugo"))
    refuse_it("wrong-restore", "by another server", restored(None, seed("x"), W.server_key, acts=two))
    refuse_it("wrong-restore", "of another secretariat", restored(*server, acts=two), principal=W.a.principal)
    foreign = restored(W.a.by(), W.dara.id, W.dara.signing_key)
    refuse_it("wrong-restore", "by an authority", restored(*server, acts=[two[0], foreign]))
    unlisted = restored(W.secretariat.by(), W.dara.id, W.dara.signing_key)
    refuse_it("unlisted-device", "by a device of another", restored(*server, acts=[two[0], unlisted]))
    refuse_it("unknown-act", "with another statement", restored(*server, acts=[two[0], W.dara.statement]))


def restored(
    by: By | None, kid: bytes, key: SigningKey, *, at: int = START, acts: Sequence[bytes] = (),
    cause: str = "a broken disk", serial: int = 7, size: int = 3,
) -> bytes:  # fmt: skip
    """A restore as somebody signs it."""
    log = LogPlace(size, seed("root"))
    return make_restore(NET, by=by, kid=kid, key=key, serial=serial, log=log, cause=cause, at=at, acts=acts)


_genesis()
_joins()
_observers()
_ends()
_mandates()
_withdrawals()
_successions()
_trust()
_restores()
