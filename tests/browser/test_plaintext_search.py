"""A thousand messages read in Chromium, then a search for them in all that this browser has kept."""

import base64
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from deploy.measure_long import HEAD_A, HEAD_C, OFFICER_C, let_in, open_client, run, seal_ahead
from messaging.demo.traces import files_under, find_in
from messaging.sealed.message import Note, Plaintext
from network.demo import STATE_A
from tests.browser.desk import PATIENCE
from tests.browser.profile import opened
from tests.secretariat import confirm_everybody
from tests.server import PreparedState, Server

pytestmark = pytest.mark.any_database
THREADS = 4
MESSAGES_EACH = 250
LONG = 8 * PATIENCE
SENT_AT_ONCE = 16

# Everything that a page can keep, by place, as bytes: texts in UTF-8, arrays as they are.
KEPT = """async () => {
  const coder = new TextEncoder()
  const walk = async (value, into) => {
    if (typeof value === 'string') into.push(coder.encode(value), new Uint8Array(1))
    else if (value instanceof Blob) into.push(new Uint8Array(await value.arrayBuffer()))
    else if (value instanceof ArrayBuffer) into.push(new Uint8Array(value))
    else if (ArrayBuffer.isView(value))
      into.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    else if (value instanceof Map || value instanceof Set || Array.isArray(value))
      for (const each of value) await walk(each, into)
    else if (value && typeof value === 'object')
      for (const pair of Object.entries(value)) await walk(pair, into)
  }
  const found = {}
  for (const { name } of await indexedDB.databases()) {
    const opening = indexedDB.open(name)
    await new Promise((resolve) => { opening.onsuccess = resolve })
    for (const store of opening.result.objectStoreNames) {
      const held = opening.result.transaction(store).objectStore(store)
      const [rows, keys] = [held.getAll(), held.getAllKeys()]
      await new Promise((resolve) => { keys.onsuccess = resolve })
      await walk([rows.result, keys.result], (found[store] ??= []))
    }
    opening.result.close()
  }
  await walk({ ...localStorage }, (found.localStorage = []))
  await walk({ ...sessionStorage }, (found.sessionStorage = []))
  found.caches = []
  for (const name of await caches.keys()) {
    const cache = await caches.open(name)
    for (const asked of await cache.keys())
      await walk([asked.url, await (await cache.match(asked)).blob()], found.caches)
  }
  const inBase64 = (parts) => new Promise((resolve) => {
    const reader = new FileReader()
    reader.onload = () => resolve(reader.result.split(',')[1] ?? '')
    reader.readAsDataURL(new Blob(parts))
  })
  for (const place of Object.keys(found)) found[place] = await inBase64(found[place])
  return found
}"""
PLANT = """async (control) => {
  const { name } = (await indexedDB.databases()).find((one) => one.name.startsWith('messaging:'))
  const opening = indexedDB.open(name)
  await new Promise((resolve) => { opening.onsuccess = resolve })
  const writing = opening.result.transaction(['facts', 'items', 'outbox', 'drafts'], 'readwrite')
  writing.objectStore('facts').put({ planted: control }, 'planted')
  writing.objectStore('drafts').put(new TextEncoder().encode(control), 'planted')
  writing.objectStore('outbox').put({ id: 'planted', planted: control })
  writing.objectStore('items').put({ thread: 'planted', seq: 1, planted: btoa(control) })
  await new Promise((resolve) => { writing.oncomplete = resolve })
  opening.result.close()
  localStorage.setItem('planted', control)
  sessionStorage.setItem('planted', control)
  const cache = await caches.open('planted')
  await cache.put('/planted', new Response(control))
}"""
STORES = {"facts", "drafts", "outbox", "items"}
WEB_STORAGE = {"localStorage", "sessionStorage", "caches"}
FOLDERS = {"IndexedDB", "Local Storage", "Session Storage", "CacheStorage"}


async def write(server: Server, folder: Path, marker: str, threads: list[str]) -> None:
    """Write a thousand messages from State A to State C, the first of each thread with a file."""
    c = await open_client(server, HEAD_C, folder)
    principal = c.principal or ""
    await c.close()
    file = folder / f"{marker}-name.txt"
    file.write_text(f"{marker}-inside")

    def written(seq: int) -> Plaintext:
        return Plaintext(
            Note(f"{marker}-{len(threads)}-{seq}"), "en", f"{marker} subject", f"{marker} number"
        )

    async with await open_client(server, HEAD_A, folder) as a:
        await confirm_everybody(server)
        for number in range(THREADS):
            made = await a.open_thread(principal, f"{marker}-{number}-0", subject=f"{marker} subject")
            await a.send(made.thread, f"{marker}-{number}-1", files=[file])
            threads.append(made.thread)
            rest = seal_ahead(a, made.thread, MESSAGES_EACH - 2, written)
            for start in range(0, len(rest), SENT_AT_ONCE):
                answer = await a.http.post("/api/messages", {"messages": rest[start : start + SENT_AT_ONCE]})
                assert all("receipt" in one for one in answer["results"])


@pytest.fixture
def server(prepared_state: PreparedState, tmp_path: Path) -> Iterator[Server]:
    """Give a started server that counts no limits."""
    with Server.unlimited(prepared_state, tmp_path / "server") as started:
        yield started


def kept_by(page: Page) -> dict[str, bytes]:
    """Return all that the pages of this profile have kept, by place."""
    found: dict[str, Any] = page.evaluate(KEPT)
    return {place: base64.b64decode(raw) for place, raw in found.items()}


def let_browser_in(page: Page, server: Server, folder: Path) -> None:
    """Sign in as an officer of State C, and let this browser in."""
    page.goto("/sign-in/")
    form = page.locator("form", has=page.locator(f"[value='{OFFICER_C.membership_id}']"))
    form.get_by_role("button").click()
    expect(page).not_to_have_url(re.compile("/sign-in/"), timeout=PATIENCE)
    page.goto("/devices/")
    page.locator("#make-request").click()
    expect(page.locator("#step-waiting")).to_be_visible(timeout=PATIENCE)
    run(let_in(server, folder))
    expect(page.locator("#step-ready:visible, #threads:visible")).to_be_visible(timeout=LONG)


def read_all(page: Page, threads: list[str], marker: str) -> None:
    """Open every thread until all of it is verified and kept."""
    for number, thread in enumerate(threads):
        page.goto(f"/threads/{thread}/")
        expect(page.locator("#composer")).to_be_visible(timeout=LONG)
        last = page.locator(f"#item-{MESSAGES_EACH + 1}")
        expect(last).to_contain_text(f"{marker}-{number + 1}-{MESSAGES_EACH}")
        expect(page.locator("#alarm")).to_be_hidden()


def write_here(context: BrowserContext, page: Page, marker: str) -> None:
    """Write in the open thread, search the list, begin a thread; leave a message and two drafts behind."""
    page.locator("#text").fill(f"{marker}-answer")
    page.locator("#send").click()
    expect(page.locator("#messages")).to_contain_text(f"{marker}-answer", timeout=PATIENCE)
    thread = page.url
    page.goto("/threads/")
    page.locator("#search").fill(marker)
    expect(page.locator("#threads > li")).to_have_count(THREADS, timeout=PATIENCE)
    page.goto("/threads/new/")
    page.locator("#authorities label", has_text=STATE_A.name).click()
    page.locator("#subject-field").fill(f"{marker} new subject")
    page.locator("#text").fill(f"{marker}-new")
    expect(page.locator("#draft-state")).not_to_be_empty(timeout=PATIENCE)
    page.goto(thread)
    expect(page.locator("#composer")).to_be_visible(timeout=LONG)
    context.set_offline(True)
    page.locator("#text").fill(f"{marker}-waits")
    page.locator("#send").click()
    expect(page.locator("#waiting > li")).to_have_count(1, timeout=PATIENCE)
    page.locator("#text").fill(f"{marker}-draft")
    expect(page.locator("#draft-state")).not_to_be_empty(timeout=PATIENCE)


def test_nothing_that_a_browser_keeps_holds_a_text_of_a_thousand_messages(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    # Every text begins with the same random characters: whoever keeps any of them is found by one search.
    marker, control = f"canary{secrets.token_hex(12)}", f"control{secrets.token_hex(12)}"
    threads: list[str] = []
    run(write(server, tmp_path, marker, threads))
    profile = tmp_path / "profile"
    with opened(browser, server.origin, profile) as context:
        page = context.new_page()
        let_browser_in(page, server, tmp_path)
        read_all(page, threads, marker)
        write_here(context, page, marker)
        kept = kept_by(page)
        # What was read is there: the ciphertext of every message, what waits, and both drafts.
        assert len(kept["items"]) > THREADS * MESSAGES_EACH * 512
        assert all(kept[place] for place in STORES)
        page.evaluate(PLANT, control)
        planted = kept_by(page)
        assert {place for place, raw in planted.items() if find_in(raw, [control])} >= STORES | WEB_STORAGE
        assert {place for place, raw in planted.items() if find_in(raw, [marker])} == set()
    on_disk = {
        (path.relative_to(profile), text)
        for path in files_under(profile)
        for text, _ in find_in(path.read_bytes(), [marker, control])
    }
    assert {path for path, text in on_disk if text == marker} == set()
    places = {part for path, text in on_disk if text == control for part in path.parts}
    assert places >= FOLDERS
