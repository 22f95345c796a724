"""Every page of the product: who looks at it, and how it comes into a state worth looking at.

A page is a route that answers GET with HTML. `tests/browser/test_pages.py` fails on one without an entry.
"""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.browser.desk import PATIENCE
from tests.browser.world import World

KILOBYTE = 1000


@dataclass(frozen=True)
class Entry:
    """One page in one state. `path` may hold {places} of the world; `route` is the resolver's pattern."""

    name: str
    route: str
    who: str = "officer"
    path: str = ""
    prepare: Callable[[World, Page], None] | None = None
    status: int = 200
    # Over the line, with nothing kept from before, headers included.
    kilobytes: int = 60
    # The page arranges itself once, for the window it was opened in.
    is_opened_anew: bool = False

    def path_in(self, world: World) -> str:
        """Return the address in this world."""
        return (self.path or self.route).format_map(world.places)


def shows(selector: str) -> Callable[[World, Page], None]:
    """Return a preparation that waits until something is there."""

    def wait(world: World, page: Page) -> None:
        expect(page.locator(selector).first).to_be_visible(timeout=PATIENCE)

    return wait


def opened_all(oldest: str) -> Callable[[World, Page], None]:
    """Return a preparation that waits until the oldest thread of a list is opened, as the last."""
    return shows(f"#threads li:has-text('{oldest}')")


def presses(selector: str, then: str) -> Callable[[World, Page], None]:
    """Return a preparation that presses something and waits until something else is there."""

    def press(world: World, page: Page) -> None:
        wanted = page.locator(selector).first
        if not wanted.is_visible():
            page.locator("details", has=wanted).locator("summary").first.click()
        wanted.click()
        shows(then)(world, page)

    return press


def sends_form_with(selector: str, **values: str) -> Callable[[World, Page], None]:
    """Return a preparation that fills fields by name and sends their form."""

    def send(world: World, page: Page) -> None:
        form = page.locator("#main form").filter(has=page.locator(selector)).first
        page.locator("details", has=page.locator(selector)).locator("summary").first.click()
        for name, value in values.items():
            form.locator(f"[name='{name}']").fill(value)
        form.locator("button:not([type=button])").first.click()

    return send


def opens_invitation(world: World, page: Page) -> None:
    """Type the address the invitation was sent to."""
    page.locator("#main [name=address]").fill("invited@justice-a.example")
    page.locator("#main form button[type=submit]:visible").first.click()
    shows("form[data-passkey=create]")(world, page)


def opens_invitation_with_password(world: World, page: Page) -> None:
    """Accept by a password, as the authority allows."""
    opens_invitation(world, page)
    form = page.locator("form[action='/invitation/password/']")
    fold = page.locator("details", has=form)
    if fold.count():
        fold.locator("summary").first.click()
    form.locator("button").first.click()
    shows("#password-again")(world, page)


def begins_codes(world: World, page: Page) -> None:
    """Begin to set up a password and codes."""
    if page.url.endswith("/account/codes/"):
        return
    page.locator("form[action='/account/codes/begin/'] button").first.click()
    shows("#password-again")(world, page)


