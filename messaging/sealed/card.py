"""Cards: what a list shows of a thread, sealed by the own devices under the own mailbox secret.

A card is a hint and nothing is decided from it: whoever knows the secret of its generation could have
written it. So it says under which generation and at which place of the thread it was made; one that is
missing, older than the thread, below the keyring's floor or not to be opened is made anew from the thread.
"""

import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from messaging.sealed.correspondence import Applied, Correspondence
from messaging.sealed.encoding import Encodable, Value, context, decode, derive_key, encode
from messaging.sealed.errors import Refused
from messaging.sealed.keys import aead_open, aead_seal
from messaging.sealed.places import After
from messaging.sealed.plaintext import LAST_DUE, REFERENCE_LIMIT, SUBJECT_LIMIT, URGENCIES
from messaging.sealed.stages import ENDING, PASSING
from messaging.sealed.statement import take_bytes, take_list, take_text, take_uint

TEXT_SIZE = 512
BOX_SIZE = TEXT_SIZE + 16
ID_SIZE = 16
MARKS_LIMIT = 8
MARK_LIMIT = 35
STAGE_LIMIT = 35
CAME_LIMIT = 9

Turn = Literal["nobody", "us", "them"]
TURNS: tuple[Turn, ...] = ("nobody", "us", "them")


@dataclass(frozen=True)
class CardText:
    """What a card says. ``turn``: who owes the next word; ``urgency`` and ``due`` of what has no answer yet.

    ``came``: the places of the newest messages of others, nine at most, which tell what is unread.
    """

    subject: str | None = None
    own_reference: str | None = None
    foreign_reference: str | None = None
    marks: tuple[str, ...] = ()
    stage: str | None = None
    turn: Turn = "nobody"
    urgency: int = 0
    due: int | None = None
    came: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """E1 bytes, shorter than a card; what is too long for one ends with an ellipsis."""
        short = self
        while len(text := short._encode()) >= TEXT_SIZE:
            names = ("subject", "foreign_reference", "own_reference")
            longest = max(names, key=lambda name: len((getattr(short, name) or "").encode()))
            short = replace(short, **{longest: getattr(short, longest)[:-2] + "…"})
        return text

    def _encode(self) -> bytes:
        marks: list[Encodable] = list(self.marks[:MARKS_LIMIT])
        came: list[Encodable] = list(self.came[-CAME_LIMIT:])
        facts: list[Encodable] = [self.subject, self.own_reference, self.foreign_reference, marks, self.stage]
        return encode([*facts, TURNS.index(self.turn), self.urgency, self.due, came])


@dataclass(frozen=True)
class Card:
    """A sealed card: generation ``m`` of the own keyring, and the place of the thread it was made at."""

    m: int
    seq: int
    id: bytes
    transcript: bytes
    box: bytes

    def encode(self) -> bytes:
        """As it goes over the wire."""
        return encode([self.m, self.seq, self.id, self.transcript, self.box])


def read_card(raw: bytes) -> Card:
    """Read the outside of a card. Raises Refused E1, E2."""
    parts = take_list(decode(raw))
    if len(parts) != 5:  # E2
        raise Refused("E2", "bad-statement", "a card has five parts")
    m, seq, card_id, transcript, box = parts
    return Card(
        take_uint(m),
        take_uint(seq),
        take_bytes(card_id, ID_SIZE),
        take_bytes(transcript, 32),
        take_bytes(box, BOX_SIZE),
    )


def seal_card(
    net: str, text: CardText, *, principal: bytes, m: int, secret: bytes, thread: bytes, at: After
) -> Card:
    """Seal what a card says; ``secret`` is of generation ``m``, ``at`` the verified end of the thread."""
    card_id = randomness.token_bytes(ID_SIZE)
    place: tuple[Encodable, ...] = (principal, m, thread, at.seq, card_id)
    key = derive_key(net, secret, "card", *place)
    padded = (text.encode() + b"\x80").ljust(TEXT_SIZE, b"\0")
    box = aead_seal(key, padded, context(net, "card", *place, at.hash))  # E8
    return Card(m, at.seq, card_id, at.hash, box)


