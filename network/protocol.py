"""Commands and events of the base app."""

from pydantic import Field

from network.frames import Body, Seq, ShortId
from network.permissions import Permission

PROTOCOL_VERSION = 1

# Why the server closes a socket; 1008 and the codes of the WebSocket library besides.
CLOSE_SIGNED_OUT = 4401
CLOSE_TOO_SLOW = 4408
CLOSE_COME_BACK = 4412  # the server restarts, or could not go on: reconnect and resume
CLOSE_TOO_MANY = 4429

Cursors = dict[str, Seq]


class Ping(Body):
    """Ask whether the server still hears."""


class Pong(Body):
    """It does."""


class Resume(Body):
    """Where the client stands: the last sequence it has kept of each audience it wants to hear."""

    cursors: dict[str, Seq] = Field(max_length=16)
    only: list[str] | None = Field(default=None, max_length=16)  # these audiences; without it all of them


class Resumed(Body):
    """From where events will come, and the audiences whose state must be loaded anew."""

    cursors: Cursors
    reload: list[str]


class SessionOpened(Body):
    """First frame of a socket: the newest sequence of each audience at this moment."""

    protocol: int
    cursors: Cursors


class QueueEmptied(Body):
    """Everything up to these cursors has been sent: the client is current."""

    cursors: Cursors


class Stay(Body):
    """Say that somebody is there: keyboard or pointer were used."""


class Stayed(Body):
    """In how many seconds the sign-in ends without anything done, and in any case."""

    quiet: int
    until: int


class InvitationAccepted(Body):
    """Somebody has begun to work for the authority, or has a new way to sign in."""

    invitation: ShortId
    membership: ShortId


class NotificationsChanged(Body):
    """A person has something new to read, or read something on another device: ask for the count."""


PING = ("network.session.ping", Ping, Pong, Permission.SESSION_READ)
STAY = ("network.session.stay", Stay, Stayed, Permission.SESSION_STAY)
RESUME = ("network.session.resume", Resume, Resumed, Permission.SESSION_OPEN)
SESSION_OPENED = "network.session.opened"
QUEUE_EMPTIED = "network.queue.emptied"
INVITATION_ACCEPTED = "network.invitation.accepted"
NOTIFICATIONS_CHANGED = "network.notifications.changed"
