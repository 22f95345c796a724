"""The socket commands and events of sealed correspondence, with what carries them out."""

from messaging.actions.approvals import CHANGED
from messaging.actions.assignments import ASSIGNED
from messaging.actions.devices import DECLINED, REQUESTED
from messaging.actions.keyrings import GREW
from messaging.actions.messages import append_messages
from messaging.actions.practitioners import SPONSORED
from messaging.actions.progress import MADE, confirm_delivery, record_opened
from messaging.actions.writing import APPENDED
from messaging.permissions import Permission
from messaging.protocol import (
    AppendedMessages,
    AppendMessages,
    ApprovalsChanged,
    ConfirmDelivery,
    DevicePlace,
    ItemBody,
    KeyringPlace,
    ProgressMade,
    RecordOpened,
    ThreadAssigned,
)
from messaging.queries import expand_assignments, expand_items, expand_progress
from network.frames import Command, Event, Nothing
from network.policy import Actor


def _confirm_delivery(actor: Actor, body: ConfirmDelivery) -> Nothing:
    confirm_delivery(actor, thread_id=body.thread, seq=body.seq)
    return Nothing()


def _record_opened(actor: Actor, body: RecordOpened) -> Nothing:
    record_opened(actor, opened=body.opened)
    return Nothing()


COMMANDS: tuple[Command, ...] = (
    Command(
        name="messaging.messages.append",
        body=AppendMessages,
        result=AppendedMessages,
        permission=Permission.MESSAGE_APPEND,
        limit="message-append",
        handle=append_messages,
        batched=True,
    ),
    Command(
        name="messaging.delivery.confirm",
        body=ConfirmDelivery,
        result=Nothing,
        permission=Permission.PROGRESS_WRITE,
        limit="socket-command",
        handle=_confirm_delivery,
    ),
    Command(
        name="messaging.opened.record",
        body=RecordOpened,
        result=Nothing,
        permission=Permission.PROGRESS_WRITE,
        limit="socket-command",
        handle=_record_opened,
    ),
)

EVENTS: tuple[Event, ...] = (
    Event(APPENDED, ItemBody, Permission.THREAD_READ, expand_items),
    Event(MADE, ProgressMade, Permission.THREAD_READ, expand_progress),
    Event(ASSIGNED, ThreadAssigned, Permission.THREAD_READ, expand_assignments),
    Event(GREW, KeyringPlace, Permission.KEYRING_READ),
    Event(CHANGED, ApprovalsChanged, Permission.KEYRING_WRITE),
    Event(REQUESTED, DevicePlace, Permission.DEVICE_LIST),
    Event(DECLINED, DevicePlace, Permission.DEVICE_LIST),
    Event(SPONSORED, DevicePlace, Permission.PRACTITIONER_LIST),
)
