"""Two officers of two States in two Chromium profiles write to each other, through a crash of the server."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from network.demo import STATE_A, STATE_C, DemoPerson
from tests.browser.desk import PATIENCE, Desk
from tests.server import Server


def supervisor_of(persons: tuple[DemoPerson, ...]) -> DemoPerson:
    return next(person for person in persons if person.role == "supervisor")


@pytest.fixture
def desks(browser: Browser, live_server_process: Server) -> Iterator[tuple[Desk, Desk]]:
    origin = live_server_process.origin
    with (
        Desk(browser, origin, supervisor_of(STATE_A.persons)) as a,
        Desk(browser, origin, supervisor_of(STATE_C.persons)) as c,
    ):
        for desk in (a, c):
            desk.sign_in()
            desk.make_keyring()
        yield a, c
        assert a.faults == []
        assert c.faults == []


def test_two_authorities_write_in_both_directions_live(desks: tuple[Desk, Desk]) -> None:
    a, c = desks
    c.page.goto("about:blank")
    a.open_thread_with(STATE_C.name, subject="Bank records", text="First")
    a.standing("First", "Stored")
    c.page.goto("/threads/")
    a.standing("First", "Delivered")
    c.open_thread("Bank records")
    c.sees("First")
    a.standing("First", "Opened")
    c.write("Answer one")
    a.sees("Answer one")
    a.write("Second")
    c.sees("Second")
    c.acknowledge("Second")
    a.standing("Second", STATE_C.persons[1].name)


def test_a_crash_of_the_server_loses_and_doubles_nothing(
    desks: tuple[Desk, Desk], live_server_process: Server
) -> None:
    a, c = desks
    a.open_thread_with(STATE_C.name, subject="Crash", text="before 0")
    c.open_thread("Crash")
    for n in range(1, 4):
        a.write(f"before {n} from a")
        c.write(f"before {n} from c")
    live_server_process.kill()
    for n in range(1, 4):
        a.write(f"during {n} from a")
        c.write(f"during {n} from c")
    expect(a.page.locator("#connection")).to_be_visible(timeout=PATIENCE)
    a.standing("during 1 from a", "not sent yet")
    live_server_process.start()
    for n in range(1, 4):
        for side in "ac":
            a.sees(f"during {n} from {side}")
            c.sees(f"during {n} from {side}")
    a.write("after from a")
    c.sees("after from a")
    c.write("after from c")
    a.sees("after from c")
    assert a.texts() == c.texts()
    assert len(a.texts()) == len(set(a.texts())) == 15


def test_a_reloaded_page_shows_the_same_thread_and_what_waited_is_sent_once(
    desks: tuple[Desk, Desk], live_server_process: Server
) -> None:
    a, c = desks
    a.open_thread_with(STATE_C.name, subject="Reload", text="one")
    live_server_process.kill()
    a.write("written while the server is away")
    live_server_process.start()
    a.page.reload()
    a.sees("written while the server is away")
    c.open_thread("Reload")
    c.sees("written while the server is away")
    assert c.texts() == a.texts()


def test_a_draft_survives_a_reload_and_is_gone_after_sending(desks: tuple[Desk, Desk]) -> None:
    a, _ = desks
    a.open_thread_with(STATE_C.name, subject="Draft", text="one")
    a.page.locator("#text").fill("half a thought")
    expect(a.page.locator("#draft-state")).not_to_be_empty()
    a.page.wait_for_timeout(1500)
    a.page.reload()
    expect(a.page.locator("#text")).to_have_value("half a thought")
    a.page.locator("#send").click()
    a.sees("half a thought")
    a.page.wait_for_timeout(1500)
    a.page.reload()
    a.sees("half a thought")
    expect(a.page.locator("#text")).to_have_value("")
