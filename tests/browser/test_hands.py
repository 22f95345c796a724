"""By keyboard alone, and by the accessibility tree alone: read, answer, acknowledge, find, approve."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from network.demo import STATE_A, STATE_C, DemoPerson
from tests.browser.desk import PATIENCE, Desk
from tests.browser.hands import Hand, Keyboard, Tree, Words
from tests.browser.walker import speak
from tests.browser.world import sign_in
from tests.server import PreparedState, Server

HEAD_A, HEAD_C, OFFICER_C = STATE_A.persons[2], STATE_C.persons[1], STATE_C.persons[0]
HANDS: dict[str, type[Keyboard] | type[Tree]] = {"keyboard": Keyboard, "tree": Tree}
LANGUAGES = ("en", "ar")

each_hand = pytest.mark.parametrize("hand_name", HANDS)
each_language = pytest.mark.parametrize("language", LANGUAGES)


class Office:
    """A person of State A who is tried out, a counterpart in State C, and a place for more browsers."""

    def __init__(self, browser: Browser, server: Server, stack: ExitStack) -> None:
        self.browser, self.server = browser, server
        self.stack = stack
        self.own = self.seat(HEAD_A)
        self.other = self.seat(HEAD_C)
        for desk in (self.own, self.other):
            desk.go("/devices/")
            desk.make_keyring()

    def seat(self, person: DemoPerson) -> Desk:
        """Give a browser in which this person is signed in."""
        desk = self.stack.enter_context(Desk(self.browser, self.server.origin, person))
        sign_in(desk)
        return desk


@pytest.fixture(scope="module")
def office(
    browser: Browser, prepared_state: PreparedState, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """Give one office for all: keys are made once."""
    state = tmp_path_factory.mktemp("hands") / "server"
    with (
        Server.unlimited(prepared_state, state) as server,
        ExitStack() as stack,
    ):
        yield Office(browser, server, stack)


def begin(page: Page, hand_name: str, language: str) -> tuple[Hand, Words]:
    """Open the start page in a language; from here on only the hand is used."""
    page.goto("/what-the-server-sees/")
    speak(page, {"en": "en", "ar": "ar"}[language])
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", language)
    return HANDS[hand_name](page), Words(language)


@each_language
@each_hand
def test_a_message_is_read_answered_and_acknowledged(office: Office, hand_name: str, language: str) -> None:
    subject, text = f"By {hand_name} in {language}", f"Please confirm what {hand_name} reads in {language}."
    office.other.open_thread_with(STATE_A.name[:20], subject=subject, text=text)
    hand, words = begin(office.own.page, hand_name, language)
    hand.press("link", words("Correspondence"))
    hand.press("link", subject)
    hand.hears("StaticText", text)
    hand.press("button", words("Acknowledge"))
    hand.press("button", words("Sign the acknowledgement"))
    hand.write("textbox", words("Your message"), "We confirm.")
    hand.press("button", words("Seal and send"))
    office.other.sees("We confirm.")
    office.other.standing(text, "cknowledged by")


@each_language
@each_hand
def test_a_device_is_approved(office: Office, hand_name: str, language: str) -> None:
    colleague = office.seat(OFFICER_C)
    colleague.go("/devices/")
    colleague.page.locator("#make-request").click()
    expect(colleague.page.locator("#step-waiting")).to_be_visible(timeout=PATIENCE)
    spoken = colleague.page.locator("#own-words").inner_text()
    page = office.other.page
    hand, words = begin(page, hand_name, language)
    hand.press("DisclosureTriangle", words("You:"))
    hand.press("link", words("Devices"))
    hand.hears("StaticText", spoken)
    same = words("My colleague has read the same code to me, by telephone or in person")
    hand.press("checkbox", same)
    hand.press("button", words("Approve"))
    hand.misses("checkbox", same)
    expect(colleague.page.locator("#step-ready:visible, #threads:visible")).to_be_visible(timeout=PATIENCE)
    colleague.context.close()
    speak(page, "en")


@each_language
@each_hand
def test_an_authority_is_found(office: Office, hand_name: str, language: str) -> None:
    page = office.own.page
    hand, words = begin(page, hand_name, language)
    hand.press("link", words("Directory"))
    hand.write("searchbox", words("State, authority or measure"), "XCC")
    hand.press("button", words("Find"))
    hand.press("link", "وزارة العدل")
    hand.press("link", words("Write to this authority"))
    expect(page).to_have_url(re.compile(r"/threads/new/\?authority="), timeout=PATIENCE)
