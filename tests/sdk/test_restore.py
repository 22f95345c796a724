"""A database is put back to an earlier day under programs that run: nothing acknowledged is lost (L8)."""

import asyncio

import pytest

from messaging.demo.secretariat import Officers, officers
from messaging.sdk.client import Client
from messaging.sdk.errors import Distrusted, NotSent, Unreachable
from messaging.sdk.facts import Arrived
from messaging.sealed.message import Note
from tests.backup import Backup
from tests.sdk.conftest import Pair, next_message, until
from tests.secretariat import folder_of
from tests.server import Server


def texts_of(client: Client, thread: str) -> list[str]:
    found = client.mailbox.threads[bytes.fromhex(thread)]
    bodies = [applied.plaintext.body for applied in found.applied if applied.plaintext]
    return [body.text for body in bodies if isinstance(body, Note)]


async def restart_with(server: Server, backup: Backup, *commands: tuple[str, ...]) -> None:
    await asyncio.to_thread(server.stop)
    backup.put_back()
    for command in commands:
        await asyncio.to_thread(server.manage, *command)
    await asyncio.to_thread(server.start)


async def lose_the_end(server: Server, pair: Pair) -> tuple[Backup, list[Arrived]]:
    """Let both write after a backup; all of it is acknowledged, and seen by both."""
    await asyncio.to_thread(server.stop)
    backup = Backup(server)
    await asyncio.to_thread(server.start)
    await pair.b.send(pair.opened.thread, "an answer that is lost")
    await pair.a.send(pair.opened.thread, "a question that is lost")
    await pair.a.log.follow()
    return backup, [await next_message(pair.a), await next_message(pair.b)]


async def announce(pair: Officers) -> None:
    (restore,) = await pair.first.secretariat.list_restores()
    assert restore.cause == "a broken disk"
    assert not await pair.first.secretariat.sign_restore(restore)
    assert await pair.second.secretariat.sign_restore(restore)


async def test_programs_hand_back_what_the_server_lost_and_go_on(server: Server, pair: Pair) -> None:
    thread = pair.opened.thread
    async with officers(server.origin, folder_of(server)) as secretariat:
        backup, _ = await lose_the_end(server, pair)
        before = texts_of(pair.a, thread)
        await restart_with(server, backup, ("restore", "--begin", "a broken disk"))
        waiting = asyncio.create_task(pair.a.send(thread, "written while it was away"))
        await announce(secretariat)
        await until(lambda: has_items(server, len(before)))
        assert not waiting.done()
        await asyncio.to_thread(server.manage, "restore", "--finish")
        await waiting
    assert (await next_message(pair.b)).text == "written while it was away"
    await pair.b.send(thread, "it goes on")
    assert texts_of(pair.b, thread) == [*before, "written while it was away", "it goes on"]


async def has_items(server: Server, count: int) -> bool:
    (row,) = server.sql("SELECT count(*) FROM messaging_threaditem WHERE message_id <> ''")
    return int(row[0]) >= count


async def test_without_a_restore_a_shorter_thread_is_a_fork(server: Server, pair: Pair) -> None:
    thread = pair.opened.thread
    backup, _ = await lose_the_end(server, pair)
    # A server that hides that it was put back: it forgets how far it had signed.
    for name in ("log.mark", "log.lines"):
        (server.state / name).unlink(missing_ok=True)
    await restart_with(server, backup)
    for client in (pair.a, pair.b):
        await until(lambda client=client: thread in client._inbox.distrusted)
        with pytest.raises((Distrusted, NotSent)):
            await client.send(thread, "to a server that went back")


async def test_a_restore_that_nobody_signed_is_waited_for(server: Server, pair: Pair) -> None:
    backup, _ = await lose_the_end(server, pair)
    await restart_with(server, backup, ("restore", "--begin", "a broken disk"))
    for path in (f"/api/threads/{pair.opened.thread}/items", "/api/threads"):
        with pytest.raises(Unreachable, match="503"):
            await pair.a.http.get(path)
