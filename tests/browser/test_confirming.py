"""Two directory officers confirm an authority's keys: each types the note, each browser signs (K8)."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from messaging.sealed.keys import fingerprint_digits
from network.demo import SECRETARIAT, STATE_C
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.server import Server

NOTE = ("Note verbale 12/2026", "2026-03-01")
CONFIRMING = f"/authorities/{STATE_C.authority_id}/fingerprint/"


@pytest.fixture
def authority(browser: Browser, live_server_process: Server) -> Iterator[Desk]:
    """Give the desk of State C's head, whose authority has made its keys; nobody has confirmed them."""
    with Desk(browser, live_server_process.origin, supervisor_of(STATE_C.persons)) as head:
        head.sign_in()
        head.make_keyring(confirmed=False)
        yield head


@pytest.fixture
def officers(browser: Browser, live_server_process: Server) -> Iterator[tuple[Desk, Desk]]:
    """Give two directory officers; the first has made the secretariat's keys, the second has asked."""
    origin = live_server_process.origin
    with (
        Desk(browser, origin, SECRETARIAT.persons[0]) as first,
        Desk(browser, origin, SECRETARIAT.persons[1]) as second,
    ):
        first.sign_in()
        first.go("/devices/")
        first.make_keyring()
        second.sign_in()
        yield first, second
        assert first.faults == []
        assert second.faults == []


def let_in(steward: Desk, asking: Desk) -> None:
    """Let a colleague's browser in, after comparing its words."""
    asking.go("/devices/")
    asking.page.locator("#make-request").click()
    words = asking.page.locator("#own-words")
    expect(words).to_have_text(re.compile(r"\d{5}"), timeout=PATIENCE)
    steward.go("/devices/")
    request = steward.page.locator("#requests > li").first
    expect(request.locator("[data-slot=words]")).to_have_text(words.inner_text())
    request.locator("[data-slot=same]").check()
    request.locator("[data-slot=approve]").click()
    expect(asking.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)


def confirms(authority: Desk, principal: str) -> list[str]:
    """Return what the server gives with the keyring."""
    found = authority.page.request.get(f"/api/keyrings/{principal}?from=0").json()
    return list(found["confirms"])


def propose(officer: Desk, digits: str) -> None:
    """Type the note into the form, as its first reader."""
    officer.go(CONFIRMING)
    officer.page.locator("[name=fingerprint]").fill(digits)
    officer.page.locator("[name=notification]").fill(NOTE[0])
    officer.page.locator("[name=notified_on]").fill(NOTE[1])
    officer.page.get_by_role("button", name="Propose").click()


def test_two_officers_confirm_keys_from_the_note(authority: Desk, officers: tuple[Desk, Desk]) -> None:
    first, second = officers
    principal = authority.page.request.get("/api/session").json()["principal"]
    digits = fingerprint_digits(bytes.fromhex(principal))
    propose(first, digits)
    expect(first.page).to_have_url(re.compile("/proposals/[0-9a-f-]{36}/"), timeout=PATIENCE)
    proposal = first.page.url
    second.go(proposal)
    expect(second.page.locator("#confirming-no-device")).to_be_visible(timeout=PATIENCE)
    expect(second.page.get_by_role("button", name="Carry out")).to_be_disabled()
    let_in(first, second)
    second.go(proposal)
    second.page.locator("#answer").fill(digits)
    second.page.get_by_role("button", name="Carry out").click()
    expect(second.page).to_have_url(re.compile("/proposals/$"), timeout=PATIENCE)
    assert len(confirms(authority, principal)) == 2
    first.go(CONFIRMING)
    expect(first.page.locator(".digits").first).to_have_text(digits)


def test_digits_that_are_not_those_of_the_keys_are_not_signed(
    authority: Desk, officers: tuple[Desk, Desk]
) -> None:
    first, _second = officers
    propose(first, "1" * 60)
    expect(first.page.locator("#confirming-problem")).to_contain_text("Nothing was signed", timeout=PATIENCE)
    expect(first.page).to_have_url(re.compile("/fingerprint/$"))


def test_directory_officers_have_devices_and_no_correspondence(officers: tuple[Desk, Desk]) -> None:
    first, _second = officers
    expect(first.page.locator("#write-now")).to_be_hidden()
    for path in ("/threads/", "/threads/new/"):
        assert first.page.request.get(path).status == 403
