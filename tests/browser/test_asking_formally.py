"""A prosecutor asks to have something asked for formally; the own central authority begins the request."""

import re

from playwright.sync_api import Browser, Locator, expect

from network.demo import JUDGE_B, PROSECUTOR_A, STATE_A, STATE_B
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.browser.test_direct_contact import answer_for, consent, mandate_of, propose
from tests.browser.walker import Look
from tests.server import Server

SAID = "The account is the one ending 0000."
ASKED = "The statements of May, please."


def path_of(desk: Desk) -> str:
    return re.sub(r"^https?://[^/]*", "", desk.page.url)


def open_direct_contact(a: Desk, b: Desk) -> tuple[str, str]:
    """Open a case and direct contact of both practitioners beside it; return the paths of the two."""
    a.open_thread_with(STATE_B.name, subject="Bank records", text="We may send a request.")
    case = path_of(a)
    a.page.get_by_role("link", name="Direct contact").click()
    before = a.page.url
    a.page.locator("#open-contact").click()
    expect(a.page).not_to_have_url(before, timeout=PATIENCE)
    contact = path_of(a)
    for head, other, purpose, person in (
        (a, b, "To clarify two account numbers.", PROSECUTOR_A),
        (b, a, "To answer from the file.", JUDGE_B),
    ):
        head.go(contact)
        propose(head, purpose)
        other.go(contact)
        consent(other, purpose)
        mandate_of(other, person.name)
    return case, contact.removesuffix("contact/")


def marks(desk: Desk) -> Locator:
    """What stands at messages that are to be asked for formally."""
    return desk.page.locator("#messages .notice", has_text="asks that this be asked for formally")


def ask_formally(prosecutor: Desk, judge: Desk) -> None:
    """Let the judge answer, and the prosecutor ask for what was said; both see the mark."""
    prosecutor.write("Which account is meant on page 3?")
    judge.sees("Which account is meant on page 3?")
    judge.write(SAID)
    prosecutor.sees(SAID)
    said = prosecutor.message(SAID)
    said.get_by_text("More", exact=True).click()
    said.get_by_role("button", name="Ask formally").click()
    question = said.get_by_role("group", name="Ask formally")
    question.get_by_role("textbox").fill(ASKED)
    question.get_by_role("button", name="Ask formally").click()
    for desk in (prosecutor, judge):
        expect(marks(desk)).to_contain_text(PROSECUTOR_A.name, timeout=PATIENCE)
        expect(desk.page.get_by_role("link", name="Begin a request")).to_have_count(0)


def begin_request(a: Desk, case: str) -> None:
    """From the mark to the draft in the case between the central authorities."""
    marks(a).get_by_role("link", name="Begin a request").click(timeout=PATIENCE)
    expect(a.page.locator("#formal-parts")).to_contain_text(SAID, timeout=PATIENCE)
    assert SAID not in a.page.url
    chosen = a.page.locator("#formal-cases li", has=a.page.locator("input:checked"))
    expect(chosen).to_contain_text("Bank records")
    expect(chosen).not_to_contain_text("A new correspondence")
    look = Look(a.page, "begin a request")
    look.ask_axe("a message that is to be asked for formally")
    assert look.faults == []
    a.page.get_by_role("button", name="Fill the draft").click()
    expect(a.page).to_have_url(f"{a.origin}{case}draft/", timeout=PATIENCE)


def holds(desk: Desk, name: str, words: str) -> None:
    """Check that a field of the draft has these words."""
    found = re.compile(re.escape(words))
    expect(desk.page.locator(f"#draft-field-{name}")).to_have_value(found, timeout=PATIENCE)


def is_refused(desk: Desk, path: str, status: int) -> None:
    answer = desk.page.goto(path)
    assert answer is not None
    assert answer.status == status, path


def test_what_was_said_directly_becomes_a_draft_of_the_central_authority(
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
        case, direct = open_direct_contact(a, b)
        for desk in (prosecutor, judge):
            desk.go(direct)
        ask_formally(prosecutor, judge)
        b.go(direct)  # it is the other State's prosecutor who asks
        expect(marks(b)).to_be_visible(timeout=PATIENCE)
        expect(marks(b).get_by_role("link")).to_have_count(0)
        a.go(direct)
        begin_request(a, case)
        holds(a, "requesting_authority", STATE_A.name)
        holds(a, "proceeding", PROSECUTOR_A.name)
        holds(a, "summary", JUDGE_B.name)
        holds(a, "summary", SAID)
        holds(a, "assistance", ASKED)
        expect(a.page.locator("#draft-field-purpose")).to_have_value("")
        a.page.locator("#draft-variant").select_option("assistance")
        a.page.locator("#draft-form button[type=submit]").click()
        expect(a.page.locator("#draft-versions > li")).to_have_count(1, timeout=PATIENCE)

        for page in ("", "draft/", "step/"):
            is_refused(prosecutor, f"{case}{page}", 404)
        is_refused(prosecutor, f"{direct}formal/", 403)
        prosecutor.go(f"{direct}step/")
        expect(prosecutor.page.locator("#step-none")).to_be_visible(timeout=PATIENCE)
        expect(prosecutor.page.locator("#step-form")).to_be_hidden()
        assert a.faults == b.faults == prosecutor.faults == judge.faults == []
