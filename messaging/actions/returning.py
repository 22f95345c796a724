"""Items that devices hand back after a restore: each with its receipt, each to its old place (L8)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from messaging import access, policy
from messaging.access import SeenThread
from messaging.actions.membership import change_members
from messaging.actions.retention import begin_retention
from messaging.actions.threads import store_thread_rows
from messaging.actions.writing import Writing, begin_writing, write_all
from messaging.models import Principal, Restore, ThreadAct, ThreadDevice, ThreadItem
from messaging.permissions import Permission
from messaging.refusals import protocol_rules, refusal
from messaging.restore_protocol import ReturnedItem, ReturnedPlace
from messaging.sealed.encoding import sha256
from messaging.sealed.message import accept_message
from messaging.sealed.receipt import read_receipt
from messaging.sealed.thread import accept_entry, accept_withdrawal, read_entry
from messaging.sealed_states import StoredKeyrings
from messaging.server_key import server_key
from messaging.taken_steps import read_cases
from network import audit
from network.errors import NotFound
from network.policy import Actor
from network.realtime import publish_on_commit

KEYRINGS = StoredKeyrings({})


@transaction.atomic(durable=True)
def take_back_items(actor: Actor, *, thread_id: str, items: Sequence[ReturnedItem]) -> ReturnedPlace:
    """Put items of a thread back where the server had signed for them; returns the thread's end.

    What is there already is passed over. A thread that was lost whole begins with its genesis. Raises
    `NotFound`, `Forbidden`; `no-restore` where none was announced; `place-taken` where another item stands;
    `items-missing` before what is given; `wrong-receipt` and whatever rule is broken.
    """
    access.stand(actor, Permission.THREAD_RETURN)
    if not Restore.objects.filter(announced_at__isnull=False).exists():
        raise refusal("no-restore")
    seen = access.see_threads([actor], [thread_id], locked=True).get(thread_id, {})
    own = seen.get(policy.holder(actor))
    writing = _begin_again(actor, thread_id, items[0]) if own is None else _go_on(own)
    before = 0 if own is None else own.thread.seq
    for item in items:
        if item.seq <= writing.state.seq:
            _check_same(thread_id, item, writing)
        else:
            _put_back(writing, item)
    notices = write_all([writing])
    begin_retention([writing])
    if writing.items:
        audit.record(actor, "thread:return", thread_id, items=len(writing.items), after=before)
    publish_on_commit(*notices)
    return ReturnedPlace(thread=thread_id, seq=writing.state.seq, returned=len(writing.items))


def _go_on(seen: SeenThread) -> Writing:
    """Return the thread as it stands, with all that its next items are judged by."""
    thread = seen.thread
    writing = begin_writing(
        seen,
        thread.changed_at,
        ThreadDevice.objects.filter(thread=thread),
        ThreadAct.objects.filter(thread=thread),
    )
    writing.give_case(read_cases([thread.id])[thread.id])
    places = ThreadItem.objects.filter(thread=thread).values_list("seq", "transcript")
    writing.transcripts.update((seq, bytes.fromhex(transcript)) for seq, transcript in places)
    messages = ThreadItem.objects.filter(thread=thread).exclude(message_id="")
    writing.known.update((row.message_id, row) for row in messages.only("message_id", "thread_id", "seq"))
    return writing


def _check_same(thread_id: str, item: ReturnedItem, writing: Writing) -> None:
    given = sha256(item.item).hex()
    here = any(row.seq == item.seq and row.item_hash == given for row in writing.items)
    if (
        not here
        and not ThreadItem.objects.filter(thread_id=thread_id, seq=item.seq, item_hash=given).exists()
    ):
        raise refusal("place-taken")


def _begin_again(actor: Actor, thread_id: str, genesis: ReturnedItem) -> Writing:
    """Store a thread that was lost whole. Nobody but a member has its genesis; others find nothing."""
    if genesis.seq != 1 or genesis.type != "entry":
        raise NotFound
    at = _received_at(genesis)
    with protocol_rules():
        read = read_entry(settings.ORIGIN_NAME, genesis.item)
        state = accept_entry(
            settings.ORIGIN_NAME, None, genesis.item, genesis.envelopes or b"", KEYRINGS, now=at, reading=True
        )
    ids = [member.principal.hex() for member in state.members]
    principals = Principal.objects.in_bulk(ids)
    holders = {row.holder for row in principals.values()}
    if state.thread.hex() != thread_id or not policy.can_see_thread(actor, holders):
        raise NotFound
    seen = store_thread_rows(actor, state, principals=principals, now=datetime.fromtimestamp(at, UTC))
    writing = begin_writing(seen, seen.thread.opened_at)
    writing.add_entry(state, read, genesis.envelopes or b"")
    _check_receipt(writing, genesis)
    return writing


def _received_at(item: ReturnedItem) -> int:
    with protocol_rules():
        return read_receipt(settings.ORIGIN_NAME, server_key().key.public, item.receipt).at


def _put_back(writing: Writing, item: ReturnedItem) -> None:
    """Add the next item as it was received then; it is judged as a reader judges it, by the time of then."""
    if item.seq != writing.state.seq + 1:
        raise refusal("items-missing")
    at = _received_at(item)
    writing.now = datetime.fromtimestamp(at, UTC)
    with protocol_rules():
        if item.type == "entry":
            _put_back_entry(writing, item, at)
        elif item.type == "withdrawal":
            _put_back_withdrawal(writing, item)
        else:
            _put_back_message(writing, item, at)
    _check_receipt(writing, item)


def _check_receipt(writing: Writing, item: ReturnedItem) -> None:
    """The server signs the same bytes for the same item, place, transcript and time, and for no other."""
    if bytes(writing.items[-1].receipt) != item.receipt:  # T8
        raise refusal("wrong-receipt")


def _put_back_entry(writing: Writing, item: ReturnedItem, at: int) -> None:
    net, envelopes = settings.ORIGIN_NAME, item.envelopes or b""
    read = read_entry(net, item.item)
    state = accept_entry(net, writing.state, item.item, envelopes, KEYRINGS, now=at, reading=True)
    change_members(writing, state, read)
    writing.add_entry(state, read, envelopes)


def _put_back_withdrawal(writing: Writing, item: ReturnedItem) -> None:
    net = settings.ORIGIN_NAME
    state, read = accept_withdrawal(
        net, writing.state, item.item, KEYRINGS, transcript_at=writing.transcript_at, reading=True
    )
    added = writing.add_withdrawal(state, read)
    ThreadAct.objects.filter(thread=writing.row, hash=read.of.hex()).update(withdrawn_seq=added.seq)


def _put_back_message(writing: Writing, item: ReturnedItem, at: int) -> None:
    ciphertext = item.ciphertext or b""
    state, message = accept_message(
        settings.ORIGIN_NAME,
        writing.state,
        KEYRINGS,
        item.item,
        ciphertext,
        is_known=lambda message_id: message_id.hex() in writing.known,
        transcript_at=writing.transcript_at,
        reading=True,
        now=at,
    )
    writing.add_message(state, message, ciphertext)
