"""Sentences in the reader's language, from the same catalogs as the pages, without Django."""

import gettext
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

LOCALES = Path(__file__).resolve().parents[1] / "locale"
FOLDERS = {"zh-hans": "zh_Hans"}
LANGUAGES = ("ar", "en", "es", "fr", "ru", "zh-hans")
RIGHT_TO_LEFT = frozenset({"ar"})

Say = Callable[[str], str]


def say_in(language: str) -> Say:
    """Return what gives a sentence in this language; English where there is none."""
    folder = FOLDERS.get(language, language)
    return gettext.translation("django", LOCALES, [folder], fallback=True).gettext


def moment(seconds: int) -> str:
    """Return a time for reading: UTC, the same in every language."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def day_of(number: int) -> str:
    """Return a day since 1970 for reading: in UTC, the same in every language."""
    return datetime.fromtimestamp(number * 86_400, UTC).strftime("%Y-%m-%d")
