"""What a translation must keep of the English text, and what it may share with it."""

import re
from collections.abc import Iterator

from babel.messages.catalog import Catalog, Message

Text = str | tuple[str, ...] | list[str]

PLURAL_FORMS = {"ar": 6, "es": 2, "fr": 2, "ru": 3, "zh_Hans": 1}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|%%|\{\w*\}")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
# What a translation may share with English, and why.
SAME_AS_ENGLISH = {
    ("fr", "Annexes"): "the same word",
    ("fr", "Article"): "the same word",
    ("fr", "Audit"): "the same word",
    ("fr", "Conditions"): "the same word",
    ("fr", "Date"): "the same word",
    ("fr", "Documents"): "the same word",
    ("fr", "Extradition"): "the same word",
    ("fr", "INTERPOL"): "a name",
    ("fr", "Instrument"): "the same word",
    ("fr", "Invitation"): "the same word",
    ("fr", "Menu"): "the same word",
    ("es", "{size} kB"): "the same unit",
    ("fr", "Version {version}"): "the same word",
    ("fr", "Versions"): "the same word",
    ("fr", "%(count)s message"): "the same word",
    ("fr", "%(count)s messages"): "the same word",
    ("fr", "Message"): "the same word",
    ("fr", "Message %(number)s"): "the same word",
    ("fr", "Messages"): "the same word",
    ("fr", "Notification"): "the same word",
    ("fr", "Notifications"): "the same word",
    ("fr", "Parties"): "the same word",
    ("fr", "Points"): "the same word",
    ("fr", "Signatures"): "the same word",
    ("fr", "Urgent"): "the same word",
    ("fr", "Version"): "the same word",
    ("fr", "message %(places)s"): "the same word",
    ("fr", "messages %(places)s"): "the same word",
    ("fr", "article %(article)s"): "the same word",
    ("es", "Auditor"): "the same word",
    ("es", "INTERPOL"): "a name",
    ("es", "Supervisor"): "the same word",
    ("es", "no"): "the same word",
    ("zh_Hans", "{size} kB"): "the same unit",
}


def forms(text: Text | None) -> list[str]:
    """Return the singular and plural forms of one side of a message."""
    return [text] if isinstance(text, str) else list(text or ())


def is_marked(pattern: re.Pattern[str], text: str) -> list[str]:
    """Return what of the pattern stands in a text, in an order that does not depend on the language."""
    return sorted(pattern.findall(text))


def same(english: Text | None, translated: Text | None) -> set[str]:
    """Return the forms that are alike; placeholders and signs alone are in no language."""
    alike = set(forms(english)) & set(forms(translated))
    return {form for form in alike if any(map(str.isalpha, PLACEHOLDER.sub("", form)))}


def problems(lang: str, message: Message) -> Iterator[str]:
    """Give what is wrong with one translated message."""
    english, translated = forms(message.id), forms(message.string)
    if not translated or not all(form.strip() for form in translated):
        yield "is empty"
        return
    if message.fuzzy:
        yield "is fuzzy"
    if isinstance(message.id, (tuple, list)) and len(translated) != PLURAL_FORMS[lang]:
        yield "has not the plural forms of the language"
    if same(message.id, message.string) and (lang, english[0]) not in SAME_AS_ENGLISH:
        yield "is English"
    yield from _kept(english[-1], translated)


def _kept(english: str, translated: list[str]) -> Iterator[str]:
    """Give what a translation lost or added; the form for "one" may leave the number out."""
    wanted = is_marked(PLACEHOLDER, english)
    if is_marked(PLACEHOLDER, translated[-1]) != wanted:
        yield "has other placeholders"
    if any(set(is_marked(PLACEHOLDER, form)) - set(wanted) for form in translated):
        yield "has a placeholder of its own"
    if any(is_marked(TAG, form) != is_marked(TAG, english) for form in translated[-1:]):
        yield "has other tags"
    if any(set(is_marked(TAG, form)) - set(is_marked(TAG, english)) for form in translated):
        yield "has a tag of its own"
    for form in translated:
        if form[:1].isspace() != english[:1].isspace() or form[-1:].isspace() != english[-1:].isspace():
            yield "begins or ends with other blanks"


def problems_of_catalog(lang: str, catalog: Catalog) -> Iterator[str]:
    """Give a sentence for everything that is wrong in a catalog."""
    if catalog.num_plurals != PLURAL_FORMS[lang]:
        yield f"has {catalog.num_plurals} plural forms, and the language {PLURAL_FORMS[lang]}"
    for entry in catalog:
        if entry.id:
            yield from (f"{entry.id!r} {problem}" for problem in problems(lang, entry))
    for entry in catalog.obsolete.values():
        yield f"{entry.id!r} is of no source any more"


def shared(lang: str, catalog: Catalog) -> set[tuple[str, str]]:
    """Return what a catalog has in common with English."""
    return {(lang, form) for entry in catalog if entry.id for form in same(entry.id, entry.string)}
