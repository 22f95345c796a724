"""Opening threads and extending their chain of entries."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging import access
from messaging.access import SeenThread
from messaging.actions.messages import Desk, Submission, read_submission
from messaging.actions.writing import begin_writing, write_all
from messaging.models import ItemType, Principal, Progress, Thread, ThreadItem, ThreadMember
from messaging.permissions import Permission
from messaging.protocol import OpenedThread, SealedMessage, StoredMessage
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.thread import ThreadEntry, ThreadState, accept_entry, read_entry
from messaging.sealed.thread_rules import PARTIES_LIMIT
from messaging.sealed_states import newest_keyrings
from network import audit
from network.policy import Actor
from network.realtime import publish_on_commit


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
        # The same thread was opened at the same moment, by a retry: then it is answered as the first time.
        return _answer_again(actor, read, first)


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
    ids = [member.principal.hex() for member in read.members[: PARTIES_LIMIT + 1]]
    principals = {row.id: row for row in Principal.objects.filter(id__in=ids)}
    keyrings = newest_keyrings(principals.values())
    with protocol_rules():
        state = accept_entry(settings.ORIGIN_NAME, None, read.statement.raw, envelopes, keyrings)
    seen = _store_rows(actor, state, principals, timezone.now())
    writing = begin_writing(seen, seen.thread.opened_at)
    writing.add_entry(state, read, envelopes)
    desk = Desk.of_new_thread(actor, seen, writing, first)
    for one in first:
        desk.add(one)
    audit.record(actor, "thread:open", seen.thread.id, members=len(seen.members))
    publish_on_commit(*write_all([writing]))
    return _opened(writing.items)


def _store_rows(
    actor: Actor, state: ThreadState, principals: Mapping[str, Principal], now: datetime
) -> SeenThread:
    row = Thread.objects.create(
        id=state.thread.hex(),
        kind=state.kind,
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
    own = next(member for member in members if member.principal.authority_id == actor.authority_id)
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
    writing = begin_writing(seen, timezone.now())
    keyrings = newest_keyrings(member.principal for member in seen.members)
    with protocol_rules():
        state = accept_entry(settings.ORIGIN_NAME, writing.state, read.statement.raw, envelopes, keyrings)
    # T1: one entry for each n. The row is locked; this holds even where a lock does nothing.
    if not Thread.objects.filter(id=seen.thread.id, n=seen.thread.n, seq=seen.thread.seq).update(n=state.n):
        raise refusal("stale-epoch")
    item = writing.add_entry(state, read, envelopes)
    audit.record(actor, "thread:extend", seen.thread.id, n=state.n)
    publish_on_commit(*write_all([writing]))
    return StoredMessage(seq=item.seq, receipt=bytes(item.receipt))
