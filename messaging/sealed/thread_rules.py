"""The validator of thread entries and withdrawals, for server and clients (rules T1 to T6)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from messaging.sealed import envelopes as sealing
from messaging.sealed.encoding import ZERO
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Keyrings, ListedDevice
from messaging.sealed.keyring_acts import is_in_force
from messaging.sealed.mandate import MandateTerms, Withdrawal, read_withdrawal
from messaging.sealed.places import After, By
from messaging.sealed.stage_rules import Case
from messaging.sealed.statement import verify
from messaging.sealed.thread_changes import Change
from messaging.sealed.thread_entry import (
    KINDS,
    OWN_KINDS,
    REASONS,
    ROLES,
    WRITING_ROLES,
    DeviceProgress,
    Member,
    ThreadEntry,
    ThreadState,
    next_transcript,
    read_entry,
    thread_id,
)

__all__ = [
    "DeviceProgress",
    "Member",
    "ThreadEntry",
    "ThreadState",
    "accept_entry",
    "accept_withdrawal",
    "check_author",
    "ended_members",
    "must_go",
    "needs_refresh",
    "next_transcript",
    "read_entry",
    "thread_id",
]

PARTIES_LIMIT = 2
"""Parties of a new correspondence."""
MEMBERS_LIMIT = 16


def ended_members(state: ThreadState, now: int | None) -> list[Member]:
    """The practitioners whose mandate has ended by ``now``; None: by withdrawal only (T5)."""
    return [
        member
        for member in state.members
        if member.role == "practitioner" and not _stands(state.mandates.get(member.mandate or b""), now)
    ]


def _stands(terms: MandateTerms | None, now: int | None) -> bool:
    if terms is None:
        return False
    return not terms.is_withdrawn if now is None else terms.is_in_force(now)


def unsponsored_members(net: str, state: ThreadState, keyrings: Keyrings, now: int | None) -> list[Member]:
    """The practitioners for whom nobody answers by ``now`` (K9); None: by the sponsor's newest entry only."""
    return [
        member
        for member in state.members
        if member.role == "practitioner" and not _is_sponsored(net, member, keyrings, now)
    ]


def _is_sponsored(net: str, member: Member, keyrings: Keyrings, now: int | None) -> bool:
    practitioner = keyrings.newest(member.principal)
    return practitioner is not None and is_in_force(net, practitioner, keyrings, now)


def must_go(net: str, state: ThreadState, keyrings: Keyrings, now: int | None) -> list[Member]:
    """The practitioners whom the next entry has to drop: their mandate or sponsor has ended (T4, T5, K9)."""
    ended = [*ended_members(state, now), *unsponsored_members(net, state, keyrings, now)]
    return [member for member in state.members if member in ended]


def needs_refresh(net: str, state: ThreadState, keyrings: Keyrings, now: int | None = None) -> bool:
    """Whether an entry must come before the next message (T4): a member's keyring entry lies below that
    principal's floor, a mandate (T5) or a sponsor (K9) has ended, or the author of the newest entry left
    by it (T9).
    """
    newest = ((member, keyrings.newest(member.principal)) for member in state.members)
    is_below = any(keyring is None or member.keyring_n < keyring.floor for member, keyring in newest)
    return is_below or state.is_left or bool(must_go(net, state, keyrings, now))


def accept_entry(
    net: str,
    state: ThreadState | None,
    entry: bytes,
    envelopes: bytes,
    keyrings: Keyrings,
    *,
    now: int = 0,
    reading: bool = False,
) -> ThreadState:
    """The thread after this entry; ``state`` is the one before, None for a genesis.

    ``now``: when the server received it, against which consents and mandates are judged (none is in force at
    0). ``reading``: a
    client replays an old item, so members' entries need only lie on their chains. Otherwise (a server takes
    a new one) they must be the newest. Raises Refused.
    """
    read = read_entry(net, entry)
    _check_order(state, read)
    _check_terms(read)
    _check_members(read, keyrings, reading=reading)
    author = _check_entry_author(state, read, keyrings, reading=reading)
    verify(read.statement, author.sig, net)
    mandates: Iterable[MandateTerms] = ()
    spent: frozenset[bytes] = frozenset()
    if state is None:
        _check_genesis(net, read)
    else:
        change = Change(net, state, read, keyrings, now, reading=reading)
        change.check()
        mandates = [mandate.known_terms for mandate in change.mandates.values()]
        spent = frozenset(consent.statement.hash for consent in change.consents)
    sealing.check(net, "T1", envelopes, [member.principal for member in read.members], read.sealed)  # T1
    after = _next_state(net, state, read, mandates, spent)
    if ended_members(after, now):  # T5
        raise Refused("T5", "mandate-ended", "a practitioner whose mandate has ended must be dropped")
    if not reading and unsponsored_members(net, after, keyrings, now):  # T4 K9
        raise Refused("K9", "sponsor-ended", "nobody answers for a practitioner any more")
    return after


