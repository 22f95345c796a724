"""Opening threads and extending their chain of entries."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging import access, policy
from messaging.access import SeenThread
from messaging.actions.assignments import assign_first
from messaging.actions.membership import change_members
from messaging.actions.messages import Desk, Submission, read_submission
from messaging.actions.notices import tell_of_messages
from messaging.actions.succession import require_in_force
from messaging.actions.writing import begin_writing, write_all
from messaging.models import (
    SHARED_KINDS,
    ItemType,
    Principal,
    Progress,
    Thread,
    ThreadAct,
    ThreadItem,
    ThreadMember,
)
from messaging.permissions import Permission
from messaging.protocol import OpenedThread, SealedMessage, StoredMessage
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.mandate import Withdrawal, read_withdrawal
from messaging.sealed.thread import (
    ThreadEntry,
    ThreadState,
    accept_entry,
    accept_withdrawal,
    read_entry,
)
from messaging.sealed.thread_rules import PARTIES_LIMIT
from messaging.sealed_states import StoredKeyrings, newest_keyrings
from network import audit
from network.policy import Actor
from network.realtime import publish_on_commit

ACT_OF = {name: f"thread:{name}" for name in ("join", "leave", "drop", "succeed")}
"""Which act an entry is, by its reason; any other renews keys."""

WITHOUT_THEM = frozenset({"drop", "leave", "succeed"})
"""Reasons of entries that take somebody out, who may be one whose keys have ended (K12)."""


def open_thread(
    actor: Actor, *, entry: bytes, envelopes: bytes, messages: Sequence[SealedMessage] = ()
) -> OpenedThread:
    """Open a thread, with its first message if there is one: both or neither.

    Repeated with the same bytes it answers the same. Raises `Forbidden`, `Conflict`, and whatever rule of
    the protocol is broken.
    """
    access.require(actor, Permission.THREAD_OPEN)
    read = _read_own_entry(actor, entry)
    first = [read_submission(actor, sealed) for sealed in messages]
    if any(one.thread_id != read.thread.hex() for one in first):
        raise refusal("wrong-thread")
    try:
        return _store_thread(actor, read, envelopes, first)
    except IntegrityError:
        _check_own_thread(read)
        # The same thread was opened at the same moment, by a retry: then it is answered as the first time.
        return _answer_again(actor, read, first)


def _check_own_thread(read: ThreadEntry) -> None:
    """T3: one ledger for each principal, and one thread of notes for each of its threads."""
    link = read.link.hex() if read.link else ""
    own = Thread.objects.filter(owner_id=read.by.principal.hex(), kind=read.kind, link=link)
    if own.exclude(id=read.thread.hex()).exists():
        raise refusal("thread-exists")


def _read_own_entry(actor: Actor, entry: bytes) -> ThreadEntry:
    with protocol_rules():
        read = read_entry(settings.ORIGIN_NAME, entry)
    access.get_signing_device(actor, read.statement.kid.hex())
    return read


@transaction.atomic(durable=True)
def _store_thread(
    actor: Actor, read: ThreadEntry, envelopes: bytes, first: Sequence[Submission]
) -> OpenedThread:
    access.stand(actor, Permission.THREAD_OPEN)
    # A foreign thread is treated as none: the validator then says the same as of an id that does not exist.
    if access.see_threads([actor], [read.thread.hex()]).get(read.thread.hex()):
        return _answer_again(actor, read, first)
    if read.link is not None:
        access.get_thread_to_read(actor, read.link.hex(), to=Permission.THREAD_READ)
    _check_own_thread(read)
    ids = [member.principal.hex() for member in read.members[: PARTIES_LIMIT + 1]]
    principals = {row.id: row for row in Principal.objects.filter(id__in=ids)}
    require_in_force(principals.values())  # K12
    keyrings = newest_keyrings(principals.values())
    with protocol_rules():
        state = accept_entry(settings.ORIGIN_NAME, None, read.statement.raw, envelopes, keyrings)
    seen = store_thread_rows(actor, state, principals=principals, now=timezone.now())
    is_shared = state.kind in SHARED_KINDS
    assigned = assign_first({seen.own.id: (seen, actor)}) if is_shared else []
    writing = begin_writing(seen, seen.thread.opened_at)
    writing.add_entry(state, read, envelopes)
    desk = Desk.of_new_thread(actor, seen, writing, first)
    for one in first:
        desk.add(one)
    notices = write_all([writing])
    told = tell_of_messages([writing])
    audit.record(actor, "thread:open", seen.thread.id, members=len(seen.members))
    publish_on_commit(*notices, *assigned, *told)
    return _opened(writing.items)


def store_thread_rows(
    actor: Actor, state: ThreadState, *, principals: Mapping[str, Principal], now: datetime
) -> SeenThread:
    """Store a thread that begins, with its members; returns it as the actor sees it."""
    row = Thread.objects.create(
        id=state.thread.hex(),
        kind=state.kind,
        link=state.link.hex() if state.link else "",
        owner=None if state.kind in SHARED_KINDS else principals[state.members[0].principal.hex()],
        n=state.n,
        head=state.head.hex(),
        commit=state.commit.hex(),
        seq=state.seq,
        transcript=state.transcript.hex(),
        opened_at=now,
        changed_at=now,
    )
    members = [
        ThreadMember(
            thread=row,
            principal=principals[member.principal.hex()],
            role=member.role,
            keyring_n=member.keyring_n,
            keyring_head=member.keyring_head.hex(),
            by_n=state.by_n.get(member.principal, 0),
            changed_at=now,
        )
        for member in state.members
    ]
    ThreadMember.objects.bulk_create(members)
    Progress.objects.bulk_create(
        [Progress(thread=row, principal_id=member.principal_id) for member in members]
    )
    own = next(member for member in members if member.principal.holder == policy.holder(actor))
    return SeenThread(row, tuple(members), own)


def _opened(items: Sequence[ThreadItem]) -> OpenedThread:
    receipts = [bytes(item.receipt) for item in items]
    return OpenedThread(thread=items[0].thread_id, receipts=receipts, seq=items[-1].seq)


def _answer_again(actor: Actor, read: ThreadEntry, first: Sequence[Submission]) -> OpenedThread:
    """Return the answer to a thread that is open already, if it was opened with these very bytes."""
    access.get_thread(actor, read.thread.hex(), to=Permission.THREAD_OPEN)
    items = list(
        ThreadItem.objects.filter(thread_id=read.thread.hex(), seq__lte=1 + len(first)).order_by("seq")
    )
    if [bytes(item.item) for item in items] != [read.statement.raw, *(one.item for one in first)]:
        raise refusal("thread-exists")
    return _opened(items)


def extend_thread(actor: Actor, *, thread_id: str, entry: bytes, envelopes: bytes) -> StoredMessage:
    """Add an entry to a thread; repeated with the same bytes it answers the same.

    Raises `NotFound`, `Forbidden`, `Conflict("stale-epoch")`, and whatever rule of the protocol is broken.
    """
    access.get_thread(actor, thread_id, to=Permission.THREAD_EXTEND)
    read = _read_own_entry(actor, entry)
    if read.thread.hex() != thread_id:
        raise refusal("wrong-thread")
    return _store_entry(actor, read, envelopes)


@transaction.atomic(durable=True)
def _store_entry(actor: Actor, read: ThreadEntry, envelopes: bytes) -> StoredMessage:
    access.stand(actor, Permission.THREAD_EXTEND)
    seen = access.get_thread(actor, read.thread.hex(), to=Permission.THREAD_EXTEND, locked=True)
    entries = ThreadItem.objects.filter(thread=seen.thread, type=ItemType.ENTRY)
    before = entries.filter(item_hash=read.statement.hash.hex()).first()
    if before:
        return StoredMessage(seq=before.seq, receipt=bytes(before.receipt))
    writing = begin_writing(seen, timezone.now(), acts=ThreadAct.objects.filter(thread=seen.thread))
    now = int(writing.now.timestamp())
    keyrings = StoredKeyrings(newest_keyrings(member.principal for member in seen.members).states)
    with protocol_rules():
        state = accept_entry(
            settings.ORIGIN_NAME, writing.state, read.statement.raw, envelopes, keyrings, now=now
        )
    # T1: one entry for each n. The row is locked; this holds even where a lock does nothing.
    if not Thread.objects.filter(id=seen.thread.id, n=seen.thread.n, seq=seen.thread.seq).update(n=state.n):
        raise refusal("stale-epoch")
    told = change_members(writing, state, read)
    if read.reason not in WITHOUT_THEM:
        require_in_force(member.principal for member in writing.members)  # K12
    item = writing.add_entry(state, read, envelopes)
    act = ACT_OF.get(read.reason, "thread:extend")
    audit.record(actor, act, seen.thread.id, n=state.n, members=len(state.members))
    publish_on_commit(*write_all([writing]), *told)
    return StoredMessage(seq=item.seq, receipt=bytes(item.receipt))


def withdraw_mandate(actor: Actor, *, thread_id: str, withdrawal: bytes) -> StoredMessage:
    """Withdraw a mandate, for ever (T5); repeated with the same bytes it answers the same.

    Raises `NotFound`, `Forbidden`, and whatever rule of the protocol is broken.
    """
    access.get_thread(actor, thread_id, to=Permission.MANDATE_WITHDRAW)
    with protocol_rules():
        read = read_withdrawal(settings.ORIGIN_NAME, withdrawal)
    access.get_signing_device(actor, read.statement.kid.hex())
    if read.thread.hex() != thread_id:
        raise refusal("wrong-thread")
    return _store_withdrawal(actor, read)


@transaction.atomic(durable=True)
def _store_withdrawal(actor: Actor, read: Withdrawal) -> StoredMessage:
    access.stand(actor, Permission.MANDATE_WITHDRAW)
    seen = access.get_thread(actor, read.thread.hex(), to=Permission.MANDATE_WITHDRAW, locked=True)
    items = ThreadItem.objects.filter(thread=seen.thread)
    before = items.filter(type=ItemType.WITHDRAWAL, item_hash=read.statement.hash.hex()).first()
    if before:
        return StoredMessage(seq=before.seq, receipt=bytes(before.receipt))
    acts = ThreadAct.objects.filter(thread=seen.thread)
    writing = begin_writing(seen, timezone.now(), acts=acts)
    place = items.filter(seq=read.after.seq).values_list("seq", "transcript")
    known = {seq: bytes.fromhex(transcript) for seq, transcript in place}
    keyrings = newest_keyrings(member.principal for member in seen.members)
    with protocol_rules():
        state, _ = accept_withdrawal(
            settings.ORIGIN_NAME, writing.state, read.statement.raw, keyrings, transcript_at=known.get
        )
    item = writing.add_withdrawal(state, read)
    acts.filter(hash=read.of.hex()).update(withdrawn_seq=item.seq)
    audit.record(actor, "mandate:withdraw", seen.thread.id, seq=item.seq)
    publish_on_commit(*write_all([writing]))
    return StoredMessage(seq=item.seq, receipt=bytes(item.receipt))
