"""A lost telephone, and all devices lost: nobody else reads on, nothing is lost, and the partners see it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from network.demo import STATE_A, STATE_C
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.browser.officer import Officer
from tests.browser.test_hand_over import invite_into_a
from tests.server import Server

ADDRESS = "traveller@justice-a.example"
SECONDS = 5_000  # milliseconds within which a removed device is out


@pytest.fixture
def seats(browser: Browser, live_server_process: Server) -> Iterator[tuple[Desk, Desk, list[str]]]:
    """Give the supervisors of State A and State C, whose authorities have their keys, and State A's kit."""
    origin = live_server_process.origin
    with (
        Desk(browser, origin, supervisor_of(STATE_A.persons)) as own,
        Desk(browser, origin, supervisor_of(STATE_C.persons)) as partner,
    ):
        for desk in (own, partner):
            desk.sign_in()
        kit = own.make_keyring()
        partner.make_keyring()
        yield own, partner, kit
        assert own.faults == []
        assert partner.faults == []


def fresh_link(administrator: Desk, officer: Officer) -> None:
    """Send a new link to somebody who lost every way to sign in."""
    page = administrator.page
    administrator.go("/people/")
    page.locator("#main a", has_text=officer.address.partition("@")[0]).click()
    form = page.locator("form[action$='/readmit/']")
    page.locator("details", has=form).locator("summary").click()
    form.locator("button").click()
    expect(page).to_have_url(re.compile("/people/"), timeout=PATIENCE)


def remove_device(steward: Desk, name: str) -> None:
    """Take a device out of the keys of the authority."""
    steward.go("/devices/")
    row = steward.page.locator("#devices > li", has_text=name)
    row.locator("[data-slot=change] > summary").click()
    row.locator("[data-slot=remove]").click()
    expect(row).to_have_count(0, timeout=PATIENCE)


def type_kit(page: Page, form: str, groups: list[str]) -> None:
    """Type a kit in as somebody does who reads it from paper."""
    page.locator(f"#{form}-first").fill(" ".join(groups).lower())
    page.locator(f"#{form}-form [type=submit]").click()


def type_two_groups_back(page: Page) -> list[str]:
    """Type two groups of a new kit back; returns all of them."""
    expect(page.locator("#kit")).to_be_visible(timeout=PATIENCE)
    groups = page.locator("#kit-groups li").all_inner_texts()
    for place in (1, 2):
        number = int(re.findall(r"\d+", page.locator(f"#kit-label-{place}").inner_text())[0])
        page.locator(f"#kit-answer-{place}").fill(groups[number - 1])
    page.locator("#kit-form button[type=submit]").click()
    return groups


def test_who_lost_phone_and_passkey_is_back_on_monday_with_everything_and_partners_see_it(
    browser: Browser, live_server_process: Server, seats: tuple[Desk, Desk, list[str]]
) -> None:
    origin = live_server_process.origin
    steward, partner, _kit = seats
    accounts = next(person for person in STATE_A.persons if person.address.startswith("accounts@"))
    with (
        Desk(browser, origin, accounts) as administrator,
        Officer(browser, origin, ADDRESS) as friday,
        Officer(browser, origin, ADDRESS) as monday,
    ):
        administrator.sign_in()
        invite_into_a(administrator, friday)
        friday.accept()
        friday.ask_for_this_device()
        approve(steward, friday)
        friday.is_let_in()
        friday.open_thread_with(STATE_C.name, subject="Before the loss", text="Written on Friday.")
        thread = friday.page.url.removeprefix(origin)
        partner.go(thread)
        partner.sees("Written on Friday.")
        partner.write("Answered at the weekend.")
        friday.sees("Answered at the weekend.")
        keep_draft(friday, "Begun on Friday evening")

        remove_device(steward, "traveller")
        # Whoever holds the lost telephone is out at once, and reads nothing sealed from now on.
        expect(friday.page).to_have_url(re.compile("/sign-in/"), timeout=SECONDS)
        partner.write("Written while the telephone was with a thief.")  # re-keyed before it is sealed
        fresh_link(administrator, monday)
        monday.accept()
        # The old passkey is worth nothing any more, whoever holds the telephone.
        friday.go("/sign-in/")
        friday.main("form[data-passkey=get] button").first.click()
        expect(friday.main("[role=alert]:visible").first).to_be_visible(timeout=PATIENCE)
        friday.go(thread)
        expect(friday.page).to_have_url(re.compile("/sign-in/"), timeout=PATIENCE)
        monday.ask_for_this_device()
        approve(steward, monday)
        monday.is_let_in()
        monday.go("/threads/")
        expect(monday.page.locator("#threads")).to_contain_text("Before the loss", timeout=PATIENCE)
        monday.go(thread)
        for text in ("Written on Friday.", "Answered at the weekend.", "with a thief."):
            monday.sees(text)
        expect(monday.page.locator("#text")).to_have_value("Begun on Friday evening", timeout=PATIENCE)
        monday.write("Back on Monday.")

        partner.sees("Back on Monday.")
        partner.go(thread)
        # Names stand isolated in a sentence, by a character nobody sees.
        for said in ("let in a device of .traveller", "removed a device of .traveller"):
            notices = partner.page.locator(".thread-notice", has_text=re.compile(said))
            expect(notices).not_to_have_count(0, timeout=PATIENCE)
        assert monday.faults == []


