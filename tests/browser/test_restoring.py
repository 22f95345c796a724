"""After a restore: two officers sign for it on a page, and browsers hand back keys that were lost (L8)."""

from playwright.sync_api import Page, expect

from tests.backup import Backup
from tests.browser.desk import PATIENCE, Desk
from tests.browser.test_confirming import authority, let_in, officers
from tests.server import Server

__all__ = ["authority", "officers"]  # fixtures


def has_entries(desk: Desk, principal: str, count: int) -> None:
    """Wait until the server has so many entries of a keyring."""
    asked = f"fetch('/api/keyrings/{principal}?from=0').then((answer) => answer.json())"
    desk.page.wait_for_function(
        f"() => {asked}.then((found) => found.entries.length === {count})", timeout=PATIENCE
    )


def sign(officer: Desk) -> None:
    """Sign for the restore, after the operator was asked."""
    officer.go("/")
    officer.page.locator("a[href='/restores/']").first.click()
    page: Page = officer.page
    expect(page.locator("#restore [data-slot=cause]")).to_have_text("a broken disk", timeout=PATIENCE)
    expect(page.locator("#restore-signs")).to_be_disabled()
    page.locator("#restore-told").check()
    page.locator("#restore-signs").click()
    expect(page.locator("#restore-sign")).to_be_hidden(timeout=PATIENCE)


def test_two_officers_sign_on_a_page_and_a_browser_hands_back_the_keys_of_its_authority(
    live_server_process: Server, authority: Desk, officers: tuple[Desk, Desk]
) -> None:
    server, (first, second) = live_server_process, officers
    let_in(first, second)
    first.go("/restores/")
    expect(first.page.locator("#no-restore")).to_be_visible(timeout=PATIENCE)
    server.stop()
    backup = Backup(server)
    server.start()
    authority.go("/devices/")
    principal = authority.page.request.get("/api/session").json()["principal"]
    authority.page.locator("#rotate").click()
    has_entries(authority, principal, 2)

    server.stop()
    backup.put_back()
    server.manage("restore", "--begin", "a broken disk")
    server.start()
    has_entries(authority, principal, 1)
    sign(first)
    expect(first.page.locator("#restore [data-slot=signatures]")).to_contain_text("1")
    sign(second)
    expect(second.page.locator("#restore-announced")).to_be_visible(timeout=PATIENCE)

    authority.go("/devices/")
    expect(authority.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)
    has_entries(authority, principal, 2)
    server.manage("restore", "--finish")
