"""Writes files/python.json: sealed files for the other implementation to seal and open.

Run: .venv/bin/python tests/vectors/make_files.py. files/typescript.json has the same shape:

    net
    files   [{thread, id, key, prefix, digest, name, type, size, padded, chunks, root,
              hashes: of the sealed chunks, first: the first sealed chunk, or null where it is large}]

The bytes of a file follow from its size: byte i is (7 i + i // 256) mod 256. With the same keys both seal the
same bytes, so everything is compared.
"""

import hashlib
import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from messaging.sealed.attachment import CHUNK, NewFile
from messaging.sealed.encoding import sha256
from tests.sealed.world import NET, seed

FILE = Path(__file__).parent / "files" / "python.json"
SIZES = (0, 1, 100, 1000, CHUNK, CHUNK + 1, 2 * CHUNK + 70_000)
SHOWN = 4096


def content(size: int) -> bytes:
    """The bytes of a file of this size."""
    block = bytes((7 * place + place // 256) % 256 for place in range(256 * 256))
    return (block * (size // len(block) + 1))[:size]


def make_row(size: int) -> dict[str, object]:
    """One file, sealed."""
    data = content(size)
    file = NewFile(
        NET, seed(f"thread {size}"), hashlib.sha256(data).digest(), size, seed(f"file {size}")[:16],
        seed(f"file key {size}"), seed(f"prefix {size}")[:7],
    )  # fmt: skip
    sealed = [file.seal_chunk(n, data[n * CHUNK : (n + 1) * CHUNK]) for n in range(file.chunks)]
    hashes = [sha256(chunk) for chunk in sealed]
    facts = file.finish(hashes, f"ملف {size}.pdf", "application/pdf")
    return {
        "thread": file.thread.hex(),
        "id": facts.id.hex(),
        "key": facts.key.hex(),
        "prefix": facts.prefix.hex(),
        "digest": facts.digest.hex(),
        "name": facts.name,
        "type": facts.media_type,
        "size": size,
        "padded": facts.header.size,
        "chunks": facts.header.chunks,
        "root": facts.root.hex(),
        "hashes": [one.hex() for one in hashes],
        "first": sealed[0].hex() if len(sealed[0]) <= SHOWN else None,
    }


def make() -> dict[str, object]:
    """The whole file."""
    return {"net": NET, "files": [make_row(size) for size in SIZES]}


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(make(), ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