SEALED = 150
PAGES: tuple[Entry, ...] = (
    Entry("front", "/", "visitor"),
    Entry("sign-in", "/sign-in/", "visitor"),
    Entry(
        "sign-in-refused",
        "/sign-in/",
        "visitor",
        prepare=sends_form_with("#recovery-code", address="nobody@justice-a.example", code="1234 5678"),
    ),
    Entry("sign-in-for", "/sign-in/for/", "both"),
    Entry("sign-in-again", "/sign-in/again/"),
    Entry("start", "/"),
    Entry("start-administrator", "/", "administrator"),
    Entry("start-secretariat", "/", "directory"),
    Entry("what-the-server-sees", "/what-the-server-sees/", "visitor"),
    Entry("welcome", "/welcome/", "newcomer"),
    Entry("welcome-head", "/welcome/", "head"),
    Entry("fingerprint-note", "/welcome/note/", "head"),
    Entry("threads", "/threads/", prepare=opened_all("Freezing of a bank"), kilobytes=SEALED),
    Entry("threads-unread", "/threads/", "head", prepare=opened_all("Service of a"), kilobytes=SEALED),
    Entry("new-thread", "/threads/new/", prepare=shows("#authorities label"), kilobytes=SEALED),
    Entry(
        "thread",
        "/threads/<hex_id:thread_id>/",
        path="{thread}",
        prepare=shows("#messages .message"),
        kilobytes=SEALED,
        is_opened_anew=True,
    ),
    Entry(
        "step",
        "/threads/<hex_id:thread_id>/step/",
        path="{thread}step/",
        prepare=shows("#step-form"),
        kilobytes=SEALED,
    ),
    Entry(
        "draft",
        "/threads/<hex_id:thread_id>/draft/",
        path="{thread}draft/",
        prepare=shows("#draft-form"),
        kilobytes=SEALED,
    ),
    Entry(
        "formal",
        "/threads/<hex_id:thread_id>/formal/",
        path="{thread}formal/",
        prepare=shows("#formal-none"),
        kilobytes=SEALED,
    ),
    Entry(
        "contact",
        "/threads/<hex_id:thread_id>/contact/",
        "head",
        path="{thread-mixed}contact/",
        prepare=shows("#contact-open"),
        kilobytes=SEALED,
    ),
    Entry(
        "parties",
        "/threads/<hex_id:thread_id>/parties/",
        "head",
        path="{thread-mixed}parties/",
        prepare=shows("#parties-page"),
        kilobytes=SEALED,
    ),
    Entry(
        "record",
        "/threads/<hex_id:thread_id>/record/",
        path="{thread}record/",
        prepare=shows("#record"),
        kilobytes=SEALED,
    ),
    Entry(
        "report",
        "/threads/<hex_id:thread_id>/report/",
        path="{thread}report/",
        prepare=shows("#report-messages li"),
        kilobytes=SEALED,
    ),
    Entry("reports", "/reports/", "directory"),
    Entry("practitioners", "/practitioners/", "head", kilobytes=SEALED),
    Entry("retention", "/retention/", "head"),
    Entry("retention-officer", "/retention/"),
    Entry(
        "threads-closed",
        "/threads/",
        path="/threads/?kept=closed",
        prepare=shows("#none-found"),
        kilobytes=SEALED,
    ),
    Entry("restores", "/restores/", "directory", kilobytes=SEALED),
    Entry("report-shown", "/reports/<uuid:report_uuid>/", "directory", path="{report-shown}"),
    Entry(
        "thread-mixed",
        "/threads/<hex_id:thread_id>/",
        path="{thread-mixed}",
        prepare=shows("#messages .message"),
        kilobytes=SEALED,
        is_opened_anew=True,
    ),
    Entry(
        "counterpart",
        "/counterparts/<uuid:authority_uuid>/",
        path="{counterpart}",
        prepare=shows("#confirmed"),
        kilobytes=SEALED,
    ),
    Entry("devices", "/devices/", "head", prepare=shows("#requests > li"), kilobytes=SEALED),
    Entry("devices-new", "/devices/", "newcomer", kilobytes=SEALED),
    Entry("devices-waiting", "/devices/", "waiting", prepare=shows("#own-words"), kilobytes=SEALED),
    Entry("account", "/account/", "officer"),
    Entry("appearance", "/account/appearance/"),
    Entry("codes", "/account/codes/", "officer", path="/account/", prepare=begins_codes),
    Entry(
        "recovery-codes",
        "/account/",
        "newcomer",
        prepare=presses("form[action='/account/recovery-codes/'] button", ".recovery-codes li"),
    ),
    Entry("people", "/people/", "administrator"),
    Entry("people-nobody", "/people/", "administrator", path="/people/?words=nobody-of-this-name"),
    Entry("people-find", "/people/", "security"),
    Entry("person", "/people/<uuid:membership_uuid>/", "administrator", path="{person}"),
    Entry("person-suspended", "/people/<uuid:membership_uuid>/", "administrator", path="{person-suspended}"),
    Entry("hand-over", "/people/<uuid:membership_uuid>/hand-over/", "administrator", path="{hand-over}"),
    Entry("attest", "/people/attest/", "administrator"),
    Entry("invite", "/people/invite/", "administrator"),
    Entry("invitation", "/invitation/", "invited", path="{invitation-invited}"),
    Entry(
        "invitation-accept", "/invitation/", "invited", path="{invitation-invited}", prepare=opens_invitation
    ),
    Entry(
        "invitation-password",
        "/invitation/",
        "invited",
        path="{invitation-invited}",
        prepare=opens_invitation_with_password,
    ),
    Entry("invitation-codes", "/invitation/codes/", "joining"),
    Entry("audit", "/audit/", "administrator"),
    Entry("outbox", "/outbox/", "visitor"),
    Entry("states", "/states/", "directory"),
    Entry("states-nobody", "/states/", "directory", path="/states/?search=nowhere"),
    Entry("open-authority", "/states/open/", "directory"),
    Entry("proposals", "/proposals/", "second"),
    Entry("proposal-state", "/proposals/<uuid:proposal_uuid>/", "second", path="{proposal-state}"),
    Entry("proposal-role", "/proposals/<uuid:proposal_uuid>/", "second", path="{proposal-role}"),
    Entry("proposal-own", "/proposals/<uuid:proposal_uuid>/", "directory", path="{proposal-state}"),
    Entry(
        "proposal-fingerprint",
        "/proposals/<uuid:proposal_uuid>/",
        "second",
        path="{proposal-fingerprint}",
        prepare=shows("#confirming-no-device"),
        kilobytes=SEALED,
    ),
    Entry(
        "fingerprint",
        "/authorities/<uuid:authority_uuid>/fingerprint/",
        "directory",
        path="{fingerprint}",
        prepare=shows("[data-signs]:enabled"),
        kilobytes=SEALED,
    ),
    Entry("secretariat-roles", "/secretariat/roles/", "directory"),
    Entry("directory", "/directory/", "visitor"),
    Entry("directory-members", "/directory/", "officer"),
    Entry("directory-nobody", "/directory/", "visitor", path="/directory/?search=nowhere"),
    Entry("directory-state", "/directory/<str:state_code>/", "visitor", path="/directory/XAA/"),
    Entry(
        "directory-authority", "/directory/authorities/<uuid:authority_uuid>/", "visitor", path="{authority}"
    ),
    Entry(
        "directory-authority-members",
        "/directory/authorities/<uuid:authority_uuid>/",
        "officer",
        path="{authority}",
    ),
    Entry("directory-own", "/directory/own/", "editor"),
    Entry("directory-preview", "/directory/own/preview/", "editor"),
    Entry("directory-languages", "/directory/own/languages/", "editor"),
    Entry("directory-channels", "/directory/own/channels/", "editor"),
    Entry("directory-visibility", "/directory/own/visibility/", "editor"),
    Entry("directory-office-new", "/directory/own/offices/new/", "editor"),
    Entry("directory-office", "/directory/own/offices/<uuid:office_uuid>/", "editor", path="{office}"),
    Entry("notifications", "/notifications/", "head"),
    Entry("notifications-none", "/notifications/", "newcomer"),
    Entry("notification-settings", "/notifications/settings/"),
    Entry("components", "/components/", "visitor"),
    Entry("help", "/help/", "visitor"),
    Entry("help-page", "/help/<slug:slug>/", "visitor", path="/help/recovery-kit/"),
    Entry("help-programs", "/help/<slug:slug>/", "visitor", path="/help/programs/"),
    Entry("help-acknowledged", "/help/<slug:slug>/", "officer", path="/help/acknowledged/"),
    Entry("not-found", "", "visitor", path="/nowhere/", status=404),
    Entry("forbidden", "", "officer", path="/states/open/", status=403),
)

# Routes that answer GET with something else than a page.
NOT_PAGES: dict[str, str] = {
    "/log/bundle": "a list for whoever checks the scripts from outside",
    "/log/checkpoint": "the log of keys, for programs",
    "/log/cosignatures": "the log of keys, for programs",
    "/log/tile/<str:level>/<path:tile_path>": "the log of keys, for programs",
    "/api/openapi.json": "a document for programs",
    "/api/asyncapi.json": "a document for programs",
    "/api/sdk.md": "a document for programs",
    "/api/protocol.md": "a document for programs",
    "/notifications/now/": "the living part of a page, fetched by its script",
    "/start/now/": "the living part of a page, fetched by its script",
    "/sw.js": "the service worker",
    "/healthz": "JSON for whoever watches the process",
    "/session/ends/": "JSON for the script that warns before a sign-in ends",
    "/account/codes/picture.svg": "a picture in a page",
    "/invitation/picture.svg": "a picture in a page",
}
