"""A script that differs from the one whose hash the page names does not run, however it is asked for."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from network.demo import STATE_A
from tests.browser.desk import PATIENCE, supervisor_of

ALTERED = "globalThis.altered = true;\n"
SUPERVISOR = supervisor_of(STATE_A.persons)


def sign_in(page: Page) -> None:
    page.goto("/sign-in/")
    form = page.locator("form", has=page.locator(f"[value='{SUPERVISOR.membership_id}']"))
    form.get_by_role("button").click()
    expect(page).not_to_have_url(re.compile("/sign-in/"), timeout=PATIENCE)


def scripts_of(page: Page) -> set[str]:
    """Every script that the page has asked for."""
    found: list[str] = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    return {name for name in found if name.endswith(".js")}


def alter(context: BrowserContext, address: str, seen: list[str], prefix: str = ALTERED) -> None:
    """Let somebody on the way put a line before this script."""

    def answer(route: Route) -> None:
        seen.append(route.request.url)
        response = route.fetch()
        route.fulfill(response=response, body=prefix + response.text())

    context.route(address, answer)


def alike(addresses: set[str], *names: str) -> list[str]:
    """One address for each name."""
    return [next(one for one in sorted(addresses) if name in one) for name in names]


@pytest.fixture
def addresses(page: Page) -> list[str]:
    """Give scripts of the page of devices: entries, what they need at once, and what they load later."""
    sign_in(page)
    page.goto("/devices/")
    expect(page.locator("#make-keyring")).to_be_visible(timeout=PATIENCE)
    sent = str(page.evaluate("fetch('/devices/').then((answer) => answer.text())"))
    found = scripts_of(page)
    later = {one for one in found if one.rsplit("/", 1)[1] not in sent}
    at_once = found - later
    page.context.clear_cookies()
    return [
        *alike(at_once, "/network/session.", "/messaging/client.", "/messaging/chunk-"),
        *alike(later, "/messaging/chunk-"),
    ]


def test_no_altered_script_runs(context: BrowserContext, addresses: list[str]) -> None:
    for address in addresses:
        seen: list[str] = []
        alter(context, address, seen)
        page = context.new_page()
        sign_in(page)
        page.goto("/devices/")
        page.wait_for_load_state("networkidle")
        assert seen, address
        assert page.evaluate("globalThis.altered") is None, address
        page.close()
        context.unroute(address)
        context.clear_cookies()


def test_what_is_not_altered_runs(context: BrowserContext, addresses: list[str]) -> None:
    for address in addresses:
        alter(context, address, [], prefix="")
    page = context.new_page()
    sign_in(page)
    page.goto("/devices/")
    expect(page.locator("#make-keyring")).to_be_visible(timeout=PATIENCE)


def test_a_script_that_does_not_come_is_said_and_asked_for_again(
    context: BrowserContext, addresses: list[str]
) -> None:
    context.route(addresses[-1], lambda route: route.abort())
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    sign_in(page)
    page.goto("/devices/")
    expect(page.locator("#page-problem-text")).to_contain_text("The server does not answer", timeout=PATIENCE)
    context.unroute(addresses[-1])
    expect(page.locator("#make-keyring")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#page-problem")).to_be_hidden()
    assert faults == []


def test_a_script_without_a_hash_is_not_even_fetched(page: Page) -> None:
    ask = "import('/static/network/tone.js?again').then(() => 'ran', (error) => error.name)"
    page.goto("/sign-in/")
    assert page.evaluate(ask) == "TypeError"

    def without_policy(route: Route) -> None:
        response = route.fetch()
        headers = {name: value for name, value in response.headers.items() if name != "integrity-policy"}
        route.fulfill(response=response, headers=headers)

    page.route("**/sign-in/", without_policy)
    page.goto("/sign-in/")
    assert page.evaluate(ask) == "ran"