def _check_order(state: ThreadState | None, entry: ThreadEntry) -> None:
    newest = -1 if state is None else state.n
    if entry.n <= newest:  # T1
        raise Refused("T1", "stale-epoch", "another entry already stands at this place")
    if entry.n > newest + 1:  # T1
        raise Refused("T1", "missing-entry", "an entry before this one is missing")
    if entry.prev != (ZERO if state is None else state.head):  # T1
        raise Refused("T1", "wrong-predecessor", "the entry does not follow the newest one")
    if state is not None and entry.thread != state.thread:  # T1
        raise Refused("T1", "wrong-predecessor", "the entry belongs to another thread")
    if entry.after != (After(0, ZERO) if state is None else After(state.seq, state.transcript)):  # T1
        raise Refused("T1", "stale-transcript", "the author had not seen the thread to its end")


def _check_terms(entry: ThreadEntry) -> None:
    if entry.reason not in REASONS:  # T3
        raise Refused("T3", "unknown-reason", "unknown reason of an entry")
    if entry.kind is not None and entry.kind not in KINDS:  # T3
        raise Refused("T3", "unknown-kind", "unknown kind of thread")
    if any(member.role not in ROLES for member in entry.members):  # T3
        raise Refused("T3", "unknown-role", "unknown role in a thread")
    if any((member.role == "practitioner") != (member.mandate is not None) for member in entry.members):  # T3
        raise Refused("T3", "unknown-field-value", "a practitioner has a mandate, nobody else does")
    principals = [member.principal for member in entry.members]
    has_party = any(member.role == "party" for member in entry.members)
    is_sorted = sealing.is_strictly_sorted(principals) and len(principals) <= MEMBERS_LIMIT
    if not has_party or not is_sorted:  # T3
        raise Refused(
            "T3", "wrong-members", "at least one party, sorted, none twice, at most sixteen members"
        )


def _check_members(entry: ThreadEntry, keyrings: Keyrings, *, reading: bool) -> None:
    for member in entry.members:
        newest = keyrings.newest(member.principal)
        kind = "practitioner" if member.role == "practitioner" else "authority"
        if newest is not None and newest.kind != kind:  # T3
            raise Refused("T3", "not-an-authority", "party and observer are authorities, nobody else is")
        place = keyrings.at(member.principal, member.keyring_n)
        if not reading and newest is not None and place != newest:  # T1
            raise Refused("T1", "stale-member-keyring", "a member's keyring entry is not the newest")
        if place is None or place.head != member.keyring_head:  # T1
            raise Refused("T1", "unknown-member-keyring", "a member's entry does not lie on its keyring")


def _check_entry_author(
    state: ThreadState | None, entry: ThreadEntry, keyrings: Keyrings, *, reading: bool
) -> ListedDevice:
    """T2: a device of a party; a refresh or repair is any writer's. Who leaves is no member afterwards."""
    before = entry if state is None else state
    was, now = before.member(entry.by.principal), entry.member(entry.by.principal)
    author = now if was is not None and now is not None else was
    members = () if author is None else (author,)
    device = check_author("T2", members, entry.by, entry.statement.kid, keyrings, reading=reading)
    if state is not None and entry.by.n < state.by_n.get(entry.by.principal, 0):  # T2
        raise Refused("T2", "author-keyring-fell", "an earlier item of this principal had a newer entry")
    role = "" if was is None else was.role
    if role not in (WRITING_ROLES if entry.reason in {"refresh", "repair"} else ("party",)):  # T2
        raise Refused("T2", "not-a-party", "only a party changes who is in a thread")
    return device


def check_author(
    rule: str, members: Sequence[Member], by: By, kid: bytes, keyrings: Keyrings, *, reading: bool
) -> ListedDevice:
    """The author's device as its keyring lists it (rule T2 for entries, M1 for messages and opened).

    Raises Refused with ``not-a-member``, ``stale-author-keyring``, ``author-keyring-fell``,
    ``unlisted-device``.
    """
    member = next((member for member in members if member.principal == by.principal), None)
    if member is None:  # T2 M1
        raise Refused(rule, "not-a-member", "the author's principal is not in the thread")
    place = keyrings.at(by.principal, by.n)
    if place is None or place.head != by.head:  # T2 M1
        raise Refused(rule, "stale-author-keyring", "the author's entry does not lie on its keyring")
    if not reading and place != keyrings.newest(by.principal):  # T2 M1
        raise Refused(rule, "stale-author-keyring", "the author's entry is not its keyring's newest")
    if by.n < member.keyring_n:  # T2 M1
        raise Refused(rule, "author-keyring-fell", "the author's entry is older than the one in the thread")
    device = place.device(kid)
    if device is None:  # T2 M1
        raise Refused(rule, "unlisted-device", "the device is not listed in that entry")
    return device


