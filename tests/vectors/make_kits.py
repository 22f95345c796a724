"""Writes kits/python.json: recovery kits and their shares, for the other implementation to join.

Run: .venv/bin/python tests/vectors/make_kits.py; `node tests/run.mjs kits` of the client writes the other.
Shape: {net, kits: [{secret, slopes, printed, shares: [three, printed]}]}; byte strings are lowercase hex.
"""

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from messaging.sealed.keys import RecoveryKit
from messaging.sealed.kit import split_kit
from tests.sealed.world import NET, seed

FILE = Path(__file__).resolve().parent / "kits/python.json"
SECRETS = (bytes(32), b"\xff" * 32, bytes(range(32)), seed("A kit"))
SLOPES = (seed("slopes 0"), bytes(32), b"\x80" * 32, seed("slopes 3"))


def make_kits() -> dict[str, object]:
    """Return the document."""
    rows = []
    for secret, slopes in zip(SECRETS, SLOPES, strict=True):
        kit = RecoveryKit(NET, secret)
        shares = [share.print() for share in split_kit(kit, slopes=slopes)]
        rows.append(
            {"secret": secret.hex(), "slopes": slopes.hex(), "printed": kit.print(), "shares": shares}
        )
    return {"net": NET, "kits": rows}


if __name__ == "__main__":
    FILE.write_text(json.dumps(make_kits(), indent=1) + "\n", encoding="utf-8")
