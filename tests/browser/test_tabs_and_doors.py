"""Several tabs of one profile, keys that must not be lost, and a server that changes what it says."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from network.demo import PROOF_1, STATE_A, STATE_C, STEWARD_A, DemoPerson
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.browser.officer import Officer
from tests.server import Server

SUPERVISOR_A = supervisor_of(STATE_A.persons)
SUPERVISOR_C = supervisor_of(STATE_C.persons)

Open = Callable[[DemoPerson], Desk]


@pytest.fixture
def open_desk(browser: Browser, live_server_process: Server) -> Iterator[Open]:
    """Give a maker of desks at which somebody has signed in; no page of them may have a fault."""
    desks: list[Desk] = []

    def open_one(person: DemoPerson) -> Desk:
        desk = Desk(browser, live_server_process.origin, person)
        desks.append(desk)
        desk.sign_in()
        return desk

    yield open_one
    for desk in desks:
        desk.context.close()
        assert desk.faults == []


def second_tab(desk: Desk) -> Desk:
    """Return the same profile at another tab, which tells its faults to the same list."""
    tab = Desk.__new__(Desk)
    tab.__dict__.update(desk.__dict__)
    tab.page = desk.context.new_page()
    tab.page.on("pageerror", lambda error: desk.faults.append(str(error)))
    return tab


def answer_otherwise(page: Page, path: str, change: Callable[[dict[str, object]], None]) -> None:
    """Let the server lie in the answers to this path."""

    def lie(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        change(body)
        route.fulfill(response=answer, body=json.dumps(body))

    page.route(f"**/api/{path}", lie)


def test_two_tabs_make_the_keys_of_an_authority_once(open_desk: Open) -> None:
    desk = open_desk(SUPERVISOR_A)
    other = second_tab(desk)
    other.go("/devices/")
    other.page.locator("#make-keyring").click()
    expect(other.page.locator("#kit")).to_be_visible()
    desk.make_keyring()
    # The other tab's kit is worth nothing; it goes on with the device that is in force.
    expect(other.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)
    for page in (desk.page, other.page):
        page.goto("/devices/")
        expect(page.locator("#step-ready")).to_be_visible()
        expect(page.locator("#devices .badge.good:visible")).to_have_count(1)


def test_a_tab_that_heard_nothing_does_not_replace_the_keys_in_force(open_desk: Open) -> None:
    desk = open_desk(SUPERVISOR_A)
    deaf = second_tab(desk)
    deaf.page.route_web_socket("**/socket/", lambda socket: socket.close())
    deaf.go("/devices/")
    expect(deaf.page.locator("#make-keyring")).to_be_visible()
    desk.make_keyring()
    # It has seen the page with the button, and goes through all of it.
    deaf.page.locator("#make-keyring").click()
    expect(deaf.page.locator("#kit")).to_be_visible()
    groups = deaf.page.locator("#kit-groups li").all_inner_texts()
    for place in (1, 2):
        number = int("".join(c for c in deaf.page.locator(f"#kit-label-{place}").inner_text() if c.isdigit()))
        deaf.page.locator(f"#kit-answer-{place}").fill(groups[number - 1])
    deaf.page.locator("#kit-form button[type=submit]").click()
    expect(deaf.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)
    desk.go("/devices/")
    expect(desk.page.locator("#step-ready")).to_be_visible()


def test_two_tabs_ask_with_one_device_and_an_approved_one_is_not_replaced(open_desk: Open) -> None:
    supervisor = open_desk(SUPERVISOR_A)
    supervisor.make_keyring()
    officer = open_desk(next(person for person in STATE_A.persons if "officer" in person.roles))
    other = second_tab(officer)
    for tab in (officer, other):
        tab.go("/devices/")
        expect(tab.page.locator("#make-request")).to_be_visible()
    officer.page.locator("#make-request").click()
    words = officer.page.locator("#own-words")
    expect(words).not_to_be_empty()
    other.page.locator("#make-request").click()
    expect(other.page.locator("#own-words")).to_have_text(words.inner_text())
    supervisor.go("/devices/")
    expect(supervisor.page.locator("#requests li")).to_have_count(1)
    supervisor.page.locator("#requests [data-slot=same]").check()
    supervisor.page.locator("#requests [data-slot=approve]").click()
    for tab in (officer, other):
        led = tab.page.locator("#step-ready:visible, h1:text-is('Correspondence')")
        expect(led).to_be_visible(timeout=PATIENCE)


def test_an_administrator_makes_the_keys_and_is_led_to_no_correspondence(open_desk: Open) -> None:
    desk = open_desk(STEWARD_A)
    desk.go("/devices/")
    # Somebody else used this tab before.
    desk.page.evaluate("sessionStorage.setItem('return-to', '/threads/')")
    desk.make_keyring()
    expect(desk.page.locator("#step-ready")).to_be_visible()
    expect(desk.page.locator("#devices [data-slot=roles]")).to_have_text("approves devices")
    expect(desk.page.locator("#write-now")).to_be_hidden()


def test_another_own_fingerprint_is_an_alarm_and_no_invitation(open_desk: Open) -> None:
    desk = open_desk(SUPERVISOR_A)
    desk.make_keyring()
    for principal in (None, "00" * 32):

        def say(body: dict[str, object], said: str | None = principal) -> None:
            body["principal"] = said

        answer_otherwise(desk.page, "session", say)
        desk.go("/devices/")
        expect(desk.page.locator("#server-changed")).to_be_visible()
        expect(desk.page.locator("#make-keyring, #make-request").first).to_be_hidden()
        desk.page.unroute_all()
    desk.go("/devices/")
    expect(desk.page.locator("#step-ready")).to_be_visible()
    desk.faults.clear()  # the page stops with an error, which is what it says


def test_two_tabs_of_one_thread_write_through_a_crash(open_desk: Open, live_server_process: Server) -> None:
    a, c = open_desk(SUPERVISOR_A), open_desk(SUPERVISOR_C)
    for desk in (a, c):
        desk.make_keyring()
    a.open_thread_with(STATE_C.name, subject="A subject for nobody else", text="first")
    tab = second_tab(a)
    tab.go(a.page.url)
    tab.sees("first")
    assert "subject for nobody" not in a.page.title()
    c.open_thread("A subject for nobody else")
    for n in range(2):
        a.write(f"{n} from one")
        tab.write(f"{n} from two")
        c.write(f"{n} from c")
    live_server_process.kill()
    a.write("during from one")
    tab.write("during from two")
    live_server_process.start()
    for text in ("0 from one", "1 from two", "1 from c", "during from one", "during from two"):
        for desk in (a, tab, c):
            desk.sees(text)
    for desk in (a, tab, c):
        expect(desk.page.locator("#alarm")).to_be_hidden()
    assert len(c.texts()) == len(set(c.texts())) == 9


def test_who_is_signed_out_is_told_and_led_to_the_door(open_desk: Open, live_server_process: Server) -> None:
    desk = open_desk(SUPERVISOR_A)
    desk.make_keyring()
    desk.go("/threads/")
    expect(desk.page.locator("#empty")).to_be_visible()
    desk.context.clear_cookies()
    live_server_process.kill()
    live_server_process.start()
    expect(desk.page).to_have_url(re.compile("/sign-in/"), timeout=PATIENCE)
    expect(desk.page.get_by_text("You are signed out.")).to_be_visible()


def test_k8_nothing_is_sealed_when_the_directory_names_another_principal(open_desk: Open) -> None:
    a, c, ghost = open_desk(SUPERVISOR_A), open_desk(SUPERVISOR_C), open_desk(supervisor_of(PROOF_1.persons))
    for desk in (a, c, ghost):
        desk.make_keyring()
    a.open_thread_with(STATE_C.name, subject="One", text="first")
    a.page.wait_for_timeout(2_000)  # what was seen is kept a moment later

    def name_the_ghost(body: dict[str, object]) -> None:
        rows = body["authorities"]
        assert isinstance(rows, list)
        ghosts = next(row for row in rows if row["name"] == PROOF_1.name)
        chosen = next(row for row in rows if row["name"] == STATE_C.name)
        chosen["principal"] = ghosts["principal"]

    answer_otherwise(a.page, "authorities", name_the_ghost)
    a.go("/threads/new/")
    a.page.locator("#authorities label", has_text=STATE_C.name).click()
    expect(a.page.locator("#authority-problem")).to_contain_text("other keys for this authority")
    expect(a.page.locator("#authority-chosen")).to_be_hidden()
    a.page.locator("#subject-field").fill("Two")
    a.page.locator("#text").fill("not for the ghost")
    a.page.locator("#send").click()
    expect(a.page.locator("#composer-problem")).to_be_visible()
    ghost.go("/threads/")
    expect(ghost.page.locator("#empty")).to_be_visible()


def test_a_newer_invitation_opens_in_the_tab_that_refused_an_older_one(
    browser: Browser, live_server_process: Server
) -> None:
    addresses = ("early@secretariat.example", "late@secretariat.example")
    wanted = [part for address in addresses for part in ("--address", address)]

    def invited() -> str:
        printed = live_server_process.manage("invite_first_administrator", "--again", *wanted)
        return dict(line.split() for line in printed.strip().splitlines())[addresses[0]]

    older, newer = invited(), invited()
    with Officer(browser, live_server_process.origin, addresses[0]) as officer:
        officer.go(older)
        officer.fill(address=officer.address)
        officer.main("form button[type=submit]:visible").click()
        expect(officer.main("form")).to_have_count(0)
        officer.page.goto(newer)
        officer.fill(address=officer.address)
        officer.main("form button[type=submit]:visible").click()
        expect(officer.main("form[data-passkey=create]")).to_be_visible()
        assert officer.faults == []
