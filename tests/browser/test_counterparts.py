"""A supervisor compares and accepts, or the secretariat confirms, and only then is sealed (K8)."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect

from network.demo import STATE_A, STATE_B
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.secretariat import confirm_all
from tests.server import Server


@pytest.fixture
def heads(browser: Browser, live_server_process: Server) -> Iterator[tuple[Desk, Desk]]:
    """Give the supervisors of State A and State B, whose keys nobody has compared."""
    with ExitStack() as stack:
        found = []
        for state in (STATE_A, STATE_B):
            desk = stack.enter_context(
                Desk(browser, live_server_process.origin, supervisor_of(state.persons))
            )
            desk.sign_in()
            desk.go("/devices/")
            desk.make_keyring(confirmed=False)
            found.append(desk)
        yield found[0], found[1]
        assert [desk.faults for desk in found] == [[], []]


def fingerprint_of(desk: Desk) -> str:
    desk.go("/devices/")
    expect(desk.page.locator("#own-fingerprint")).to_have_text(re.compile(r"\d{5}"), timeout=PATIENCE)
    return desk.page.locator("#own-fingerprint").inner_text()


def begin(desk: Desk) -> None:
    """Choose State B and write to it."""
    desk.go("/threads/new/")
    desk.page.locator("#authorities label", has_text=STATE_B.name).click()
    desk.page.locator("#subject-field").fill("A question")
    desk.page.locator("#text").fill("May we send you a request?")
    expect(desk.page.locator("#draft-state")).to_contain_text("Draft saved", timeout=PATIENCE)


def send_what_was_kept(desk: Desk) -> None:
    """The draft names its counterpart and has the text: now it is sealed and sent."""
    desk.go("/threads/new/")
    expect(desk.page.locator("#text")).to_have_value("May we send you a request?", timeout=PATIENCE)
    desk.page.locator("#send").click()
    expect(desk.page).to_have_url(re.compile("/threads/[0-9a-f]{64}/"), timeout=PATIENCE)
    desk.sees("May we send you a request?")


def test_k8_a_supervisor_compares_and_accepts_and_only_then_is_sealed(heads: tuple[Desk, Desk]) -> None:
    a, b = heads
    digits = fingerprint_of(b)
    begin(a)
    expect(a.page.locator("#not-compared")).to_be_visible(timeout=PATIENCE)
    expect(a.page.locator("#authority-keys [data-slot=level]")).to_have_text("new")
    a.page.locator("#send").click()
    expect(a.page.locator("#send-problem, [role=alert]:visible").first).to_contain_text(
        "Nobody has compared", timeout=PATIENCE
    )
    a.page.locator("#not-compared [data-slot=comparison]").click()
    expect(a.page.locator("#compare [data-slot=digits]")).to_have_text(digits, timeout=PATIENCE)
    expect(a.page.locator("#compare [data-slot=qr] svg")).to_be_visible()
    a.accept_counterpart("By telephone")
    expect(a.page.locator("#accepted")).to_contain_text("compared by telephone", timeout=PATIENCE)
    expect(a.page.locator("#counterpart [data-slot=level]").first).to_have_text("accepted")
    send_what_was_kept(a)
    b.open_thread("A question")
    b.sees("May we send you a request?")
    expect(b.page.locator("#not-compared")).to_be_visible(timeout=PATIENCE)
    b.page.locator("#text").fill("Yes.")
    b.page.locator("#send").click()
    expect(b.page.locator("#text")).to_have_value("Yes.")
    assert b.page.locator("#messages .message").count() == 1


def test_k8_the_secretariat_confirms_and_both_write(
    heads: tuple[Desk, Desk], live_server_process: Server
) -> None:
    a, b = heads
    begin(a)
    expect(a.page.locator("#not-compared")).to_be_visible(timeout=PATIENCE)
    a.page.locator("#send").click()
    expect(a.page.get_by_text("Nobody has compared").first).to_be_visible(timeout=PATIENCE)
    confirm_all(live_server_process)
    send_what_was_kept(a)
    expect(a.page.locator("#parties [data-slot=level]", has_text="confirmed")).to_have_count(1)
    b.open_thread("A question")
    b.write("Yes.")
    a.sees("Yes.")
    a.go(f"/counterparts/{STATE_B.authority_id}/")
    expect(a.page.locator("#confirmed-words")).to_contain_text("Note verbale", timeout=PATIENCE)
    expect(a.page.locator("#accept-form")).to_be_hidden()


def known_in_lists(desk: Desk) -> tuple[str, str, str]:
    """Return what stands for State B in the chooser, in the list of threads and in the directory."""
    found = []
    for address, place in (
        ("/threads/new/", f"#authorities li:has-text('{STATE_B.name}') [data-slot=level]"),
        ("/threads/", "#threads li [data-slot=level]"),
    ):
        desk.go(address)
        expect(desk.page.locator("#loading")).to_be_hidden(timeout=PATIENCE)
        shown = desk.page.locator(f"{place}:not([hidden])")
        found.append(str(shown.text_content()) if shown.count() else "")
    desk.go(f"/directory/authorities/{STATE_B.authority_id}/")
    expect(desk.page.locator("#known-keys")).to_be_visible(timeout=PATIENCE)
    expect(desk.page.locator("#known-keys [data-known]:visible")).to_have_count(1)
    return found[0], found[1], desk.page.locator("#known-keys [data-known]:visible").inner_text()


def test_lists_say_how_far_this_device_knows_whom_they_name(
    heads: tuple[Desk, Desk], live_server_process: Server
) -> None:
    """As it last looked: no list fetches a keyring; of whom it has not met it says nothing."""
    a, _ = heads
    assert known_in_lists(a) == ("", "", "not checked here yet")
    begin(a)
    expect(a.page.locator("#not-compared")).to_be_visible(timeout=PATIENCE)
    assert known_in_lists(a) == ("seen before", "", "seen before")
    confirm_all(live_server_process)
    send_what_was_kept(a)
    expect(a.page.locator("#parties [data-slot=level]", has_text="confirmed")).to_have_count(1)
    assert known_in_lists(a) == ("confirmed", "confirmed", "confirmed")


def test_without_a_device_the_directory_tells_nothing_of_one(
    browser: Browser, live_server_process: Server, heads: tuple[Desk, Desk]
) -> None:
    """Nor does it make a database where there is none."""
    a, _ = heads
    with Desk(browser, live_server_process.origin, a.person) as other:
        other.sign_in()
        entry = f"/directory/authorities/{STATE_B.authority_id}/"
        other.go(entry)
        expect(other.page.locator("#trust")).to_be_visible()
        expect(other.page.locator("#known-keys")).to_be_hidden()
        name = f"messaging:{a.person.membership_id.hex}"
        other.page.evaluate(
            "(name) => new Promise((done) => {indexedDB.deleteDatabase(name).onsuccess = done})", name
        )
        other.go(entry)
        expect(other.page.locator("#trust")).to_be_visible()
        expect(other.page.locator("#known-keys")).to_be_hidden()
        assert other.page.evaluate("indexedDB.databases().then((found) => found.length)") == 0
        assert other.faults == []
