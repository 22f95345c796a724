"""Three States in one correspondence: the third comes when both consent, and all agree when they act."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, expect

from network.demo import STATE_A, STATE_B, STATE_C
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.browser.walker import Look
from tests.server import Server

REASON = "The third house is in State C."
CLOCKS = {"State A": "America/New_York", "State B": "Europe/Paris", "State C": "Africa/Cairo"}
MORNING = (datetime.now(UTC) + timedelta(days=10)).replace(
    hour=6, minute=0, second=0, microsecond=0, tzinfo=ZoneInfo(CLOCKS["State A"])
)


def propose_c(a: Desk) -> None:
    """Propose, on the page of the parties, that State C join."""
    expect(a.page.locator("#present > li")).to_have_count(2, timeout=PATIENCE)
    a.page.locator("#joining-fold > summary").click()
    a.page.locator("#authorities label", has_text=STATE_C.name).click()
    a.page.locator("#joining-reason").fill(REASON)
    a.page.locator("#joining-form").get_by_role("button", name="Propose, and consent").click()
    row = a.page.locator("#joinings > li", has_text=REASON)
    expect(row).to_contain_text("Waits for the consent of", timeout=PATIENCE)
    expect(row).to_contain_text("Only what is written after it was let in")


def consent_as_b(b: Desk, thread: str) -> None:
    """Find the proposal from the thread, and consent: it was the last that was missing."""
    b.go(thread)
    notice = b.page.locator("#joining-notice")
    expect(notice).to_contain_text("It waits for the consent of a supervisor of yours", timeout=PATIENCE)
    notice.get_by_role("link").click()
    row = b.page.locator("#joinings > li", has_text=REASON)
    row.get_by_role("button", name="Consent", exact=True).click()
    expect(row).to_contain_text("Let in", timeout=PATIENCE)
    expect(b.page.locator("#present > li")).to_have_count(3, timeout=PATIENCE)


def read_as_c(c: Desk) -> None:
    """See the correspondence, and nothing of what was written before."""
    c.go("/threads/")
    expect(c.page.locator("#threads a")).to_have_count(1, timeout=PATIENCE)
    c.page.locator("#threads a").first.click()
    expect(c.page.get_by_text("Written before you were let in")).to_have_count(2, timeout=PATIENCE)
    for text in ("Before C came.", "Agreed.", REASON):
        assert text not in c.page.content()


def name_morning(a: Desk) -> None:
    """Name when all are to act, on the clock of the own office."""
    a.page.locator("#moment-fold > summary").click()
    a.page.locator("#moment-what").fill("All houses at once.")
    a.page.locator("#moment-time").fill(MORNING.strftime("%Y-%m-%dT%H:%M"))
    expect(a.page.locator("#moment-zone")).to_have_value(CLOCKS["State A"])
    a.page.locator("#moment-form button[type=submit]").click()
    expect(a.page.locator("#moments > li")).to_contain_text("Not agreed yet by", timeout=PATIENCE)


def sees_clocks(desk: Desk, place: str) -> None:
    """Check that the moment stands there on the clock of each office, with what is left until then."""
    rows = desk.page.locator(f"{place} dl[data-slot=clocks] > div")
    expect(rows).to_have_count(len(CLOCKS), timeout=PATIENCE)
    for state, zone in CLOCKS.items():
        row = rows.filter(has_text=state)
        expect(row).to_contain_text(MORNING.astimezone(ZoneInfo(zone)).strftime("%H:%M"))
        expect(row).to_contain_text(zone)
    expect(desk.page.locator(f"{place} [role=timer]")).to_contain_text(re.compile(r"day.*to go"))


def test_a_third_state_comes_with_the_consent_of_both_and_all_agree_on_a_morning(
    browser: Browser, live_server_process: Server
) -> None:
    origin = live_server_process.origin
    with (
        Desk(browser, origin, supervisor_of(STATE_A.persons)) as a,
        Desk(browser, origin, supervisor_of(STATE_B.persons)) as b,
        Desk(browser, origin, supervisor_of(STATE_C.persons)) as c,
    ):
        for head in (a, b, c):
            head.sign_in()
            head.make_keyring(confirmed=head is c)
        a.open_thread_with(STATE_B.name, subject="Searches", text="Before C came.")
        thread = re.sub(r"^https?://[^/]*", "", a.page.url)
        b.go(thread)
        b.write("Agreed.")
        a.sees("Agreed.")
        expect(a.page.locator("#readers")).to_be_hidden()
        a.page.get_by_role("link", name="Authorities", exact=True).click()
        propose_c(a)
        for page in (thread, f"{thread}parties/"):
            answer = c.page.goto(page)
            assert answer is not None
            assert answer.status == 404
        consent_as_b(b, thread)
        read_as_c(c)

        a.page.locator("#share-subject").click()
        expect(a.page.locator("#subject-offer")).to_be_hidden(timeout=PATIENCE)
        expect(c.page.locator("#subject")).to_have_text("Searches", timeout=PATIENCE)
        name_morning(a)
        for head in (b, c):
            head.go(f"{thread}parties/")
            head.page.get_by_role("button", name="Agree to this moment").click()
        expect(a.page.locator("#moments > li")).to_contain_text("Agreed by all", timeout=PATIENCE)
        sees_clocks(a, "#moments")
        look = Look(a.page, "parties")
        look.ask_axe("a third State, and a moment")
        assert look.faults == []

        for head in (a, b, c):
            head.go(thread)
            sees_clocks(head, "#messages li:has-text('All houses at once.')")
            head.write(f"From {head.person.name}.")
        expect(a.page.locator("#readers")).to_contain_text("State B, State C")
        for reader in (a, b, c):
            for writer in (a, b, c):
                reader.sees(f"From {writer.person.name}.")
        look = Look(c.page, "thread")
        look.ask_axe("three States")
        assert look.faults == []
        assert a.faults == b.faults == c.faults == []
