"""Two officers of two States in two Chromium profiles write to each other, through a crash of the server."""

import json
from collections.abc import Sized

from playwright.sync_api import WebSocketRoute, expect

from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.server import Server


def wait_for(desk: Desk, seen: Sized) -> None:
    """Let the page go on until something has been seen on its line."""
    for _ in range(300):
        if len(seen):
            break
        desk.page.wait_for_timeout(100)
    assert len(seen)
    desk.page.wait_for_timeout(300)


def test_two_authorities_write_in_both_directions_live(desks: tuple[Desk, Desk]) -> None:
    a, c = desks
    c.go("about:blank")
    a.open_thread_with(STATE_C.name, subject="Bank records", text="First")
    a.standing("First", "Stored")
    c.go("/threads/")
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


def test_an_answer_is_proposed_in_the_language_of_the_thread_and_devices_lead_on(
    desks: tuple[Desk, Desk],
) -> None:
    a, c = desks
    a.go("/devices/")
    expect(a.page.locator("#write-now")).to_be_visible()
    a.open_thread_with(STATE_C.name, subject="Language", text="First")
    a.page.locator("#language").select_option("es")
    a.write("Segundo")
    a.page.reload()
    expect(a.page.locator("#language")).to_have_value("es")
    c.open_thread("Language")
    c.sees("Segundo")
    c.page.reload()
    expect(c.page.locator("#language")).to_have_value("es")


def test_the_language_of_what_has_not_left_yet_counts(desks: tuple[Desk, Desk]) -> None:
    a, _ = desks
    a.open_thread_with(STATE_C.name, subject="Language", text="First")
    a.page.route_web_socket("**/socket/", lambda line: line.close())
    a.page.route("**/api/messages", lambda route: route.abort())
    a.page.reload()
    a.page.locator("#language").select_option("es")
    a.write("Segundo")
    a.page.reload()
    a.standing("Segundo", "not sent yet")
    expect(a.page.locator("#language")).to_have_value("es")


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


def test_a_message_is_shown_once_while_its_answer_is_late(desks: tuple[Desk, Desk]) -> None:
    a, _ = desks
    asked: set[str] = set()
    resumed: list[str] = []
    answers: list[tuple[WebSocketRoute, str]] = []

    def hold_back_answers(line: WebSocketRoute) -> None:
        def to_server(frame: str | bytes) -> None:
            command = json.loads(frame)
            if command["command"] == "messaging.messages.append":
                asked.add(command["id"])
            server.send(frame)

        def to_page(frame: str | bytes) -> None:
            answer = json.loads(frame)
            if answer.get("id") in asked:
                answers.append((line, str(frame)))
                return
            line.send(frame)
            if "cursors" in (answer.get("result") or {}):
                resumed.append(answer["id"])

        server = line.connect_to_server()
        line.on_message(to_server)
        server.on_message(to_page)

    a.open_thread_with(STATE_C.name, subject="Late", text="one")
    a.page.route_web_socket("**/socket/", hold_back_answers)
    a.page.reload()
    wait_for(a, resumed)  # before that, messages go by the other way, whose answers nobody holds back
    a.write("two")
    expect(a.page.locator("#messages > li", has_text="two")).to_be_visible(timeout=PATIENCE)
    wait_for(a, answers)
    a.sees("two")
    expect(a.page.locator("#retry-row")).to_be_hidden()
    for line, frame in answers:
        line.send(frame)
    assert a.texts() == ["one", "two"]
