"""A computer that several people use keeps no keys once nobody is signed in; one's own keeps them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.server import Server

DATABASES = "async () => (await indexedDB.databases()).map((each) => each.name)"


@pytest.fixture
def desk(browser: Browser, live_server_process: Server) -> Iterator[Desk]:
    """Give a desk with keys in its browser."""
    with Desk(browser, live_server_process.origin, supervisor_of(STATE_C.persons)) as desk:
        desk.sign_in()
        desk.make_keyring()
        desk.go("/devices/")
        expect(desk.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)
        yield desk
        assert desk.faults == []


def kept(page: Page) -> list[str]:
    """Return what this browser keeps."""
    return list(page.evaluate(DATABASES))


def sign_out(page: Page) -> None:
    """Sign out by the person's menu."""
    page.locator("#person-menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in/"), timeout=PATIENCE)


def test_keys_go_with_the_sign_out_from_a_shared_computer(desk: Desk) -> None:
    desk.page.locator("#shared").check()
    desk.go("/threads/")
    desk.go("/directory/")
    assert kept(desk.page) == [f"messaging:{desk.person.membership_id.hex}"]
    sign_out(desk.page)
    expect(desk.page.locator("html[data-forgotten]")).to_be_attached(timeout=PATIENCE)
    assert kept(desk.page) == []
    desk.sign_in()
    desk.go("/devices/")
    expect(desk.page.locator("#step-request")).to_be_visible(timeout=PATIENCE)


def test_keys_go_when_a_session_ends_behind_the_back_of_a_shared_computer(
    desk: Desk, live_server_process: Server
) -> None:
    desk.page.locator("#shared").check()
    expect(desk.page.locator("#announcer")).not_to_be_empty()
    desk.go("/directory/")
    live_server_process.sql("UPDATE network_signin SET ended_at = datetime('now') WHERE ended_at IS NULL")
    desk.go("/sign-in/")
    expect(desk.page.locator("html[data-forgotten]")).to_be_attached(timeout=PATIENCE)
    assert kept(desk.page) == []


def test_keys_stay_on_a_computer_of_ones_own(desk: Desk) -> None:
    desk.page.locator("#shared").check()
    desk.page.locator("#shared").uncheck()
    sign_out(desk.page)
    assert kept(desk.page) != []
    desk.sign_in()
    desk.go("/devices/")
    expect(desk.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)


def test_a_page_that_is_not_found_does_not_forget_who_is_signed_in(desk: Desk) -> None:
    desk.page.locator("#shared").check()
    desk.go("/there-is-no-such-page/")
    desk.page.wait_for_load_state("networkidle")
    assert kept(desk.page) != []


def test_a_device_that_was_forgotten_asks_anew(desk: Desk) -> None:
    desk.page.locator(".forget summary").click()
    desk.page.locator("#forget").click()
    expect(desk.page.locator("#step-request")).to_be_visible(timeout=PATIENCE)
