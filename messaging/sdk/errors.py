"""Everything that can go wrong for a program that uses the SDK. A broken rule of the protocol is
`messaging.sealed.errors.Refused`, kept as the cause of `Distrusted`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Change


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
TEMPORARY = frozenset({"being-restored", "csrf", "log-rolled-back", "signed-out", "too-many", "unavailable"})
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


class NotCompared(NotReady):
    """Nothing is sealed to an authority whose fingerprint nobody has compared (K8).

    Two officers of the secretariat confirm it from its State's note, or a supervisor of the own authority
    compares it and calls `Client.ledger.accept`.
    """


class ApprovalNeeded(ClientError):
    """A second person who keeps the keys must agree to this change first (`Client.keys.propose`), or the kit.

    `by_kit`: only the recovery kit can agree.
    """

    def __init__(self, change: Change, *, by_kit: bool) -> None:
        super().__init__("The recovery kit must agree." if by_kit else "A second steward must agree.")
        self.change = change
        self.by_kit = by_kit


class Distrusted(ClientError):
    """What the server gave breaks a rule of the protocol; nothing of it was used. `__cause__` says which."""


class NotSent(ClientError):
    """The server refused the message for good, with this code; it will not be sent again."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code


@contextmanager
def step_rules() -> Iterator[None]:
    """Turn a step that must not be taken into `NotSent`: nothing was signed."""
    try:
        yield
    except Refused as refused:
        if refused.rule in {"M10", "M11"}:
            raise NotSent(refused.code, refused.detail) from refused
        raise


@contextmanager
def protocol_rules() -> Iterator[None]:
    """Turn a broken rule of the protocol into `Distrusted`, what only waits for people into `NotCompared`."""
    try:
        yield
    except Refused as refused:
        if refused.code == "not-compared":
            raise NotCompared(str(refused)) from refused
        raise Distrusted(str(refused)) from refused
