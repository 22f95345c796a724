"""Nothing on any page is left in English: looked for where English cannot hide, in Chinese."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from network.models import Authority, Membership, Person, State
from tests.architecture.sources import report
from tests.permissions.doors import SAMPLES, all_routes
from tests.personas import Cast, Persona

pytestmark = pytest.mark.any_database
# Two words, or one that begins with a small letter: neither a code nor a name of a thing like UTC or Firefox.
ENGLISH = re.compile(r"[A-Za-z][A-Za-z’'-]{2,}(?: [A-Za-z’'-]{2,})+|\b[a-z]{4,}\b")
# What a script puts in, examples of what may be typed, and addresses.
NOT_SAID = re.compile(r"\{\w+\}|“[^”]*”|\S+@\S+|https?://\S+")
SPOKEN = ("placeholder", "title", "aria-label", "aria-description", "alt", "data-shortcut-label")
EMPTY = {"meta", "link", "input", "br", "hr", "img", "use", "col"}
UNTRANSLATED = {"script", "style", "code", "time", "kbd"}


class Shown(HTMLParser):
    """What a page says in its own words: no code, nothing marked as not to be translated."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self._aside: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_aside = (
            tag in UNTRANSLATED or given.get("translate") == "no" or ("lang" in given and tag != "html")
        )
        if not self._aside and not is_aside:
            self.words += [value for name in SPOKEN if (value := given.get(name))]
        if tag not in EMPTY and (self._aside or is_aside):
            self._aside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._aside and self._aside[-1] == tag:
            self._aside.pop()

    def handle_data(self, data: str) -> None:
        if not self._aside and data.strip():
            self.words.append(" ".join(data.split()))


def names() -> list[str]:
    """Return what people typed, which nobody translates, the longest first."""
    found = {
        *Person.objects.values_list("name", flat=True),
        *Membership.objects.values_list("office", flat=True),
        *Authority.objects.values_list("name", flat=True),
        *State.objects.values_list("name", flat=True),
    }
    return sorted(filter(None, found), key=len, reverse=True)


def english_of(page: str, known: list[str]) -> Iterator[str]:
    """Give what a page says in English."""
    for words in Shown(page).words:
        left = NOT_SAID.sub("", words)
        for name in known:
            left = left.replace(name, "")
        if ENGLISH.search(left):
            yield words


def pages_of(persona: Persona, cast: Cast) -> Iterator[tuple[str, str]]:
    """Give (path, page) of every page that a persona is shown, refusals included."""
    assert cast.officer_a.membership
    assert cast.officer_b.membership
    ids = {
        "membership_uuid": str(cast.officer_a.membership.id),
        "authority_uuid": str(cast.officer_b.membership.authority_id),
    }
    client = persona.client()
    for door in all_routes({**ids, **SAMPLES, "slug": "new-device"}):
        if door.method == "GET":
            response = client.get(door.path)
            if response.headers.get("Content-Type", "").startswith("text/html") and not response.streaming:
                yield door.path, response.content.decode()


@pytest.mark.parametrize("name", ["administrator_a", "officer_a", "directory_officer"])
def test_no_page_says_anything_in_english(cast: Cast, name: str) -> None:
    Person.objects.update(language="zh-hans")
    known, found = names(), dict[str, str]()
    pages = dict(pages_of(cast.everybody()[name], cast))
    assert len(pages) > 20
    for path, page in pages.items():
        found |= dict.fromkeys(english_of(page, known), path)
    assert not report(f"{path}: {words}" for words, path in sorted(found.items()))


def test_what_is_english_is_found() -> None:
    page = '<p>你好 <code>keyring</code> {count} “bank records”</p><p title="Go there">Nobody yet</p>'
    assert list(english_of(page, [])) == ["Go there", "Nobody yet"]
    assert not list(english_of("<p>Officer A · 官员 UTC · Firefox</p>", ["Officer A"]))
