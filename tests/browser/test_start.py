"""The start page at two desks: its numbers change by themselves, and subjects are read where they may be."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from network.demo import STATE_A, STATE_C
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.server import Server


def sees_numbers(page: Page, **numbers: int) -> None:
    """Check numbers at the head of the start page."""
    for which, number in numbers.items():
        expect(page.locator(f"#tile-{which} .tile-count")).to_have_text(str(number), timeout=PATIENCE)


def test_two_desks_see_what_waits_change_without_a_reload(
    browser: Browser, live_server_process: Server
) -> None:
    origin = live_server_process.origin
    with (
        Desk(browser, origin, supervisor_of(STATE_A.persons)) as a,
        Desk(browser, origin, supervisor_of(STATE_C.persons)) as c,
    ):
        for desk in (a, c):
            desk.sign_in()
            desk.make_keyring()
        c.go("/")
        expect(c.page.get_by_role("heading", name="No correspondence yet")).to_be_visible()
        watch = a.context.new_page()
        watch.goto("/")
        a.open_thread_with(STATE_C.name, subject="Bank records", text="First")
        sees_numbers(c.page, answer=1, new=1, others=0)
        sees_numbers(watch, answer=0, others=1)
        expect(watch.locator("[data-thread] [data-subject]")).to_have_text("Bank records", timeout=PATIENCE)
        # Seen for the first time, and named all the same: this device may open it.
        line = c.page.locator("[data-thread]")
        expect(line.locator("[data-subject]")).to_have_text("Bank records", timeout=PATIENCE)
        expect(line).to_contain_text("not acknowledged")
        expect(c.page.locator("#start-said")).to_have_text(re.compile("1 thread needs"))
        reading = c.context.new_page()
        reading.goto("/threads/")
        c.page, shown = reading, c.page
        c.open_thread("Bank records")
        c.sees("First")
        sees_numbers(shown, answer=1, new=0)
        c.acknowledge("First")
        expect(shown.locator("[data-thread]")).to_contain_text("acknowledged, not answered", timeout=PATIENCE)
        c.write("Here they are.")
        sees_numbers(shown, answer=0, others=1)
        sees_numbers(watch, answer=1, others=0)
        expect(shown.get_by_text("Nothing waits for your authority’s answer.")).to_be_visible()
        assert a.faults == []
        assert c.faults == []


@pytest.fixture
def desk(browser: Browser, live_server_process: Server) -> Desk:
    return Desk(browser, live_server_process.origin, STATE_A.persons[0])


def test_keys_lead_through_the_pages_and_never_while_typing(desk: Desk) -> None:
    with desk:
        desk.go("/")
        page = desk.page
        page.keyboard.press("?")
        sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
        expect(sheet).to_be_visible()
        expect(sheet).to_contain_text("Directory")
        page.keyboard.press("g")
        page.keyboard.press("d")
        expect(sheet).to_be_visible()
        page.keyboard.press("Escape")
        expect(sheet).to_be_hidden()
        page.keyboard.press("g")
        page.keyboard.press("d")
        expect(page).to_have_url(re.compile("/directory/"), timeout=PATIENCE)
        page.locator("main input[type=search]").first.focus()
        page.keyboard.type("g?d")
        expect(sheet).to_be_hidden()
        assert page.locator("main input[type=search]").first.input_value() == "g?d"
        page.evaluate("document.activeElement.blur(); document.documentElement.dataset.shortcuts = 'off'")
        page.keyboard.press("?")
        expect(sheet).to_be_hidden()
