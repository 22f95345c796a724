"""The README of the product: its pictures are those of the walk through all pages; what it names is there."""

import re
import struct

from tests.browser.pages import PAGES
from tests.browser.readme_pictures import COMMITTED, README_PICTURES, ROOT
from tests.browser.walker import LANGUAGES, SCHEMES, SIZES

README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_BYTES = 200_000


def size_of(name: str) -> tuple[int, int]:
    """Return width and height out of the head of a PNG."""
    head = (COMMITTED / f"{name}.png").read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", head[16:])
    return width, height


def test_readme_shows_the_pictures_that_are_there_and_no_others() -> None:
    shown = set(re.findall(r"!\[[^\]]+\]\(deploy/pictures/([\w-]+)\.png\)", README))
    assert shown == set(README_PICTURES.values()) == {path.stem for path in COMMITTED.glob("*.png")}


def test_pictures_are_small_and_as_large_as_the_walk_makes_them() -> None:
    for (_page, _language, size, _scheme), name in README_PICTURES.items():
        assert size_of(name) == SIZES[size], name
        assert (COMMITTED / f"{name}.png").stat().st_size <= MOST_BYTES, name


def test_the_walk_makes_every_picture() -> None:
    pages = {entry.name for entry in PAGES}
    for page, language, size, scheme in README_PICTURES:
        assert page in pages
        assert language in LANGUAGES
        assert size in SIZES
        assert scheme in SCHEMES


def test_files_that_the_readme_names_are_there() -> None:
    named = re.findall(r"`((?:network|messaging|deploy|tests|forum)/[\w./-]*)`", README)
    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []
