"""Figures of a list of 20,000 threads: what the server answers, and what a tab does with it."""

import os
import secrets
import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx

from messaging.sealed.card import CardText, seal_card
from messaging.sealed.client import Mailbox
from messaging.sealed.places import After
from network.demo import DemoPerson
from tests.browser.desk import Desk
from tests.server import Server

THREADS = max(200, int(20_000 * float(os.environ.get("NETWORK_BENCH_SCALE", "1"))))
LONG = 300_000  # milliseconds
Say = Callable[[str, float, str, str], None]

NAMED = """() => {
  const rows = [...document.querySelectorAll('#threads .thread-subject')].slice(0, 50)
  return rows.length === 50 && rows.every((row) => row.textContent.startsWith('Measurement'))
}"""

# What a row repeats of the thread it is like, and what is its own.
COPIES = {
    "messaging_thread": {"id": "?1", "seq": "2", "changed_at": "?2"},
    "messaging_threadmember": {"thread_id": "?1", "changed_at": "?2"},
    "messaging_progress": {"thread_id": "?1", "delivered_seq": "2", "opened_seq": "2", "opened": "NULL"},
}
CARD = "INSERT INTO messaging_card (principal_id, thread_id, card, m, seq, sealed) VALUES (?, ?, ?, ?, ?, ?)"


def copies(database: sqlite3.Connection) -> list[str]:
    """Return the statements that copy the rows of thread ?3 to thread ?1, changed at ?2."""
    found = []
    for table, own in COPIES.items():
        names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        columns = [name for name in names if name != "id" or name in own]
        values = ", ".join(own.get(name, f'"{name}"') for name in columns)
        into = ", ".join(f'"{name}"' for name in columns)
        key = "id" if "id" in own else "thread_id"
        found.append(f"INSERT INTO {table} ({into}) SELECT {values} FROM {table} WHERE {key} = ?3")  # noqa: S608
    return found


def fill_list(server: Server, mailbox: Mailbox, like: str, count: int) -> None:
    """Put so many threads like one into the database, each with its card, past the product."""
    own = mailbox.held()
    if own is None:
        raise RuntimeError("this device does not hold its keys")
    now = datetime.now(UTC).replace(tzinfo=None)
    with closing(sqlite3.connect(server.state / "network.sqlite3", timeout=60)) as database:
        statements = copies(database)
        for number in range(count):
            thread, at = secrets.token_bytes(32), (now - timedelta(minutes=number)).isoformat(" ")
            text = CardText(f"Measurement of list, number {number}", f"C-{number}/2026", turn="us", came=(2,))
            card = seal_card(
                mailbox.net,
                text,
                principal=mailbox.principal,
                thread=thread,
                m=own.n,
                secret=own.secret,
                at=After(2, secrets.token_bytes(32)),
            )
            for statement in statements:
                database.execute(statement, (thread.hex(), at, like))
            row = (mailbox.principal.hex(), thread.hex(), card.id.hex(), own.n, 2, card.encode())
            database.execute(CARD, row)
        database.commit()


def weigh(client: httpx.Client, path: str) -> tuple[int, dict[str, object]]:
    """Return the bytes of an answer as they cross the line, and what it says."""
    with client.stream("GET", path) as response:
        response.raise_for_status()
        response.read()
        return response.num_bytes_downloaded, response.json()


def measure_list_on_server(server: Server, person: DemoPerson, say: Say) -> None:
    """Time and weigh a page of the list, and all cards."""
    with httpx.Client(base_url=server.origin, follow_redirects=True, timeout=60) as client:
        client.get("/sign-in/")
        form = {"membership": str(person.membership_id), "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        client.post("/sign-in/as/", data=form, headers={"referer": server.origin}).raise_for_status()
        times, weight = [], 0
        for _ in range(5):
            began = time.perf_counter()
            weight = weigh(client, "/api/threads?limit=50")[0]
            times.append((time.perf_counter() - began) * 1000)
        say(f"server: 50 of {THREADS} threads with cards", statistics.median(times), "ms", "")
        say("their bytes on the line", weight / 1000, "kB", "")
        began, weight, before = time.perf_counter(), 0, ""
        while True:
            size, body = weigh(client, f"/api/cards?before={before}")
            weight += size
            before = str(body["next"] or "")
            if not before:
                break
        say(f"server: {THREADS} cards, a thousand at once", (time.perf_counter() - began) * 1000, "ms", "")
        say("their bytes on the line", weight / 1e6, "MB", "")


def measure_list_in_chromium(desk: Desk, say: Say) -> None:
    """Time the list, the first search over all cards, and one more."""
    page = desk.page
    began = time.perf_counter()
    page.goto("/threads/", wait_until="commit")
    page.wait_for_function(NAMED, timeout=LONG)
    say(f"Chromium: the first 50 of {THREADS} threads, named", (time.perf_counter() - began) * 1000, "ms", "")
    for what, words in (("first search of all", THREADS - 1), ("one more search", THREADS - 2)):
        began = time.perf_counter()
        page.locator("#search").fill(f"C-{words}/2026")
        page.locator("#threads > li:visible", has_text=f"number {words}").wait_for(timeout=LONG)
        say(f"Chromium: {what} {THREADS} threads", (time.perf_counter() - began) * 1000, "ms", "")


def measure_texts_in_chromium(desk: Desk, count: int, say: Say) -> None:
    """Time the first search through so many opened messages, and one more."""
    page = desk.page
    page.goto("/threads/", wait_until="commit")
    page.wait_for_function(NAMED, timeout=LONG)
    for what, number in (("first search of", count // 2), ("one more search of", count // 3)):
        began = time.perf_counter()
        page.locator("#search").fill(f"Message {number}.")
        page.locator("[data-slot=hit]", has_text=f"Message {number}.").first.wait_for(timeout=LONG)
        say(f"Chromium: {what} {count} messages", (time.perf_counter() - began) * 1000, "ms", "")
