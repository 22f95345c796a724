"""An authority that lost all devices and its kit begins anew in the browser; its partner goes on (K12)."""

import re
import uuid

from playwright.sync_api import Browser, expect

from network.demo import STATE_A, STATE_C
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.browser.test_lost_device import type_two_groups_back
from tests.secretariat import confirm_all
from tests.server import Server


def test_an_authority_without_devices_and_without_kit_begins_anew_and_its_partner_goes_on(
    browser: Browser, live_server_process: Server
) -> None:
    origin = live_server_process.origin
    with (
        Desk(browser, origin, supervisor_of(STATE_A.persons)) as own,
        Desk(browser, origin, supervisor_of(STATE_C.persons)) as partner,
        Desk(browser, origin, supervisor_of(STATE_A.persons)) as anew,
    ):
        for desk in (own, partner):
            desk.sign_in()
            desk.make_keyring()
        own.open_thread_with(STATE_C.name, subject="Before the fire", text="All of this burned.")
        thread = own.page.url.removeprefix(origin)
        partner.go(thread)
        partner.sees("All of this burned.")

        digits = begin_anew(anew)
        # It waits, also when the page is loaded again, and the old keys go on.
        anew.go("/devices/")
        expect(anew.page.locator("#anew-fingerprint")).to_have_text(digits, timeout=PATIENCE)
        anew.go("/welcome/note/")
        expect(anew.page.locator(".digits")).to_have_text(digits)
        partner.write("Still to the old keys.")
        own.sees("Still to the old keys.")

        anew.go("/devices/")
        expect(anew.page.locator("#anew-fingerprint")).to_be_visible(timeout=PATIENCE)
        confirm_all(live_server_process)
        expect(anew.page.locator("#own-fingerprint")).to_have_text(digits, timeout=PATIENCE)
        anew.go(thread)
        expect(anew.page.locator("#main")).not_to_contain_text("All of this burned.")

        # The partner seals nothing more to the old keys; its supervisor compares, and puts the new ones in.
        partner.go(thread)
        partner.page.locator("#text").fill("To the lost keys.")
        partner.page.locator("#send").click()
        expect(partner.page.locator("#main")).to_contain_text("new keys", timeout=PATIENCE)
        compare_and_put_in(partner, own)
        partner.go(thread)
        partner.write("After the fire.")
        expect(partner.page.locator("#messages")).to_contain_text("goes on with new keys")
        anew.go(thread)
        anew.sees("After the fire.")
        anew.write("Thank you.")
        partner.sees("Thank you.")

        # A browser with the old keys says what happened, and forgets them only when somebody has compared.
        own.go("/threads/")
        expect(own.page).to_have_url(re.compile("/devices/"), timeout=PATIENCE)
        expect(own.page.locator("#succeeded-fingerprint")).to_have_text(digits, timeout=PATIENCE)
        expect(own.page.locator("#succeeded-forget")).to_be_disabled()
        own.page.locator("#succeeded-same").check()
        own.page.locator("#succeeded-forget").click()
        expect(own.page.locator("#make-request")).to_be_visible(timeout=PATIENCE)
        assert anew.faults == []
        assert own.faults == []


def begin_anew(desk: Desk) -> str:
    """Make new keys in a browser that has none; returns their fingerprint as it is shown."""
    desk.sign_in()
    desk.go("/devices/")
    page = desk.page
    page.locator("#all-lost").click()
    page.locator("#kit-lost").click()
    page.locator("#anew-go").click()
    type_two_groups_back(page)
    digits = page.locator("#anew-fingerprint")
    expect(digits).not_to_be_empty(timeout=PATIENCE)
    return digits.inner_text()


def compare_and_put_in(partner: Desk, of: Desk) -> None:
    """Let a supervisor accept the new fingerprint, and put the new keys into the threads."""
    authority = of.page.evaluate("fetch('/api/session').then((answer) => answer.json())")["authority"]["id"]
    partner.go(f"/counterparts/{uuid.UUID(authority)}/")
    page = partner.page
    expect(page.locator("#succession")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#put-in")).to_be_hidden()
    partner.accept_counterpart("By telephone")
    page.locator("#put-in").click()
    expect(page.locator("#succession")).to_be_hidden(timeout=PATIENCE)
