"""What a help topic is made of. A line is one message for the translators."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from network.models import Role

Message = str | Promise
MEANING = "meaning"  # a whole sentence of a page: not set off


class Kind(StrEnum):
    """How the lines of a part are shown."""

    TEXT = "text"
    STEPS = "steps"
    LIST = "list"
    CARE = "care"


@dataclass(frozen=True)
class Line:
    """One paragraph, step or entry. The {names} in it stand for words that are written on a page."""

    message: Message
    labels: Mapping[str, Message] = field(default_factory=dict)

    @property
    def html(self) -> SafeString:
        """Return the line with the words of the pages set off."""
        shown = {
            name: escape(str(word)) if name == MEANING else _set_off(word)
            for name, word in self.labels.items()
        }
        return mark_safe(escape(str(self.message)).format_map(shown))  # noqa: S308 - both halves are escaped

    def __str__(self) -> str:
        """Return the line as plain text."""
        return str(self.message).format_map({name: str(word) for name, word in self.labels.items()})


@dataclass(frozen=True)
class Part:
    """Lines that belong together, under a heading or none."""

    kind: Kind
    lines: tuple[Line, ...]
    heading: Message = ""


@dataclass(frozen=True)
class Page:
    """A page that a topic leads to."""

    path: str
    title: Message


@dataclass(frozen=True)
class Topic:
    """A help page. `roles` are those it is written for; none where it is for everybody."""

    slug: str
    title: Message
    parts: tuple[Part, ...]
    pages: tuple[Page, ...] = ()
    roles: frozenset[Role] = frozenset()

    @property
    def path(self) -> str:
        """Return where the topic is shown."""
        return f"/help/{self.slug}/"

    def words(self) -> list[str]:
        """Return every word of the topic, in the language of the moment."""
        lines = [line for part in self.parts for line in (part.heading, *part.lines)]
        return " ".join(str(line) for line in (self.title, *lines)).split()


def _set_off(word: object) -> SafeString:
    return format_html("<b><bdi>{}</bdi></b>", conditional_escape(str(word)))


def label(words: str) -> Promise:
    """Return words that stand on a page of the product, as that page translates them.

    Not a new message: a test looks whether the product still says so.
    """
    return gettext_lazy(words)


def say(message: Message, **labels: Message) -> Line:
    """Return one line that names words of a page."""
    return Line(message, labels)


def define(word: Promise, meaning: Promise) -> Line:
    """Return a word of a page with what the same page says it means."""
    return Line(gettext_lazy("{word}: {meaning}"), {"word": word, MEANING: meaning})


def text(*lines: Line | Message, heading: Message = "") -> Part:
    """Return paragraphs."""
    return _part(Kind.TEXT, lines, heading)


def steps(*lines: Line | Message, heading: Message = "") -> Part:
    """Return steps, which are numbered."""
    return _part(Kind.STEPS, lines, heading)


def entries(*lines: Line | Message, heading: Message = "") -> Part:
    """Return a list in no order."""
    return _part(Kind.LIST, lines, heading)


def care(*lines: Line | Message) -> Part:
    """Return what has to be minded."""
    return _part(Kind.CARE, lines, "")


def _part(kind: Kind, lines: Iterable[Line | Message], heading: Message) -> Part:
    return Part(kind, tuple(line if isinstance(line, Line) else Line(line) for line in lines), heading)
