"""Two officers share a draft request before it is sent: versions, comments, and nothing formal."""

import re

from playwright.sync_api import Locator, expect

from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.browser.test_steps import step_on
from tests.browser.walker import Look

FACTS = "On 5 May the account ending 0000 received the money."
CANARY = "zephyr-canary"


def go_to_draft(desk: Desk) -> None:
    """From an open thread to the page of its draft request."""
    desk.page.locator("#see-draft").click()
    expect(desk.page.locator("#draft")).to_be_visible(timeout=PATIENCE)


def share(desk: Desk, version: str, **parts: str) -> None:
    """Share a version, of which these parts are written anew."""
    for name, words in parts.items():
        desk.page.locator(f"#draft-field-{name}").fill(words)
    expect(desk.page.locator("#draft-field-version")).to_have_value(version)
    desk.page.locator("#draft-form button[type=submit]").click()
    shows(desk, version)


def shows(desk: Desk, version: str) -> None:
    """Wait until this version is the one that is looked at."""
    expect(desk.page.locator("#draft-version")).to_have_text(
        re.compile(f"Version .?{version}.?$"), timeout=PATIENCE
    )


def part(desk: Desk, name: str) -> Locator:
    """A part of the version that is shown."""
    return desk.page.locator(f"#draft-parts [data-part={name}]")


def comment(desk: Desk, name: str, words: str) -> None:
    """Say something of a part."""
    place = part(desk, name)
    place.locator("summary").click()
    place.locator("textarea").fill(words)
    place.get_by_role("button", name="Seal and send").click()
    expect(place.locator(".draft-comment", has_text=words)).to_be_visible(timeout=PATIENCE)


def told_to(desk: Desk) -> str:
    """Everything that the server has mailed, and what it tells this person on the page."""
    found = ""
    for path in ("/outbox/", "/notifications/"):
        desk.go(path)
        found += desk.page.content()
    return found


def add_file(desk: Desk, name: str) -> None:
    """Choose a file that goes with the version."""
    desk.page.locator("#files-field").set_input_files(
        {"name": name, "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
    )
    expect(desk.page.locator("#added-files")).to_contain_text("Sealed and stored", timeout=PATIENCE)


def test_a_draft_is_shared_commented_and_shared_again(desks: tuple[Desk, Desk]) -> None:
    own, partner = desks
    own.go("/threads/new/")
    own.page.locator("#begins").select_option("draft")
    own.page.locator("#authorities label", has_text=STATE_C.name).click()
    own.page.locator("#subject-field").fill("Bank records")
    own.page.locator("#text").fill(f"Would this be an offence with you? {CANARY}")
    own.page.locator("#send").click()
    expect(own.page).to_have_url(re.compile(r"/threads/[0-9a-f]{64}/draft/$"), timeout=PATIENCE)
    expect(own.page.get_by_text("Nothing on this page is a formal request.")).to_be_visible(timeout=PATIENCE)
    own.page.locator("#draft-variant").select_option("assistance")
    own.page.locator("#draft-field-summary").fill(FACTS)
    expect(own.page.locator("#draft-state")).to_have_text("Draft saved", timeout=PATIENCE)
    own.page.reload()  # what is not shared is kept
    expect(own.page.locator("#draft-field-summary")).to_have_value(FACTS, timeout=PATIENCE)
    share(own, "1", purpose=f"As evidence. {CANARY}")

    partner.open_thread("Bank records")
    expect(step_on(partner, "Draft shared for comment")).to_contain_text(FACTS, timeout=PATIENCE)
    go_to_draft(partner)
    shows(partner, "1")
    expect(partner.page.locator("#draft-form")).to_be_hidden()
    expect(partner.page.locator("#draft-sending")).to_be_hidden()
    expect(part(partner, "summary").locator("[data-slot=said]")).to_have_text(FACTS)
    expect(part(partner, "persons")).to_contain_text("Still open.")
    comment(partner, "summary", "Of which year?")
    expect(part(own, "summary").locator(".draft-comment")).to_contain_text("Of which year?", timeout=PATIENCE)

    add_file(own, "request.pdf")
    share(own, "2", summary=FACTS.replace("5 May", "5 May 2024"))
    for desk in (own, partner):
        shows(desk, "2")
        expect(part(desk, "summary").locator("ins")).to_contain_text("2024", timeout=PATIENCE)
        expect(part(desk, "summary").locator("del")).to_have_count(0)
        expect(part(desk, "purpose").locator("ins, del")).to_have_count(0)
        expect(part(desk, "summary").locator(".draft-comment")).to_contain_text("Of which year?")
        expect(desk.page.locator("#draft-versions > li")).to_have_count(2)
        expect(part(desk, "version")).to_contain_text("request.pdf", timeout=PATIENCE)
    versions = partner.page.locator("#draft-versions > li")
    expect(versions.last).to_contain_text(own.person.name)
    versions.last.get_by_role("button").click()
    shows(partner, "1")
    expect(part(partner, "summary").locator("[data-slot=said]")).to_have_text(FACTS)
    look = Look(own.page, "draft request")
    look.ask_axe("two versions and a comment")
    assert look.faults == []

    thread = own.page.url.removesuffix("draft/")
    own.go(thread)
    expect(own.message("Of which year?").locator("[data-slot=about]")).to_contain_text("(c) Summary")
    assert own.page.locator("#messages").get_by_text("Request sent").count() == 0  # nothing is formal
    go_to_draft(own)
    own.page.locator("#draft-send").click()
    expect(own.page.locator("#step-code")).to_have_value("sent", timeout=PATIENCE)
    expect(own.page.locator("#fact-field-annexes")).to_have_value("request.pdf")
    own.page.locator("#step-draft summary").click()
    expect(own.page.locator("#step-draft")).to_contain_text("5 May 2024")
    told = told_to(partner)
    for words in (CANARY, "Bank records", "5 May", "Of which year?"):
        assert words not in told
