"""Receiving: items verified in order, handed to the program once, delivery confirmed."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal, cast

from messaging.sdk.core import PAGE, Core
from messaging.sdk.device_file import from_base64
from messaging.sdk.errors import Distrusted, ServerRefused, Unreachable, protocol_rules
from messaging.sdk.facts import Arrived, ThreadFacts
from messaging.sdk.socket import Socket
from messaging.sealed.correspondence import Applied, Item
from messaging.sealed.message import Acknowledgement, Enclosure, Message, Note, Plaintext, StageChange
from messaging.sealed.thread_entry import OWN_KINDS

logger = logging.getLogger(__name__)


async def _nothing() -> None:
    """Do nothing."""


class Inbox:
    """The threads of this device. A thread is verified from its first item when it is first needed."""

    def __init__(self, core: Core) -> None:
        self.arrived: asyncio.Queue[Arrived] = asyncio.Queue()
        self.distrusted: dict[str, Distrusted] = {}
        self.on_grown: Callable[[str], None] = lambda thread: None
        self._core = core
        self.on_shorter: Callable[[], Awaitable[None]] = _nothing
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._to_confirm: dict[str, int] = {}
        self._has_to_confirm = asyncio.Event()
        self._has_grown = asyncio.Condition()

    def known_seq(self, thread: str) -> int:
        """Return the last verified sequence of a thread, 0 when it has not been loaded."""
        found = self._core.mailbox.threads.get(bytes.fromhex(thread))
        return len(found.raw) if found else 0

    async def wait_for(self, thread: str, seq: int, *, seconds: float) -> bool:
        """Wait until a thread has been verified up to `seq`; return whether it has."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._has_grown:
                await self._has_grown.wait_for(lambda: self.known_seq(thread) >= seq)
        return self.known_seq(thread) >= seq

    async def catch_up(self) -> None:
        """Load every thread in which something has not been handed to the program yet."""
        before = ""
        while True:
            query = {"before": before} if before else {}
            page = await self._core.http.get("/api/threads", limit=PAGE, **query)
            behind = [row for row in page["threads"] if self._is_behind(row["thread"], row["seq"])]
            for row in reversed(behind):  # the oldest change first
                await self.pull_or_report(row["thread"])
            before = page["next"]
            if not before:  # an earlier process may have died between two pages, so all of them are read
                return

    def _is_behind(self, thread: str, seq: int) -> bool:
        """Return whether a thread has grown, or shrunk (T8)."""
        if seq < self.known_seq(thread):
            return thread not in self.distrusted
        handled = max(self._core.file.contents.handled.get(thread, 0), self.known_seq(thread))
        return handled < seq and thread not in self.distrusted

    async def list_threads(self) -> list[ThreadFacts]:
        """Return all threads of the own authority, the newest change first."""
        found: list[ThreadFacts] = []
        before = ""
        while True:
            query = {"before": before} if before else {}
            page = await self._core.http.get("/api/threads", limit=PAGE, **query)
            found += [ThreadFacts.from_json(row) for row in page["threads"]]
            before = page["next"]
            if not before:
                return found

    async def pull_or_report(self, thread: str) -> None:
        """As `pull`; a thread that breaks a rule is set aside and logged, so that others go on."""
        try:
            await self.pull(thread)
        except Distrusted as error:
            self.distrust(thread, error)

    def distrust(self, thread: str, error: Distrusted) -> None:
        """Set a thread aside: nothing more of it is given."""
        self.distrusted[thread] = error
        logger.warning("thread %s is not trusted: %s", thread[:16], error)

    async def pull(self, thread: str) -> None:
        """Fetch and verify everything new in a thread. Raises `Distrusted`."""
        async with self._locks[thread]:
            with self._set_aside_if_refused(thread):
                await self._pull(thread)

    async def _pull(self, thread: str) -> None:
        while True:
            after = self.known_seq(thread)
            page = await self._core.http.get(f"/api/threads/{thread}/items", after=after, limit=PAGE)
            if page["seq"] < after:
                page = await self._ask_again(thread, after)
            await self._apply(page["items"])
            if len(page["items"]) < PAGE:
                self._check_end(thread)
                return

    async def _ask_again(self, thread: str, after: int) -> dict[str, Any]:
        """T8, L8: a shorter thread is a fork, unless the server was put back and gets what it lost."""
        await self.on_shorter()
        page: dict[str, Any] = await self._core.http.get(
            f"/api/threads/{thread}/items", after=after, limit=PAGE
        )
        if page["seq"] < after:
            raise Distrusted("T8: the thread is shorter than what this device had verified.")
        return page

    async def take(self, body: dict[str, Any]) -> None:
        """Take an item as it came over the socket, or fetch what is missing before it."""
        thread, seq = body["thread"], body["seq"]
        if thread in self.distrusted or seq <= self.known_seq(thread):
            return
        if seq > self.known_seq(thread) + 1:
            await self.pull_or_report(thread)
            return
        try:
            async with self._locks[thread]:
                if seq == self.known_seq(thread) + 1:
                    with self._set_aside_if_refused(thread):
                        await self._apply([body])
        except Distrusted as error:
            self.distrust(thread, error)

    @contextmanager
    def _set_aside_if_refused(self, thread: str) -> Iterator[None]:
        """Seal nothing any more at the end that was verified before a refusal (T8)."""
        try:
            yield
        except Distrusted:
            self._core.mailbox.set_aside.add(bytes.fromhex(thread))
            raise

    async def _apply(self, bodies: Sequence[dict[str, Any]]) -> None:
        for body in bodies:
            item = read_item(body)
            with protocol_rules():
                needed = self._core.mailbox.needs(item)
            for principal, _ in needed:
                await self._core.load_keyring(principal)
            if self._core.mailbox.is_behind(item):  # L6
                await self._core.log.follow()
            with protocol_rules():
                applied = self._core.mailbox.apply_item(item)
            self._hand_over(body["thread"], applied)
        for thread in {body["thread"] for body in bodies}:
            self.on_grown(thread)
        async with self._has_grown:
            self._has_grown.notify_all()

    def _hand_over(self, thread: str, applied: Applied) -> None:
        contents = self._core.file.contents
        if self._is_foreign(applied):
            self.confirm(thread, applied.seq)
        if applied.seq <= contents.handled.get(thread, 0):
            return
        message = applied.message
        if message is None or not self._is_for_program(thread, applied, message):
            if contents.handled.get(thread, 0) == applied.seq - 1:
                contents.handled[thread] = applied.seq
            return
        self.arrived.put_nowait(self._arrived(thread, applied, message))

    def _is_for_program(self, thread: str, applied: Applied, message: Message) -> bool:
        """Return whether a message is handed over: of another device, to this authority, no own note."""
        state = self._core.mailbox.threads[bytes.fromhex(thread)].state
        is_shared = state is not None and state.kind not in OWN_KINDS
        return message.device != self._core.mailbox.device.id and applied.is_member and is_shared

    def _is_foreign(self, applied: Applied) -> bool:
        """Return whether the item is of another principal, whom its arrival is told to."""
        return applied.is_member and applied.by.principal != self._core.mailbox.principal

    def _check_end(self, thread: str) -> None:
        """T8: what this device has verified before must still be there."""
        place = self._core.mailbox.places.get(bytes.fromhex(thread))
        if place is not None and self.known_seq(thread) < place.seq:
            raise Distrusted("T8: the thread is shorter than what this device had verified.")

    def _arrived(self, thread: str, applied: Applied, message: Message) -> Arrived:
        principal = message.by.principal.hex()
        device = self._core.mailbox.rings[message.by.principal].devices[message.device]
        return Arrived(
            thread=thread,
            seq=applied.seq,
            id=message.id.hex(),
            kind=cast(Literal["note", "acknowledgement", "statement", "stage"], message.kind),
            is_own_authority=message.by.principal == self._core.mailbox.principal,
            principal=principal,
            authority=self._core.authorities.get(principal),
            device=message.device.hex(),
            person=device.person,
            name=device.name,
            office=device.office,
            signed_at=message.statement.at,
            received_at=applied.received_at,
            marks=message.marks + (applied.plaintext.marks if applied.plaintext else ()),
            failed=applied.failed,
            urgency=message.urgency,
            due=message.due,
            step=message.step,
            **_text_facts(applied.plaintext),
        )

    def mark_handled(self, message: Arrived) -> None:
        """The program is done with a message: it will not be given again, even after a crash."""
        contents = self._core.file.contents
        last = contents.handled[message.thread] = max(contents.handled.get(message.thread, 0), message.seq)
        contents.steps = {
            step: taken for step, taken in contents.steps.items() if not _is_over(step, message.thread, last)
        }
        self._core.save()

    # delivery

    def confirm(self, thread: str, seq: int) -> None:
        """Have the server told, soon, that everything up to `seq` has arrived."""
        self._to_confirm[thread] = max(self._to_confirm.get(thread, 0), seq)
        self._has_to_confirm.set()

    async def keep_confirming(self, socket: Socket) -> None:
        """Tell the server what has arrived, for ever; several items of a thread by one command."""
        while True:
            await self._has_to_confirm.wait()
            self._has_to_confirm.clear()
            with suppress(Unreachable):
                await self._confirm_all(socket)
            if self._to_confirm:  # not taken yet
                self._has_to_confirm.set()
                await asyncio.sleep(1)

    async def _confirm_all(self, socket: Socket) -> None:
        """Confirm each thread once; what was refused for good is not said again."""
        for thread, seq in list(self._to_confirm.items()):
            try:
                await socket.command("messaging.delivery.confirm", {"thread": thread, "seq": seq})
            except ServerRefused as refused:
                if refused.is_temporary:
                    continue
                logger.warning("delivery in thread %s cannot be confirmed: %s", thread[:16], refused)
            if self._to_confirm[thread] == seq:
                del self._to_confirm[thread]