def keep_draft(desk: Desk, text: str) -> None:
    """Begin to write, and wait until the sealed draft lies on the server."""
    with desk.page.expect_response(
        lambda answer: answer.request.method == "PUT" and "/api/drafts/" in answer.url, timeout=PATIENCE
    ):
        desk.page.locator("#text").fill(text)


def approve(steward: Desk, officer: Officer) -> None:
    """Compare the code that the officer reads out, and let the device in."""
    spoken = officer.page.locator("#own-words").inner_text()
    steward.go("/devices/")
    request = steward.page.locator("#requests > li").filter(has_text=spoken.split()[0])
    request.locator("[data-slot=same]").check()
    request.locator("[data-slot=approve]").click()
    expect(request).to_have_count(0, timeout=PATIENCE)


def test_an_authority_whose_every_device_is_lost_reads_all_again_with_its_kit(
    browser: Browser, live_server_process: Server, seats: tuple[Desk, Desk, list[str]]
) -> None:
    own, partner, kit = seats
    own.open_thread_with(STATE_C.name, subject="Before the fire", text="All of this burned.")
    thread = own.page.url.removeprefix(own.origin)
    partner.go(thread)
    partner.sees("All of this burned.")
    partner.write("And this too.")
    with Desk(browser, live_server_process.origin, own.person) as restored:
        restored.sign_in()
        restored.go("/devices/")
        page = restored.page
        page.locator("#all-lost").click()
        type_kit(page, "restore", [*kit[:-1], "00000"])
        expect(page.locator("#restore-form [role=alert]")).to_be_visible()
        type_kit(page, "restore", kit)
        expect(page.locator("#restore-devices li")).to_have_count(1, timeout=PATIENCE)
        page.locator("#restore-go").click()
        new_kit = type_two_groups_back(page)
        expect(page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#devices > li")).to_have_count(1)
        restored.go(thread)
        restored.sees("All of this burned.")
        restored.sees("And this too.")
        # The old device is out, and the old kit is worth nothing any more.
        expect(own.page).to_have_url(re.compile("/sign-in/"), timeout=PATIENCE)
        restored.go("/devices/")
        page.locator("#drill > summary").click()
        type_kit(page, "drill", kit)
        expect(page.locator("#drill-form [role=alert]")).to_contain_text("replaced", timeout=PATIENCE)
        type_kit(page, "drill", new_kit)
        expect(page.locator("#drill-good")).to_be_visible(timeout=PATIENCE)
        assert restored.faults == []

        partner.go(thread)
        expect(partner.page.locator("#restored")).to_be_visible(timeout=PATIENCE)
        expect(partner.page.locator("#messages .notice.alarm")).to_contain_text("restored its keys")
        partner.page.locator("#restored [data-slot=comparison]").click()
        expect(partner.page.locator("#taken-over")).to_be_visible(timeout=PATIENCE)
        partner.accept_counterpart("By telephone")
        expect(partner.page.locator("#taken-over")).to_be_hidden(timeout=PATIENCE)
        partner.go(thread)
        partner.write("We telephoned.")
        restored.go(thread)
        restored.sees("We telephoned.")


def test_a_colleague_whose_device_still_works_approves_first_and_partners_write_on_at_once(
    browser: Browser, live_server_process: Server, seats: tuple[Desk, Desk, list[str]]
) -> None:
    origin = live_server_process.origin
    own, partner, kit = seats
    own.open_thread_with(STATE_C.name, subject="Before the theft", text="Written before.")
    thread = own.page.url.removeprefix(own.origin)
    partner.go(thread)
    partner.sees("Written before.")
    accounts = next(person for person in STATE_A.persons if person.address.startswith("accounts@"))
    with (
        Desk(browser, origin, accounts) as administrator,
        Officer(browser, origin, "deputy@justice-a.example") as deputy,
        Desk(browser, origin, own.person) as restored,
    ):
        administrator.sign_in()
        invite_into_a(administrator, deputy, role="supervisor")
        deputy.accept()
        deputy.ask_for_this_device()
        approve(own, deputy)
        deputy.is_let_in()
        make_steward(own, "deputy")

        restored.sign_in()
        restored.go("/devices/")
        page = restored.page
        page.locator("#all-lost").click()
        type_kit(page, "restore", kit)
        page.locator("#restore-ask").click()
        spoken = page.locator("#restore-code")
        expect(spoken).not_to_be_empty(timeout=PATIENCE)
        deputy.go("/devices/")
        waiting = deputy.page.locator("#approvals > li")
        expect(waiting).to_contain_text("Restore the keys", timeout=PATIENCE)
        expect(waiting.locator("[data-slot=code]")).to_have_text(spoken.inner_text())
        waiting.locator("[data-slot=same]").check()
        waiting.locator("[data-slot=approve]").click()
        type_two_groups_back(page)
        expect(page.locator("#devices > li")).to_have_count(1, timeout=PATIENCE)
        expect(page.locator("#keys-unconfirmed")).to_be_hidden()

        partner.go(thread)
        expect(partner.page.locator("#messages .notice.alarm")).to_contain_text("restored its keys")
        expect(partner.page.locator("#restored")).to_be_hidden()
        partner.write("We write on.")
        restored.go(thread)
        restored.sees("Written before.")
        restored.sees("We write on.")
        assert restored.faults == []
        assert deputy.faults == []


def make_steward(steward: Desk, name: str) -> None:
    """Let a colleague's device approve devices."""
    row = steward.page.locator("#devices > li", has_text=name)
    row.locator("[data-slot=change] > summary").click()
    row.locator("[data-role][value=steward]").check()
    row.locator("[data-slot=change-roles]").click()
    expect(steward.page.locator("#keys-said")).to_contain_text("Done", timeout=PATIENCE)


def test_a_new_kit_takes_the_place_of_the_old_one(seats: tuple[Desk, Desk, list[str]]) -> None:
    own, _partner, kit = seats
    own.go("/devices/")
    own.page.locator("#rotate").click()
    expect(own.page.locator("#keys-said")).to_contain_text("Done", timeout=PATIENCE)
    own.go("/devices/")
    own.page.locator("#replace-kit").click()
    new_kit = type_two_groups_back(own.page)
    expect(own.page.locator("#keys-said")).to_contain_text("Done", timeout=PATIENCE)
    own.page.locator("#drill > summary").click()
    type_kit(own.page, "drill", kit)
    expect(own.page.locator("#drill-form [role=alert]")).to_contain_text("replaced", timeout=PATIENCE)
    type_kit(own.page, "drill", new_kit)
    expect(own.page.locator("#drill-good")).to_be_visible(timeout=PATIENCE)


def test_what_gives_power_over_the_keys_takes_two_persons(
    browser: Browser, live_server_process: Server, seats: tuple[Desk, Desk, list[str]]
) -> None:
    origin = live_server_process.origin
    own, _partner, kit = seats
    accounts = next(person for person in STATE_A.persons if person.address.startswith("accounts@"))
    with (
        Desk(browser, origin, accounts) as administrator,
        Officer(browser, origin, "deputy@justice-a.example") as deputy,
    ):
        administrator.sign_in()
        invite_into_a(administrator, deputy, role="supervisor")
        deputy.accept()
        deputy.ask_for_this_device()
        approve(own, deputy)
        deputy.is_let_in()
        make_steward(own, "deputy")

        deputy.go("/devices/")
        deputy.page.locator("#replace-kit").click()
        new_kit = type_two_groups_back(deputy.page)
        expect(deputy.page.locator("#keys-said")).to_contain_text("second person", timeout=PATIENCE)
        # Until then the old kit is the one that counts.
        deputy.page.locator("#drill > summary").click()
        type_kit(deputy.page, "drill", kit)
        expect(deputy.page.locator("#drill-good")).to_be_visible(timeout=PATIENCE)
        waiting = own.page.locator("#approvals > li")
        expect(waiting).to_contain_text("new recovery kit", timeout=PATIENCE)
        waiting.locator("[data-slot=same]").check()
        waiting.locator("[data-slot=approve]").click()
        expect(waiting).to_have_count(0, timeout=PATIENCE)
        type_kit(deputy.page, "drill", new_kit)
        expect(deputy.page.locator("#drill-good")).to_be_visible(timeout=PATIENCE)
        assert deputy.faults == []
