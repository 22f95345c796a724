"""What happens to messages when servers die, clients die and keyrings move on: nothing is lost or doubled."""

import asyncio
import json

import pytest

from messaging.sdk.client import Client
from messaging.sdk.device_file import DeviceFile, to_base64
from messaging.sdk.errors import Distrusted
from messaging.sdk.facts import Arrived, Sent
from messaging.sdk.outbox import now
from tests.sdk.conftest import (
    COLLEAGUE_A,
    COST,
    HEAD_A,
    HEAD_B,
    OFFICER_A,
    OFFICER_B,
    PASSPHRASE,
    PATIENCE_SECONDS,
    Desks,
    Pair,
    listed_device,
    next_message,
    until,
)
from tests.server import Server

MESSAGES = 200
KILL_AT = (30, 90, 150)


async def send_all(client: Client, thread: str) -> list[Sent]:
    """Send the numbered messages, one after the other."""
    return [await client.send(thread, f"number {number}") for number in range(MESSAGES)]


async def collect(client: Client, received: list[Arrived]) -> None:
    """Add every message to the list as it comes."""
    while True:
        received.append(await next_message(client))


async def kill_on_the_way(server: Server, received: list[Arrived], sending: asyncio.Task[list[Sent]]) -> None:
    """Kill the server, as a power cut would, whenever the receiver has got so far; start it again."""
    for place in KILL_AT:
        await until(lambda place=place: len(received) >= place or sending.done())
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(server.start)


async def test_nothing_is_lost_or_doubled_while_the_server_is_killed_three_times(
    server: Server, pair: Pair
) -> None:
    received: list[Arrived] = []

    receiving = asyncio.create_task(collect(pair.b, received))
    sending = asyncio.create_task(send_all(pair.a, pair.opened.thread))
    await kill_on_the_way(server, received, sending)
    sent = await sending
    await until(lambda: len(received) >= MESSAGES)
    await asyncio.sleep(0.5)  # a doubled one would come now
    receiving.cancel()
    assert [message.text for message in received] == [f"number {number}" for number in range(MESSAGES)]
    assert [message.seq for message in received] == [one.seq for one in sent]
    assert all(message.marks == () for message in received)


async def test_client_that_was_away_receives_everything_once(pair: Pair, desks: Desks) -> None:
    await pair.b.close()
    for number in range(5):
        await pair.a.send(pair.opened.thread, f"while away {number}")
    back = await desks.open(HEAD_B)
    assert [(await next_message(back)).text for _ in range(5)] == [f"while away {n}" for n in range(5)]
    await back.close()
    again = await desks.open(HEAD_B)
    await pair.a.send(pair.opened.thread, "news")
    assert (await next_message(again)).text == "news"


async def test_message_that_was_being_handled_when_the_process_died_is_given_again(
    pair: Pair, desks: Desks
) -> None:
    await pair.a.send(pair.opened.thread, "handle me")
    async for message in pair.b.messages():
        assert message.text == "handle me"
        break  # not marked as handled
    await pair.b.close()
    again = await desks.open(HEAD_B)
    assert (await next_message(again)).text == "handle me"


async def test_message_at_hand_is_acknowledged_and_answered_once_by_the_processes_that_die_over_it(
    server: Server, pair: Pair, desks: Desks
) -> None:
    question = await pair.a.send(pair.opened.thread, "handle me")
    b, taken = pair.b, []
    for _ in range(2):
        async for message in b.messages():
            acknowledged = await b.acknowledge(message)
            taken.append((acknowledged, await b.send(message.thread, "an answer", answers=message)))
            break  # not marked as handled
        await b.close()
        b = await desks.open(HEAD_B)
    assert taken[0] == taken[1]
    # The third one dies before the server has said that it took the answer.
    second = await pair.a.send(pair.opened.thread, "handle me too")
    message = await message_at(b, second)
    await ask_before_sealing(b, message.thread)  # as a new process has to, once
    await asyncio.to_thread(server.kill)
    answering = asyncio.create_task(b.send(message.thread, "another answer", answers=message))
    await until(lambda: bool(outbox_of(b)))
    answering.cancel()
    await b.close()
    await asyncio.to_thread(server.start)
    b = await desks.open(HEAD_B)
    message = await message_at(b, second)
    await b.send(message.thread, "another answer", answers=message)
    b.mark_handled(message)
    await b.send(message.thread, "nothing doubled before this")
    heard = [await next_message(pair.a) for _ in range(4)]
    assert [found.acknowledges or found.text for found in heard] == [
        question.id,
        "an answer",
        "another answer",
        "nothing doubled before this",
    ]


