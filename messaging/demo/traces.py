"""Looks for a text in bytes, in every form in which a program is likely to have kept it."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path


def forms_of(text: str) -> dict[str, bytes]:
    """Return the byte strings that betray a text: UTF-8, UTF-16, hexadecimal, base64 in three alignments."""
    raw = text.encode()
    forms = {
        "utf-8": raw,
        "utf-16-le": text.encode("utf-16-le"),
        "utf-16-be": text.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
    }
    for shift in range(3):
        # Only characters that depend on nothing but the text itself.
        encoded = base64.b64encode(bytes(shift) + raw)
        first = (shift * 8 + 5) // 6
        last = (shift + len(raw)) * 8 // 6
        forms[f"base64+{shift}"] = encoded[first:last]
    return forms


def find_in(data: bytes, texts: Iterable[str]) -> list[tuple[str, str]]:
    """Return (text, form) for each form of a text that occurs in the data."""
    return [(text, form) for text in texts for form, wanted in forms_of(text).items() if wanted in data]


def files_under(folder: Path) -> Iterator[Path]:
    """Yield every regular file in a folder and below."""
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
