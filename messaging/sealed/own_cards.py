"""The cards of one device's principal: made from verified threads, and opened as the hints they are."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from messaging.sealed.card import Card, CardText, describe, open_card, read_card, seal_card
from messaging.sealed.errors import Refused
from messaging.sealed.places import After

if TYPE_CHECKING:
    from messaging.sealed.client import Mailbox

Standing = Literal["missing", "older", "current", "unverified"]


@dataclass(frozen=True)
class SeenCard:
    """A card as this device takes it. ``text`` is None where it is missing or cannot be opened.

    ``older`` than the thread, or ``unverified``: a device that was removed since could have written it.
    """

    standing: Standing
    text: CardText | None = None
    id: bytes | None = None


class OwnCards:
    """What a listed device does with the cards of its principal."""

    def __init__(self, mailbox: "Mailbox") -> None:
        self._mailbox = mailbox

    def seal(self, thread: bytes) -> Card:
        """The card of a thread at its verified end. Raises Refused K7, M9, T8."""
        found, state = self._mailbox.verified(thread)
        held = self._mailbox.held()
        if held is None:  # K7
            raise Refused("K7", "not-verified", "this device does not hold the newest own secret")
        return seal_card(
            self._mailbox.net,
            describe(found, self._mailbox.principal),
            principal=self._mailbox.principal,
            m=held.n,
            secret=held.secret,
            thread=thread,
            at=After(state.seq, state.transcript),
        )

    def read(self, thread: bytes, raw: bytes | None, seq: int) -> SeenCard:
        """What the server has as the card of a thread that ends at ``seq``. Refuses nothing: it is a hint."""
        try:
            card = read_card(raw or b"")
        except Refused:
            return SeenCard("missing")
        text = self._open(thread, card)
        if text is None:
            return SeenCard("missing", id=card.id)
        own = self._mailbox.newest(self._mailbox.principal)
        if own is None or card.m < own.floor:
            return SeenCard("unverified", text, card.id)
        return SeenCard("current" if card.seq >= seq else "older", text, card.id)

    def _open(self, thread: bytes, card: Card) -> CardText | None:
        """None for what cannot be opened, or was made on another transcript than the verified one."""
        ring = self._mailbox.rings.get(self._mailbox.principal)
        secret = ring.secrets.get(card.m) if ring else None
        known = self._mailbox.threads.get(thread)
        here = known.transcript_at(card.seq) if known else None
        if secret is None or here not in {None, card.transcript}:
            return None
        try:
            principal = self._mailbox.principal
            return open_card(self._mailbox.net, card, principal=principal, secret=secret, thread=thread)
        except Refused:
            return None