def read_item(body: dict[str, Any]) -> Item:
    """Read an item of the wire."""
    return Item(
        thread=bytes.fromhex(body["thread"]),
        seq=body["seq"],
        type=body["type"],
        item=from_base64(body["item"]),
        receipt=from_base64(body["receipt"]),
        ciphertext=from_base64(body["ciphertext"]) if body["ciphertext"] else None,
        envelopes=from_base64(body["envelopes"]) if body["envelopes"] else None,
    )


def _text_facts(plaintext: Plaintext | None) -> dict[str, Any]:
    if plaintext is None:
        return {}
    facts: dict[str, Any] = {
        "language": plaintext.language,
        "subject": plaintext.subject,
        "own_reference": plaintext.own_reference,
        "foreign_reference": plaintext.foreign_reference,
    }
    match plaintext.body:
        case Note() as note:
            facts |= {"text": note.text, "reason": note.reason, "files": note.files}
            facts |= {"about": note.about, "moment": note.moment}
        case Acknowledgement(of=of):
            facts["acknowledges"] = of.hex()
        case StageChange(facts=said):
            facts["facts"] = said
        case Enclosure() as enclosed:
            facts |= {"statement": enclosed.statement, "text": enclosed.text}
    return facts


def step_with(message: Arrived, what: str) -> str:
    """Name a step taken with a message: it is taken once, until the message is handled."""
    return f"{message.thread} {message.seq} {what}"


def _is_over(step: str, thread: str, last: int) -> bool:
    its_thread, seq, _ = step.split(" ")
    return its_thread == thread and int(seq) <= last
