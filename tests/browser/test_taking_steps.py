"""Two officers take steps in a case on its page, and meet what the treaty demands."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.browser.test_steps import step_on


def go_to_step(desk: Desk) -> None:
    """From an open thread to the page on which a step is taken."""
    desk.page.locator("#take-step").click()
    expect(desk.page.locator("#step-form, #step-none").filter(visible=True).first).to_be_visible(
        timeout=PATIENCE
    )


def offered(desk: Desk) -> list[str]:
    """The steps that the page offers."""
    return desk.page.locator("#step-code option").all_inner_texts()


def say(desk: Desk, **facts: str) -> None:
    """Write into the fields of the step."""
    for name, value in facts.items():
        field = desk.page.locator(f"#fact-field-{name}")
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def take(desk: Desk, stage: str, **facts: str) -> None:
    """Take a step on its page; ends on the thread, where it stands."""
    desk.page.locator("#step-code").select_option(label=stage)
    say(desk, **facts)
    desk.page.locator("#step-send").click()
    expect(step_on(desk, stage)).to_be_visible(timeout=PATIENCE)


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def test_officers_take_steps_and_a_refusal_rests_on_a_consultation(
    desks: tuple[Desk, Desk],
) -> None:
    own, partner = desks
    own.open_thread_with(STATE_C.name, subject="Bank records", text="A request follows.")
    go_to_step(own)
    expect(own.page.locator("#case-stage")).to_have_text("No step has been taken yet")
    own.page.locator("#step-variant").select_option("assistance")
    own.page.locator("#step-code").select_option(label="Request sent")
    own.page.locator("#step-send").click()  # nothing is said yet: the form asks for it
    expect(own.page.locator("#fact-field-channel:invalid")).to_have_count(1)
    take(
        own,
        "Request sent",
        channel="Diplomatic note",
        languages="English\nFrench",
        annexes="Order of the court",
    )
    partner.open_thread("Bank records")
    said = step_on(partner, "Request sent")
    for words in ("Formal channel", "Diplomatic note", "French", "Order of the court"):
        expect(said).to_contain_text(words, timeout=PATIENCE)
    go_to_step(partner)
    expect(partner.page.locator("#case-side")).to_have_text("Your authority is asked, the other one asks.")
    assert "Request withdrawn" not in offered(partner)
    partner.page.locator("#step-code").select_option(label="Refused")
    rests = partner.page.locator("#step-rests option")
    assert rests.all_inner_texts() == ["Without consultation: another treaty governs"]
    partner.page.locator("#step-code").select_option(label="Consultation before refusal or postponement")
    partner.page.locator("#step-due").fill(in_days(5))
    take(
        partner,
        "Consultation before refusal or postponement",
        ground="R-DUAL",
        question="Is it an offence with you?",
    )
    expect(step_on(own, "Consultation before")).to_contain_text(
        "Absence of dual criminality", timeout=PATIENCE
    )
    go_to_step(own)
    take(own, "Consultation answered", answer="It is, by article 5.")
    expect(step_on(partner, "Consultation answered")).to_be_visible(timeout=PATIENCE)
    go_to_step(partner)
    partner.page.locator("#step-code").select_option(label="Refused")
    expect(rests.first).to_contain_text("The consultation of")
    take(partner, "Refused", ground="R-DUAL", reasons="It is none here.", alternatives="")
    expect(step_on(own, "Refused")).to_contain_text("It is none here.", timeout=PATIENCE)


def test_who_writes_a_step_while_the_other_side_takes_one_keeps_the_words(desks: tuple[Desk, Desk]) -> None:
    own, partner = desks
    own.open_thread_with(STATE_C.name, subject="Bank records", text="A request follows.")
    go_to_step(own)
    own.page.locator("#step-variant").select_option("assistance")
    own.page.locator("#step-code").select_option(label="Inquiry before a request")
    say(own, topic="May we ask for bank records?")
    partner.open_thread("Bank records")
    go_to_step(partner)
    partner.page.locator("#step-variant").select_option("assistance")
    take(partner, "Inquiry before a request", topic="Do you know this account?")
    expect(own.page.locator("#step-moved")).to_be_visible(timeout=PATIENCE)
    expect(own.page.locator("#fact-field-topic")).to_have_value("May we ask for bank records?")
    own.page.reload()  # also what is kept as a draft
    expect(own.page.locator("#fact-field-topic")).to_have_value(
        "May we ask for bank records?", timeout=PATIENCE
    )
    own.page.locator("#step-code").select_option(label="Case closed")
    own.page.locator("#step-code").select_option(label="Inquiry before a request")
    expect(own.page.locator("#fact-field-topic")).to_have_value("May we ask for bank records?")
    own.page.locator("#step-send").click()
    expect(step_on(own, "Inquiry before a request")).to_have_count(2, timeout=PATIENCE)