async def message_at(client: Client, sent: Sent) -> Arrived:
    """Return the message sent so, whatever is given before it, and leave it unhandled."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (message := await anext(client.messages())).id != sent.id:
            pass
    return message


async def test_message_in_the_outbox_of_a_dead_process_goes_out_with_the_same_bytes(
    server: Server, pair: Pair, desks: Desks
) -> None:
    await asyncio.to_thread(server.kill)
    stored = await leave_in_outbox(pair.a, pair.opened.thread)
    await asyncio.to_thread(server.start)
    await desks.open(HEAD_A)
    assert (await next_message(pair.b)).text == "from the outbox"
    page = await pair.b.http.get(f"/api/threads/{pair.opened.thread}/items", after=2)
    assert [item["item"] for item in page["items"]] == [stored]


async def test_message_sealed_before_the_own_keyring_grew_is_sealed_anew_and_arrives_once(
    server: Server, pair: Pair, desks: Desks
) -> None:
    officer = await listed_device(desks, OFFICER_A, pair.a)
    await next_message(officer)  # the thread is loaded
    await ask_before_sealing(officer, pair.opened.thread)
    await asyncio.to_thread(server.kill)
    stored = await leave_in_outbox(officer, pair.opened.thread)
    await asyncio.to_thread(server.start)
    await listed_device(desks, COLLEAGUE_A, pair.a)
    await expect_sealed_anew(await desks.open(OFFICER_A), pair, stored, ["message"])


async def test_message_sealed_before_the_thread_was_re_keyed_is_sealed_anew_and_arrives_once(
    server: Server, pair: Pair, desks: Desks
) -> None:
    officer = await listed_device(desks, OFFICER_A, pair.a)
    await next_message(officer)  # the thread is loaded
    await ask_before_sealing(officer, pair.opened.thread)
    await asyncio.to_thread(server.kill)
    stored = await leave_in_outbox(officer, pair.opened.thread)
    await asyncio.to_thread(server.start)
    await re_key(pair.b, pair.opened.thread)
    await expect_sealed_anew(await desks.open(OFFICER_A), pair, stored, ["entry", "message"])


async def expect_sealed_anew(back: Client, pair: Pair, stored: str, types: list[str]) -> None:
    """The message arrives once, in other bytes, and names the refused first try (M4)."""
    message = await next_message(pair.b)
    await until(lambda: not outbox_of(back))
    assert (message.text, message.marks) == ("from the outbox", ())
    page = await pair.b.http.get(f"/api/threads/{pair.opened.thread}/items", after=2)
    assert [item["type"] for item in page["items"]] == types
    assert stored not in [item["item"] for item in page["items"]]
    applied = pair.b.mailbox.threads[bytes.fromhex(pair.opened.thread)].applied[-1]
    assert applied.message is not None
    assert len(applied.message.void) == 1


async def re_key(client: Client, thread: str) -> None:
    """Add an entry that re-keys the thread, as a client does after a device was removed."""
    await ask_before_sealing(client, thread)
    made = client.mailbox.refresh(bytes.fromhex(thread), at=now())
    body = {"entry": to_base64(made.entry), "envelopes": to_base64(made.envelopes)}
    await client.http.post(f"/api/threads/{thread}/entries", body)


async def test_both_sides_write_on_when_a_device_is_added_on_either(pair: Pair, desks: Desks) -> None:
    await listed_device(desks, OFFICER_B, pair.b)
    await pair.a.send(pair.opened.thread, "after the change")
    assert (await next_message(pair.b)).text == "after the change"
    await pair.b.send(pair.opened.thread, "received")
    assert (await next_message(pair.a)).text == "received"


async def test_client_refuses_what_was_altered_in_the_database(
    server: Server, pair: Pair, desks: Desks
) -> None:
    await pair.b.close()
    sent = await pair.a.send(pair.opened.thread, "to be altered")
    await asyncio.to_thread(server.stop)
    alter_ciphertext(server, sent.seq)
    await asyncio.to_thread(server.start)
    back = await desks.open(HEAD_B)
    await until(lambda: pair.opened.thread in back.distrusted)
    assert isinstance(back.distrusted[pair.opened.thread], Distrusted)
    assert "M3 wrong-cipher" in str(back.distrusted[pair.opened.thread])


async def test_client_notices_that_the_end_of_a_thread_was_taken_away(
    server: Server, pair: Pair, desks: Desks
) -> None:
    await pair.a.send(pair.opened.thread, "to vanish")
    await next_message(pair.b)
    await pair.b.close()
    await asyncio.to_thread(server.stop)
    forget_last_item(server, pair.opened.thread)
    await asyncio.to_thread(server.start)
    back = await desks.open(HEAD_B)
    with pytest.raises(Distrusted, match="T8"):
        await back.send(pair.opened.thread, "an answer")


async def ask_before_sealing(client: Client, thread: str) -> None:
    """Let a client fetch what it must know of the members before it seals, while the server is there."""
    await client._outbox._others.make_ready(client._outbox._members(thread))


async def leave_in_outbox(client: Client, thread: str) -> str:
    """Seal a message while the server is away and end the client; return the stored header, base64."""
    sending = asyncio.create_task(client.send(thread, "from the outbox"))
    await until(lambda: bool(outbox_of(client)))
    sending.cancel()
    await client.close()
    file = DeviceFile.open(client.file_path, PASSPHRASE, cost=COST)
    (stored,) = file.contents.outbox
    file.close()
    assert "from the outbox" not in json.dumps(vars(stored))
    return stored.item


def outbox_of(client: Client) -> list[object]:
    """Return what is on its way."""
    return list(client._core.file.contents.outbox)


def alter_ciphertext(server: Server, seq: int) -> None:
    """Change one byte of a stored ciphertext, as an operator could."""
    ((found,),) = server.sql("SELECT ciphertext FROM messaging_threaditem WHERE seq = ?", seq)
    found = bytes(found)
    changed = found[:100] + bytes([found[100] ^ 1]) + found[101:]
    server.sql("UPDATE messaging_threaditem SET ciphertext = ? WHERE seq = ?", changed, seq)


def forget_last_item(server: Server, thread: str) -> None:
    """Take away the last item and set the thread back, as a restored backup would."""
    (last, _), (before, transcript) = server.sql(
        "SELECT seq, transcript FROM messaging_threaditem WHERE thread_id = ? ORDER BY seq DESC LIMIT 2",
        thread,
    )
    server.sql("DELETE FROM messaging_threaditem WHERE thread_id = ? AND seq = ?", thread, last)
    server.sql("UPDATE messaging_thread SET seq = ?, transcript = ? WHERE id = ?", before, transcript, thread)
