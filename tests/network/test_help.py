"""Help: everybody reaches every topic, every role has one, and what it names is there."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import Resolver404, get_resolver, resolve

from deploy import catalogs
from network.help.parts import Kind, Line, Part
from network.help.topics import BY_QUESTION, BY_ROLE, PLACES, TOPICS, help_for
from network.models import Role
from tests.permissions.doors import all_routes
from tests.personas import Cast

pytestmark = pytest.mark.any_database
MOST_WORDS = 350
PRODUCT_APPS = ("network", "messaging")


class Links(HTMLParser):
    """The addresses that a page leads to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.paths: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.paths.add(dict(attrs).get("href") or "")


def words_of_product() -> set[str]:
    """Return every text that is marked for translation."""
    found = [message.id for app in PRODUCT_APPS for message in catalogs.collect(app) if message.id]
    return {entry if isinstance(entry, str) else entry[0] for entry in found}


def lines() -> list[tuple[str, Line]]:
    return [(topic.slug, line) for topic in TOPICS.values() for part in topic.parts for line in part.lines]


def is_alive(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def test_every_role_has_a_topic() -> None:
    assert set().union(*(topic.roles for topic in BY_ROLE)) == set(Role)
    assert not [topic.slug for topic in BY_QUESTION if topic.roles]
    assert len(TOPICS) == len(BY_ROLE) + len(BY_QUESTION)


def test_every_topic_is_read_in_two_minutes() -> None:
    counts = {slug: len(topic.words()) for slug, topic in TOPICS.items()}
    assert {slug: count for slug, count in counts.items() if not 40 < count <= MOST_WORDS} == {}


def test_what_topics_name_stands_on_a_page() -> None:
    known = words_of_product()
    named = {str(word) for _, line in lines() for word in line.labels.values()}
    named |= {str(page.title) for topic in TOPICS.values() for page in topic.pages}
    assert sorted(named - known) == []


def test_every_name_in_a_line_has_its_word() -> None:
    wrong = [
        (slug, str(line.message))
        for slug, line in lines()
        if set(re.findall(r"{(\w*)}", str(line.message))) != set(line.labels)
    ]
    assert wrong == []


def test_a_line_is_escaped_and_its_names_are_set_off() -> None:
    line = Line("<i>Open</i> {page} & go", {"page": "<Devices>"})
    assert line.html == "&lt;i&gt;Open&lt;/i&gt; <b><bdi>&lt;Devices&gt;</bdi></b> &amp; go"
    assert str(Part(Kind.TEXT, (line,)).lines[0]) == "<i>Open</i> <Devices> & go"


@pytest.mark.django_db
@pytest.mark.parametrize("slug", TOPICS)
def test_everybody_reads_every_topic_and_its_links_are_alive(slug: str, client: Client) -> None:
    response = client.get(TOPICS[slug].path)
    page = response.content.decode()
    assert response.status_code == 200
    assert all(line.html in page for part in TOPICS[slug].parts for line in part.lines)
    assert "<script" not in page[page.index("<main") :]
    assert "{" not in re.sub(r"<[^>]*>", "", page)
    assert [path for path in Links(page).paths if path.startswith("/") and not is_alive(path)] == []


@pytest.mark.django_db
def test_the_index_lists_every_topic_once_more_for_the_own_roles(client: Client, cast: Cast) -> None:
    page = client.get("/help/").content.decode()
    assert {topic.path for topic in TOPICS.values()} | {"/what-the-server-sees/"} <= Links(page).paths
    assert "For your role" not in page
    own = cast.supervisor_a.client().get("/help/").content.decode()
    assert "For your role" in own
    assert own.count('href="/help/supervisor/"') > page.count('href="/help/supervisor/"')


@pytest.mark.django_db
def test_an_unknown_topic_is_not_found(client: Client) -> None:
    assert client.get("/help/nothing/").status_code == 404


@pytest.mark.django_db
def test_a_page_leads_to_the_help_that_belongs_to_it(client: Client, cast: Cast) -> None:
    assert "/help/passkeys/" in Links(client.get("/sign-in/").content.decode()).paths
    people = cast.administrator_a.client().get("/people/").content.decode()
    assert "/help/administrator/" in Links(people).paths


def test_the_longest_path_counts_and_the_start_page_goes_by_role() -> None:
    chosen = {path: help_for(path) for path in ("/threads/new/", "/threads/ab/", "/language/")}
    assert [topic.slug if topic else None for topic in chosen.values()] == [
        "fingerprints", "acknowledged", None,
    ]  # fmt: skip
    start = help_for("/", {Role.AUDITOR})
    assert start
    assert start.slug == "auditor"
    assert help_for("/") is None


def test_every_place_with_help_is_a_place_of_the_product() -> None:
    assert get_resolver().url_patterns
    routes = {door.path for door in all_routes()}
    assert [place for place in PLACES if not any(route.startswith(place) for route in routes)] == []
