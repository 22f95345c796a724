"""How pages look as somebody chose: at the first paint, on paper, under a finger, in forced colours."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from network.demo import STATE_A
from tests.browser.desk import Desk
from tests.server import Server

LIGHT, DARK = "rgb(255, 255, 255)", "rgb(17, 21, 27)"
FINGER = 44
SMALLEST = 24


@pytest.fixture
def plain(browser: Browser, live_server_process: Server) -> Iterator[BrowserContext]:
    """Give a browser that runs no script of any page, on a device that is set to light."""
    context = browser.new_context(
        base_url=live_server_process.origin, locale="en-GB", java_script_enabled=False, color_scheme="light"
    )
    context.set_default_timeout(10_000)
    yield context
    context.close()


def style(page: Page, selector: str, name: str) -> str:
    """Return a computed style."""
    return str(page.locator(selector).first.evaluate(f"each => getComputedStyle(each)['{name}']"))


def choose(page: Page, *labels: str) -> None:
    """Choose on the page of appearance and save, as a reader does."""
    page.goto("/account/appearance/")
    for label in labels:
        page.get_by_label(label, exact=True).check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()


def test_whoever_chose_dark_and_larger_text_sees_them_without_a_script(plain: BrowserContext) -> None:
    page = plain.new_page()
    page.goto("/what-the-server-sees/")
    assert style(page, "html", "backgroundColor") == LIGHT
    usual = float(style(page, "h1", "fontSize").removesuffix("px"))
    choose(page, "Dark", "Larger")
    for path in ("/what-the-server-sees/", "/sign-in/", "/nowhere/"):
        page.goto(path)
        assert style(page, "html", "backgroundColor") == DARK
        assert float(style(page, "h1", "fontSize").removesuffix("px")) == pytest.approx(usual * 1.375)


def test_light_can_be_chosen_on_a_dark_device_and_paper_is_always_light(plain: BrowserContext) -> None:
    page = plain.new_page()
    page.emulate_media(color_scheme="dark")
    page.goto("/what-the-server-sees/")
    assert style(page, "html", "backgroundColor") == DARK
    page.emulate_media(color_scheme="dark", media="print")
    assert style(page, "html", "backgroundColor") == LIGHT
    assert style(page, ".masthead", "display") == "none"
    page.emulate_media(color_scheme="dark", media="screen")
    choose(page, "Light")
    assert style(page, "html", "backgroundColor") == LIGHT


def test_nothing_moves_for_whoever_does_not_want_it(plain: BrowserContext) -> None:
    page = plain.new_page()
    page.emulate_media(reduced_motion="no-preference")
    page.goto("/account/appearance/")
    assert style(page, ".button", "transitionDuration") != "0s, 0s"
    page.emulate_media(reduced_motion="reduce")
    assert set(style(page, ".button", "transitionDuration").split(", ")) == {"0s"}
    page.emulate_media(reduced_motion="no-preference")
    choose(page, "No movement")
    assert set(style(page, ".button", "transitionDuration").split(", ")) == {"0s"}


def test_what_is_pressed_is_large_enough_under_a_finger_and_under_a_mouse(
    browser: Browser, live_server_process: Server
) -> None:
    for least, touches in ((SMALLEST, False), (FINGER, True)):
        context = browser.new_context(
            base_url=live_server_process.origin, has_touch=touches, is_mobile=touches, locale="en-GB"
        )
        page = context.new_page()
        page.goto("/components/")
        sizes = page.evaluate(
            """() => [...document.querySelectorAll('.button, input, select, .masthead a, .masthead summary')]
              .map((each) => (each.closest('label') ?? each))
              .filter((each) => each.offsetParent !== null)
              .map((each) => [each.className || each.localName, each.offsetHeight])"""
        )
        assert len(sizes) > 20
        assert [(name, height) for name, height in sizes if height < least] == []
        context.close()


def test_edges_stay_where_a_browser_paints_with_its_users_colours(plain: BrowserContext) -> None:
    page = plain.new_page()
    page.emulate_media(forced_colors="active")
    page.goto("/components/")
    for part in (".button", ".badge", ".notice", ".empty", ".card", ".field input"):
        assert float(style(page, f"main {part}", "borderTopWidth").removesuffix("px")) >= 1, part


def test_a_person_sees_the_choice_on_another_device(browser: Browser, live_server_process: Server) -> None:
    with Desk(browser, live_server_process.origin, STATE_A.persons[0]) as one:
        one.sign_in()
        choose(one.page, "Dark")
    with Desk(browser, live_server_process.origin, STATE_A.persons[0]) as other:
        other.sign_in()
        assert style(other.page, "html", "backgroundColor") == DARK
