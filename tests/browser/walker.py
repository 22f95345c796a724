"""What is asked of every page: nothing in the console, axe, width, focus, weight; and pictures to look at."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import CDPSession, Page, Response, expect

from tests.browser.desk import PATIENCE

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURES = ROOT / "build" / "screenshots"
AXE = ROOT / "messaging" / "client" / "node_modules" / "axe-core" / "axe.min.js"
SCRIPTS = Path(__file__).with_name("page_checks.js")

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
LANGUAGES = {"en": "en", "ar": "ar", "zh": "zh-hans"}
NARROW = (320, 640)  # a window of 1,280 pixels at 400 %
LARGE_TEXT = 32  # pixels for what is 16 by default: 200 %
TABS_MOST = 150

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Rules that are left out, each with its reason.
LEFT_OUT: dict[str, str] = {}


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


@cache
def _checks() -> str:
    return SCRIPTS.read_text(encoding="utf-8")


SHOWN = "shown-at"
NOTE_WHEN_SHOWN = f"""
  addEventListener('DOMContentLoaded', () => {{
    const loading = document.getElementById('loading')
    if (loading === null) return
    const note = () => {{
      if (loading.hidden && !sessionStorage.getItem('{SHOWN}')) sessionStorage.setItem('{SHOWN}', Date.now())
    }}
    new MutationObserver(note).observe(loading, {{ attributes: true }})
    note()
  }})
