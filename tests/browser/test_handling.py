"""What an officer does all day: urgent first, filters, acknowledging once, taking back, choosing by keys."""

import re

from playwright.sync_api import Browser, expect

from network.demo import STATE_A, STATE_C
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.server import Server


def test_what_is_urgent_comes_first_and_its_reason_is_read(desks: tuple[Desk, Desk]) -> None:
    a, c = desks
    c.go("about:blank")
    a.open_thread_with(STATE_C.name, subject="Ordinary", text="No hurry.")
    a.go("/threads/new/")
    a.page.locator("#authorities label", has_text=STATE_C.name).click()
    a.page.locator("#subject-field").fill("Freezing")
    a.page.locator("#text").fill("The money leaves tonight.")
    a.page.locator("#handling-fold summary").click()
    a.page.locator("#urgency-field").select_option("2")
    a.page.locator("#due-field").fill("2030-01-31")
    a.page.locator("#send").click()
    # Without a reason nothing is sent.
    expect(a.page.locator("#reason-field:invalid")).to_be_focused()
    a.page.locator("#reason-field").fill("The account is emptied at midnight.")
    a.page.keyboard.press("Control+Enter")
    a.sees("The money leaves tonight.")
    a.open_thread_with(STATE_C.name, subject="Ordinary too", text="Still none.")
    c.go("/threads/")
    rows = c.page.locator("#threads > li:visible")
    expect(rows.first).to_contain_text("Freezing", timeout=PATIENCE)
    expect(rows.first).to_contain_text("At once")
    expect(rows.first).to_contain_text("31 Jan 2030")
    c.page.locator("[data-filter=urgent]").click()
    expect(rows).to_have_count(1)
    c.page.locator("[data-filter=all]").click()
    expect(rows).to_have_count(3)
    c.page.locator("#search").fill("ordinary TOO")
    expect(rows).to_have_count(1)
    c.open_thread("Freezing")
    expect(c.message("The money leaves tonight.")).to_contain_text("The account is emptied at midnight.")
    c.write("It is frozen.")
    expect(c.page.locator("#turn")).to_contain_text("Waiting for them")
    expect(c.page.locator("#turn")).not_to_contain_text("At once")


def test_how_a_message_is_to_be_handled_stands_at_it_on_both_sides(desks: tuple[Desk, Desk]) -> None:
    a, c = desks
    a.open_thread_with(STATE_C.name, subject="Bank records", text="Good morning.")
    a.page.locator("#text").fill("This is the request.")
    a.page.locator("#handling-fold summary").click()
    a.page.get_by_label("Formal status").select_option("formal")
    a.page.get_by_label("Use", exact=True).select_option(label="With consent only")
    # What was chosen is kept with the draft.
    expect(a.page.locator("#draft-state")).to_have_text("Draft saved", timeout=PATIENCE)
    a.page.reload()
    a.page.locator("#handling-fold summary").click()
    expect(a.page.get_by_label("Use", exact=True)).to_have_value("with-consent", timeout=PATIENCE)
    a.write("This is the request.")
    c.open_thread("Bank records")
    for desk in (a, c):
        message = desk.message("This is the request.")
        expect(message).to_contain_text("Formal status: Formal communication", timeout=PATIENCE)
        expect(message).to_contain_text("Use: With consent only")
        expect(message.locator("[data-slot=why]")).to_be_hidden()
    expect(a.page.get_by_label("Formal status")).to_have_value("")
    assert a.faults == c.faults == []


def test_a_search_goes_through_the_messages_that_this_browser_has_opened(desks: tuple[Desk, Desk]) -> None:
    a, c = desks
    a.open_thread_with(STATE_C.name, subject="Bank records", text="Good morning.")
    a.write("The file has come.\nThe account ends with 0000.")
    a.open_thread_with(STATE_C.name, subject="Extradition", text="A warrant follows.")
    c.go("/threads/")
    rows = c.page.locator("#threads > li:visible")
    expect(rows).to_have_count(2, timeout=PATIENCE)
    for subject in ("Extradition", "Bank records"):
        c.open_thread(subject)
        expect(c.page.locator("#messages .message").first).to_be_visible(timeout=PATIENCE)
    c.sees("The account ends with 0000.")
    c.go("/threads/")
    expect(rows).to_have_count(2, timeout=PATIENCE)
    c.page.locator("#search").fill("0000 ACCOUNT")
    expect(rows).to_have_count(1, timeout=PATIENCE)
    hit = rows.first.locator("[data-slot=hit]")
    expect(hit).to_contain_text("The account ends with 0000.")
    c.page.locator("#search").fill("warrant")
    expect(rows).to_contain_text(["A warrant follows."], timeout=PATIENCE)
    c.page.locator("#search").fill("0000")
    expect(hit).to_contain_text("The account ends with 0000.", timeout=PATIENCE)
    hit.get_by_role("link").click()
    expect(c.page).to_have_url(re.compile(r"/threads/[0-9a-f]{64}/#item-\d+$"))
    expect(c.message("The account ends with 0000.")).to_be_in_viewport(timeout=PATIENCE)
    assert a.faults == c.faults == []


