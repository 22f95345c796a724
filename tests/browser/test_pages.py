"""Every page of the product, looked at: console, axe, narrow windows, large text, focus, weight, pictures."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.urls import get_resolver
from playwright.sync_api import Browser, CDPSession

from tests.browser.helpers import helpers_of
from tests.browser.pages import KILOBYTE, NOT_PAGES, PAGES, Entry
from tests.browser.readme_pictures import keep_for_readme
from tests.browser.walker import LANGUAGES, PICTURES, SCHEMES, SIZES, Look, has_language, speak
from tests.browser.world import World, make_world
from tests.permissions.doors import _closure_value, _walk, operations_of
from tests.server import PreparedState, Server


@pytest.fixture(scope="module")
def world(
    browser: Browser, prepared_state: PreparedState, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Give one rich world for all pages: a server of its own, everybody signed in once."""
    state = tmp_path_factory.mktemp("world") / "server"
    with (
        Server.unlimited(prepared_state, state) as server,
        helpers_of(server),
        ExitStack() as stack,
    ):
        yield make_world(browser, server, stack)


def page_routes() -> list[str]:
    """Return every route that answers GET, but for the REST face."""
    routes = []
    for route, pattern in _walk(get_resolver().url_patterns, ""):
        methods = _closure_value(pattern.callback, "request_method_list")
        if not operations_of(pattern.callback) and (methods is None or "GET" in methods):
            routes.append(route)
    return routes


def test_every_page_is_walked() -> None:
    known = {entry.route for entry in PAGES} | set(NOT_PAGES)
    assert [route for route in page_routes() if route not in known] == []


def test_every_entry_has_its_page() -> None:
    routes = set(page_routes())
    assert [entry.name for entry in PAGES if entry.route and entry.route not in routes] == []
    assert [route for route in NOT_PAGES if route not in routes] == []
    assert len({entry.name for entry in PAGES}) == len(PAGES)


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.name)
def test_page_is_whole(entry: Entry, world: World) -> None:
    page = world.page(entry.who)
    look = Look(page, entry.name, entry.status)
    tools = page.context.new_cdp_session(page)
    with look.listening():
        for language, code in LANGUAGES.items():
            speak(page, code)
            look.size(*SIZES["desktop"])
            page.emulate_media(color_scheme="light", reduced_motion="reduce")
            is_first = language == "en"
            if is_first:
                weigh(look, tools, entry, world)
            else:
                open_entry(look, entry, world)
            assert has_language(page, code), f"{entry.name} is not in {language}"
            for size, window in SIZES.items():
                look.size(*window)
                if entry.is_opened_anew and size == "phone":
                    open_entry(look, entry, world)
                take_pictures(look, tools, language, size)
            if language != "zh":
                look.reflow(tools, language)
            if is_first:
                look.size(*SIZES["phone"])
                look.walk_by_tab("by Tab")
    tools.detach()
    assert not look.faults, "\n".join([f"{entry.name} (pictures in {PICTURES}):", *look.faults])


def open_entry(look: Look, entry: Entry, world: World) -> None:
    """Bring the page into its state."""
    prepare = entry.prepare
    look.open(entry.path_in(world), (lambda page: prepare(world, page)) if prepare else None)


def weigh(look: Look, tools: CDPSession, entry: Entry, world: World) -> None:
    """Open the page with nothing kept from before, and note what is too heavy."""
    with look.weighing(tools):
        open_entry(look, entry, world)
    if look.bytes_received > entry.kilobytes * KILOBYTE:
        look.note(f"{look.bytes_received / KILOBYTE:.1f} kB over the line; at most {entry.kilobytes}")


def take_pictures(look: Look, tools: CDPSession, language: str, size: str) -> None:
    """Look at the page in both schemes; axe looks once in each, and once in a narrow window in Arabic."""
    for scheme in SCHEMES:
        look.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        look.picture(tools, language, size, scheme)
        keep_for_readme(look.page, look.name, language, size, scheme)
        if (language, size) == ("en", "desktop") or (language, size, scheme) == ("ar", "phone", "light"):
            look.ask_axe(f"{language} {size} {scheme}", only_colours=scheme == "dark")
    look.page.emulate_media(color_scheme="light", reduced_motion="reduce")
