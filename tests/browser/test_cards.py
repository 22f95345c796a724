"""The list names threads by cards that any device of the authority has written, and searches all of them."""

import re
from typing import Any

from playwright.sync_api import Route, expect

from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk


def cards(desk: Desk) -> list[Any]:
    """Return the cards that the server has for this desk's authority."""
    rows: list[Any] = desk.page.request.get("/api/cards").json()["cards"]
    return [row["card"] for row in rows]


def until_written(desk: Desk, count: int) -> None:
    """Wait on the present page until every thread has its card."""
    for _ in range(100):
        if len([card for card in cards(desk) if card]) == count:
            return
        desk.page.wait_for_timeout(200)
    raise AssertionError(cards(desk))


def asked_for(desk: Desk, part: str) -> list[str]:
    """Return the addresses that hold this, as they are asked for by the pages after the present one."""
    found: list[str] = []
    desk.go("/what-the-server-sees/")  # what the present page is still asking for does not count
    desk.page.on("request", lambda request: found.append(request.url) if part in request.url else None)
    return found


def test_a_list_is_named_by_cards_and_opens_no_thread(desks: tuple[Desk, Desk]) -> None:
    a, c = desks
    a.open_thread_with(STATE_C.name, subject="Bank records", text="First")
    until_written(a, 1)
    items = asked_for(a, "/items?")
    a.go("/threads/")
    row = a.page.locator("#threads > li")
    expect(row).to_contain_text("Bank records", timeout=PATIENCE)
    expect(row.locator("[data-slot=needs-them]")).to_be_visible()
    assert items == []
    c.go("/threads/")
    expect(c.page.locator("#threads [data-slot=needs-us]")).to_be_visible(timeout=PATIENCE)
    until_written(c, 1)
    c.open_thread("Bank records")
    c.write("Answer")
    expect(row.locator("[data-slot=needs-us]")).to_be_visible(timeout=PATIENCE)
    until_written(a, 1)
    a.page.reload()
    expect(row.locator("[data-slot=unread]")).to_have_text(re.compile("Unread: .?1"), timeout=PATIENCE)
    expect(row.locator("[data-slot=needs-us]")).to_be_visible()


def test_a_card_that_does_not_hold_is_made_anew(desks: tuple[Desk, Desk]) -> None:
    a, _ = desks
    a.open_thread_with(STATE_C.name, subject="Bank records", text="First")
    until_written(a, 1)
    (first,) = cards(a)

    def lie(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for row in body["threads"]:
            card = row["card"]
            row["card"] = card[:300] + ("A" if card[300] != "A" else "B") + card[301:]
        route.fulfill(response=answer, json=body)

    a.page.route(re.compile(r"/api/threads\?"), lie)
    items = asked_for(a, "/items?")
    a.go("/threads/")
    expect(a.page.locator("#threads > li")).to_contain_text("Bank records", timeout=PATIENCE)
    for _ in range(50):
        if cards(a) != [first]:
            break
        a.page.wait_for_timeout(200)
    assert cards(a) != [first]
    assert items == []  # what this device has is enough


def test_a_search_finds_what_the_page_does_not_show(desks: tuple[Desk, Desk]) -> None:
    a, _ = desks
    a.open_thread_with(STATE_C.name, subject="Écoute téléphonique", text="First")
    until_written(a, 1)
    a.open_thread_with(STATE_C.name, subject="Bank records", text="Second")
    until_written(a, 2)
    a.page.route(
        re.compile(r"/api/threads\?limit=50$"),
        lambda route: route.continue_(url=route.request.url.replace("limit=50", "limit=1")),
    )
    a.go("/threads/")
    rows = a.page.locator("#threads > li:visible")
    expect(rows).to_have_count(1, timeout=PATIENCE)
    expect(rows).to_contain_text("Bank records", timeout=PATIENCE)
    a.page.locator("#search").fill("ECOUTE")
    expect(rows).to_have_count(1, timeout=PATIENCE)
    expect(rows).to_contain_text("Écoute téléphonique", timeout=PATIENCE)
    expect(a.page.locator("#search-status")).to_have_text(re.compile("Found: .?1"), timeout=PATIENCE)
    a.page.locator("#search").fill("nothing like it")
    expect(a.page.locator("#none-found")).to_be_visible(timeout=PATIENCE)


def test_what_nobody_has_opened_is_said_and_opened_for_the_search(desks: tuple[Desk, Desk]) -> None:
    a, c = desks
    c.go("about:blank")
    for subject in ("Extradition", "Seizure"):
        a.open_thread_with(STATE_C.name, subject=subject, text=subject)
    c.page.route(
        re.compile(r"/api/threads\?limit=50$"),
        lambda route: route.continue_(url=route.request.url.replace("limit=50", "limit=1")),
    )
    c.go("/threads/")
    rows = c.page.locator("#threads > li:visible")
    expect(rows).to_contain_text("Seizure", timeout=PATIENCE)
    c.page.locator("#search").fill("extradition")
    expect(c.page.locator("#unsearched")).to_be_visible(timeout=PATIENCE)
    c.page.locator("#open-unsearched").click()
    expect(rows).to_contain_text("Extradition", timeout=PATIENCE)
    expect(c.page.locator("#unsearched")).to_be_hidden()
    until_written(c, 2)
