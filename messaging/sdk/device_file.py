"""The one file of a device: its keys, what it has verified, its outbox. Opened by a passphrase only."""

import base64
import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from messaging.sdk.errors import DeviceFileInUse, WrongPassphrase
from messaging.sealed.errors import Refused
from messaging.sealed.passphrase import COST, FileKey, unlock


@dataclass
class Outgoing:
    """A sealed message on its way: the same bytes are sent until there is a definite answer."""

    thread: str
    id: str
    item: str
    ciphertext: str
    entry: str | None = None  # with its envelopes, where the message opens the thread
    envelopes: str | None = None
    step: str | None = None  # what it does with a message that the program is handling: done once

    def as_body(self) -> dict[str, str]:
        """Return the message as the append command takes it."""
        return {"item": self.item, "ciphertext": self.ciphertext}


@dataclass
class Begun:
    """A file that is being sent: its keys, for the same bytes to go on with after a cut."""

    thread: str
    id: str
    key: str
    prefix: str
    digest: str
    size: int


@dataclass
class Founding:
    """A keyring being made, and its printed recovery kit: kept until the program says the kit is safe.

    `path` is that of the keyring where an entry of it brings another kit; empty for a new keyring.
    """

    entry: str
    envelopes: str
    statements: list[str]
    kit: str
    path: str = ""

    def as_body(self) -> dict[str, object]:
        """Return the keyring as the server takes it."""
        return {"entry": self.entry, "envelopes": self.envelopes, "statements": self.statements}


@dataclass
class Contents:
    """What the file holds, as JSON inside the encryption; binary is base64."""

    device: dict[str, str] | None = None
    pinned: dict[str, str] | None = None  # the network's name and the server's key, as first met
    public_state: str | None = None  # of `Mailbox.export_state`
    handled: dict[str, int] = field(default_factory=dict)  # thread: the last sequence given to the program
    steps: dict[str, tuple[int, str]] = field(default_factory=dict)  # taken with unhandled messages: seq, id
    cursors: dict[str, int] = field(default_factory=dict)
    outbox: list[Outgoing] = field(default_factory=list)
    founding: Founding | None = None
    begun: list[Begun] = field(default_factory=list)
    restored: str | None = None  # the restore that this device has answered
    log: dict[str, str] | None = None  # size, and state of the log of keys as this device has followed it

    def to_json(self) -> bytes:
        """Return the bytes to be encrypted."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read what `to_json` wrote."""
        found = json.loads(data)
        outbox = [Outgoing(**outgoing) for outgoing in found.pop("outbox")]
        founding = found.pop("founding", None)
        begun = [Begun(**one) for one in found.pop("begun", [])]
        made = Founding(**founding) if founding else None
        return cls(**found, outbox=outbox, founding=made, begun=begun)


class DeviceFile:
    """Opens, locks and replaces the file (mode 0600): a write is a new file, synced, renamed over the old."""

    def __init__(self, path: Path, key: FileKey, contents: Contents, lock: int) -> None:
        self.path = path
        self.contents = contents
        self._key = key
        self._lock = lock

    @classmethod
    def open(cls, path: Path, passphrase: str, *, cost: int = COST) -> Self:
        """Open the file, or make it when it is not there; `cost` of scrypt counts only then.

        Raises `WrongPassphrase`, `DeviceFileInUse`.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _take_lock(path)
        try:
            if not path.exists():
                opened = cls(path, FileKey.create(passphrase, cost=cost), Contents(), lock)
                opened.save()
                return opened
            key, text = unlock(passphrase, path.read_bytes())
        except Refused as refused:
            os.close(lock)
            raise WrongPassphrase(
                f"{path.name} does not open with this passphrase, or was changed."
            ) from refused
        return cls(path, key, Contents.from_json(text), lock)

    def save(self) -> None:
        """Replace the file; when this returns, a power cut finds the new content."""
        fresh = self.path.with_name(self.path.name + ".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_all(handle, self._key.lock(self.contents.to_json()))
            os.fsync(handle)
        finally:
            os.close(handle)
        fresh.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Let another process open the file."""
        os.close(self._lock)


def _take_lock(path: Path) -> int:
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise DeviceFileInUse(f"{path.name} is open in another process.") from error
    return handle


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def to_base64(data: bytes) -> str:
    """Return standard base64, as on the wire."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Read standard base64, strictly; raises ValueError."""
    return base64.b64decode(text, validate=True)
