"""A request to freeze at night: the office is closed, and who is on duty is told until one acknowledges."""

import json
import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Locator, expect

from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.browser.test_steps import step_on
from tests.browser.test_taking_steps import go_to_step, in_days, say, take
from tests.server import Server

NUMBER = "+44 20 7946 0399"


def close_the_office(server: Server) -> None:
    """Let State C's offices be closed now, with a telephone for urgent matters."""
    opens = (datetime.now(UTC) + timedelta(days=3)).weekday()
    server.sql(
        "UPDATE network_office SET is_always_open = ?, hours = ?, duty_telephone = ?,"
        " time_zone = 'Asia/Kathmandu' WHERE entry_id = ?",
        False,
        json.dumps([[opens, 540, 1020]]),
        NUMBER,
        STATE_C.authority_id.hex,
    )


def let_minutes_pass(server: Server, minutes: int) -> None:
    """Let what is urgent have been sent so long ago; the server's own clock finds it within seconds."""
    at = (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S.%f")
    server.sql("UPDATE messaging_threaditem SET received_at = ? WHERE urgency > 0", at)


def is_closed(place: Locator) -> None:
    """Check that the page says that nobody is at the office, until when, and by which number duty answers."""
    for words in (STATE_C.name, "is closed now", "It opens on", "GMT+5:45", "duty service"):
        expect(place).to_contain_text(words, timeout=PATIENCE)
    expect(place.locator("a[href='tel:+442079460399']")).to_have_text(NUMBER)


def ask_to_freeze(a: Desk) -> None:
    """Take the two steps: the request is sent urgently, and freezing is asked for."""
    a.open_thread_with(STATE_C.name, subject="Transfer tonight", text="A request follows.")
    go_to_step(a)
    a.page.locator("#step-variant").select_option("confiscation")
    a.page.locator("#step-code").select_option(label="Request sent")
    expect(a.page.locator("#reach-place > *")).to_have_count(0)
    a.page.locator("#step-code").select_option(label="Request sent urgently")
    is_closed(a.page.locator("#reach-place"))
    a.page.locator("#step-due").fill(in_days(1))
    take(
        a,
        "Request sent urgently",
        channel="This network",
        reasons="The money leaves tonight.",
        confirmation_due=in_days(5),
    )
    go_to_step(a)
    a.page.locator("#step-code").select_option(label="Freezing asked for")
    a.page.locator("#step-urgency").select_option("2")
    a.page.locator("#step-due").fill(in_days(1))
    a.page.locator("#step-send").click()
    for fact in ("assets", "relied_on", "actions"):  # article 13(3)(c): nothing is sent without them
        expect(a.page.locator(f"#fact-field-{fact}:invalid")).to_have_count(1)
    say(a, assets="Account ending 0000", relied_on="Proceeds of a fraud.")
    take(a, "Freezing asked for", actions="Freeze it\nTell us the balance")


def test_what_is_urgent_reaches_who_is_on_duty_and_does_not_lie(
    desks: tuple[Desk, Desk], live_server_process: Server
) -> None:
    server = live_server_process
    a, c = desks
    server.sql(
        "UPDATE network_membership SET roles = ? WHERE id = ?",
        json.dumps(["duty-officer", "officer", "supervisor"]),
        c.person.membership_id.hex,
    )
    close_the_office(server)
    c.page.set_viewport_size({"width": 390, "height": 780})  # a telephone
    c.go("/people/")
    ask_to_freeze(a)

    # Nobody is there: the page says so, since when, and by which number somebody answers.
    asked = step_on(a, "Freezing asked for")
    expect(asked).to_contain_text("has not acknowledged this yet", timeout=PATIENCE)
    is_closed(asked)
    line = c.page.locator("#urgent-line")
    expect(line).to_be_visible(timeout=PATIENCE)
    line.get_by_role("button").click()
    expect(line).to_be_hidden()

    # It is told again, by the line too, and then the authority that asked is told as well.
    let_minutes_pass(server, 5)
    expect(line).to_be_visible(timeout=PATIENCE)
    expect(asked).to_contain_text("They were told again at", timeout=PATIENCE)
    let_minutes_pass(server, 31)
    expect(asked).to_contain_text("with their supervisors", timeout=PATIENCE)
    a.go("/notifications/")
    expect(a.page.get_by_text("telephone the other authority").first).to_be_visible(timeout=PATIENCE)
    a.open_thread("Transfer tonight")

    # Two actions on a telephone.
    c.go("/notifications/")
    expect(c.page.get_by_text("nobody of your authority has acknowledged it").first).to_be_visible()
    c.page.get_by_role("button", name=re.compile("^Open")).first.click()
    request = step_on(c, "Freezing asked for")
    expect(request).to_contain_text("Nobody of your authority has acknowledged this yet", timeout=PATIENCE)
    request.get_by_role("button", name="Acknowledge", exact=True).click()
    request.get_by_role("button", name="Sign the acknowledgement").click()
    acknowledged = re.compile(rf"{re.escape(c.person.name)}.*\d\d:\d\d", re.DOTALL)
    for said in (request, asked):
        expect(said.locator("[data-slot=standing]")).to_have_text(acknowledged, timeout=PATIENCE)
        expect(said).not_to_contain_text("acknowledged this yet")
    wide = c.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wide, "the page is wider than the telephone"

    # What is owed in writing stands before the eyes of both, until it has come.
    for desk in (a, c):
        expect(desk.page.locator("#lapses")).to_contain_text(
            "to be confirmed in writing by", timeout=PATIENCE
        )
    go_to_step(a)
    take(
        a,
        "Urgent request confirmed in writing",
        channel="Diplomatic note",
        languages="English",
        annexes="Order of the court",
    )
    for desk in (a, c):
        expect(desk.page.locator("#lapses > li")).to_have_count(0, timeout=PATIENCE)


def test_a_message_written_at_night_says_that_the_office_is_closed(
    desks: tuple[Desk, Desk], live_server_process: Server
) -> None:
    close_the_office(live_server_process)
    a, _ = desks
    a.go("/threads/new/")
    a.page.locator("#authorities label", has_text=STATE_C.name).click()
    a.page.locator("#handling-fold summary").click()
    place = a.page.locator("#reach-place")
    expect(place).to_be_hidden()
    a.page.locator("#urgency-field").select_option("1")
    is_closed(place)
    a.page.locator("#urgency-field").select_option("0")
    expect(place).to_be_hidden()
    a.open_thread_with(STATE_C.name, subject="Transfer tonight", text="A request follows.")
    a.page.locator("#handling-fold summary").click()
    a.page.locator("#urgency-field").select_option("2")
    is_closed(a.page.locator("#reach-place"))
