"""A case is closed with an evaluation, kept by a schedule, held and set free, and taken away as a record."""

import re
from pathlib import Path

from playwright.sync_api import expect

from messaging.sealed.container import unpack
from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.browser.test_records import check, make
from tests.browser.test_steps import step_on
from tests.browser.test_taking_steps import go_to_step, say, take
from tests.browser.walker import Look

EASIER = "A copy of the order with the request. <b>Really</b>"


def close_case(desk: Desk) -> None:
    """Close the case of the open thread, with its evaluation."""
    go_to_step(desk)
    desk.page.locator("#step-code").select_option(label="Case closed")
    desk.page.locator("#step-send").click()  # an outcome is asked for, the three questions may stay empty
    expect(desk.page.locator("#step-facts-place :invalid")).to_have_count(1)
    say(desk, ease=EASIER, time="late")
    expect(desk.page.locator("#draft-state")).to_have_text("Draft saved", timeout=PATIENCE)
    desk.page.reload()
    expect(desk.page.locator("#fact-field-time")).to_have_value("late", timeout=PATIENCE)
    look = Look(desk.page, "closing a case")
    look.ask_axe("the form that closes a case")
    assert look.faults == []
    take(desk, "Case closed", **{"closed-as": "executed-in-part", "use": "wholly"})


def test_a_case_is_closed_evaluated_held_and_taken_away(desks: tuple[Desk, Desk], tmp_path: Path) -> None:
    own, partner = desks
    own.open_thread_with(STATE_C.name, subject="Bank records", text="May we ask you something?")
    go_to_step(own)
    own.page.locator("#step-variant").select_option("assistance")
    take(own, "Inquiry before a request", topic="Do you know this account?")
    partner.open_thread("Bank records")
    close_case(own)
    address = own.page.url
    for desk in (own, partner):
        said = step_on(desk, "Case closed")
        for words in (
            "Executed in part",
            "Was the answer in time? Late, but still of use",
            "Was what was asked for delivered, and usable? Delivered, and usable",
            f"What would have made it easier? {EASIER}",
        ):
            expect(said).to_contain_text(words, timeout=PATIENCE)
    expect(own.page.locator("#keeping")).to_contain_text("Your authority keeps the case until")
    expect(own.page.locator("#composer")).to_be_visible()
    is_listed_as_closed(own)
    is_listed_as_closed(partner)

    own.go(address)
    own.page.get_by_role("link", name="Make a record, or hold the case").click()
    own.page.locator("#hold-reason").select_option(label="Proceedings before a court")
    own.page.get_by_role("button", name="Put on hold").click()
    expect(own.page.locator("#held")).to_contain_text("Proceedings before a court")
    expect(own.page.locator("#record")).to_be_visible(timeout=PATIENCE)
    look = Look(own.page, "record of a closed case")
    look.ask_axe("a case on hold")
    own.go("/threads/?kept=held")
    row = own.page.locator("#threads > li", has_text="Bank records")
    expect(row.get_by_text("On hold", exact=True)).to_be_visible(timeout=PATIENCE)
    look.ask_axe("the list of cases on hold")
    own.go("/retention/")
    own.page.locator("#years").fill("30")
    look.ask_axe("the schedule")
    own.page.get_by_role("button", name="Save").click()
    expect(own.page.locator("#years")).to_have_value("30")
    own.go("/audit/")
    for words in ("A hold was put on a case", "For how long the authority keeps closed cases was changed"):
        expect(own.page.locator("main li, main tr", has_text=words).first).to_be_visible()
    assert look.faults == []

    partner.go(f"{address}record/")  # one State's hold is no business of the other
    expect(partner.page.locator("#keeping")).to_contain_text("Your authority keeps the case until")
    expect(partner.page.locator("#held")).to_have_count(0)

    own.go(f"{address}record/")
    own.page.get_by_role("button", name="Lift the hold").click()
    expect(own.page.get_by_text("The hold is lifted.")).to_be_visible()
    expect(own.page.locator("#held")).to_have_count(0)

    file = make(own, f"{address}record/", tmp_path, reading="open")
    expect(own.page.locator("#record-page")).to_be_visible()
    status, told = check(file)
    assert status == 0, told
    assert "Opened: 3." in told
    page = unpack(file.read_bytes()).parts["record.html"].decode()
    for words in (
        "Executed in part",
        "Was the answer in time? Late",
        "&lt;b&gt;Really",
        "UTC",
        "@media print",
    ):
        assert words in page
    assert own.person.office in page


def is_listed_as_closed(desk: Desk) -> None:
    """Find the case from the list of threads under what is closed, with the day until which it is kept."""
    desk.go("/threads/")
    desk.page.get_by_role("link", name=re.compile("^Closed cases")).click()
    row = desk.page.locator("#threads > li", has_text="Bank records")
    expect(row).to_contain_text("Kept until", timeout=PATIENCE)
    expect(row).to_contain_text("Case closed", timeout=PATIENCE)
    expect(desk.page.locator("#threads > li")).to_have_count(1)
