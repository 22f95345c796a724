"""What the demonstration's counterpart answers, from the text it has decrypted. Pure functions.

The answer fits the subject it recognised, quotes the beginning of the text and counts its words, so that
nobody has to believe that it was read.
"""

import re
import tomllib
from pathlib import Path

LANGUAGES = ("ar", "zh-hans", "en", "fr", "ru", "es")
QUOTED_WORDS = 9
QUOTED_CHARACTERS = 24  # of Chinese, which has no blanks between words

# The commonest words, as far as they tell the three languages apart.
_STOPWORDS = {
    "en": {"the", "and", "of", "to", "for", "is", "are", "in", "please", "we", "you", "with", "our", "can"},
    "fr": {"le", "des", "et", "nous", "vous", "pour", "est", "dans", "avec", "du", "au", "votre", "bonjour"},
    "es": {
        "el",
        "los",
        "y",
        "para",
        "por",
        "con",
        "su",
        "nos",
        "se",
        "hola",
        "buenos",
        "gracias",
        "solicitamos",
    },
}


_DATA = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))
SUBJECTS: dict[str, list[str]] = _DATA["subjects"]
PHRASES: dict[str, dict[str, str]] = _DATA["phrases"]

_SCRIPTS = (("ar", r"[\u0600-\u06ff]"), ("ru", r"[\u0400-\u04ff]"), ("zh-hans", r"[\u4e00-\u9fff]"))


def language_of(text: str, declared: str) -> str:
    """Return the language of a text: by its script, then by its commonest words, then as declared."""
    for language, pattern in _SCRIPTS:
        if len(re.findall(pattern, text)) * 3 > len(re.findall(r"\w", text)):
            return language
    words = re.findall(r"\w+", text.lower())
    hits = {language: sum(word in common for word in words) for language, common in _STOPWORDS.items()}
    hits["es"] += bool(re.search("[¿¡]", text))
    best = max(hits, key=lambda language: hits[language])
    if hits[best] > sorted(hits.values())[-2]:
        return best
    return declared if declared in PHRASES else "en"


def subject_of(text: str) -> str:
    """Return the key of what a text is about, or `other`."""
    lowered = text.lower()
    for subject, stems in SUBJECTS.items():
        if any(stem in lowered for stem in stems):
            return subject
    return "other"


def count_words(text: str, language: str) -> int:
    """Return the number of words; of characters with a meaning in Chinese."""
    if language == "zh-hans":
        return len(re.findall(r"[\u3400-\u9fff]|[A-Za-z0-9]+", text))
    return len(text.split())


def quote_of(text: str, language: str) -> str:
    """Return the beginning of the text, on one line."""
    flat = " ".join(text.split())
    if language == "zh-hans":
        return flat[:QUOTED_CHARACTERS] + ("…" if len(flat) > QUOTED_CHARACTERS else "")
    words = flat.split(" ")
    return " ".join(words[:QUOTED_WORDS]) + (" …" if len(words) > QUOTED_WORDS else "")


def reply_to(text: str, declared_language: str) -> tuple[str, str]:
    """Return the answer to a text, and its language."""
    language = language_of(text, declared_language)
    phrases = PHRASES[language]
    answer = phrases[subject_of(text)]
    proof = phrases["proof"].format(quote=quote_of(text, language), count=count_words(text, language))
    return f"{answer}\n\n{proof}\n\n{phrases['closing']}", language