def _check_genesis(net: str, entry: ThreadEntry) -> None:
    if entry.reason != "genesis" or entry.salt is None or entry.kind is None:  # T2
        raise Refused("T2", "unexpected-change", "a genesis comes first and has a salt and a kind")
    if entry.history is not None:  # T6
        raise Refused("T6", "bad-history", "a genesis has no history")
    most = 1 if entry.kind in OWN_KINDS else PARTIES_LIMIT
    if len(entry.members) > most or any(member.role != "party" for member in entry.members):  # T3
        raise Refused("T3", "wrong-members", "one or two parties; for itself an authority writes alone")
    if entry.kind in OWN_KINDS and (entry.link is None) != (entry.kind == "ledger"):  # T3
        raise Refused("T3", "wrong-link", "notes belong to a thread, a ledger to none")
    if entry.acts:  # T3
        raise Refused("T3", "unknown-act", "a genesis rests on nothing")
    author = entry.statement.kid
    if entry.thread != thread_id(net, entry.salt, entry.kind, entry.members, author, entry.link):  # T3
        raise Refused("T3", "wrong-thread", "the id does not follow from the genesis")


def _next_state(
    net: str,
    state: ThreadState | None,
    entry: ThreadEntry,
    mandates: Iterable[MandateTerms],
    spent: frozenset[bytes],
) -> ThreadState:
    seq = 1 if state is None else state.seq + 1
    item, before = entry.statement.hash, None if state is None else state.transcript
    transcript = next_transcript(net, entry.thread, seq, before, item)
    if state is None:
        by_n = {entry.by.principal: entry.by.n}
        place = (entry.thread, entry.kind or "", 0, item, entry.members, entry.commit)
        return ThreadState(*place, seq=seq, transcript=transcript, by_n=by_n, link=entry.link, case=Case())
    known = {terms.hash: terms for terms in mandates}
    return replace(
        state,
        n=entry.n,
        head=item,
        members=entry.members,
        commit=entry.commit,
        seq=seq,
        transcript=transcript,
        by_n={**state.by_n, entry.by.principal: entry.by.n},
        spent=state.spent | spent | known.keys(),
        mandates={**state.mandates, **known},
        is_left=entry.member(entry.by.principal) is None,
    )


def accept_withdrawal(
    net: str,
    state: ThreadState,
    item: bytes,
    keyrings: Keyrings,
    *,
    transcript_at: Callable[[int], bytes | None],
    reading: bool = False,
) -> tuple[ThreadState, Withdrawal]:
    """The thread after the withdrawal of a mandate, which is an item of it, and final (T5).

    ``transcript_at`` gives X_seq. Raises Refused E1, E2; T5 ``wrong-thread``, ``unknown-mandate``,
    ``mandate-ended``, ``not-a-supervisor``, ``wrong-transcript`` and as for other authors.
    """
    read = read_withdrawal(net, item)
    if read.thread != state.thread:  # T5
        raise Refused("T5", "wrong-thread", "the withdrawal belongs to another thread")
    parties = [member for member in state.members if member.role == "party"]
    author = check_author("T5", parties, read.by, read.statement.kid, keyrings, reading=reading)
    if read.by.n < state.by_n.get(read.by.principal, 0):  # T5
        raise Refused("T5", "author-keyring-fell", "an earlier item of this principal had a newer entry")
    if "supervisor" not in author.roles:  # T5
        raise Refused("T5", "not-a-supervisor", "only a supervisor withdraws a mandate")
    verify(read.statement, author.sig, net)
    terms = state.mandates.get(read.of)
    if terms is None:  # T5
        raise Refused("T5", "unknown-mandate", "no such mandate is in force here")
    if terms.is_withdrawn:  # T5
        raise Refused("T5", "mandate-ended", "the mandate was withdrawn before")
    seq = read.after.seq
    found = state.transcript if seq == state.seq else transcript_at(seq)
    if not 1 <= seq <= state.seq or found != read.after.hash:  # T5
        raise Refused("T5", "wrong-transcript", "the author saw another transcript")
    transcript = next_transcript(net, state.thread, state.seq + 1, state.transcript, read.statement.hash)
    after = replace(
        state,
        seq=state.seq + 1,
        transcript=transcript,
        by_n={**state.by_n, read.by.principal: read.by.n},
        mandates={**state.mandates, read.of: terms.withdrawn()},
    )
    return after, read
