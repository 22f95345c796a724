"""The server is put back to an earlier day under an open browser: it hands back what was lost (L8)."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from playwright.sync_api import Browser, expect

from network.demo import STATE_A, STATE_C
from tests.backup import Backup
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.secretariat import folder_of, officers
from tests.server import Server

LONG = 4 * PATIENCE


def beside_playwright(work: Coroutine[Any, Any, None]) -> None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result()


async def announce(server: Server) -> None:
    """Let the two officers of the secretariat sign for the restore that has begun."""
    async with officers(server.origin, folder_of(server)) as pair:
        for officer in (pair.first, pair.second):
            (restore,) = await officer.secretariat.list_restores()
            await officer.secretariat.sign_restore(restore)


def put_back(server: Server, backup: Backup, *commands: tuple[str, ...]) -> None:
    server.stop()
    backup.put_back()
    for command in commands:
        server.manage(*command)
    server.start()


def items_of(server: Server, thread: str) -> int:
    """How many items of a thread the server has."""
    ((count,),) = server.sql("SELECT count(*) FROM messaging_threaditem WHERE thread_id = ?", thread)
    return int(count)


def lose_the_end(server: Server, desk: Desk) -> Backup:
    """Let a desk open a thread; what it writes after the backup is lost with the database."""
    desk.open_thread_with(STATE_C.name, subject="A bank account", text="kept")
    assert desk.texts() == ["kept"]
    server.stop()
    backup = Backup(server)
    server.start()
    desk.write("lost, and handed back")
    assert desk.texts() == ["kept", "lost, and handed back"]
    return backup


def test_a_browser_hands_back_what_it_keeps_and_its_colleague_reads_it(
    browser: Browser, live_server_process: Server
) -> None:
    server = live_server_process
    with (
        Desk(browser, server.origin, supervisor_of(STATE_A.persons)) as a,
        Desk(browser, server.origin, supervisor_of(STATE_C.persons)) as c,
    ):
        for desk in (a, c):
            desk.sign_in()
            desk.make_keyring()
        backup = lose_the_end(server, a)
        thread = a.page.url.rstrip("/").rsplit("/", 1)[1]
        whole = items_of(server, thread)
        put_back(server, backup, ("restore", "--begin", "a broken disk"))
        assert items_of(server, thread) < whole
        beside_playwright(announce(server))
        a.page.reload()
        a.sees("lost, and handed back")
        c.open_thread("A bank account")
        c.sees("lost, and handed back")
        assert items_of(server, thread) == whole
        server.manage("restore", "--finish")
        c.write("it goes on")
        expect(a.message("it goes on")).to_have_count(1, timeout=LONG)
        assert a.texts() == ["kept", "lost, and handed back", "it goes on"]


def test_a_server_that_went_back_in_secret_is_a_fork_in_words(
    browser: Browser, live_server_process: Server
) -> None:
    server = live_server_process
    with (
        Desk(browser, server.origin, supervisor_of(STATE_A.persons)) as a,
        Desk(browser, server.origin, supervisor_of(STATE_C.persons)) as c,
    ):
        for desk in (a, c):
            desk.sign_in()
            desk.make_keyring()
        backup = lose_the_end(server, a)
        put_back(server, backup)
        a.page.reload()
        expect(a.page.get_by_text("The server shows less of this thread")).to_be_visible(timeout=LONG)
        expect(a.page.locator("#text")).to_be_hidden()
