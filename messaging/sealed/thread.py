"""The thread: the signed chain of who is in a correspondence (rules T1 to T7).

The types stand in thread_entry, the validator in thread_rules and thread_changes; here are secrets and the
making of entries.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from messaging.sealed import envelopes as sealing
from messaging.sealed.acts import sort_acts
from messaging.sealed.encoding import ZERO, Encodable, context, context_hash, derive_key
from messaging.sealed.envelopes import Envelope, History
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import KeyringState, MadeEntry
from messaging.sealed.keys import KemKey, SigningKey
from messaging.sealed.places import After, By
from messaging.sealed.statement import sign
from messaging.sealed.thread_rules import (
    DeviceProgress,
    Member,
    ThreadEntry,
    ThreadState,
    accept_entry,
    accept_withdrawal,
    check_author,
    ended_members,
    must_go,
    needs_refresh,
    next_transcript,
    read_entry,
    thread_id,
)

__all__ = [
    "After",
    "By",
    "DeviceProgress",
    "Member",
    "Rekey",
    "ThreadEntry",
    "ThreadState",
    "accept_entry",
    "accept_withdrawal",
    "check_author",
    "ended_members",
    "make_change",
    "make_genesis",
    "make_refresh",
    "member_of",
    "must_go",
    "needs_refresh",
    "next_secret",
    "next_transcript",
    "open_epoch",
    "open_history",
    "read_entry",
    "thread_id",
]


def next_secret(
    net: str, thread: bytes, n: int, previous: bytes | None, randomness: bytes | None = None
) -> bytes:
    """A new epoch's secret: 32 random bytes, hedged with the secret before."""
    salt = ZERO if previous is None else derive_key(net, previous, "thread chain", thread, n)
    fresh = secrets.token_bytes(32) if randomness is None else randomness
    return derive_key(net, fresh, "thread secret", thread, n, salt=salt)


def _commit(net: str, thread: bytes, n: int, secret: bytes) -> bytes:
    return context_hash(net, "thread commit", thread, n, secret)


def _info(
    net: str, thread: bytes, n: int, prev: bytes, commit: bytes, member: bytes, head: bytes, author: bytes
) -> bytes:
    return context(net, "thread envelope", thread, n, prev, commit, member, head, author)


def open_epoch(
    net: str, entry: ThreadEntry, envelopes: Sequence[Envelope], member: Member, key: KemKey
) -> bytes:
    """The epoch's secret from the envelope to a member's mailbox key, checked against commit (T7).

    Raises Refused E5 ``cannot-open``; T7 ``wrong-commit``; T1 without an envelope.
    """
    head, author = member.keyring_head, entry.statement.kid
    info = _info(net, entry.thread, entry.n, entry.prev, entry.commit, member.principal, head, author)
    secret = key.open(sealing.find("T1", envelopes, member.principal), info)
    _check_secret(net, entry, secret, "wrong-commit")
    return secret


def _check_secret(net: str, entry: ThreadEntry, secret: bytes, code: str) -> None:
    if len(secret) != 32 or _commit(net, entry.thread, entry.n, secret) != entry.commit:  # T7
        raise Refused("T7", code, "the secret is not the one the entry commits to")


def open_history(net: str, entry: ThreadEntry, secret: bytes, earlier: ThreadEntry) -> bytes:
    """The earlier epoch's secret, by the history of this entry. Raises Refused T7 ``wrong-history``."""
    if entry.history is None or entry.history.of != earlier.n:  # T7
        raise Refused("T7", "wrong-history", "no history to this epoch")
    try:
        opened = sealing.unwrap(net, "thread history", entry.thread, entry.n, secret, entry.history)
    except Refused:  # T7
        raise Refused("T7", "wrong-history", "the history cannot be opened") from None
    _check_secret(net, earlier, opened, "wrong-history")
    return opened


def make_genesis(
    net: str,
    *,
    kind: str,
    salt: bytes,
    parties: Sequence[KeyringState],
    by: By,
    author: bytes,
    key: SigningKey,
    at: int,
    link: bytes | None = None,
    randomness: bytes | None = None,
) -> MadeEntry:
    """The first entry of a correspondence of ``parties``, one of whom is ``by``."""
    members = tuple(sorted((member_of(state, "party") for state in parties), key=lambda row: row.principal))
    thread = thread_id(net, salt, kind, members, author, link)
    draft = _Draft(
        thread=thread,
        n=0,
        prev=ZERO,
        after=After(0, ZERO),
        salt=salt,
        kind=kind,
        link=link,
        members=members,
        mailboxes={state.principal: state.mailbox for state in parties},
        by=by,
        secret=next_secret(net, thread, 0, None, randomness),
        history=None,
        reason="genesis",
        acts=(),
    )
    return _make(net, draft, author, key, at)


