"""Everything that can go wrong for a program that uses the SDK. A broken rule of the protocol is
`messaging.sealed.errors.Refused`, kept as the cause of `Distrusted`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from messaging.sealed.errors import Refused


class ClientError(Exception):
    """Base of all errors of the SDK."""


class WrongPassphrase(ClientError):
    """The device file does not open: the passphrase is wrong, or the file was changed or cut off."""


class DeviceFileInUse(ClientError):
    """Another process holds this device file. One device is one process: two would fork its counters."""


class SignInFailed(ClientError):
    """The server did not let this membership in, or the membership has ended."""


class Unreachable(ClientError):
    """The server did not answer. What was queued stays in the outbox and goes out with the same bytes."""


# No answer yet: the same bytes again, after a moment or after the next sign-in.
TEMPORARY = frozenset({"csrf", "signed-out", "too-many", "unavailable"})
TROUBLE = 500  # from this status on the server is to blame, not what was asked


class ServerRefused(ClientError):
    """The server answered with a refusal: a stable `code` and a sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.status = status
        self.code = code
        self.sentence = sentence

    @property
    def is_temporary(self) -> bool:
        """Return whether the same question may have another answer later."""
        return self.code in TEMPORARY or self.status >= TROUBLE


class InvalidMessage(ClientError):
    """The message has a form that no reader would take; nothing was signed. `__cause__` says which."""


class DeviceExists(ClientError):
    """This file holds a device of this authority already; a second one would take its place."""


class NotReady(ClientError):
    """This device cannot read or write yet: the authority has no keyring, or no steward has approved it."""


class Distrusted(ClientError):
    """What the server gave breaks a rule of the protocol; nothing of it was used. `__cause__` says which."""


class NotSent(ClientError):
    """The server refused the message for good, with this code; it will not be sent again."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code


@contextmanager
def protocol_rules() -> Iterator[None]:
    """Turn a broken rule of the protocol into `Distrusted`."""
    try:
        yield
    except Refused as refused:
        raise Distrusted(str(refused)) from refused
