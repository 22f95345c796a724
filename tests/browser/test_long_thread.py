"""A long thread shows its newest messages before all of it is verified, and earlier ones when asked for."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from deploy.measure_long import HEAD_A, HEAD_C, OFFICER_C, let_in, open_client, run, seal_ahead
from tests.browser.desk import PATIENCE, Desk
from tests.secretariat import confirm_everybody
from tests.server import Server

COUNT = 330


async def write(server: Server, folder: Path, threads: list[str]) -> None:
    """Write a thread of more messages than are shown at once."""
    c = await open_client(server, HEAD_C, folder)
    principal = c.principal or ""
    await c.close()
    async with await open_client(server, HEAD_A, folder) as a:
        await confirm_everybody(server)
        opened = await a.open_thread(principal, "The first of many.", subject="Long")
        made = seal_ahead(a, opened.thread, COUNT)
        for start in range(0, COUNT, 16):
            found = await a.http.post("/api/messages", {"messages": made[start : start + 16]})
            assert all("receipt" in one for one in found["results"])
        threads.append(opened.thread)


@pytest.fixture
def reader(browser: Browser, live_server_process: Server, tmp_path: Path) -> Iterator[tuple[Desk, str]]:
    """Give an officer of State C who has never opened the thread, and the thread."""
    threads: list[str] = []
    run(write(live_server_process, tmp_path, threads))
    with Desk(browser, live_server_process.origin, OFFICER_C) as desk:
        desk.sign_in()
        desk.go("/devices/")
        desk.page.locator("#make-request").click()
        expect(desk.page.locator("#step-waiting")).to_be_visible(timeout=PATIENCE)
        run(let_in(live_server_process, tmp_path))
        expect(desk.page.locator("#step-ready:visible, #threads:visible")).to_be_visible(timeout=4 * PATIENCE)
        yield desk, threads[0]
        assert desk.faults == []


def held_back(desk: Desk) -> list[Route]:
    """Keep the items from the beginning of the thread from coming until they are let go."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    desk.page.route(re.compile(r"/items\?after=0&limit=100$"), hold)
    return held


def test_the_newest_messages_of_a_long_thread_come_first(reader: tuple[Desk, str]) -> None:
    desk, thread = reader
    page = desk.page
    held = held_back(desk)
    desk.go(f"/threads/{thread}/")
    last = page.locator(f"#item-{COUNT + 2}")
    expect(last).to_contain_text(f"Message {COUNT + 1}.", timeout=4 * PATIENCE)
    expect(page.locator("#verifying")).to_be_visible()
    expect(page.locator("#composer")).to_be_hidden()
    for route in held:
        route.continue_()
    expect(page.locator("#composer")).to_be_visible(timeout=4 * PATIENCE)
    expect(page.locator("#verifying")).to_be_hidden()
    expect(page.locator("#alarm")).to_be_hidden()
    expect(last).to_be_visible()
    shown = page.locator("#messages .message").count()
    assert shown < COUNT
    page.locator("#show-earlier").click()
    expect(page.locator("#messages .message")).to_have_count(shown + 100)
    for _ in range(4):
        if page.locator("#show-earlier").is_visible():
            page.locator("#show-earlier").click()
    expect(page.locator("#show-earlier")).to_be_hidden()
    expect(page.locator("#messages .message")).to_have_count(COUNT + 1)
    numbers = page.locator("#messages > li[id]").evaluate_all(
        "rows => rows.map((row) => Number(row.id.slice(5)))"
    )
    assert numbers == sorted(numbers)


def test_what_was_shown_ahead_and_does_not_hold_is_taken_away(reader: tuple[Desk, str]) -> None:
    desk, thread = reader
    page = desk.page

    def withhold(route: Route) -> None:
        """Answer that the thread ends before what was shown ahead."""
        answer = route.fetch()
        body = answer.json()
        body["items"] = [item for item in body["items"] if item["seq"] <= COUNT - 20]
        body["seq"] = COUNT - 20
        route.fulfill(response=answer, json=body)

    page.route(re.compile(r"/items\?after=\d+&limit=100$"), withhold)
    desk.go(f"/threads/{thread}/")
    expect(page.locator(f"#item-{COUNT - 20}")).to_be_visible(timeout=8 * PATIENCE)
    expect(page.locator(f"#item-{COUNT + 2}")).to_have_count(0, timeout=8 * PATIENCE)
