"""Writes cards/python.json: sealed cards of lists, for the other implementation to open.

Run: .venv/bin/python tests/vectors/make_cards.py; `node tests/run.mjs cards` of the client writes the other.
Shape: {net, principal, secret, thread, cards: [{card, text}]}; byte strings are lowercase hex, cards base64.
"""

import base64
import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from messaging.sealed.card import CardText, seal_card
from messaging.sealed.places import After
from tests.sealed.world import NET, seed

FILE = Path(__file__).resolve().parent / "cards/python.json"
PRINCIPAL, THREAD, SECRET = seed("a principal"), seed("a thread"), seed("a secret")
TEXTS = (
    CardText(),
    CardText("Freezing of an account", "A-1/2026", "B-7", ("mark",), "stage", "us", 2, 1_800_000_000, (2, 5)),
    CardText("سؤال عن الشكل", turn="them", came=tuple(range(1, 10))),
    CardText("题" * 200, "参" * 100, None, turn="us", urgency=1),
)


def as_json(text: CardText) -> dict[str, object]:
    """Return what a card says, in the names of the other implementation."""
    return {
        "subject": text.subject,
        "ownReference": text.own_reference,
        "foreignReference": text.foreign_reference,
        "marks": list(text.marks),
        "stage": text.stage,
        "turn": text.turn,
        "urgency": text.urgency,
        "due": text.due,
        "came": list(text.came),
    }


def make_cards() -> dict[str, object]:
    """Return the document."""
    place = {"principal": PRINCIPAL, "thread": THREAD, "secret": SECRET}
    rows = []
    for number, text in enumerate(TEXTS):
        card = seal_card(NET, text, m=number, at=After(number + 1, seed(f"end {number}")), **place)
        rows.append({"card": base64.b64encode(card.encode()).decode(), "text": as_json(text)})
    return {"net": NET, **{name: value.hex() for name, value in place.items()}, "cards": rows}


if __name__ == "__main__":
    FILE.write_text(json.dumps(make_cards(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
