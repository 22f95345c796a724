"""Writes records/python.json for the TypeScript implementation to check.

Run: .venv/bin/python tests/vectors/make_records.py. Envelopes are sealed with fresh randomness, so each run
gives other bytes. typescript.json beside it has the same shape:

    net, kit, code      the network, and the recovery kit and opening code as printed
    thread              hex
    texts               of the notes, in order
    open, sealed        the record of the thread with its texts, and without; base64, as the next ones
    message             {seq, record, name}: the record of one message, and who signed it
    report              {statement, cause, device: hex}
"""

import json
import sys
from base64 import b64encode
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from messaging.sealed.message import Note
from tests.sealed.anchors import anchored_record
from tests.sealed.records import CODE, one, record, report
from tests.sealed.world import NET, world


def text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def make_document() -> dict[str, object]:
    """Everything of the world's thread that can be exported."""
    made = world()
    bodies = [made.server.plaintexts[seq].body for seq in sorted(made.server.plaintexts)]
    return {
        "net": NET,
        "kit": made.a.kit.print(),
        "code": CODE.print(),
        "thread": made.server.state.thread.hex(),
        "texts": [body.text for body in bodies if isinstance(body, Note)],
        "open": text(anchored_record()),
        "sealed": text(record(readable=False)),
        "message": {"seq": 5, "record": text(one(5, n=1)), "name": "Elin"},
        "report": {"statement": text(report()), "cause": "pressure", "device": made.femi.id.hex()},
    }


if __name__ == "__main__":
    file = Path(__file__).with_name("records") / "python.json"
    file.write_text(json.dumps(make_document(), indent=1) + "\n", encoding="utf-8")
