"""Appending messages: the one hot action. It takes many at once; a single message is a batch of one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from messaging import access, policy
from messaging.actions.assignments import Hands, assign_first
from messaging.actions.attachments import FilesAtHand
from messaging.actions.notices import tell_of_messages
from messaging.actions.retention import begin_retention
from messaging.actions.succession import require_in_force
from messaging.actions.writing import Writing, begin_writing, write_all
from messaging.models import SHARED_KINDS, Device, Principal, ThreadAct, ThreadDevice, ThreadItem, ThreadRole
from messaging.permissions import Permission
from messaging.protocol import (
    AppendedMessages,
    AppendMessages,
    ErrorFacts,
    RefusedMessage,
    SealedMessage,
    StoredMessage,
)
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.keyring_entry import NewestKeyrings
from messaging.sealed.message import Message, accept_message, read_message
from messaging.sealed_states import StoredKeyrings, newest_keyrings
from messaging.taken_steps import read_cases
from messaging.wholeness import require_whole
from network.access import require_standing
from network.errors import Forbidden, NotFound, Refusal, SignedOut
from network.languages import spoken_to
from network.policy import Actor
from network.realtime import publish_on_commit

Batch = Sequence[tuple[Actor, AppendMessages]]


@dataclass(frozen=True)
class Submission:
    """One message of somebody, taken apart but not yet judged."""

    actor: Actor
    message: Message
    item: bytes
    ciphertext: bytes

    @property
    def thread_id(self) -> str:
        """Return the thread it says it belongs to."""
        return self.message.thread.hex()


def append_messages(batch: Batch) -> list[AppendedMessages | Refusal]:
    """Append the messages of several actors in one transaction; returns one outcome for each command.

    A message sent before, byte for byte, is answered as the first time. One that is refused changes nothing
    for the others. The outcome of a command is a `Refusal` only when its actor may not append at all.
    """
    read = [[_read(actor, sealed) for sealed in body.messages] for actor, body in batch]
    with transaction.atomic(durable=True):
        return _append(batch, read)


def append_own_messages(actor: Actor, *, body: AppendMessages) -> AppendedMessages:
    """Append the messages of one actor; raises `SignedOut` or `Forbidden`."""
    (outcome,) = append_messages([(actor, body)])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def read_submission(actor: Actor, sealed: SealedMessage) -> Submission:
    """Take a message apart; raises the `Invalid` of the rule its shape breaks."""
    with protocol_rules():
        message = read_message(settings.ORIGIN_NAME, sealed.item)
    return Submission(actor, message, sealed.item, sealed.ciphertext)


def _read(actor: Actor, sealed: SealedMessage) -> Submission | Refusal:
    try:
        return read_submission(actor, sealed)
    except Refusal as refusal:
        return refusal


def _append(batch: Batch, read: list[list[Submission | Refusal]]) -> list[AppendedMessages | Refusal]:
    actors = [actor for actor, _ in batch]
    no = _who_may_not(actors)
    asked = [one for actor, row in zip(actors, read, strict=True) if actor not in no for one in row]
    desk = Desk.open([one for one in asked if isinstance(one, Submission)])
    outcomes: list[AppendedMessages | Refusal] = [
        no[actor] if actor in no else _answers(desk, actor, row)
        for actor, row in zip(actors, read, strict=True)
    ]
    notices = write_all(desk.writings.values())
    desk.files.write()
    begin_retention(desk.writings.values())
    told = tell_of_messages(desk.writings.values())
    publish_on_commit(*notices, *assign_first(desk.hands), *told)
    return outcomes


def _answers(desk: "Desk", actor: Actor, row: Sequence[Submission | Refusal]) -> AppendedMessages:
    with spoken_to(actor.language):  # of several readers, each in the own language
        return AppendedMessages(results=[desk.take(one) for one in row])


def _who_may_not(actors: Sequence[Actor]) -> dict[Actor, Refusal]:
    try:
        require_whole(writing=True)
    except Refusal as refusal:  # L8
        return dict.fromkeys(actors, refusal)
    standing = require_standing(actors)
    no: dict[Actor, Refusal] = {actor: SignedOut() for actor in actors if actor.sign_in_id not in standing}
    for actor in actors:
        if not policy.can(actor, Permission.MESSAGE_APPEND):
            no.setdefault(actor, Forbidden())
    return no


@dataclass(frozen=True)
class Desk:
    """Everything the messages of a batch are judged by: read with one query each, threads locked in order."""

    seen: access.SeenThreads
    writings: dict[str, Writing]
    devices: dict[str, Device]
    keyrings: NewestKeyrings
    files: FilesAtHand
    hands: Hands = field(default_factory=dict)

    @classmethod
    def open(cls, submissions: Sequence[Submission]) -> "Desk":
        """Lock the threads spoken of, as far as their actors may see them, and read the rest."""
        actors = {one.actor for one in submissions}
        seen = access.see_threads(actors, {one.thread_id for one in submissions}, locked=True)
        visible = [one for one in submissions if policy.holder(one.actor) in seen.get(one.thread_id, {})]
        now = timezone.now()
        writings = _begin(seen, visible, now)
        principals: dict[str, Principal] = {
            member.principal_id: member.principal
            for writing in writings.values()
            for member in writing.members
        }
        devices = access.get_own_devices(actors, {one.message.device.hex() for one in visible})
        files = FilesAtHand.read([one.message for one in visible])
        keyrings = newest_keyrings(principals.values())
        stepping = {one.thread_id for one in visible if one.message.step}
        for thread_id, case in read_cases(stepping).items():
            writings[thread_id].give_case(case)
            keyrings = StoredKeyrings(keyrings.states)  # whom a principal succeeds may be no member
        return cls(seen, writings, devices, keyrings, files)

    @classmethod
    def of_new_thread(
        cls, actor: Actor, seen: access.SeenThread, writing: Writing, first: Sequence[Submission]
    ) -> "Desk":
        """Return the desk for the first messages of a thread that is just being opened."""
        devices = access.get_own_devices([actor], {one.message.device.hex() for one in first})
        keyrings = newest_keyrings(member.principal for member in writing.members)
        thread_id = writing.row.id
        seen_by = {thread_id: {policy.holder(actor): seen}}
        return cls(seen_by, {thread_id: writing}, devices, keyrings, FilesAtHand())

    def take(self, one: Submission | Refusal) -> StoredMessage | RefusedMessage:
        """Add one message to its thread in memory, or say why not."""
        try:
            if isinstance(one, Refusal):
                raise one
            item = self.add(one)
        except Refusal as refusal:
            error = ErrorFacts(code=refusal.code, message=str(refusal.sentence))
            return RefusedMessage(error=error)
        return StoredMessage(seq=item.seq, receipt=bytes(item.receipt))

    def add(self, one: Submission) -> ThreadItem:
        """Add one message to its thread in memory; raises the `Refusal` that says why not."""
        if policy.holder(one.actor) not in self.seen.get(one.thread_id, {}):
            raise NotFound
        writing = self.writings[one.thread_id]
        before = writing.known.get(one.message.id.hex())
        if before:  # M2
            return _same(before, one)
        access.get_signing_device(one.actor, one.message.device.hex(), self.devices)
        require_in_force(member.principal for member in writing.members)  # K12
        with protocol_rules():
            after, message = accept_message(
                settings.ORIGIN_NAME,
                writing.state,
                self.keyrings,
                one.item,
                one.ciphertext,
                is_known=lambda message_id: message_id.hex() in writing.known,
                transcript_at=writing.transcript_at,
                now=int(writing.now.timestamp()),
            )
        self.files.take(message, after.seq)
        own = self.seen[one.thread_id][policy.holder(one.actor)]
        if own.handler is None and own.thread.kind in SHARED_KINDS:
            self.hands.setdefault(own.own.id, (own, one.actor))
        return writing.add_message(after, message, one.ciphertext)


def _same(before: ThreadItem, one: Submission) -> ThreadItem:
    if bytes(before.item) != one.item or bytes(before.ciphertext or b"") != one.ciphertext:
        raise refusal("id-reused")
    return before


def _begin(seen: access.SeenThreads, visible: Sequence[Submission], now: datetime) -> dict[str, Writing]:
    """Return the threads ready to be added to, with what is known of these messages and their senders."""
    messages = [one.message for one in visible]
    here = {"thread_id__in": {one.thread_id for one in visible}}
    senders: dict[str, list[ThreadDevice]] = defaultdict(list)
    for row in ThreadDevice.objects.filter(**here, device_id__in={one.device.hex() for one in messages}):
        senders[row.thread_id].append(row)
    acts = _mandates_of(seen)
    writings = {
        thread_id: begin_writing(next(iter(found.values())), now, senders[thread_id], acts[thread_id])
        for thread_id, found in seen.items()
        if found
    }
    for item in ThreadItem.objects.filter(**here, message_id__in={one.id.hex() for one in messages}):
        writings[item.thread_id].known[item.message_id] = item
    places = ThreadItem.objects.filter(**here, seq__in={one.after.seq for one in messages})
    for thread_id, seq, transcript in places.values_list("thread_id", "seq", "transcript"):
        writings[thread_id].transcripts[seq] = bytes.fromhex(transcript)
    return writings


def _mandates_of(seen: access.SeenThreads) -> dict[str, list[ThreadAct]]:
    """Return the mandates of those threads that have a practitioner in them, which are few."""
    ids = {
        thread_id
        for thread_id, found in seen.items()
        for one in found.values()
        if any(member.role == ThreadRole.PRACTITIONER for member in one.members)
    }
    acts: dict[str, list[ThreadAct]] = defaultdict(list)
    for act in ThreadAct.objects.filter(thread_id__in=ids, type="mandate") if ids else ():
        acts[act.thread_id].append(act)
    return acts
