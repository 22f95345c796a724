"""Cards: hints of lists that only the own devices can read, of one size, each at its place."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.sealed.card import (
    BOX_SIZE,
    CAME_LIMIT,
    MARKS_LIMIT,
    TEXT_SIZE,
    Card,
    CardText,
    open_card,
    read_card,
    seal_card,
)
from messaging.sealed.encoding import Encodable, context, derive_key, encode
from messaging.sealed.errors import Refused
from messaging.sealed.keys import aead_seal
from messaging.sealed.places import After
from tests.sealed.world import NET, seed
from tests.vectors.make_cards import as_json

FOLDER = Path(__file__).resolve().parents[1] / "vectors/cards"
PRINCIPAL, THREAD, SECRET = seed("principal"), seed("thread"), seed("secret")
AT = After(7, seed("transcript"))
FULL = CardText(
    subject="Freezing of an account",
    own_reference="A-1/2026",
    foreign_reference="B-7",
    marks=("urgent-reading",),
    turn="us",
    urgency=2,
    due=1_800_000_000,
    came=(2, 5, 7),
)


def sealed(text: CardText = FULL, m: int = 3) -> Card:
    return seal_card(NET, text, principal=PRINCIPAL, m=m, secret=SECRET, thread=THREAD, at=AT)


def opened(
    card: Card, *, secret: bytes = SECRET, thread: bytes = THREAD, principal: bytes = PRINCIPAL
) -> CardText:
    return open_card(NET, card, principal=principal, secret=secret, thread=thread)


def test_a_card_says_what_was_put_into_it_and_has_one_size() -> None:
    for text in (FULL, CardText()):
        card = read_card(sealed(text).encode())
        assert opened(card) == text
        assert len(card.box) == BOX_SIZE
    assert sealed().id != sealed().id


@pytest.mark.parametrize("name", ["m", "seq", "id", "transcript", "box"])
def test_e8_a_card_moved_to_another_place_does_not_open(name: str) -> None:
    card = sealed()
    other: Any = getattr(card, name)
    moved: Any = other + 1 if isinstance(other, int) else bytes([other[0] ^ 1]) + other[1:]
    with pytest.raises(Refused) as refused:
        opened(replace(card, **{name: moved}))
    assert refused.value.code == "cannot-open"


def test_e8_a_card_of_another_thread_principal_or_secret_does_not_open() -> None:
    for place in ({"thread": seed("other")}, {"principal": seed("other")}, {"secret": seed("other")}):
        with pytest.raises(Refused):
            opened(sealed(), **place)


@given(
    st.text(max_size=200),
    st.text(max_size=100),
    st.text(max_size=100),
    st.lists(st.integers(0, 2**40), max_size=20),
)
def test_what_is_too_long_for_a_card_is_cut_and_still_read(
    subject: str, own: str, foreign: str, came: list[int]
) -> None:
    text = CardText(subject=subject, own_reference=own, foreign_reference=foreign, came=tuple(came))
    found = opened(sealed(text))
    assert found.came == tuple(came)[-CAME_LIMIT:]
    for said, kept in (
        (subject, found.subject),
        (own, found.own_reference),
        (foreign, found.foreign_reference),
    ):
        assert kept is not None
        assert kept == said or (kept.endswith("…") and said.startswith(kept[:-1]))
    assert len(text.encode()) < TEXT_SIZE


def forged(plain: bytes) -> Card:
    """A card that opens to any bytes, as an own device that has gone wrong could write it."""
    place = (PRINCIPAL, 0, THREAD, AT.seq, bytes(16))
    key = derive_key(NET, SECRET, "card", *place)
    return Card(0, AT.seq, bytes(16), AT.hash, aead_seal(key, plain, context(NET, "card", *place, AT.hash)))


FACTS: list[Encodable] = [None, None, None, [], None, 0, 0, None, []]


@pytest.mark.parametrize(
    "plain",
    [
        bytes(TEXT_SIZE),
        encode(FACTS).ljust(TEXT_SIZE, b"\0"),
        (encode(FACTS) + b"\x80\1").ljust(TEXT_SIZE, b"\0"),
        *[
            (encode(value) + b"\x80").ljust(TEXT_SIZE, b"\0")
            for value in (
                FACTS[:-1],
                {"subject": None},
                [1, *FACTS[1:]],
                [*FACTS[:5], 3, *FACTS[6:]],
                [*FACTS[:6], 3, *FACTS[7:]],
                [*FACTS[:7], 0, *FACTS[8:]],
                [*FACTS[:8], ["x"]],
            )
        ],
    ],
)
def test_e2_what_a_card_does_not_say_is_refused(plain: bytes) -> None:
    with pytest.raises(Refused):
        opened(forged(plain))
    assert opened(forged((encode(FACTS) + b"\x80").ljust(TEXT_SIZE, b"\0"))) == CardText()


def test_e2_the_outside_of_a_card_has_its_parts_and_no_other() -> None:
    good = sealed()
    parts: list[Encodable] = [good.m, good.seq, good.id, good.transcript, good.box]
    assert read_card(encode(parts)) == good
    wrong: tuple[Encodable, ...] = (
        [*parts, 0],
        parts[:4],
        [*parts[:4], good.box[:-1]],
        [*parts[:2], bytes(15), *parts[3:]],
        {"m": 1},
    )
    for value in wrong:
        with pytest.raises(Refused):
            read_card(encode(value))


def test_marks_beyond_their_number_are_left_out() -> None:
    marks = tuple(f"mark-{number}" for number in range(MARKS_LIMIT + 3))
    assert opened(sealed(CardText(marks=marks))).marks == marks[:MARKS_LIMIT]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_e8_cards_of_both_implementations_say_what_was_put_into_them(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    place = {name: bytes.fromhex(document[name]) for name in ("principal", "secret", "thread")}
    assert document["cards"]
    for row in document["cards"]:
        card = read_card(base64.b64decode(row["card"]))
        found = as_json(open_card(document["net"], card, **place))
        for name, said in row["text"].items():
            kept = found[name]
            is_cut = isinstance(kept, str) and kept.endswith("…") and said.startswith(kept[:-1])
            assert kept == said or is_cut, name


def test_there_are_cards_of_both_implementations() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == {"python.json", "typescript.json"}
