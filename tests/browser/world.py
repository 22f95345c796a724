"""One rich world for the page walker: people, correspondence, acts, made through the product's doors."""

import re
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, expect

from network.demo import SECRETARIAT, STATE_A, STATE_B, STATE_C, DemoPerson
from tests.browser.desk import PATIENCE, Desk
from tests.browser.officer import Officer
from tests.server import Server

OFFICER_A, ASSETS_A, HEAD_A, ACCOUNTS_A, EDITOR_A = STATE_A.persons[:5]
NEWCOMER_B = STATE_B.persons[0]
OFFICER_C, HEAD_C = STATE_C.persons[:2]
DIRECTORY_1, DIRECTORY_2, SECURITY = SECRETARIAT.persons[:3]

PERSONS: dict[str, DemoPerson] = {
    "officer": OFFICER_A,  # has a device and correspondence
    "administrator": ACCOUNTS_A,  # keeps the accounts of State A
    "editor": EDITOR_A,  # keeps the entry of State A in the directory
    "head": HEAD_C,  # made the keys of State C, approves its devices
    "waiting": OFFICER_C,  # asks for a device and is not let in yet
    "newcomer": NEWCOMER_B,  # has signed in, and has done nothing yet
    "directory": DIRECTORY_1,
    "second": DIRECTORY_2,
    "security": SECURITY,
}

LETTERS = (
    (
        STATE_B.name[:20],
        "Freezing of a bank account",
        "Could you freeze the account ending 0000 before Friday at noon? The order of the court follows.",
    ),
    (
        STATE_B.name[:20],
        "Hearing by videoconference",
        "Une audition du témoin par visioconférence serait-elle possible dans trois semaines ?",
    ),
    (
        STATE_C.name[:20],
        "طلب مساعدة قانونية: سجلات مصرفية",
        "نرجو إفادتنا بسجلات الحساب المذكور رقم 0000-17 عن الفترة من 2025-01-01 إلى 2025-12-31.",
    ),
    (STATE_C.name[:20], "司法协助请求", "请确认是否收到我方请求。Reference: A-2026/18, 引渡。"),
    (
        STATE_C.name[:20],
        "Service of a summons, with a subject that is as long as real subjects tend to become",
        "Please tell us under which conditions a summons can be served on a person in your country.",
    ),
)


def post(page: Page, path: str, **fields: str | list[str]) -> None:
    """Post a form as the page's own scripts would, with the token that the page carries."""
    pairs = [
        (name, value)
        for name, given in fields.items()
        for value in (given if isinstance(given, list) else [given])
    ]
    status = page.evaluate(
        """async ([path, pairs]) => {
          const token = document.querySelector('meta[name=csrf-token]').content
          const body = new URLSearchParams([...pairs, ['csrfmiddlewaretoken', token]])
          return (await fetch(path, { method: 'POST', body })).status
        }""",
        [path, pairs],
    )
    assert status == 200, f"{path}: {status}"


@dataclass
class World:
    """A running server, the people at their browsers, and the addresses of what they made."""

    server: Server
    desks: dict[str, Desk] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def page(self, who: str) -> Page:
        """Return the page somebody looks at."""
        return self.desks[who].page


def make_world(browser: Browser, server: Server, stack: ExitStack) -> World:
    """Seat everybody and let them do what makes pages interesting."""
    world = World(server)
    origin = server.origin
    world.desks["visitor"] = stack.enter_context(Desk(browser, origin, OFFICER_A))
    world.desks["visitor"].go("/sign-in/")
    for who, person in PERSONS.items():
        desk = world.desks[who] = stack.enter_context(Desk(browser, origin, person))
        sign_in(desk)
    for build in (_correspondence, _directory, _people, _proposals, _invitations, _two_authorities):
        build(world, browser, stack)
    # The walk may take longer than a proof or a quiet sign-in counts; nothing here is about that.
    later = "datetime('now', '+3 hours')"
    server.sql(
        f"UPDATE network_signin SET proved_at = {later}, quiet_until_at = {later} WHERE ended_at IS NULL"
    )
    return world


def sign_in(desk: Desk) -> None:
    """Sign in by the list and stay wherever that leads."""
    desk.go("/sign-in/")
    form = desk.page.locator("form", has=desk.page.locator(f"[value='{desk.person.membership_id}']"))
    form.get_by_role("button").click()
    expect(desk.page).not_to_have_url(re.compile("/sign-in/"), timeout=PATIENCE)


