"""Devices of both implementations behind one face, for histories in which they meet."""

import base64
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from os import environ
from pathlib import Path
from typing import Any, Protocol

from deploy import services
from messaging.sealed.attachment import NewFile
from messaging.sealed.client import Mailbox, Person, make_device, make_keyring
from messaging.sealed.correspondence import Applied, Item
from messaging.sealed.encoding import sha256
from messaging.sealed.keyring import Change
from messaging.sealed.keys import RecoveryKit
from messaging.sealed.message import Acknowledgement, Note, Plaintext, SealedMessage
from messaging.sealed.recovery import Recovery
from tests.sealed.world import NET, START

CLIENT = Path(__file__).resolve().parents[2] / "messaging" / "client"
ALL = ("officer", "steward", "supervisor")
ROLES = ("officer", "supervisor")
Chain = list[tuple[bytes, bytes]]
"""The entries of a keyring, each with its envelopes."""


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def data(given: str) -> bytes:
    return base64.b64decode(given)


@dataclass(frozen=True)
class Entry:
    """An entry that was made, with what travels beside it, and the kit it brings."""

    entry: bytes
    envelopes: bytes
    statements: tuple[bytes, ...] = ()
    kit: str | None = None


@dataclass(frozen=True)
class Shown:
    """What a device shows of an item."""

    text: str | None
    failed: str | None
    marks: tuple[str, ...]


class Desk(Protocol):
    """One device at work. Whatever it refuses is raised."""

    @property
    def id(self) -> bytes: ...
    @property
    def statement(self) -> bytes: ...
    def take_keyring(self, principal: bytes, chain: Chain, statements: list[bytes], *, own: bool) -> None: ...
    def take(self, item: Item) -> Shown: ...
    def transcript(self, thread: bytes) -> bytes | None: ...
    def note(self, thread: bytes, words: str) -> SealedMessage: ...
    def acknowledge(self, thread: bytes, of: bytes, seq: int) -> SealedMessage: ...
    def refuse(self, thread: bytes) -> None: ...
    def needs_refresh(self, thread: bytes) -> bool: ...
    def refresh(self, thread: bytes) -> Entry: ...
    def change(self, reason: str, *, devices: list[bytes], statements: list[bytes]) -> Entry: ...
    def approve(self, change: bytes) -> bytes: ...


# --- Python


@dataclass
class PythonDesk:
    """A device of messaging/sealed."""

    box: Mailbox

    @property
    def id(self) -> bytes:
        return self.box.device.id

    @property
    def statement(self) -> bytes:
        return self.box.device.statement

    def take_keyring(self, principal: bytes, chain: Chain, statements: list[bytes], *, own: bool) -> None:
        start = self.box.keyring_from(principal)
        entries = [(entry, blob if own else None) for entry, blob in chain[start:]]
        if entries:
            self.box.apply_keyring(principal, entries, statements)

    def take(self, item: Item) -> Shown:
        return shown(self.box.apply_item(item))

    def transcript(self, thread: bytes) -> bytes | None:
        found = self.box.threads.get(thread)
        return found.state.transcript if found and found.state else None

    def note(self, thread: bytes, words: str) -> SealedMessage:
        files = (a_file(thread),) if words.startswith("file") else ()
        return self.box.seal(thread, Plaintext(Note(words, files=files), "en"), at=START)

    def acknowledge(self, thread: bytes, of: bytes, seq: int) -> SealedMessage:
        return self.box.seal(thread, Plaintext(Acknowledgement(of, seq), "en"), at=START)

    def refuse(self, thread: bytes) -> None:
        self.box.mark_refused(thread)

    def needs_refresh(self, thread: bytes) -> bool:
        return self.box.needs_refresh(thread, at=START)

    def refresh(self, thread: bytes) -> Entry:
        made = self.box.refresh(thread, at=START)
        return Entry(made.entry, made.envelopes)

    def change(self, reason: str, *, devices: list[bytes], statements: list[bytes]) -> Entry:
        own, kit = self.box.stewardship, RecoveryKit.generate(NET)
        changes: dict[str, Callable[[], Change]] = {
            "add": lambda: own.addition([(sha256(raw), ROLES) for raw in statements]),
            "remove": lambda: own.removal(devices),
            "role": lambda: own.roles({device: ["officer"] for device in devices}),
            "rotate": own.rotation,
            "recovery-key": lambda: own.new_recovery_key(kit.public),
        }
        made = own.make(changes[reason](), at=START, statements=statements)
        return Entry(made.entry, made.envelopes, tuple(statements), kit.print())

    def approve(self, change: bytes) -> bytes:
        return self.box.stewardship.approve(Change.decode(change), at=START)


