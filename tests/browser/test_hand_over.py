"""A colleague leaves: one act moves the work, ends the account, and the partners see who handles it now."""

import re

import pytest
from playwright.sync_api import Browser, expect

from network.demo import STATE_A, STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.browser.officer import Officer
from tests.server import Server

SUPERVISOR_C = next(person for person in STATE_C.persons if "supervisor" in person.roles)
LOCALES = ("en-GB", "ar")
SECONDS = 5_000  # milliseconds within which an ended account is out


@pytest.mark.parametrize("locale", LOCALES)
def test_who_leaves_is_out_at_once_and_the_successor_goes_on_with_the_record(
    browser: Browser, live_server_process: Server, helpers: None, locale: str
) -> None:
    origin = live_server_process.origin
    administrator_a = next(person for person in STATE_A.persons if person.address.startswith("accounts@"))
    with (
        Desk(browser, origin, administrator_a, locale=locale) as administrator,
        Officer(browser, origin, "leaver@justice-a.example", locale=locale) as leaver,
        Officer(browser, origin, "successor@justice-a.example", locale=locale) as successor,
        Desk(browser, origin, SUPERVISOR_C, locale=locale) as partner,
    ):
        administrator.sign_in()
        for officer in (leaver, successor):
            invite_into_a(administrator, officer)
            officer.accept()
            officer.go("/devices/")
            officer.page.locator("#make-request").click()  # State A's steward lets it in at once
            officer.is_let_in()
        partner.sign_in()
        partner.make_keyring()
        leaver.open_thread_with(STATE_C.name, subject="Handed over", text="Begun by who leaves.")
        thread = leaver.page.url.removeprefix(origin)
        partner.go(thread)
        partner.sees("Begun by who leaves.")
        expect(partner.page.locator("#parties")).to_contain_text("leaver", timeout=PATIENCE)
        leaver.page.locator("#text").fill("Written, but not sent yet.")

        hand_over(administrator, leaver="leaver", successor="successor")
        # Out at once: the open page closes, nothing stays readable, and nothing can be sent from it.
        expect(leaver.page).to_have_url(re.compile("/sign-in/"), timeout=SECONDS)
        expect(leaver.page.locator("body")).not_to_contain_text("Begun by who leaves.")
        expect(partner.page.locator("#parties")).to_contain_text("successor", timeout=PATIENCE)
        successor.go(thread)
        successor.sees("Begun by who leaves.")
        successor.write("Taken over.")
        partner.sees("Taken over.")
        leaver.go("/threads/")
        leaver.is_in("/sign-in/")
        leaver.main("form[data-passkey=get] button").first.click()
        expect(leaver.main("[data-passkey-problem]").first).not_to_be_empty(timeout=PATIENCE)
        leaver.is_in("/sign-in/")


def invite_into_a(administrator: Desk, officer: Officer, *, role: str = "officer") -> None:
    """Invite an officer; the name is what stands before the @."""
    page = administrator.page
    administrator.go("/people/invite/")
    for name, value in {
        "person": officer.address.partition("@")[0],
        "office": "Mutual Legal Assistance Unit",
        "address": officer.address,
    }.items():
        page.locator(f"#main [name={name}]").fill(value)
    page.locator(f"#main [name=roles][value={role}]").check()
    page.locator("form[action='/people/invite/'] button.primary").click()
    expect(page).to_have_url(re.compile("/people/$"), timeout=PATIENCE)


def hand_over(administrator: Desk, *, leaver: str, successor: str) -> None:
    """Hand the leaver's work to the successor, from the page of the person."""
    page = administrator.page
    administrator.go("/people/")
    page.locator("#main .person-row a", has_text=leaver).click()
    page.locator("#main a[href$='/hand-over/']").click()
    option = page.locator("#successor option", has_text=successor).first
    page.locator("#successor").select_option(option.get_attribute("value"))
    page.locator("#main form button.danger").click()
    expect(page).not_to_have_url(re.compile("/hand-over/"), timeout=PATIENCE)