def _correspondence(world: World, browser: Browser, stack: ExitStack) -> None:
    officer, head, waiting = (world.desks[who] for who in ("officer", "head", "waiting"))
    head.go("/devices/")
    head.make_keyring()
    officer.go("/devices/")
    officer.page.locator("#make-request").click()
    expect(officer.page.locator("#step-ready:visible, #threads:visible")).to_be_visible(timeout=PATIENCE)
    for authority, subject, text in LETTERS:
        officer.open_thread_with(authority, subject=subject, text=text)
    head.open_thread(LETTERS[2][1])
    head.acknowledge(LETTERS[2][2][:20])
    head.write("تم الاستلام، وسنوافيكم بالرد خلال أسبوعين.\n\nWe answer in English too, if you wish.")
    officer.open_thread(LETTERS[0][1])
    expect(officer.message("automatic answer of the demonstration").first).to_be_visible(timeout=PATIENCE)
    world.places["thread"] = officer.page.url.removeprefix(officer.origin)
    officer.open_thread(LETTERS[2][1])
    world.places["thread-mixed"] = officer.page.url.removeprefix(officer.origin)
    _report(world, officer)
    waiting.go("/devices/")
    waiting.page.locator("#make-request").click()
    expect(waiting.page.locator("#step-waiting")).to_be_visible(timeout=PATIENCE)


def _report(world: World, officer: Desk) -> None:
    """The officer reports the automatic answer of State B, and a moderator finds the report in the list."""
    officer.go(f"{world.places['thread']}report/")
    officer.page.locator("#report-messages input").first.check(timeout=PATIENCE)
    officer.page.locator("#report-cause").select_option("purpose")
    officer.page.locator("#report-words").fill("It answers everything in the same words, at any hour.")
    officer.page.locator("#report-send").click()
    expect(officer.page.locator("#report-done")).to_be_visible(timeout=PATIENCE)
    moderator = world.page("directory")
    moderator.goto("/reports/")
    link = moderator.locator("#main a[href^='/reports/']").first
    world.places["report-shown"] = str(link.get_attribute("href"))


def _directory(world: World, browser: Browser, stack: ExitStack) -> None:
    world.places["counterpart"] = f"/counterparts/{STATE_B.authority_id}/"
    world.places["authority"] = f"/directory/authorities/{STATE_A.authority_id}/"
    editor = world.page("editor")
    editor.goto("/directory/own/")
    office = editor.locator("#main a[href*='/directory/own/offices/']:not([href$='/new/'])").first
    world.places["office"] = str(office.get_attribute("href"))


def _people(world: World, browser: Browser, stack: ExitStack) -> None:
    administrator = world.page("administrator")
    administrator.goto("/people/")
    post(administrator, "/authority/settings/", allows_codes="yes")
    post(administrator, f"/people/{ASSETS_A.membership_id}/suspend/", reason="absent")
    world.places["person"] = f"/people/{OFFICER_A.membership_id}/"
    world.places["person-suspended"] = f"/people/{ASSETS_A.membership_id}/"
    world.places["hand-over"] = f"/people/{OFFICER_A.membership_id}/hand-over/"


def _invite(world: World, address: str, name: str, role: str = "officer") -> None:
    administrator = world.page("administrator")
    post(
        administrator,
        "/people/invite/",
        person=name,
        office="Mutual Legal Assistance Unit",
        address=address,
        roles=[role],
        language="en",
    )