def shown(applied: Applied) -> Shown:
    body = applied.plaintext.body if applied.plaintext else None
    words = body.text if isinstance(body, Note) else body.kind if body else None
    return Shown(words, applied.failed, applied.message.marks if applied.message else ())


def a_file(thread: bytes) -> Any:
    """A file beside a note; nobody fetches it here."""
    new = NewFile(NET, thread, sha256(b"some bytes"), 10)
    sealed = [sha256(new.seal_chunk(0, b"some bytes"))]
    return new.finish(sealed, "a file.txt", "text/plain")


@dataclass
class PythonMaker:
    """Makes devices of messaging/sealed."""

    server_key: bytes

    def _desk(self, device: Any) -> PythonDesk:
        return PythonDesk(Mailbox(NET, self.server_key, device))

    def found(self, person: str) -> tuple[PythonDesk, bytes, Entry]:
        made = make_keyring(NET, Person(person, person, "Desk"), at=START)
        entry = Entry(made.entry, made.envelopes, made.statements, made.kit.print())
        return self._desk(made.device), made.device.principal, entry

    def request(self, person: str, principal: bytes) -> PythonDesk:
        return self._desk(make_device(NET, principal, Person(person, person, "Desk"), at=START))

    def recover(
        self, person: str, kit: str, principal: bytes, chain: Chain, statements: list[bytes], approver: Desk
    ) -> tuple[PythonDesk, Entry]:
        del principal
        begun = Recovery.begin(
            NET,
            RecoveryKit.parse(NET, kit),
            chain,
            statements,
            person=Person(person, person, "Desk"),
            roles=ALL,
            at=START,
        )
        made = begun.make(at=START, approvals=[approver.approve(begun.change.encode())])
        entry = Entry(made.entry, made.envelopes, made.statements, begun.new_kit.print())
        return self._desk(begun.device), entry


# --- TypeScript