def open_card(net: str, card: Card, *, principal: bytes, secret: bytes, thread: bytes) -> CardText:
    """What a card says. Raises Refused E1, E2; E8 ``cannot-open``."""
    place: tuple[Encodable, ...] = (principal, card.m, thread, card.seq, card.id)
    key = derive_key(net, secret, "card", *place)
    padded = aead_open(key, card.box, context(net, "card", *place, card.transcript))
    text, mark, zeros = padded.rpartition(b"\x80")
    parts = take_list(decode(text))
    if not mark or zeros.strip(b"\0") or len(parts) != 9:  # E2
        raise Refused("E2", "bad-statement", "wrong padding, or not nine parts")
    return _read_text(parts)


def _read_text(parts: Sequence[Value]) -> CardText:
    subject, own, foreign, marks, stage, turn, urgency, due, came = parts
    kept = [take_text(mark, MARK_LIMIT) for mark in take_list(marks)]
    if take_uint(turn) >= len(TURNS) or take_uint(urgency) not in URGENCIES:  # E2
        raise Refused("E2", "bad-statement", "an unknown turn or urgency")
    if due is not None and not 0 < take_uint(due) <= LAST_DUE:  # E2
        raise Refused("E2", "bad-statement", "a date that no calendar has")
    return CardText(
        subject=None if subject is None else take_text(subject, SUBJECT_LIMIT),
        own_reference=None if own is None else take_text(own, REFERENCE_LIMIT),
        foreign_reference=None if foreign is None else take_text(foreign, REFERENCE_LIMIT),
        marks=tuple(kept),
        stage=None if stage is None else take_text(stage, STAGE_LIMIT),
        turn=TURNS[take_uint(turn)],
        urgency=take_uint(urgency),
        due=None if due is None else take_uint(due),
        came=tuple(take_uint(seq) for seq in take_list(came)),
    )


def describe(thread: Correspondence, own: bytes) -> CardText:
    """What the verified items of a thread say to ``own``, one of its members."""
    said = CardText()
    named: str | None = None
    for applied in thread.applied:
        plaintext, is_own = applied.plaintext, applied.by.principal == own
        if applied.message is None:
            continue
        if applied.message.step is not None:
            said = replace(said, stage=applied.message.step.code)
        if not is_own:
            said = replace(said, came=(*said.came, applied.seq)[-CAME_LIMIT:])
        code = applied.message.step.code if applied.message.step else ""
        if applied.message.kind == "note" or code in PASSING:
            said = _ask(said, applied, "them" if is_own else "us")
        if code in ENDING:
            said = replace(said, turn="nobody", urgency=0, due=None)
        if plaintext is None:
            continue
        said = replace(said, subject=plaintext.subject if said.subject is None else said.subject)
        # Each side says its own reference; what one calls the other's counts until the other has said it.
        if is_own:
            said = replace(said, own_reference=plaintext.own_reference or said.own_reference)
            named = plaintext.foreign_reference or named
        else:
            said = replace(said, foreign_reference=plaintext.own_reference or said.foreign_reference)
    return replace(said, foreign_reference=said.foreign_reference or named)


def _ask(said: CardText, applied: Applied, turn: Turn) -> CardText:
    """A note, or a step that asks, passes the turn on; what the other side had wanted is answered by it."""
    if applied.message is None:
        raise ValueError("only a message asks for something")
    urgency, due = applied.message.urgency, applied.message.due
    if said.turn != turn:
        return replace(said, turn=turn, urgency=urgency, due=due)
    dates = [date for date in (said.due, due) if date is not None]
    return replace(said, urgency=max(said.urgency, urgency), due=min(dates, default=None))
