"""What crosses the wire for cards, the sealed hints of lists. Binary is standard base64."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from network.frames import Body, HexId, Seq, ShortId, blob

CARD_MOST = 640
CARDS_MOST = 1000  # of a page; beside its card a thread is two facts here
CARDS_KEPT_MOST = 100  # in one request

if TYPE_CHECKING:
    SealedCard = bytes
else:
    SealedCard = blob(CARD_MOST)


class CardForm(Body):
    """A card of a thread, and the id of the card it takes the place of; null where there is none."""

    thread: HexId
    card: SealedCard
    instead: ShortId | None = None


class CardsForm(Body):
    """Cards to keep."""

    cards: Annotated[list[CardForm], Field(min_length=1, max_length=CARDS_KEPT_MOST)]


class CardPlace(Body):
    """What became of a card: kept, or another one stands there, which is given."""

    thread: HexId
    is_kept: bool
    card: SealedCard | None


class CardPlaces(Body):
    """One answer for each card, in the order of the threads."""

    cards: list[CardPlace]


class CardRow(Body):
    """A thread in the list of cards; `seq` is its end, the card null where none was made."""

    thread: HexId
    seq: Seq
    card: SealedCard | None


class CardPage(Body):
    """At most a thousand cards, the newest change of a thread first."""

    cards: list[CardRow]
    next: str | None
