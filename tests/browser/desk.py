"""One officer at one browser profile: what he or she does there, in sentences."""

import re
from types import TracebackType
from typing import Self

from playwright.sync_api import Browser, Error, Locator, Page, expect

from network.demo import SECRETARIAT, DemoPerson
from tests.secretariat import confirm_all
from tests.server import Server

PATIENCE = (
    15_000  # milliseconds; a page that makes keys or opens a thread needs a few hundred on this machine
)


def supervisor_of(persons: tuple[DemoPerson, ...]) -> DemoPerson:
    """Return who keeps the keys of a demonstration authority."""
    return next(person for person in persons if "supervisor" in person.roles)


class Desk:
    """A fresh Chromium profile in which one person of the demonstration signs in."""

    def __init__(self, browser: Browser, origin: str, person: DemoPerson, *, locale: str = "en-GB") -> None:
        self.origin = origin
        self.person = person
        self.context = browser.new_context(base_url=origin, locale=locale)
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: object) -> None:
        text = str(getattr(message, "text", ""))
        # A server that is away is told in the page; anything else in the console is a fault.
        is_told = re.search(r"Failed to load resource|WebSocket", text)
        if getattr(message, "type", "") == "error" and not is_told:
            self.faults.append(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for page in self.context.pages:
            page.unroute_all(behavior="ignoreErrors")  # an answer on its way is nobody's any more
        self.context.close()

    def go(self, url: str) -> None:
        """Go to a page, also while the present one is leading on by itself: the later navigation wins."""
        try:
            self.page.goto(url)
        except Error as error:
            if "ERR_ABORTED" not in error.message:
                raise
            self.page.wait_for_load_state()
            self.page.goto(url)

    def sign_in(self) -> None:
        """Sign in as the person, on the development page."""
        self.go("/sign-in/")
        form = self.page.locator("form", has=self.page.locator(f"[value='{self.person.membership_id}']"))
        form.get_by_role("button").click()
        expect(self.page).not_to_have_url(re.compile("/sign-in/"), timeout=PATIENCE)
        # The guided path says what comes next until everything is set up.
        if self.page.url.endswith("/welcome/"):
            self.page.locator(".step-next a").click()
            expect(self.page).not_to_have_url(re.compile("/welcome/"), timeout=PATIENCE)

    def make_keyring(self, *, confirmed: bool = True) -> list[str]:
        """Make the keys of the authority and type the kit back; returns its twelve groups.

        `confirmed`: and let the secretariat confirm them.
        """
        # A page that needs keys leads there by itself; to go there too would be two navigations at once.
        expect(self.page).to_have_url(re.compile("/devices/"), timeout=PATIENCE)
        self.page.locator("#make-keyring").click()
        expect(self.page.locator("#kit")).to_be_visible(timeout=PATIENCE)
        groups = self.page.locator("#kit-groups li").all_inner_texts()
        for place in (1, 2):
            label = self.page.locator(f"#kit-label-{place}").inner_text()
            number = int(re.findall(r"\d+", label)[0])
            self.page.locator(f"#kit-answer-{place}").fill(groups[number - 1])
        self.page.locator("#kit-form button[type=submit]").click()
        # From here the page goes on to where the person wanted to be, if that was another page.
        expect(self.page.locator("#kit")).to_be_hidden(timeout=PATIENCE)
        expect(self.page.locator("#step-ready:visible, #threads:visible")).to_be_visible()
        # Before the secretariat has confirmed them, nothing is sealed to these keys.
        if confirmed and self.origin in Server.running and self.person not in SECRETARIAT.persons:
            confirm_all(Server.running[self.origin])
        return groups

    def accept_counterpart(self, how: str) -> None:
        """On the page of a counterpart: say how the fingerprint was compared, and accept it."""
        expect(self.page.locator("#accept")).to_be_disabled()
        self.page.locator("#accept-form label", has_text=how).click()
        expect(self.page.locator("#accept")).to_be_disabled()
        self.page.locator("#same").check()
        self.page.locator("#accept").click()
        expect(self.page.locator("#accepted")).to_be_visible(timeout=PATIENCE)

    def open_thread_with(self, authority: str, *, subject: str, text: str) -> None:
        """Write the first message of a new thread and end on the thread's page."""
        self.go("/threads/new/")
        self.page.locator("#authorities label", has_text=authority).click()
        self.page.locator("#subject-field").fill(subject)
        self.page.locator("#text").fill(text)
        self.page.locator("#send").click()
        expect(self.page).to_have_url(re.compile("/threads/[0-9a-f]{64}/"), timeout=PATIENCE)
        expect(self.message(text)).to_be_visible()

    def open_thread(self, subject: str) -> None:
        """Open a thread from the list by its subject."""
        self.go("/threads/")
        self.page.locator("#threads a", has_text=subject).click()
        expect(self.page).to_have_url(re.compile("/threads/[0-9a-f]{64}/"), timeout=PATIENCE)
        expect(self.page.locator("#subject")).to_have_text(subject)

    def write(self, text: str) -> None:
        """Seal and send in the open thread; returns when the composer is empty again."""
        self.page.locator("#text").fill(text)
        self.page.locator("#send").click()
        expect(self.page.locator("#text")).to_have_value("")

    def message(self, text: str) -> Locator:
        """Return the message with this text, arrived or waiting."""
        return self.page.locator(".messages > li", has_text=text)

    def sees(self, text: str) -> None:
        """Check that the message is on the page exactly once."""
        expect(self.message(text)).to_have_count(1, timeout=PATIENCE)

    def texts(self) -> list[str]:
        """Return the texts of all messages of the thread, in order, once nothing waits to be sent."""
        expect(self.page.locator("#waiting > li")).to_have_count(0, timeout=PATIENCE)
        return self.page.locator("#messages .message .message-text").all_inner_texts()

    def standing(self, text: str, words: str) -> None:
        """Check what the page says about how far an own message has come."""
        expect(self.message(text).locator(".standing")).to_contain_text(words, timeout=PATIENCE)

    def acknowledge(self, text: str) -> None:
        """Acknowledge a message of the other side, and sign for it."""
        message = self.message(text)
        message.get_by_role("button", name="Acknowledge", exact=True).click()
        message.get_by_role("button", name="Sign the acknowledgement").click()
