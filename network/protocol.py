"""Commands and events of the base app."""

from pydantic import Field

from network.frames import Body, Seq
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
    """Where the client stands: the last sequence it has kept of each audience."""

    cursors: dict[str, Seq] = Field(max_length=16)


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


PING = ("network.session.ping", Ping, Pong, Permission.SESSION_READ)
RESUME = ("network.session.resume", Resume, Resumed, Permission.SESSION_OPEN)
SESSION_OPENED = "network.session.opened"
QUEUE_EMPTIED = "network.queue.emptied"
