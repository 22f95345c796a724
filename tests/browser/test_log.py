"""The log of keys in real Chromium: followed at each page, and what a lying one looks like to an officer."""

import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from messaging.sealed.checkpoint import make_checkpoint
from messaging.sealed.keys import SigningKey
from messaging.sealed.transparency import Leaf
from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.server import Server

NET = "network.example/s1"


def resign(server: Server, *, size: int, root: bytes) -> str:
    """A checkpoint with the server's own key: a lying server can sign whatever it likes."""
    key = SigningKey.from_seed(bytes.fromhex((server.state / "server.key").read_text().strip()))
    return make_checkpoint(NET, key, size=size, root=root, at=int(time.time()))


def lie(desk: Desk, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Let what the server says of the log be changed on its way to this browser."""

    def answer(route: Route) -> None:
        found = route.fetch()
        route.fulfill(response=found, body=json.dumps({**found.json(), **change(found.json())}))

    desk.page.route("**/api/log?*", answer)


def kept(page: Page) -> dict[str, Any]:
    """What this browser keeps of the log."""
    found: dict[str, Any] = page.evaluate(
        """async () => {
          const name = (await indexedDB.databases()).find(({ name }) => name.startsWith('messaging:')).name
          const opening = indexedDB.open(name)
          await new Promise((resolve) => { opening.onsuccess = resolve })
          const asked = opening.result.transaction('facts').objectStore('facts').get('log')
          await new Promise((resolve) => { asked.onsuccess = resolve })
          opening.result.close()
          return asked.result
        }"""
    )
    return found


def test_l7_each_page_follows_on_from_the_last(desks: tuple[Desk, Desk]) -> None:
    a, c = desks
    asked: list[str] = []
    a.page.on("request", lambda request: asked.append(request.url) if "/api/log" in request.url else None)
    a.open_thread_with(STATE_C.name, subject="Logged", text="First")
    c.open_thread("Logged")
    c.sees("First")
    size = kept(a.page)["size"]
    assert size >= 3
    thread = a.page.url
    a.go("/what-the-server-sees/")  # what the page is still asking for does not count
    asked.clear()
    a.go(thread)
    a.sees("First")
    # How often depends on how much of the counterpart's keys the page had kept when it was left.
    assert {url.split("?")[1] for url in asked} == {f"from={size}"}
    expect(a.page.locator("#log-alarm")).to_be_hidden()
    a.go("/devices/")
    expect(a.page.locator("#log-watch")).to_contain_text("Nobody outside this network watches")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("smaller-checkpoint", "shorter record of keys"),
        ("forked-log", "signed two different records"),
        ("inconsistent-log", "does not continue the one"),
    ],
)
def test_l5_a_log_that_lies_is_said_and_nothing_is_sealed_on_it(
    desks: tuple[Desk, Desk], live_server_process: Server, code: str, words: str
) -> None:
    a, c = desks
    a.open_thread_with(STATE_C.name, subject="Lied to", text="Before")
    c.open_thread("Lied to")
    known = kept(a.page)
    size, (earlier, root) = known["size"], known["roots"][0]
    states = {
        "smaller-checkpoint": (earlier, b64decode(root)),
        "forked-log": (size, bytes(32)),
        "inconsistent-log": (size + 1, bytes(32)),
    }
    signed_size, signed_root = states[code]
    note = resign(live_server_process, size=signed_size, root=signed_root)
    leaves = [_leaf()] if code == "inconsistent-log" else []
    lie(a, lambda _: {"checkpoint": note, "leaves": leaves})
    a.page.reload()
    expect(a.page.locator("#log-alarm")).to_be_visible(timeout=PATIENCE)
    expect(a.page.locator("#log-alarm-text")).to_contain_text(words)
    a.sees("Before")
    assert kept(a.page)["evidence"][0]["code"] == code
    a.page.locator("#text").fill("Not on this word")
    a.page.locator("#send").click()
    a.page.wait_for_timeout(1_500)
    c.page.reload()
    c.sees("Before")
    expect(c.message("Not on this word")).to_have_count(0)


def _leaf() -> str:
    """A line that the log does not have."""
    return b64encode(Leaf("confirm", bytes(32), 0, bytes(32)).encode()).decode()
