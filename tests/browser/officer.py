"""One person who comes by invitation and signs in with a passkey: what he or she does, in sentences."""

import re

from playwright.sync_api import Browser, Locator, expect

from network.demo import STATE_A
from tests.browser.desk import PATIENCE, Desk

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Officer(Desk):
    """A fresh Chromium profile with a key of its own that is touched whenever the browser asks."""

    def __init__(self, browser: Browser, origin: str, address: str, *, locale: str = "en-GB") -> None:
        super().__init__(browser, origin, STATE_A.persons[0], locale=locale)
        self.address = address
        session = self.context.new_cdp_session(self.page)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

    def is_in(self, path: str) -> None:
        """Check that the page is one of this path."""
        expect(self.page).to_have_url(re.compile(re.escape(path)), timeout=PATIENCE)

    def main(self, selector: str) -> Locator:
        """Return something in the content of the page."""
        return self.page.locator("#main").locator(selector)

    def fill(self, **values: str) -> None:
        """Fill fields by their names; selects take a value."""
        for name, value in values.items():
            field = self.main(f"[name='{name}']")
            if field.evaluate("element => element.localName") == "select":
                field.select_option(value)
            else:
                field.fill(value)

    def invitation_link(self) -> str:
        """Return the link of the newest invitation to this person, from the readable outbox."""
        link = (
            self.main(
                "article",
            )
            .filter(has_text=self.address)
            .locator("a[href*='/invitation/']")
        )
        for _ in range(40):  # mail is sent by a loop of the server
            self.go("/outbox/")
            if link.count():
                return str(link.first.get_attribute("href"))
            self.page.wait_for_timeout(250)
        raise AssertionError(f"no invitation for {self.address}")

    def accept(self, link: str | None = None) -> None:
        """Open the invitation, make a passkey, keep the recovery codes, and end on the guided path."""
        self.go(link or self.invitation_link())
        self.fill(address=self.address)
        self.main("form button[type=submit]:visible").click()
        self.main("form[data-passkey=create] button[type=submit]").click()
        self.is_in("/invitation/codes/")
        self.main("[name=kept]").check()
        self.main("form button[type=submit]").click()
        self.is_in("/welcome/")

    def sign_out(self) -> None:
        """Sign out by the person's menu in the masthead."""
        self.page.locator("#person-menu").click()
        self.page.get_by_role("button", name="Sign out").click()
        self.is_in("/sign-in/")

    def sign_in_with_passkey(self) -> None:
        """Sign in with the key of this profile."""
        self.go("/sign-in/")
        self.main("form[data-passkey=get] button").first.click()
        expect(self.page).not_to_have_url(re.compile("/sign-in/"), timeout=PATIENCE)

    def ask_for_this_device(self) -> None:
        """Make device keys and ask a steward to let this browser in."""
        self.go("/devices/")
        self.page.locator("#make-request").click()
        expect(self.page.locator("#step-waiting")).to_be_visible(timeout=PATIENCE)

    def is_let_in(self) -> None:
        """Wait until a steward has let this browser in; the page goes on by itself."""
        expect(self.page.locator("#step-ready:visible, #threads:visible")).to_be_visible(timeout=PATIENCE)

    def invite(
        self, colleague: "Officer", *, name: str, office: str, roles: list[str], language: str
    ) -> None:
        """Invite a colleague into the own authority."""
        self.go("/people/invite/")
        self.fill(person=name, office=office, address=colleague.address, language=language)
        for role in roles:
            self.main(f"[name=roles][value='{role}']").check()
        self.main("form[action='/people/invite/'] button.primary").click()
        self.is_in("/people/")

    def approve_device_of(self, colleague: "Officer") -> None:
        """Compare the code the colleague reads out, and approve."""
        spoken = colleague.page.locator("#own-words").inner_text()
        self.go("/devices/")
        request = self.page.locator("#requests > li").filter(has_text=spoken.split()[0])
        expect(request.locator("[data-slot=words]")).to_have_text(spoken)
        request.locator("[data-slot=same]").check()
        request.locator("[data-slot=approve]").click()
        expect(request).to_have_count(0, timeout=PATIENCE)
