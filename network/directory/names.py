"""Names of States and languages in the six languages, from `names.json` (made by deploy/names.py)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import get_language

from network.directory.folding import fold, fold_all

# In the order of every row of the file, as the network names its languages.
LANGUAGES = ("ar", "zh-hans", "en", "fr", "ru", "es")
CHINESE = "zh-hans"


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))
    return found


@cache
def _places(part: str) -> dict[str, int]:
    return {key: place for place, key in enumerate(_table()[f"{part}_in_chinese_order"])}


def reader_language(language: str | None = None) -> str:
    """Return this or the active language, as the network names it; English where it is none of the six."""
    wanted = (language or get_language() or "en").lower()
    return wanted if wanted in LANGUAGES else "en"


@dataclass(frozen=True)
class StateNames:
    """A State's code with the name the secretariat wrote, and names by language where it is in no list."""

    code: str
    written: str
    given: Mapping[str, str]

    def name(self, language: str | None = None) -> str:
        """Return the name in a language, or in the reader's."""
        wanted = reader_language(language)
        if row := _table()["states"].get(self.code):
            return str(row[LANGUAGES.index(wanted)])
        return self.given.get(wanted) or self.written

    def all_names(self) -> list[str]:
        """Return the name in every language, and as it was written."""
        return [*dict.fromkeys([*(self.name(language) for language in LANGUAGES), self.written])]

    @property
    def folded(self) -> str:
        """Return everything a State is found by, for search."""
        return fold_all(self.code, *self.all_names())

    def order(self, language: str | None = None) -> tuple[int, str, str]:
        """Return what to sort States by: the alphabet of the language, in Chinese the sounds of the names."""
        wanted = reader_language(language)
        behind = len(_places("states"))
        place = _places("states").get(self.code, behind) if wanted == CHINESE else 0
        return place, fold(self.name(wanted)), self.code


def state_name(code: str, *, written: str, given: Mapping[str, str], language: str | None = None) -> str:
    """Return the name of a State in a language, or in the reader's."""
    return StateNames(code, written, given).name(language)


def is_listed_state(code: str) -> bool:
    """Answer whether the names of a State are in the list."""
    return code in _table()["states"]


def language_codes() -> frozenset[str]:
    """Return the codes (BCP 47) of the languages in which an authority may accept requests."""
    return frozenset(_table()["languages"])


def language_name(code: str, language: str | None = None) -> str:
    """Return the name of a language in a language, or in the reader's."""
    row = _table()["languages"].get(code)
    return str(row[LANGUAGES.index(reader_language(language))]) if row else code


def languages_in_order(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Return (code, name) in the reader's language, by its alphabet; the six of the network first."""
    first = _FIRST
    chinese = reader_language() == CHINESE

    def order(code: str) -> tuple[int, int, str]:
        place = _places("languages").get(code, 0) if chinese else 0
        return first.get(code, len(first)), place, fold(language_name(code))

    return [(code, language_name(code)) for code in sorted(codes, key=order)]


_FIRST = {code: place for place, code in enumerate(("ar", "zh", "en", "fr", "ru", "es"))}


@cache
def folded_languages() -> dict[str, str]:
    """Return by code the folded names of a language in the six languages, for search."""
    return {code: fold_all(*names) for code, names in _table()["languages"].items()}
