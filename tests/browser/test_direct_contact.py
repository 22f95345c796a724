"""Two supervisors let a prosecutor and a judge write to each other, until one side withdraws."""

import re

from playwright.sync_api import Browser, expect

from network.demo import JUDGE_B, PROSECUTOR_A, STATE_A, STATE_B
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.browser.walker import Look
from tests.server import Server

RULES = "It is no formal request"


def answer_for(head: Desk, practitioner: Desk) -> None:
    """Let a practitioner ask, and the head of the own State answer."""
    practitioner.sign_in()
    practitioner.go("/devices/")
    practitioner.page.locator("#ask").click()
    words = practitioner.page.locator("#own-words")
    expect(words).not_to_be_empty(timeout=PATIENCE)
    head.go("/practitioners/")
    asking = head.page.locator("#asking > li")
    expect(asking.locator("[data-slot=words]")).to_have_text(words.inner_text(), timeout=PATIENCE)
    asking.get_by_role("checkbox").check()
    asking.get_by_role("button", name="Answer for this person").click()
    expect(practitioner.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)
    expect(head.page.locator("#answered > li")).to_have_count(1, timeout=PATIENCE)


def mandate_of(desk: Desk, name: str) -> None:
    """Wait until a mandate of this person is shown as in force."""
    expect(desk.page.locator("#mandates > li", has_text=name)).to_contain_text("In force", timeout=PATIENCE)


def propose(desk: Desk, purpose: str) -> None:
    """Propose a mandate for the only practitioner."""
    form = desk.page.locator("#contact-form")
    form.get_by_role("checkbox").check()
    desk.page.locator("#contact-purpose").fill(purpose)
    desk.page.locator("#contact-excluded").fill("No interception.")
    form.get_by_role("button").click()
    expect(desk.page.locator("#mandates > li", has_text=purpose)).to_contain_text(
        "Waits for the consent of", timeout=PATIENCE
    )


def consent(desk: Desk, purpose: str) -> None:
    """Consent to the mandate with this purpose."""
    row = desk.page.locator("#mandates > li", has_text=purpose)
    expect(row).to_contain_text("No interception.", timeout=PATIENCE)
    row.get_by_role("button", name="Consent").click()


def see_the_rules(practitioner: Desk) -> None:
    """Open the only correspondence there is, never the case: rules, who is there, nothing of before."""
    practitioner.go("/threads/")
    page = practitioner.page
    expect(page.locator("#threads a")).to_have_count(1, timeout=PATIENCE)
    page.locator("#threads a").first.click()
    expect(page.get_by_text(RULES)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Written before you were let in")).to_be_visible()
    expect(page.locator("#parties")).to_contain_text(JUDGE_B.name)
    expect(page.get_by_label("Confidentiality")).to_have_count(1)
    expect(page.get_by_label("Formal status")).to_have_count(0)  # nothing here is formal


def withdraw(desk: Desk, name: str, note: str) -> None:
    """Withdraw the mandate of this person with a closing note."""
    row = desk.page.locator("#mandates > li", has_text=name)
    row.locator("summary").click()
    button = row.get_by_role("button", name="Send the note and withdraw the mandate")
    row.get_by_label("Closing note").fill("  ")
    button.click()  # blanks alone are no note
    expect(row.locator("textarea:invalid")).to_have_count(1)
    look = Look(desk.page, "withdrawing")
    look.ask_axe("a closing note is asked for")
    assert look.faults == []
    row.get_by_label("Closing note").fill(note)
    button.click()
    expect(row).to_contain_text("Withdrawn", timeout=PATIENCE)


def test_two_practitioners_write_directly_until_one_side_withdraws(
    browser: Browser, live_server_process: Server
) -> None:
    origin = live_server_process.origin
    with (
        Desk(browser, origin, supervisor_of(STATE_A.persons)) as a,
        Desk(browser, origin, supervisor_of(STATE_B.persons)) as b,
        Desk(browser, origin, PROSECUTOR_A) as prosecutor,
        Desk(browser, origin, JUDGE_B) as judge,
    ):
        for head in (a, b):
            head.sign_in()
            head.make_keyring(confirmed=head is b)
        answer_for(a, prosecutor)
        answer_for(b, judge)
        a.open_thread_with(STATE_B.name, subject="Bank records", text="A request follows.")
        a.page.get_by_role("link", name="Direct contact").click()
        case = a.page.url
        a.page.locator("#open-contact").click()
        expect(a.page).not_to_have_url(case, timeout=PATIENCE)
        expect(a.page.locator("#no-mandates")).to_be_visible(timeout=PATIENCE)
        address = re.sub(r"^https?://[^/]*", "", a.page.url)
        propose(a, "To clarify two account numbers.")
        b.go(address)
        consent(b, "To clarify two account numbers.")
        mandate_of(b, PROSECUTOR_A.name)
        propose(b, "To answer from the file.")
        mandate_of(a, PROSECUTOR_A.name)
        consent(a, "To answer from the file.")
        mandate_of(a, JUDGE_B.name)
        look = Look(a.page, "direct contact")
        look.ask_axe("two mandates in force")
        assert look.faults == []

        for desk in (prosecutor, judge):
            see_the_rules(desk)
        prosecutor.write("Which account is meant on page 3?")
        judge.sees("Which account is meant on page 3?")
        judge.write("The one ending 0000.")
        prosecutor.sees("The one ending 0000.")

        b.go(address)
        withdraw(b, PROSECUTOR_A.name, "The account is found; a request follows.")
        judge.sees("The account is found; a request follows.")
        gone = judge.page.get_by_text("reads nothing that is written from now on")
        expect(gone).to_be_visible(timeout=PATIENCE)
        prosecutor.page.reload()
        expect(prosecutor.page.locator("#composer")).to_be_hidden(timeout=PATIENCE)
        judge.write("Only for those who remain.")
        prosecutor.page.reload()
        expect(prosecutor.page.get_by_text("The one ending 0000.")).to_be_visible(timeout=PATIENCE)
        assert "Only for those who remain." not in prosecutor.page.content()
        assert a.faults == b.faults == prosecutor.faults == judge.faults == []