@dataclass
class Script:
    """The browser client's protocol in a process of its own (messaging/client/tests/serve_devices.ts)."""

    server_key: bytes
    process: subprocess.Popen[str] = field(init=False)
    count: int = 0

    def __post_init__(self) -> None:
        more = {**services.node_environment(), "SERVER_KEY": text(self.server_key), "AT": str(START)}
        self.process = subprocess.Popen(
            ["node", "tests/run.mjs", "devices"],
            cwd=CLIENT,
            env={**environ, **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def call(self, call: str, name: str, **arguments: Any) -> Any:
        """Call one device. Raises what it refuses."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"call": call, "name": name, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "ok" not in answer and answer:
            raise AssertionError(f"{call} of {name}: {answer}")
        return answer.get("ok")

    def _name(self) -> str:
        self.count += 1
        return f"device {self.count}"

    def found(self, person: str) -> tuple["ScriptDesk", bytes, Entry]:
        name = self._name()
        made = self.call("found", name, person=person)
        desk = ScriptDesk(self, name, bytes.fromhex(made["device"]), data(made["statements"][0]))
        return desk, bytes.fromhex(made["principal"]), entry_of(made)

    def request(self, person: str, principal: bytes) -> "ScriptDesk":
        name = self._name()
        made = self.call("request", name, person=person, principal=principal.hex())
        return ScriptDesk(self, name, bytes.fromhex(made["device"]), data(made["statement"]))

    def recover(
        self, person: str, kit: str, principal: bytes, chain: Chain, statements: list[bytes], approver: Desk
    ) -> tuple["ScriptDesk", Entry]:
        name = self._name()
        whole = keyring_json(principal, chain, statements, own=True)
        begun = self.call("recover", name, person=person, kit=kit, keyring=whole)
        approvals = [text(approver.approve(data(begun["change"])))]
        made = self.call("recovered", name, approvals=approvals)
        desk = ScriptDesk(self, name, bytes.fromhex(begun["device"]), data(made["statements"][0]))
        return desk, entry_of({**made, "kit": begun["kit"]})


def entry_of(made: dict[str, Any]) -> Entry:
    statements = tuple(data(raw) for raw in made.get("statements", ()))
    return Entry(data(made["entry"]), data(made["envelopes"]), statements, made.get("kit"))


def keyring_json(
    principal: bytes, chain: Chain, statements: list[bytes], *, own: bool, start: int = 0
) -> dict[str, Any]:
    rows = [
        {"n": n, "entry": text(entry), "envelopes": text(blob) if own else None}
        for n, (entry, blob) in enumerate(chain)
        if n >= start
    ]
    return {"principal": principal.hex(), "entries": rows, "statements": [text(raw) for raw in statements]}


@dataclass
class ScriptDesk:
    """A device of messaging/client/src/sealed."""

    script: Script
    name: str
    id: bytes
    statement: bytes

    def _call(self, call: str, **arguments: Any) -> Any:
        return self.script.call(call, self.name, **arguments)

    def take_keyring(self, principal: bytes, chain: Chain, statements: list[bytes], *, own: bool) -> None:
        start = self._call("from", principal=principal.hex())
        if start < len(chain):
            self._call("keyring", keyring=keyring_json(principal, chain, statements, own=own, start=start))

    def take(self, item: Item) -> Shown:
        found = self._call(
            "item",
            item={
                "thread": item.thread.hex(),
                "seq": item.seq,
                "type": item.type,
                "item": text(item.item),
                "receipt": text(item.receipt),
                "ciphertext": None if item.ciphertext is None else text(item.ciphertext),
                "envelopes": None if item.envelopes is None else text(item.envelopes),
            },
        )
        return Shown(found["text"], found["failed"], tuple(found["marks"]))

    def transcript(self, thread: bytes) -> bytes | None:
        found = self._call("transcript", thread=thread.hex())
        return bytes.fromhex(found) if found else None

    def note(self, thread: bytes, words: str) -> SealedMessage:
        files = [file_json(a_file(thread))] if words.startswith("file") else []
        note = {"text": words, "language": "en", "files": files}
        return sealed_of(self._call("note", thread=thread.hex(), note=note))

    def acknowledge(self, thread: bytes, of: bytes, seq: int) -> SealedMessage:
        given = {"of": of.hex(), "seq": seq}
        return sealed_of(self._call("acknowledge", thread=thread.hex(), of=given))

    def refuse(self, thread: bytes) -> None:
        self._call("refused", thread=thread.hex())

    def needs_refresh(self, thread: bytes) -> bool:
        return bool(self._call("needsRefresh", thread=thread.hex()))

    def refresh(self, thread: bytes) -> Entry:
        return entry_of(self._call("refresh", thread=thread.hex()))

    def change(self, reason: str, *, devices: list[bytes], statements: list[bytes]) -> Entry:
        given = {"devices": [one.hex() for one in devices], "statements": [text(raw) for raw in statements]}
        return entry_of(self._call("change", reason=reason, **given))

    def approve(self, change: bytes) -> bytes:
        return data(self._call("approve", change=text(change)))


def sealed_of(made: dict[str, Any]) -> SealedMessage:
    return SealedMessage(data(made["item"]), data(made["ciphertext"]))


def file_json(file: Any) -> dict[str, Any]:
    return {
        "id": file.id.hex(),
        "key": file.key.hex(),
        "prefix": file.prefix.hex(),
        "digest": file.digest.hex(),
        "name": file.name,
        "mediaType": file.media_type,
        "size": file.size,
        "root": file.root.hex(),
    }
