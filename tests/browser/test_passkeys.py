"""A passkey in real Chromium, with the virtual authenticator of its developer tools."""

import os
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from network.demo import STATE_A, DemoPerson
from tests.browser.desk import PATIENCE, Desk
from tests.server import Server

OFFICER, SUPERVISOR = STATE_A.persons[0], STATE_A.persons[2]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def plug_in(page: Page, **options: bool) -> None:
    """Give the page's tab an authenticator, as if a security key were plugged in."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": {**AUTHENTICATOR, **options}})


def look(page: Page, name: str) -> None:
    """Keep a picture where the run asks for pictures."""
    if folder := os.environ.get("NETWORK_TEST_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


class Holder(Desk):
    """Somebody of the demonstration with a passkey."""

    def enrol(self, name: str = "Security key") -> None:
        """Sign in by the list, add a passkey on the account page."""
        plug_in(self.page)
        self.sign_in()
        self.go("/account/")
        self.page.get_by_label("Name, so that you recognize it").fill(name)
        self.page.get_by_role("button", name="Add a passkey").click()
        expect(self.page.get_by_text("The passkey is stored.")).to_be_visible(timeout=PATIENCE)

    def sign_out(self) -> None:
        """Sign out by the button of every page."""
        self.page.locator("#person-menu").click()
        self.page.get_by_role("button", name="Sign out").click()
        expect(self.page).to_have_url(re.compile("/sign-in/"))

    def sign_in_with_passkey(self, to: str = "/account/") -> None:
        """Sign in by the first button of the page."""
        self.go(f"/sign-in/?next={to}")
        self.page.get_by_role("button", name="Sign in with your passkey").click()
        expect(self.page).to_have_url(f"{self.origin}{to}", timeout=PATIENCE)


@pytest.fixture
def server(live_server_process: Server) -> Server:
    """Give the server, whose rows a test may move in time."""
    return live_server_process


def holder_of(browser: Browser, server: Server, person: DemoPerson) -> Iterator[Holder]:
    with Holder(browser, server.origin, person) as holder:
        holder.enrol()
        yield holder
        assert not holder.faults


@pytest.fixture
def officer(browser: Browser, server: Server) -> Iterator[Holder]:
    """Give an officer who has added a passkey."""
    yield from holder_of(browser, server, OFFICER)


@pytest.fixture
def supervisor(browser: Browser, server: Server) -> Iterator[Holder]:
    """Give a supervisor who has added a passkey."""
    yield from holder_of(browser, server, SUPERVISOR)


def move(server: Server, column: str, *, by: timedelta) -> None:
    """Set a time of every open sign-in to so long from now."""
    at = (timezone.now() + by).astimezone().isoformat(sep=" ")
    if server.environment["NETWORK_DATABASE_URL"].startswith("sqlite"):
        at = (timezone.now() + by).strftime("%Y-%m-%d %H:%M:%S.%f")
    server.sql(f"UPDATE network_signin SET {column} = ? WHERE ended_at IS NULL RETURNING id", at)


def test_an_officer_signs_in_with_a_passkey_and_sees_it(officer: Holder) -> None:
    look(officer.page, "account")
    officer.sign_out()
    look(officer.page, "sign-in")
    officer.sign_in_with_passkey()
    expect(officer.page.locator("strong", has_text="Security key")).to_be_visible()
    expect(officer.page.get_by_text("this one")).to_be_visible()


def test_a_browser_without_a_passkey_is_told_what_to_do(context: BrowserContext) -> None:
    page = context.new_page()
    plug_in(page)
    page.goto("/sign-in/")
    page.get_by_role("button", name="Sign in with your passkey").click()
    expect(page.locator("[data-passkey-problem]:visible")).to_have_text(
        re.compile("No passkey was used|did not work"), timeout=PATIENCE
    )


def test_a_dangerous_form_is_kept_while_the_passkey_is_asked_for(officer: Holder, server: Server) -> None:
    officer.sign_out()
    officer.sign_in_with_passkey()
    page = officer.page
    move(server, "proved_at", by=timedelta(minutes=-6))
    page.get_by_role("button", name="Make ten recovery codes").click()
    expect(page.get_by_role("heading", name="Confirm that it is you").first).to_be_visible()
    look(page, "prove")
    page.get_by_role("button", name="Confirm with your passkey").first.click()
    expect(page.locator(".recovery-codes li")).to_have_count(10, timeout=PATIENCE)
    look(page, "recovery-codes")


def test_a_sealed_page_asks_for_the_passkey_and_then_goes_on(supervisor: Holder, server: Server) -> None:
    supervisor.sign_out()
    supervisor.sign_in_with_passkey("/devices/")
    move(server, "proved_at", by=timedelta(minutes=-6))
    page = supervisor.page
    page.locator("#make-keyring").click()
    expect(page.locator("#kit")).to_be_visible(timeout=PATIENCE)
    for place in (1, 2):
        number = int(re.findall(r"\d+", page.locator(f"#kit-label-{place}").inner_text())[0])
        group = page.locator("#kit-groups li").nth(number - 1).inner_text()
        page.locator(f"#kit-answer-{place}").fill(group)
    page.get_by_role("button", name="The kit is safe").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=PATIENCE)
    look(page, "prove-dialog")
    dialog.get_by_role("button", name="Confirm with your passkey").click()
    expect(page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)


def test_the_page_warns_before_a_quiet_sign_in_ends_and_says_when_it_has(
    officer: Holder, server: Server
) -> None:
    page = officer.page
    page.clock.install()
    page.goto("/account/")
    dialog = page.get_by_role("dialog")
    page.clock.fast_forward("27:30")
    expect(dialog).to_be_hidden()
    page.clock.fast_forward("01:00")
    expect(dialog.get_by_role("heading", name="Are you still there?")).to_be_visible()
    expect(dialog.get_by_role("button", name="Stay signed in")).to_be_focused()
    look(page, "warning")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden(timeout=PATIENCE)
    page.clock.fast_forward("28:30")
    expect(dialog).to_be_visible()
    move(server, "quiet_until_at", by=timedelta(seconds=-1))
    page.clock.fast_forward("02:00")
    expect(dialog.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=PATIENCE)
    look(page, "ended")
    dialog.get_by_role("link", name="Sign in").click()
    expect(page).to_have_url(re.compile("/sign-in/\\?next=%2Faccount%2F$"))


def test_the_page_warns_before_the_twelve_hours_are_over(officer: Holder, server: Server) -> None:
    move(server, "until_at", by=timedelta(minutes=9))
    officer.page.goto("/account/")
    dialog = officer.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Your day here ends soon")).to_be_visible()
    officer.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
