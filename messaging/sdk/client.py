"""The client a program uses. See README.md beside this file for a worked example."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from messaging.sdk.attachments import Attachments, Outside, described
from messaging.sdk.cards import Cards
from messaging.sdk.cases import Cases
from messaging.sdk.core import Core
from messaging.sdk.counterparts import Counterparts
from messaging.sdk.device_file import DeviceFile, from_base64
from messaging.sdk.enrolment import Enrolment
from messaging.sdk.errors import ClientError, Distrusted, NotReady, NotSent, ServerRefused
from messaging.sdk.facts import Arrived, Authority, DeviceRequest, Sent, Session, ThreadFacts
from messaging.sdk.http import Http
from messaging.sdk.inbox import Inbox, step_with
from messaging.sdk.keys import Keys
from messaging.sdk.ledger import Ledger
from messaging.sdk.log import Log
from messaging.sdk.membership import Memberships
from messaging.sdk.outbox import Outbox
from messaging.sdk.own_threads import OwnThreads
from messaging.sdk.practice import Practice
from messaging.sdk.records import Exported, Records
from messaging.sdk.restoring import Restoring
from messaging.sdk.secretariat import Secretariat
from messaging.sdk.sign_in import SignIn
from messaging.sdk.socket import Socket
from messaging.sdk.texts import checked
from messaging.sealed.attachment import File
from messaging.sealed.client import Mailbox
from messaging.sealed.message import Acknowledgement, Note, Plaintext
from messaging.sealed.passphrase import COST

logger = logging.getLogger(__name__)

APPROVAL_SECONDS = 300.0
Awaited = TypeVar("Awaited")


class Client:
    """One device of one membership, connected. Use it as an async context manager."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._inbox = Inbox(core)
        self._socket = Socket(core.http, core.file.contents.cursors, self._on_event, self._on_connected)
        own = OwnThreads(core, self._inbox)
        self._others = Counterparts(core, self._inbox, own)
        self._outbox = Outbox(core, self._inbox, self._socket, self._others)
        self._attachments = Attachments(core, self._socket)
        self._records = Records(core, self._inbox)
        self._restoring = Restoring(core)
        self._inbox.on_shorter = self._restoring.look
        self.cards = Cards(core, self._inbox)
        self.cases = Cases(core, self._inbox, self._outbox)
        self.ledger = Ledger(core, own, self._others, self._outbox)
        self.membership = Memberships(core, self._inbox, self._outbox, own, self._others)
        self.secretariat = Secretariat(core)
        self._enrolment = Enrolment(core, self._socket, self._become_ready)
        self.keys = Keys(core, self._socket, self._become_ready)
        self.practice = Practice(core, self._socket, self.keys)
        self._ready = asyncio.Event()
        self._requests_changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_closed = False

    @classmethod
    async def open(
        cls, origin: str, *, sign_in: SignIn, file: Path, passphrase: str, cost: int = COST
    ) -> Self:
        """Sign in, open the device file (made when it is not there) and connect.

        `cost` is scrypt's for a new file; lower it only for a passphrase of 128 random bits or more. Raises
        `WrongPassphrase`, `DeviceFileInUse`, `SignInFailed`, `Unreachable`, `Distrusted`.
        """
        device_file = await asyncio.to_thread(DeviceFile.open, file, passphrase, cost=cost)
        http = Http(origin, sign_in)
        try:
            await http.sign_in()
            session = Session.from_json(await http.get("/api/session"))
            client = cls(Core(http, device_file, session))
            await client._begin()
        except BaseException:
            await http.close()
            device_file.close()
            raise
        return client

    async def _begin(self) -> None:
        self._socket.start()
        self._spawn(self._inbox.keep_confirming(self._socket))
        self._spawn(self.cards.keep_writing())
        await self._socket.wait_open()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect, store what is known and let go of the file."""
        if self.is_closed:
            return
        self.is_closed = True
        await self._socket.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._core.http.close()
        self._core.save()
        self._core.file.close()

    # who

    @property
    def session(self) -> Session:
        """Return who this client acts as."""
        return self._core.session

    @property
    def principal(self) -> str | None:
        """Return the principal this device belongs to or asks to join."""
        found = self._core.mailbox_or_none
        return found.principal.hex() if found else None

    @property
    def is_ready(self) -> bool:
        """Return whether this device is listed and can read and write."""
        return self._core.is_ready

    @property
    def file_path(self) -> Path:
        """Return where the device file lies."""
        return self._core.file.path

    @property
    def http(self) -> Http:
        """Return the signed-in REST face, for what this class has no method for."""
        return self._core.http

    @property
    def mailbox(self) -> Mailbox:
        """Return what this device has verified; raises `NotReady` while there is no device."""
        return self._core.mailbox

    async def list_authorities(self) -> list[Authority]:
        """Return the authorities of the network; one without a principal cannot be written to yet."""
        found = await self._core.http.get("/api/authorities")
        return [Authority.from_json(row) for row in found["authorities"]]

    # keys

    async def create_keyring(self) -> str:
        """Create the authority's keyring with this device as its steward; return the printed recovery kit.

        Repeats the same bytes until there is a definite answer. The file holds the kit, and every further
        call returns it again, in this process or the next, until `kit_is_safe`: print it, lock it away,
        say so.
        Raises `ServerRefused`, `NotReady` when the authority has a keyring already, `DeviceExists`.
        """
        return await self._enrolment.create_keyring()

    async def begin_anew(self) -> str:
        """Make new keys for an authority that has lost every device and its kit; return the new kit, printed.

        They wait until two directory officers have confirmed them from a new note of the State: then the old
        keys end, `wait_until_ready` returns, and others put the new ones into each correspondence. What was
        written until then stays sealed for ever. All else as `create_keyring`; where a kit is left,
        `keys.recover` loses nothing. Raises `DeviceExists`, `NotReady`, `ServerRefused`.
        """
        return await self._enrolment.begin_anew()

    def kit_is_safe(self) -> None:
        """Say that the recovery kit is printed and locked away; it is kept nowhere from now on."""
        self._enrolment.kit_is_safe()

    @property
    def holds_kit(self) -> bool:
        """Return whether the file still holds a recovery kit: call `create_keyring`, then `kit_is_safe`."""
        return self._enrolment.holds_kit

    async def request_device(self, roles: Sequence[str] = ("officer",)) -> str:
        """Ask the authority's stewards to list this device; returns the words to compare by voice.

        The request is repeated until it has an answer, by the next process if need be. Raises `DeviceExists`
        when the file holds a device of this authority already.
        """
        return await self._enrolment.request_device(roles)

    @property
    def device_words(self) -> str:
        """Return the words of this device, to compare by voice; raises `NotReady` while there is none."""
        return self._enrolment.words

    def forget_device(self) -> None:
        """Give up a device that no steward has listed, to request another; raises `DeviceExists`."""
        self._enrolment.forget_device()

    async def wait_until_ready(self, *, seconds: float = APPROVAL_SECONDS) -> None:
        """Wait until a steward has listed this device; raises `NotReady` when none does in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._unless_ended(self._ready.wait())
        except TimeoutError as error:
            raise NotReady("No steward has approved this device yet.") from error

    async def list_device_requests(self) -> list[DeviceRequest]:
        """Return the devices that wait for this authority's stewards, each verified against its own key."""
        return await self._enrolment.list_requests()

    async def device_requests(self) -> AsyncIterator[DeviceRequest]:
        """Yield each waiting device once, those already waiting first, for as long as the client is open."""
        seen: set[str] = set()
        while True:
            self._requests_changed.clear()
            for request in await self.list_device_requests():
                if request.device not in seen:
                    seen.add(request.device)
                    yield request
            await self._unless_ended(self._requests_changed.wait())

    async def approve_device(self, request: DeviceRequest, roles: Sequence[str] = ("officer",)) -> None:
        """List a device in the own keyring; this device must be a steward. Raises `ServerRefused`.

        Compare its words with the person first: whoever is listed reads everything.
        """
        await self.keys.add_devices([(from_base64(request.statement), roles)])

    async def decline_device(self, request: DeviceRequest) -> None:
        """Turn a waiting device away."""
        await self._core.http.post(f"/api/devices/requests/{request.device}/decline", {})

    # correspondence

    async def list_threads(self) -> list[ThreadFacts]:
        """Return the authority's threads, the newest change first."""
        return await self._inbox.list_threads()

    async def open_thread(
        self,
        authority: Authority | str,
        text: str,
        *,
        subject: str | None = None,
        language: str = "en",
        own_reference: str | None = None,
        foreign_reference: str | None = None,
        urgency: int = 0,
        due: int | None = None,
        reason: str | None = None,
        kind: str = "case",
        files: Sequence[Path] = (),
    ) -> Sent:
        """Open a correspondence by a first message; one of `kind` `direct` can admit practitioners.

        With an authority of the directory: only if the keyring is its own, as ever before (K8). With a
        principal (its fingerprint): whoever holds that verified keyring. The rest is as in `send`; with
        `files` the thread is there before its first message.
        Raises `NotSent`, `InvalidMessage`, `Distrusted`.
        """
        self._core.require_ready()
        chosen, principal = (
            (None, authority) if isinstance(authority, str) else (authority.id, authority.principal)
        )
        if principal is None:
            raise NotReady("This authority has no keyring yet, so nothing can be sealed to it.")
        note = Note(text, urgency, due, reason)
        plaintext = checked(Plaintext(note, language, subject, own_reference, foreign_reference))
        to = bytes.fromhex(principal)
        if not files:
            return await self._outbox.open_thread(to, plaintext, authority=chosen, kind=kind)
        outside = await asyncio.to_thread(described, files)
        thread = await self._outbox.open_empty(to, authority=chosen, kind=kind)
        return await self._send_with(outside, thread, plaintext, note)

    async def send(
        self,
        thread: str,
        text: str,
        *,
        subject: str | None = None,
        language: str = "en",
        own_reference: str | None = None,
        foreign_reference: str | None = None,
        urgency: int = 0,
        due: int | None = None,
        reason: str | None = None,
        marks: tuple[str, ...] = (),
        moment: int | None = None,
        answers: Arrived | None = None,
        files: Sequence[Path] = (),
    ) -> Sent:
        """Send a message; returns when the server has signed for it and its place is verified.

        `urgency`: 0 ordinary, 1 urgent, 2 at once (liberty, evidence or assets at risk). `due`: the date
        wanted, in unix seconds. The server sees both, to remind; a `reason` is demanded and sealed, as are
        `marks`, how to handle it, of `messaging.sealed.marks`, and `moment`, when all act together.
        `answers`: the message at hand, answered once, however often the program dies meanwhile.
        `files`: at most ten, of 1 GiB each; called again with the same bytes they go on where they were.

        Cancelled or cut off before that, the message stays in the outbox and goes out with the same bytes at
        the next connection. Raises `NotSent`, `InvalidMessage`, `NotReady`, `Distrusted`.
        """
        self._core.require_ready()
        note = Note(text, urgency, due, reason, moment=moment)
        plaintext = checked(Plaintext(note, language, subject, own_reference, foreign_reference, None, marks))
        step = step_with(answers, "answer") if answers else None
        if not files:
            return await self._outbox.send(thread, plaintext, step=step)
        outside = await asyncio.to_thread(described, files)
        if taken := await self._outbox.taken(thread, step):
            return taken
        return await self._send_with(outside, thread, plaintext, note, step)

    async def _send_with(
        self, outside: Sequence[Outside], thread: str, text: Plaintext, note: Note, step: str | None = None
    ) -> Sent:
        """Send files, then the note that they go with."""
        stored = await self._attachments.send(thread, outside)
        body = replace(note, files=stored)
        sent = await self._outbox.send(thread, checked(replace(text, body=body)), step=step)
        self._attachments.forget([file.id for file in stored])
        return sent

    async def save_file(self, message: Arrived, file: File, to: Path) -> None:
        """Write a file of a message to a path that does not exist yet, once all of it was verified.

        What was fetched before a cut lies beside it as `….part` and is not fetched again. Raises
        `Distrusted`, naming the part that was altered; `FileExistsError`.
        """
        self._core.require_ready()
        await self._attachments.save(message.thread, file, to)

    async def acknowledge(self, message: Arrived) -> Sent:
        """Send the formal acknowledgement of a message at hand, once, signed by this device's officer."""
        self._core.require_ready()
        plaintext = Plaintext(
            Acknowledgement(bytes.fromhex(message.id), message.seq), message.language or "en"
        )
        return await self._outbox.send(message.thread, plaintext, step=step_with(message, "acknowledge"))

    async def mark_opened(self, message: Arrived) -> None:
        """Tell the other side that this thread has been opened up to its verified end."""
        await self._outbox.mark_opened(message.thread)

    async def messages(self) -> AsyncIterator[Arrived]:
        """Yield each verified message of other devices, in order within a thread.

        A message counts as handled when the next one is asked for, and is then never given again; one that
        was being handled when the process died is given again. Raises `SignInFailed` when the membership
        has ended.
        """
        while True:
            message = await self._unless_ended(self._inbox.arrived.get())
            yield message
            self.mark_handled(message)

    def mark_handled(self, message: Arrived) -> None:
        """Never give this message, or one before it in its thread, again; for who leaves the loop early."""
        self._inbox.mark_handled(message)

    async def _unless_ended(self, awaited: Awaitable[Awaited]) -> Awaited:
        """Wait for something; raises what ended the client."""
        getting = asyncio.ensure_future(awaited)
        ended = asyncio.ensure_future(self._socket.wait_ended())
        try:
            await asyncio.wait({getting, ended}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
            ended.result()
            raise ClientError("The client was closed.")
        finally:
            for task in (getting, ended):
                task.cancel()

    # records

    async def export_thread(self, thread: str, path: Path, *, language: str | None = None) -> Exported:
        """Write the record of a thread into a file that proves itself; the server notes that it was made.

        With a `language` (ar, en, es, fr, ru, zh-hans) it holds the texts and a page for reading, open to
        whoever has the file. Without, the authority's devices and kit open it, and the code that is returned.
        """
        return await self._records.export_thread(thread, path, language=language)

    async def export_message(self, thread: str, seq: int, path: Path) -> Exported:
        """Write the record that proves one message, and shows no other."""
        return await self._records.export_message(thread, seq, path)

    async def report(self, thread: str, places: Sequence[int], *, cause: str, words: str = "") -> str:
        """Disclose messages of a thread to the moderators of the secretariat; return the report's id.

        `cause`: harm, impersonation, other, pressure or purpose. Nothing else of the thread becomes readable.
        """
        return await self._records.report(thread, list(places), cause=cause, words=words)

    @property
    def distrusted(self) -> dict[str, Distrusted]:
        """Return the threads in which the server broke a rule, with the rule; nothing of them is used."""
        return dict(self._inbox.distrusted)

    @property
    def log(self) -> Log:
        """Return the log of keys as this device has followed it: who watches, and the evidence of a lie."""
        return self._core.log

    @property
    def not_sent(self) -> list[tuple[str, NotSent]]:
        """Return the threads and refusals of messages whose sender was no longer waiting for the answer."""
        return list(self._outbox.not_sent)

    # what the socket tells

    async def _on_connected(self) -> None:
        self._requests_changed.set()
        if self._core.mailbox_or_none is not None:
            await self._restoring.look()
            await self._become_ready()

    async def _become_ready(self) -> None:
        """Load the own keyring; once this device is listed, everything that came meanwhile."""
        if not await self.practice.go_on():
            return
        try:
            await self._core.load_keyring(self._core.mailbox.principal)
        except ServerRefused as refused:
            if refused.status != 404:
                raise
            return
        if not self._core.is_ready:
            if self._core.status == "standing":
                await self._enrolment.ask_again()
            return
        self._ready.set()
        if self._core.session.may_read:
            await self._inbox.catch_up()
            self._spawn(self._outbox.send_leftovers())
            self._spawn(self.ledger.keep())
        self._core.save()

    async def _on_event(self, name: str, audience: str | None, body: Any) -> None:
        if name == "messaging.item.appended" and self._core.is_ready and self._core.session.may_read:
            await self._inbox.take(body)
        elif name == "messaging.keyring.grew":
            await self._on_keyring(body["principal"])
        elif name == "messaging.practitioner.sponsored":
            await self._become_ready()
        elif name in {"messaging.device.requested", "messaging.device.declined"}:
            self._requests_changed.set()

    async def _on_keyring(self, principal: str) -> None:
        found = self._core.mailbox_or_none
        if found is None:
            return
        if principal == found.principal.hex() and not self._core.is_ready:
            await self._become_ready()
        elif principal == found.principal.hex():
            await self._core.load_keyring(found.principal)
            self._keep_ledger()
        elif bytes.fromhex(principal) in found.rings:
            await self._load_foreign(principal)
            self._keep_ledger()
        else:  # perhaps new keys that have taken the place of the own ones (K12)
            await self._load_foreign(found.principal.hex())

    def _keep_ledger(self) -> None:
        if self._core.session.may_read:
            self._spawn(self.ledger.keep())

    async def _load_foreign(self, principal: str) -> None:
        """A keyring that does not hold is not used: writing to it will say so again."""
        try:
            await self._core.load_keyring(bytes.fromhex(principal))
        except Distrusted as error:
            logger.warning("the keyring of %s is not trusted: %s", principal[:16], error)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        with suppress(asyncio.CancelledError):
            if error := task.exception():
                logger.error("a task of the client ended: %s: %s", type(error).__name__, error)
