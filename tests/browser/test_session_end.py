"""What stays on a desk after its officer has signed out, and what cannot be sent by mistake."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from network.demo import STATE_A, STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.server import Server

SUPERVISOR_A, SUPERVISOR_C = STATE_A.persons[2], STATE_C.persons[1]


@pytest.fixture
def desk(browser: Browser, live_server_process: Server) -> Iterator[Desk]:
    """Give a desk at State A with a thread to State C open on it."""
    origin = live_server_process.origin
    with Desk(browser, origin, SUPERVISOR_A) as a, Desk(browser, origin, SUPERVISOR_C) as c:
        for one in (a, c):
            one.sign_in()
            one.make_keyring()
        a.open_thread_with(STATE_C.name, subject="Not for the cleaner", text="Nor is this.")
        yield a


def test_signing_out_in_one_tab_clears_the_other_and_keeps_the_draft(desk: Desk) -> None:
    thread = desk.page.url
    desk.page.locator("#text").fill("half a thought")
    other = desk.context.new_page()
    other.goto("/threads/")
    other.locator("#person-menu").click()
    other.get_by_role("button", name="Sign out").click()
    expect(desk.page).to_have_url(re.compile("/sign-in/"), timeout=PATIENCE)
    expect(desk.page.locator("body")).not_to_contain_text("Nor is this.")
    expect(desk.page.get_by_text("You are signed out.")).to_be_visible()
    desk.sign_in()
    desk.go(thread)
    expect(desk.page.locator("#text")).to_have_value("half a thought")


def test_blanks_alone_are_not_sent(desk: Desk) -> None:
    before = desk.texts()
    desk.page.locator("#text").fill("  \n ")
    desk.page.locator("#send").click()
    assert desk.page.locator("#text").evaluate("input => input.validationMessage") == "Write something first."
    desk.write("now there is something")
    desk.standing("now there is something", "Delivered")
    assert desk.texts() == [*before, "now there is something"]


def test_text_is_shown_in_the_order_in_which_it_was_written(desk: Desk) -> None:
    desk.write("account \u202e0000 1234\u202c of the bank")
    desk.sees("account 0000 1234 of the bank")


def test_a_long_reference_does_not_widen_the_list_on_a_phone(desk: Desk) -> None:
    desk.page.locator("#references-fold summary").click()
    desk.page.locator("#own-reference").fill("R" * 100)
    desk.write("with a long reference")
    desk.page.set_viewport_size({"width": 390, "height": 800})
    desk.go("/threads/")
    expect(desk.page.locator("#threads a")).to_have_count(1)
    expect(desk.page.locator("#threads [data-slot=references]")).to_contain_text("RRR")
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= 390