def make_refresh(
    net: str,
    state: ThreadState,
    *,
    keyrings: Mapping[bytes, KeyringState],
    by: By,
    secret: bytes,
    author: bytes,
    key: SigningKey,
    at: int,
    randomness: bytes | None = None,
) -> MadeEntry:
    """The entry that re-keys to the members' newest mailboxes; ``secret`` is the newest epoch's."""
    rekey = Rekey("refresh", state.members, state.n, secret)
    return make_change(
        net,
        state,
        rekey,
        keyrings=keyrings,
        by=by,
        author=author,
        key=key,
        at=at,
        randomness=randomness,
    )


@dataclass(frozen=True)
class Rekey:
    """What an entry after the genesis changes, and what it leads back to.

    ``members``: those of the new epoch, their keyring entries still to be brought up to date. ``of`` and
    ``secret``: the newest epoch the author holds and shares; without a secret nothing before is shared.
    """

    reason: str
    members: Sequence[Member]
    of: int
    secret: bytes | None
    acts: Sequence[bytes] = ()


def make_change(
    net: str,
    state: ThreadState,
    rekey: Rekey,
    *,
    keyrings: Mapping[bytes, KeyringState],
    by: By,
    author: bytes,
    key: SigningKey,
    at: int,
    previous: bytes | None = None,
    randomness: bytes | None = None,
) -> MadeEntry:
    """The entry that begins a new epoch. ``previous``: the newest secret, where it is held but not shared."""
    n = state.n + 1
    is_newest = rekey.of == state.n
    hedge = rekey.secret if is_newest and rekey.secret is not None else previous
    new_secret = next_secret(net, state.thread, n, hedge, randomness)
    members = [member_of(keyrings[member.principal], member.role, member.mandate) for member in rekey.members]
    history = None
    if rekey.secret is not None:
        history = sealing.wrap(net, "thread history", state.thread, n, new_secret, rekey.of, rekey.secret)
    draft = _Draft(
        thread=state.thread,
        n=n,
        prev=state.head,
        after=After(state.seq, state.transcript),
        salt=None,
        kind=None,
        link=None,
        members=tuple(sorted(members, key=lambda member: member.principal)),
        mailboxes={member.principal: keyrings[member.principal].mailbox for member in members},
        by=by,
        secret=new_secret,
        history=history,
        reason=rekey.reason,
        acts=sort_acts(rekey.acts),
    )
    return _make(net, draft, author, key, at)


def member_of(state: KeyringState, role: str, mandate: bytes | None = None) -> Member:
    """A principal as a member, at its newest entry."""
    return Member(state.principal, state.n, state.head, role, mandate)


@dataclass(frozen=True)
class _Draft:
    """An entry before it is sealed and signed; ``mailboxes`` are principal → public KEM key."""

    thread: bytes
    n: int
    prev: bytes
    after: After
    salt: bytes | None
    kind: str | None
    link: bytes | None
    members: tuple[Member, ...]
    mailboxes: Mapping[bytes, bytes]
    by: By
    secret: bytes
    history: History | None
    reason: str
    acts: Sequence[bytes]


def _make(net: str, draft: _Draft, author: bytes, key: SigningKey, at: int) -> MadeEntry:
    thread, n, prev = draft.thread, draft.n, draft.prev
    commit = _commit(net, thread, n, draft.secret)
    heads = {member.principal: member.keyring_head for member in draft.members}
    blob, sealed = sealing.make(
        net,
        draft.secret,
        draft.mailboxes,
        lambda member: _info(net, thread, n, prev, commit, member, heads[member], author),
    )
    fields: dict[str, Encodable] = {
        "thread": thread,
        "n": n,
        "prev": prev,
        "after": draft.after.as_map(),
        "salt": draft.salt,
        "kind": draft.kind,
        "link": draft.link,
        "members": [member.as_map() for member in draft.members],
        "by": draft.by.as_map(),
        "commit": commit,
        "history": draft.history.as_map() if draft.history else None,
        "sealed": sealed,
        "reason": draft.reason,
        "acts": list(draft.acts),
    }
    return MadeEntry(sign(net, "thread", fields, at=at, kid=author, key=key), blob, draft.secret)
