"""The bell tells of what waits, live on every page, and forgets it on all devices once it was looked at."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from network.demo import STATE_A, STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.server import Server

SUPERVISOR_A, SUPERVISOR_C = STATE_A.persons[2], STATE_C.persons[1]
# Counts tones instead of sounding them: the machine of the tests has no loudspeaker.
WORKER = "await navigator.serviceWorker.getRegistration('/notifications/')"
COUNT_TONES = """
globalThis.tones = 0;
globalThis.AudioContext = class {
  state = "suspended";
  constructor() { tones += 1; }
  async resume() {}
  async close() {}
};
"""


@pytest.fixture
def desks(browser: Browser, live_server_process: Server) -> Iterator[tuple[Desk, Desk]]:
    """Give a desk at State A and one at State C, with keys."""
    origin = live_server_process.origin
    with Desk(browser, origin, SUPERVISOR_A) as a, Desk(browser, origin, SUPERVISOR_C) as c:
        for one in (a, c):
            one.sign_in()
            one.make_keyring()
        yield a, c


def becomes(page: Page, condition: str) -> None:
    """Wait until something holds in the page; Playwright's own way needs eval, which the page forbids."""
    for _ in range(PATIENCE // 100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(condition)


def counts(page: Page, number: int) -> None:
    """Check bell and title."""
    bell = page.locator("#bell-count")
    if number:
        expect(bell.locator("[data-count]")).to_have_text(str(number), timeout=PATIENCE)
        expect(bell).to_be_visible()
        expect(page).to_have_title(re.compile(rf"^\({number}\) "))
    else:
        expect(bell).to_be_hidden(timeout=PATIENCE)
        expect(page).not_to_have_title(re.compile(r"^\("))


def test_the_count_is_live_everywhere_and_gone_everywhere_once_the_thread_was_opened(
    desks: tuple[Desk, Desk], browser: Browser
) -> None:
    a, c = desks
    with Desk(browser, c.origin, SUPERVISOR_C) as elsewhere:
        elsewhere.sign_in()
        elsewhere.go("/people/")
        other_tab = c.context.new_page()
        other_tab.goto("/account/")
        c.go("/directory/")
        for page in (elsewhere.page, other_tab, c.page):
            counts(page, 0)
        a.open_thread_with(STATE_C.name, subject="Bank records", text="Good morning.")
        for page in (elsewhere.page, other_tab, c.page):
            counts(page, 1)
        c.go("/notifications/")
        expect(c.page.get_by_text("A new message", exact=True)).to_be_visible()
        c.page.get_by_role("button", name=re.compile("^Open")).first.click()
        c.sees("Good morning.")
        for page in (c.page, other_tab, elsewhere.page):
            counts(page, 0)
        # It lies open and is looked at: what arrives there does not have to be announced.
        c.page.bring_to_front()
        a.write("And this.")
        c.sees("And this.")
        unread = "(async () => (await (await fetch('/notifications/now/?at=/')).json()).unread)()"
        becomes(elsewhere.page, f"(async () => (await {unread}) === 0)()")
        counts(elsewhere.page, 0)
        c.go("/notifications/")
        expect(c.page.get_by_text("Nothing is waiting for you")).to_be_visible()
        assert a.faults == c.faults == elsewhere.faults == []


def test_something_urgent_is_said_in_a_line_and_by_a_tone_for_who_wants_one(
    desks: tuple[Desk, Desk],
) -> None:
    a, c = desks
    c.go("/notifications/settings/")
    c.page.get_by_label("A short tone for what is urgent").check()
    c.page.get_by_role("button", name="Save").click()
    expect(c.page.get_by_text("Saved.")).to_be_visible()
    c.context.add_init_script(COUNT_TONES)
    c.go("/people/")
    expect(c.page.locator("#urgent-line")).to_be_hidden()
    a.go("/threads/new/")
    a.page.locator("#authorities label", has_text=STATE_C.name).click()
    a.page.locator("#subject-field").fill("Freezing")
    a.page.locator("#text").fill("It leaves today.")
    a.page.locator("#handling-fold summary").click()
    a.page.locator("#urgency-field").select_option("1")
    a.page.locator("#reason-field").fill("The account will be emptied.")
    a.page.locator("#send").click()
    expect(a.page).to_have_url(re.compile("/threads/[0-9a-f]{64}/"), timeout=PATIENCE)
    expect(c.page.locator("#urgent-line")).to_be_visible(timeout=PATIENCE)
    becomes(c.page, "tones === 1")
    c.go("/directory/")
    expect(c.page.locator("#urgent-line")).to_be_visible()
    assert c.page.evaluate("tones") == 0, "it sounds once, not on every page"
    c.page.locator("#urgent-close").click()
    expect(c.page.locator("#urgent-line")).to_be_hidden()
    c.go("/people/")
    expect(c.page.locator("#urgent-line")).to_be_hidden()
    counts(c.page, 1)


def worker_of(session: CDPSession, page: Page) -> str:
    """Return the registration of the page's service worker, as the browser's tools know it."""
    found: list[str] = []

    def take(event: dict[str, list[dict[str, object]]]) -> None:
        found.extend(str(row["registrationId"]) for row in event["registrations"] if not row["isDeleted"])

    session.on("ServiceWorker.workerRegistrationUpdated", take)
    session.send("ServiceWorker.enable")
    for _ in range(50):
        if found:
            break
        page.wait_for_timeout(100)
    assert found, "the page registered no worker"
    return found[-1]


# What a browser draws outside its pages is its own; what is asked of it is ours. Some have nowhere to draw.
NOTE_SHOWN = """() => {
  self.shown = [];
  self.registration.showNotification = async (title, options) => { shown.push({ title, ...options }); };
}"""
ONE_IS_SHOWN = """
globalThis.takenAway = 0;
ServiceWorkerRegistration.prototype.getNotifications = async () => [{ close() { takenAway += 1; } }];
"""


@pytest.mark.parametrize("locale", ["en-GB", "ar"])
def test_an_empty_message_shows_one_sentence_and_is_taken_away_when_nothing_waits(
    browser: Browser, live_server_process: Server, locale: str
) -> None:
    origin = live_server_process.origin
    with Desk(browser, origin, SUPERVISOR_C, locale=locale) as desk:
        desk.sign_in()
        desk.go("/notifications/settings/")
        becomes(desk.page, f"(async () => ({WORKER})?.active != null)()")
        (worker,) = desk.context.service_workers
        worker.evaluate(NOTE_SHOWN)
        session = desk.context.new_cdp_session(desk.page)
        push = {"origin": origin, "registrationId": worker_of(session, desk.page), "data": ""}
        session.send("ServiceWorker.deliverPushMessage", push)
        for _ in range(PATIENCE // 100):
            if worker.evaluate("shown.length") > 0:
                break
            desk.page.wait_for_timeout(100)
        (notice,) = worker.evaluate("shown")
        assert set(notice) == {"title", "body", "lang", "dir", "tag", "renotify"}, "nothing is known here"
        assert notice["lang"] == desk.page.locator("html").get_attribute("lang")
        if locale == "en-GB":
            assert notice["body"] == "There is something new in the network."
        # Whoever is there and has nothing waiting needs no message on the screen.
        desk.context.add_init_script(ONE_IS_SHOWN)
        desk.go("/people/")
        becomes(desk.page, "takenAway > 0")
        assert desk.faults == []
