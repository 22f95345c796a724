"""A thread as a lying server tells it: other items in another order, under receipts that hold."""

import base64
from collections.abc import Callable
from typing import Any

from messaging.sealed.encoding import decode, sha256
from messaging.sealed.keys import SigningKey
from messaging.sealed.receipt import make_receipt
from messaging.sealed.statement import Fields
from messaging.sealed.thread import next_transcript

Items = list[dict[str, Any]]
Lie = Callable[[Items], Items]


def data(text: str) -> bytes:
    """Return the bytes of base64."""
    return base64.b64decode(text)


def text(raw: bytes) -> str:
    """Return base64."""
    return base64.b64encode(raw).decode()


def payload_of(item: dict[str, Any]) -> Fields:
    """Return the signed fields of an item."""
    parts = decode(data(item["item"]))
    assert isinstance(parts, list)
    assert isinstance(parts[2], bytes)
    payload = decode(parts[2])
    assert isinstance(payload, dict)
    return Fields(payload)


def shown(key: SigningKey, honest: Items, lie: Lie) -> Items:
    """Return the items as the lie has them, each in its place of a transcript that the server signs for."""
    told: Items = []
    before: bytes | None = None
    thread = bytes.fromhex(honest[0]["thread"]) if honest else b""
    for seq, item in enumerate(lie([dict(item) for item in honest]), start=1):
        raw = data(item["item"])
        net = payload_of(honest[0]).text("net")
        before = next_transcript(net, thread, seq, before, sha256(raw))
        place = {"thread": thread, "seq": seq, "item": sha256(raw), "transcript": before}
        receipt = make_receipt(net, key, **place, at=item["received_at"])  # type: ignore[arg-type]
        told.append({**item, "thread": thread.hex(), "seq": seq, "receipt": text(receipt)})
    return told
