"""Cards: what lists show of threads, shared sealed by the devices of the own authority."""

import asyncio
import logging
import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from messaging.sdk.core import Core
from messaging.sdk.device_file import from_base64, to_base64
from messaging.sdk.errors import ClientError
from messaging.sdk.inbox import Inbox
from messaging.sealed.card import Card, Turn
from messaging.sealed.errors import Refused
from messaging.sealed.own_cards import OwnCards, SeenCard, Standing
from messaging.sealed.thread_entry import OWN_KINDS

logger = logging.getLogger(__name__)

AT_ONCE = 100
PAUSE = 1.0  # several items that come together make one card


@dataclass(frozen=True)
class CardFacts:
    """What a card says of a thread: a hint. Open the thread before anything is decided.

    `standing`: `missing` (not yet opened by any device of the authority), `older` than the thread,
    `unverified` (a device that was removed since could have written it) or `current`.
    """

    thread: str
    seq: int
    standing: Standing
    subject: str | None = None
    own_reference: str | None = None
    foreign_reference: str | None = None
    turn: Turn = "nobody"
    urgency: int = 0
    due: int | None = None


class Cards:
    """Writes the cards of threads that have changed here, and reads all of them."""

    def __init__(self, core: Core, inbox: Inbox) -> None:
        self._core = core
        self._due: set[str] = set()
        self._has_due = asyncio.Event()
        self._ids: dict[str, str | None] = {}
        inbox.on_grown = self._note

    async def list_cards(self) -> AsyncIterator[CardFacts]:
        """Yield the card of every thread of the own authority, the newest change first."""
        before = ""
        while True:
            page = await self._core.http.get("/api/cards", **({"before": before} if before else {}))
            for row in page["cards"]:
                yield self._facts(row)
            before = page["next"]
            if not before:
                return

    async def search(self, words: str) -> list[CardFacts]:
        """Return the threads whose subject or references have every word; case and accents do not matter."""
        wanted = _folded(words).split()
        found = [card async for card in self.list_cards()]
        return [card for card in found if all(word in _said(card) for word in wanted)]

    def _facts(self, row: dict[str, Any]) -> CardFacts:
        seen = self._read(row["thread"], row["card"], row["seq"])
        if seen.text is None:
            return CardFacts(row["thread"], row["seq"], seen.standing)
        return CardFacts(
            thread=row["thread"],
            seq=row["seq"],
            standing=seen.standing,
            subject=seen.text.subject,
            own_reference=seen.text.own_reference,
            foreign_reference=seen.text.foreign_reference,
            turn=seen.text.turn,
            urgency=seen.text.urgency,
            due=seen.text.due,
        )

    def _read(self, thread: str, card: str | None, seq: int) -> SeenCard:
        raw = None if card is None else from_base64(card)
        return OwnCards(self._core.mailbox).read(bytes.fromhex(thread), raw, seq)

    # writing

    def _note(self, thread: str) -> None:
        """A thread has grown: its card is written soon."""
        self._due.add(thread)
        self._has_due.set()

    async def keep_writing(self) -> None:
        """Write the cards of threads that have grown, for ever. What fails is written with the next item."""
        while True:
            await self._has_due.wait()
            await asyncio.sleep(PAUSE)
            self._has_due.clear()
            due, self._due = sorted(self._due), set()
            for start in range(0, len(due), AT_ONCE):
                try:
                    await self._write(due[start : start + AT_ONCE])
                except ClientError as error:
                    logger.info("cards are not written now: %s", error)

    async def _write(self, threads: Sequence[str]) -> None:
        """Write cards; where another device was first with an older one, once more in its place."""
        behind = await self._post(threads)
        if behind:
            await self._post(behind)

    async def _post(self, threads: Sequence[str]) -> list[str]:
        """Return the threads whose card is behind what this device has verified."""
        made = {thread: card for thread in threads if (card := self._seal(thread))}
        if not made:
            return []
        rows = [
            {"thread": thread, "card": to_base64(card.encode()), "instead": self._ids.get(thread)}
            for thread, card in made.items()
        ]
        found = await self._core.http.post("/api/cards", {"cards": rows})
        behind = []
        for place in found["cards"]:
            thread = place["thread"]
            if place["is_kept"]:
                self._ids[thread] = made[thread].id.hex()
                continue
            seen = self._read(thread, place["card"], self._end(thread))
            self._ids[thread] = seen.id.hex() if seen.id else None
            if seen.standing != "current":
                behind.append(thread)
        return behind

    def _seal(self, thread: str) -> Card | None:
        key = bytes.fromhex(thread)
        found = self._core.mailbox.threads.get(key)
        if found is None or found.state is None or found.state.kind in OWN_KINDS:
            return None
        try:
            return OwnCards(self._core.mailbox).seal(key)
        except Refused:  # a thread that stands still, or keys that do not hold: nothing is said of it
            return None

    def _end(self, thread: str) -> int:
        found = self._core.mailbox.threads[bytes.fromhex(thread)]
        return len(found.raw)


def _folded(text: str) -> str:
    """Lower case without accents."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()


def _said(card: CardFacts) -> str:
    return _folded(" ".join(filter(None, (card.subject, card.own_reference, card.foreign_reference))))