def _proposals(world: World, browser: Browser, stack: ExitStack) -> None:
    first = world.page("directory")
    first.goto("/states/open/")
    functions = [str(box.get_attribute("value")) for box in first.locator("[name=designation]").all()[:2]]
    post(
        first,
        "/states/open/",
        notification="C.N.123.2026.TREATIES-XVIII.12",
        notified_on="2026-11-02",
        state_code="XDD",
        state_name="State D",
        kind="central",
        name="Ministry of Justice of State D",
        person="Administrator of State D",
        office="Department of International Cooperation",
        address="accounts@justice-d.example",
        language="en",
        designation=functions,
    )
    post(
        first,
        "/secretariat/roles/",
        person="Third officer",
        office="Secretariat of the network",
        address="third@secretariat.example",
        language="fr",
        roles=["directory-officer"],
    )
    head = world.page("head")
    head.goto("/welcome/note/")
    digits = head.locator(".digits").first.inner_text()
    confirm = f"/authorities/{STATE_C.authority_id}/fingerprint/"
    # The secretariat's programs let in the browsers of its officers; with a device one can sign.
    first.goto("/devices/")
    first.locator("#make-request").click()
    expect(first.locator("#step-ready")).to_be_visible(timeout=PATIENCE)
    first.goto(confirm)
    first.locator("[name=fingerprint]").fill(digits)
    first.locator("[name=notification]").fill("Note verbale 2026/7")
    first.locator("[name=notified_on]").fill("2026-11-03")
    first.get_by_role("button", name="Propose").click()
    expect(first).to_have_url(re.compile("/proposals/[0-9a-f-]{36}/"), timeout=PATIENCE)
    world.places["fingerprint"] = f"/authorities/{STATE_B.authority_id}/fingerprint/"
    second = world.page("second")
    second.goto("/proposals/")
    links = second.locator("#main a[href^='/proposals/']")
    expect(links).not_to_have_count(0)
    found = dict.fromkeys(str(link.get_attribute("href")) for link in links.all())
    names = {"state": "State D", "role": "Third officer", "fingerprint": "Note verbale 2026/7"}
    for place in found:
        second.goto(place)
        said = second.locator("#main").inner_text()
        name = next((name for name, words in names.items() if words in said), None)
        if name:  # others are what the secretariat's programs have confirmed
            world.places[f"proposal-{name}"] = place
    assert all(f"proposal-{name}" in world.places for name in names), list(found)


def _invitations(world: World, browser: Browser, stack: ExitStack) -> None:
    origin = world.server.origin
    for who in ("invited", "joining"):
        address = f"{who}@justice-a.example"
        _invite(world, address, f"Officer who is {who}")
        officer = world.desks[who] = stack.enter_context(Officer(browser, origin, address))
        world.places[f"invitation-{who}"] = officer.invitation_link()
    joining = world.desks["joining"]
    assert isinstance(joining, Officer)
    joining.go(world.places["invitation-joining"])
    joining.fill(address=joining.address)
    joining.main("form button[type=submit]:visible").click()
    joining.main("form[data-passkey=create] button[type=submit]").click()
    joining.is_in("/invitation/codes/")  # and stays there: the codes are shown until they are kept
    _invite(world, "open@justice-a.example", "Officer with an open invitation")


def _two_authorities(world: World, browser: Browser, stack: ExitStack) -> None:
    """Somebody who acts for two authorities, and stands at the choice between them."""
    address = "both@justice-a.example"
    _invite(world, address, "Officer of two authorities")
    both = world.desks["both"] = stack.enter_context(Officer(browser, world.server.origin, address))
    assert isinstance(both, Officer)
    both.accept()
    server = world.server
    columns = [str(row[1]) for row in server.sql("PRAGMA table_info(network_membership)")]
    own = {"id": "?", "authority_id": "?"}
    chosen = ", ".join(own.get(name, name) for name in columns)
    found = "SELECT person_id FROM network_membership ORDER BY from_at DESC LIMIT 1"
    # No door gives somebody a second State in a moment: that takes two persons and a mail.
    server.sql(
        f"INSERT INTO network_membership ({', '.join(columns)}) SELECT {chosen} FROM network_membership"
        f" WHERE person_id = ({found}) ORDER BY from_at DESC LIMIT 1",
        *_in_order(columns, {"id": uuid.uuid4().hex, "authority_id": STATE_C.authority_id.hex}),
    )
    both.page.evaluate(
        """async () => {
          const token = document.querySelector('meta[name=csrf-token]').content
          const body = new URLSearchParams([['csrfmiddlewaretoken', token]])
          await fetch('/sign-out/', { method: 'POST', body })
        }"""
    )
    both.go("/sign-in/")
    both.main("form[data-passkey=get] button").first.click()
    both.is_in("/sign-in/for/")


def _in_order(columns: list[str], values: Mapping[str, str]) -> list[str]:
    return [values[name] for name in columns if name in values]
