"""How names are compared in a search: without case, accents, vowel signs or the variants of a letter."""

import re
import unicodedata

# After compatibility decomposition and without marks: letters that searchers do not tell apart.
_VARIANTS = str.maketrans(
    {
        "ى": "ي",
        "ة": "ه",
        "ٱ": "ا",
        "ک": "ك",
        "ی": "ي",
        "ـ": "",
        "ß": "ss",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ı": "i",
    }
)
_NO_WORD = re.compile(r"[^\w]+|_+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]+$")
_ARTICLE = "ال"


def fold(text: str) -> str:
    """Return the words of a text as they are compared, with one blank between them."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in plain if unicodedata.category(sign) != "Mn").translate(_VARIANTS)
    plain = "".join(_digit(sign) for sign in plain)
    return " ".join(_without_article(word) for word in _NO_WORD.split(plain) if word)


def _digit(sign: str) -> str:
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign


def _without_article(word: str) -> str:
    return word[2:] if word.startswith(_ARTICLE) and len(word) > 4 else word


def fold_all(*texts: str) -> str:
    """Return the folded texts as they are kept for search: each word stands between blanks."""
    return f" {' '.join(filter(None, map(fold, texts)))} "


def searched(words: str) -> list[str]:
    """Return what to look for in texts of `fold_all`, one piece for each word of a search.

    A single letter is a whole word ("State B"), two letters begin one, more stand anywhere. Chinese has no
    blanks, so a word of it always stands anywhere. Long Russian words are looked for without their endings.
    """
    return [_searched(word) for word in fold(words).split()]


def _searched(word: str) -> str:
    if _HAN.search(word):
        return word
    if len(word) < 3:
        return f" {word} " if len(word) == 1 else f" {word}"
    if _CYRILLIC.match(word) and len(word) > 4:
        return word[:-2] if len(word) > 6 else word[:-1]
    return word
