"""A State joins: from its notification to the first acknowledged message, as in earnest."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect

from network.demo import STATE_B
from tests.browser.desk import PATIENCE
from tests.browser.officer import Officer
from tests.server import Server

DIRECTORY = ("one@secretariat.example", "two@secretariat.example")
LANGUAGES = {"en-GB": "en", "ar": "ar"}


@pytest.fixture(params=list(LANGUAGES))
def locale(request: pytest.FixtureRequest) -> str:
    """Give the language everybody in the journey reads."""
    return str(request.param)


@pytest.fixture
def secretariat(browser: Browser, live_server_process: Server, locale: str) -> Iterator[list[Officer]]:
    """Give two directory officers who came by the command for the first persons."""
    wanted = [part for address in DIRECTORY for part in ("--address", address)]
    printed = live_server_process.manage("invite_first_administrator", "--again", *wanted)
    links = dict(line.split() for line in printed.strip().splitlines())
    with ExitStack() as stack:
        officers = [
            stack.enter_context(Officer(browser, live_server_process.origin, address, locale=locale))
            for address in DIRECTORY
        ]
        for officer in officers:
            officer.accept(links[officer.address])
        yield officers


def open_a_state(secretariat: list[Officer], administrator: Officer, language: str) -> None:
    """One directory officer proposes from the notification, another carries it out."""
    first, second = secretariat
    first.go("/states/open/")
    first.fill(
        notification="C.N.123.2026.TREATIES-XVIII.12",
        notified_on="2026-11-02",
        state_code="XDD",
        state_name="State D",
        kind="central",
        name="Ministry of Justice of State D",
        person="Administrator of State D",
        office="Department of International Cooperation",
        address=administrator.address,
        language=language,
    )
    first.main("[name=designation]").first.check()
    first.main("form button.primary").click()
    first.is_in("/proposals/")
    expect(first.main("[value=carry-out]")).to_have_count(0)  # not the one who proposed
    second.go("/proposals/")
    second.main("a[href^='/proposals/']").first.click()
    expect(second.main("body, :scope")).to_contain_text("Ministry of Justice of State D")
    second.main("[value=carry-out]").click()
    expect(second.main("[value=carry-out]")).to_have_count(0, timeout=PATIENCE)


def test_a_new_state_goes_from_its_notification_to_the_first_acknowledged_message(
    browser: Browser,
    live_server_process: Server,
    helpers: None,
    secretariat: list[Officer],
    locale: str,
) -> None:
    origin, language = live_server_process.origin, LANGUAGES[locale]
    with (
        Officer(browser, origin, "accounts@justice-d.example", locale=locale) as administrator,
        Officer(browser, origin, "officer@justice-d.example", locale=locale) as officer,
    ):
        open_a_state(secretariat, administrator, language)
        administrator.accept()
        expect(administrator.page.locator("html")).to_have_attribute(
            "dir", "rtl" if locale == "ar" else "ltr"
        )
        administrator.page.locator(".step-next a").click()
        administrator.make_keyring()
        administrator.invite(
            officer,
            name="Officer of State D",
            office="Mutual Legal Assistance Unit",
            roles=["officer"],
            language=language,
        )
        officer.accept()
        officer.ask_for_this_device()
        administrator.approve_device_of(officer)
        officer.is_let_in()
        officer.go("/welcome/")
        expect(officer.main(".step-done")).not_to_have_count(0)
        question = "Could you freeze the account ending 0000 before Friday at noon?"
        officer.open_thread_with(STATE_B.name[:20], subject="First contact", text=question)
        officer.sees("“Could you freeze the account ending 0000 before Friday …” and has 11 words.")
        expect(officer.message(question).locator(".standing")).to_contain_text(
            re.compile(re.escape("Bureau d’ordre")), timeout=PATIENCE
        )
        everybody = [*secretariat, administrator, officer]
        assert [fault for person in everybody for fault in person.faults] == []
