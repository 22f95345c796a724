"""The recovery kit on paper: one page or three, with its code, typed back before the keys are in force."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from messaging.sealed.keys import RecoveryKit
from messaging.sealed.kit import KitShare, join_shares
from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.server import Server

NET = "network.example/s1"


@pytest.fixture
def desk(browser: Browser, live_server_process: Server) -> Iterator[Desk]:
    """Give the desk of a supervisor who is shown the kit of the new keys."""
    with Desk(browser, live_server_process.origin, supervisor_of(STATE_C.persons)) as desk:
        desk.sign_in()
        desk.page.locator("#make-keyring").click()
        expect(desk.page.locator(".kit-page")).to_have_count(1, timeout=PATIENCE)
        yield desk
        assert desk.faults == []


def printed(page: Locator) -> str:
    """Return what stands on one page of the kit."""
    return " ".join(page.locator(".kit-groups li").all_inner_texts())


def type_back(page: Page, pages: list[str]) -> None:
    """Type the two groups that are asked for, of the pages as printed."""
    for place in (1, 2):
        *page_number, group = map(int, re.findall(r"\d+", page.locator(f"#kit-label-{place}").inner_text()))
        groups = pages[page_number[0] - 1 if page_number else 0].split()
        page.locator(f"#kit-answer-{place}").fill(groups[group - 1].lower())
    page.locator("#kit-form button[type=submit]").click()


def test_the_kit_is_kept_in_three_parts_of_which_any_two_make_it(desk: Desk) -> None:
    pages = desk.page.locator(".kit-page")
    whole = RecoveryKit.parse(NET, printed(pages.first))
    desk.page.locator("#kit-three").check()
    expect(pages).to_have_count(3)
    parts = [printed(page) for page in pages.all()]
    shares = [KitShare.parse(part) for part in parts]
    assert join_shares(NET, shares[0], shares[2]) == join_shares(NET, shares[2], shares[1]) == whole
    desk.page.locator("#kit-answer-1").fill("00000")
    desk.page.locator("#kit-answer-2").fill("00000")
    desk.page.locator("#kit-form button[type=submit]").click()
    expect(desk.page.locator("#kit-wrong")).to_be_visible()
    type_back(desk.page, parts)
    expect(desk.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)
    assert parts[0].split()[3] not in desk.page.content()


def test_each_page_of_the_kit_is_a_sheet_of_paper_with_its_code(desk: Desk) -> None:
    desk.page.locator("#kit-three").check()
    expect(desk.page.locator(".kit-qr svg")).to_have_count(3)
    desk.page.emulate_media(media="print")
    expect(desk.page.locator("#kit-form")).to_be_hidden()
    pdf = desk.page.pdf(format="A4")
    # Three pages, each with the whole of a share and nothing of another.
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 3