def test_an_acknowledgement_is_asked_about_once_and_can_be_left(desks: tuple[Desk, Desk]) -> None:
    a, c = desks
    a.open_thread_with(STATE_C.name, subject="By keyboard", text="Please confirm.")
    c.open_thread("By keyboard")
    c.sees("Please confirm.")
    c.page.locator("#subject").focus()
    c.page.keyboard.press("a")
    sign = c.page.get_by_role("button", name="Sign the acknowledgement")
    expect(sign).to_be_focused()
    c.page.keyboard.press("Escape")
    expect(sign).to_have_count(0)
    c.page.keyboard.press("n")
    expect(c.message("Please confirm.")).to_be_focused()
    c.page.keyboard.press("a")
    c.page.keyboard.press("Enter")
    c.standing("Please confirm.", STATE_C.persons[1].name)
    expect(c.page.get_by_role("button", name="Acknowledge", exact=True)).to_have_count(0)
    a.standing("Please confirm.", STATE_C.persons[1].name)


def test_what_was_never_sent_is_taken_back(desks: tuple[Desk, Desk]) -> None:
    a, c = desks
    a.open_thread_with(STATE_C.name, subject="Back", text="one")
    a.context.set_offline(True)
    a.write("too early")
    expect(a.message("too early")).to_contain_text("not sent yet")
    a.message("too early").get_by_role("button", name="Take the text back").click()
    expect(a.page.locator("#text")).to_have_value("too early")
    expect(a.page.locator("#waiting > li")).to_have_count(0)
    a.context.set_offline(False)
    a.page.locator("#text").fill("in time")
    a.page.locator("#send").click()
    c.open_thread("Back")
    c.sees("in time")
    assert c.texts() == ["one", "in time"]


def test_an_authority_is_found_and_chosen_by_keyboard(desks: tuple[Desk, Desk]) -> None:
    a, _ = desks
    a.go("/threads/new/")
    expect(a.page.locator("#authority-search")).to_be_focused(timeout=PATIENCE)
    a.page.keyboard.type(STATE_C.name[:12])
    expect(a.page.locator("#authorities > li:visible")).to_have_count(1)
    a.page.keyboard.press("Enter")
    expect(a.page.locator("#authority-chosen")).to_contain_text(STATE_C.name)
    a.page.locator("#authority-change").press("Enter")
    a.page.locator("#authority-search").fill("")
    a.page.keyboard.press("ArrowDown")
    expect(a.page.locator("#authorities input").first).to_be_focused()
    a.page.keyboard.press("ArrowDown")
    expect(a.page.locator("#authority-chosen")).to_be_hidden()
    a.page.keyboard.press("Enter")
    expect(a.page.locator("#authority-chosen")).to_be_visible()


def test_a_link_names_whom_to_write_to(desks: tuple[Desk, Desk]) -> None:
    a, _ = desks
    a.go(f"/threads/new/?authority={STATE_C.authority_id}")
    expect(a.page.locator("#authority-chosen")).to_contain_text(STATE_C.name, timeout=PATIENCE)
    a.go("/threads/new/?authority=11111111-1111-4111-8111-111111111111")
    expect(a.page.locator("#authority-problem")).to_be_visible(timeout=PATIENCE)
    expect(a.page.locator("#authority-chosen")).to_be_hidden()


def test_who_waits_sees_whom_to_call(browser: Browser, live_server_process: Server) -> None:
    origin = live_server_process.origin
    officer = next(person for person in STATE_A.persons if person.roles == ("officer",))
    steward = supervisor_of(STATE_A.persons)
    with Desk(browser, origin, steward) as first, Desk(browser, origin, officer) as second:
        first.sign_in()
        first.make_keyring()
        second.sign_in()
        second.go("/devices/")
        second.page.locator("#make-request").click()
        expect(second.page.locator("#stewards > li")).to_have_count(1, timeout=PATIENCE)
        expect(second.page.locator("#stewards")).to_contain_text(steward.name)
        expect(second.page.locator("#asked-at")).to_have_text(re.compile(r"\d"))
        first.go("/devices/")
        request = first.page.locator("#requests > li")
        request.locator("[data-slot=same]").press("Space")
        request.locator("[data-slot=approve]").press("Enter")
        expect(first.page.locator("#announcer")).to_contain_text(officer.name, timeout=PATIENCE)
        expect(first.page.locator("#requests-heading")).to_be_focused()
        expect(second.page.locator("#step-waiting")).to_be_hidden(timeout=PATIENCE)
