"""Every command and event of the product, listed once. The gateway knows them only from here."""

from messaging.commands import COMMANDS as MESSAGING_COMMANDS
from messaging.commands import EVENTS as MESSAGING_EVENTS
from network.actions.sign_ins import stay_awake
from network.context import seconds_left
from network.frames import Command, Event
from network.permissions import Permission
from network.policy import Actor
from network.protocol import (
    INVITATION_ACCEPTED,
    NOTIFICATIONS_CHANGED,
    PING,
    QUEUE_EMPTIED,
    RESUME,
    SESSION_OPENED,
    STAY,
    InvitationAccepted,
    NotificationsChanged,
    Ping,
    Pong,
    QueueEmptied,
    SessionOpened,
    Stay,
    Stayed,
)


def _pong(actor: Actor, body: Ping) -> Pong:
    return Pong()


def _stay(actor: Actor, body: Stay) -> Stayed:
    return Stayed(**seconds_left(actor, stay_awake(actor)))


def _resumed_by_gateway(actor: Actor, body: object) -> object:
    raise AssertionError("the gateway answers this itself: it concerns the socket, not the database")


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command(*PING, limit="socket-command", handle=_pong),
        Command(*STAY, limit="session-stay", handle=_stay),
        Command(*RESUME, limit="socket-command", handle=_resumed_by_gateway),
        *MESSAGING_COMMANDS,
    )
}

EVENTS: dict[str, Event] = {
    event.name: event
    for event in (
        Event(SESSION_OPENED, SessionOpened, Permission.SESSION_OPEN),
        Event(QUEUE_EMPTIED, QueueEmptied, Permission.SESSION_OPEN),
        Event(INVITATION_ACCEPTED, InvitationAccepted, Permission.PERSON_LIST),
        Event(NOTIFICATIONS_CHANGED, NotificationsChanged, Permission.NOTIFICATION_READ),
        *MESSAGING_EVENTS,
    )
}