"""
"""Writes down when what a page has to load first is there; pages without such a thing write nothing."""


@dataclass
class Look:
    """One page in front of one person, with what was found wrong with it."""

    page: Page
    name: str
    status: int = 200
    faults: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    bytes_received: int = 0

    def note(self, what: str) -> None:
        """Keep a finding, once."""
        if what not in self.faults:
            self.faults.append(what)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what the console says and which requests fail, until the end of the block."""

        def on_console(message: Any) -> None:
            if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
                self.note(f"console: {message.text[:300]}")

        def on_error(error: Any) -> None:
            self.note(f"script: {error}")

        def on_response(response: Response) -> None:
            if response.status >= 400 and not response.request.is_navigation_request():
                self.note(f"{response.status}: {response.request.method} {response.url}")

        def on_failure(request: Any) -> None:
            # What the page itself gave up when it was left is no fault.
            if "ERR_ABORTED" not in (request.failure or ""):
                self.note(f"failed: {request.url} {request.failure}")

        heard: tuple[tuple[Any, Callable[[Any], None]], ...] = (
            ("console", on_console),
            ("pageerror", on_error),
            ("response", on_response),
            ("requestfailed", on_failure),
        )
        for event, listener in heard:
            self.page.on(event, listener)
        try:
            yield
        finally:
            for event, listener in heard:
                self.page.remove_listener(event, listener)

    def open(self, path: str, prepare: Callable[[Page], None] | None) -> None:
        """Go to the page, bring it into the state to be looked at, and wait until it stands still."""
        if "#" in path:
            self.page.goto("about:blank")  # else the browser only scrolls
        response = self.page.goto(path)
        if response and response.status != self.status:
            self.note(f"{path} answers {response.status} instead of {self.status}")
        self.stand_still()
        if urlsplit(self.page.url).path != urlsplit(path).path:
            self.note(f"{path} leads to {self.page.url}")
        if prepare:
            prepare(self.page)
            self.stand_still()

    def stand_still(self) -> None:
        """Wait until scripts have shown what they were to show."""
        self.page.wait_for_load_state()
        busy = self.page.locator("#loading:not([hidden]), [aria-busy=true]")
        expect(busy).to_have_count(0, timeout=PATIENCE)
        expect(self.page.locator("h1").first).to_be_attached()

    def size(self, width: int, height: int) -> None:
        """Make the window this large."""
        self.page.set_viewport_size({"width": width, "height": height})

    def picture(self, tools: CDPSession, language: str, size: str, scheme: Scheme) -> None:
        """Keep a picture of the whole page."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.evaluate("scrollTo(0, 0)")  # what sticks to the window stands at its top
        # Chromium moves a page from right to left aside where there is nothing beyond the window to capture.
        is_longer = self.page.evaluate("document.documentElement.scrollHeight > innerHeight")
        options = {"captureBeyondViewport": is_longer, "optimizeForSpeed": True}
        data = tools.send("Page.captureScreenshot", options)["data"]
        file = PICTURES / f"{self.name}-{language}-{size}-{scheme}.png"
        file.write_bytes(base64.b64decode(data))

    def ask_axe(self, about: str, *, only_colours: bool = False) -> None:
        """Note every violation that axe finds; in the other scheme nothing but colours is another."""
        if self.page.evaluate("!('axe' in window)"):  # once for each document: it is half a megabyte
            self.page.evaluate(_axe())
        found = self.page.evaluate(
            """async ([tags, leftOut, onlyColours]) => {
              const rules = Object.fromEntries(leftOut.map((rule) => [rule, { enabled: false }]))
              const result = await axe.run(document, {
                runOnly: onlyColours ? ['color-contrast'] : tags, rules, resultTypes: ['violations'],
              })
              return result.violations.map((each) => [
                each.id, each.help,
                each.nodes.slice(0, 4).map((node) => [node.html.slice(0, 160), node.failureSummary]),
              ])
            }""",
            [TAGS, list(LEFT_OUT), only_colours],
        )
        for rule, words, nodes in found:
            self.note(f"axe {about}: {rule}: {words}: {json.dumps(nodes, ensure_ascii=False)[:900]}")

    def check(self, name: str, about: str) -> None:
        """Note what a check of `page_checks.js` finds."""
        for found in self.page.evaluate(f"{_checks()}; {name}()"):
            self.note(f"{about}: {found}")

    def reflow(self, tools: CDPSession, about: str) -> None:
        """Note what does not fit at 320 pixels, and at twice the text size."""
        self.size(*NARROW)
        self.check("tooWide", f"{about}, 320 px")
        self.size(*SIZES["desktop"])
        tools.send("Page.setFontSizes", {"fontSizes": {"standard": LARGE_TEXT, "fixed": LARGE_TEXT}})
        self.check("tooWide", f"{about}, text 200 %")
        tools.send("Page.setFontSizes", {"fontSizes": {"standard": 16, "fixed": 13}})

    def walk_by_tab(self, about: str) -> None:
        """Go through the page by Tab: each place is to be seen, uncovered and marked."""
        page = self.page
        page.evaluate("document.activeElement?.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
        page.evaluate(f"{_checks()}; startTabbing()")
        for _ in range(TABS_MOST):
            page.keyboard.press("Tab")
            problem, is_over = page.evaluate("focusProblem()")
            if problem:
                self.note(f"{about}: {problem}")
            if is_over:
                return
        self.note(f"{about}: more than {TABS_MOST} places to go through")

    @contextmanager
    def weighing(self, tools: CDPSession) -> Iterator[None]:
        """Count what comes over the line, with nothing kept from before, until the page shows what it is for.

        What it asks for after that, to look after keys and lists, belongs to no first screen, and how much of
        it has come when the test looks is chance.
        """
        asked: dict[str, float] = {}
        received: dict[str, int] = {}

        def on_asked(event: dict[str, Any]) -> None:
            asked[event["requestId"]] = event["wallTime"]

        def on_received(event: dict[str, Any]) -> None:
            received[event["requestId"]] = int(event["encodedDataLength"])

        self.page.evaluate(f"sessionStorage.removeItem('{SHOWN}')")
        self.page.context.add_init_script(NOTE_WHEN_SHOWN)
        tools.send("Network.enable")
        tools.send("Network.clearBrowserCache")
        tools.on("Network.requestWillBeSent", on_asked)
        tools.on("Network.loadingFinished", on_received)
        try:
            yield
        finally:
            tools.remove_listener("Network.requestWillBeSent", on_asked)
            tools.remove_listener("Network.loadingFinished", on_received)
            tools.send("Network.disable")
        shown = float(self.page.evaluate(f"sessionStorage.getItem('{SHOWN}')") or "inf")
        self.bytes_received = sum(
            size for request, size in received.items() if asked.get(request, 0) * 1000 <= shown
        )


def speak(page: Page, language: str) -> None:
    """Choose a language by the page's own door."""
    token = "document.querySelector('meta[name=csrf-token]')"
    if page.evaluate(f"{token} === null"):
        page.goto("/what-the-server-sees/")
    page.evaluate(
        f"""async (language) => {{
          const body = new URLSearchParams([['language', language], ['csrfmiddlewaretoken', {token}.content]])
          await fetch('/language/', {{ method: 'POST', body, redirect: 'manual' }})
        }}""",
        language,
    )


def has_language(page: Page, language: str) -> bool:
    """Answer whether the page is in this language."""
    return bool(re.match(language, str(page.locator("html").get_attribute("lang")), re.IGNORECASE))
