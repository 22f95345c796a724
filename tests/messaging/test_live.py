"""Over open sockets: who hears of a message, and who does not."""

from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async

from network.project.hub import hub_of_process
from tests.factories import Offices, open_offices, request_device
from tests.personas import Cast, make_cast
from tests.realtime.conftest import Socket


@pytest.fixture
def live_cast(transactional_db: None) -> Cast:
    """Give the personas in a database whose commits are real."""
    return make_cast()


@pytest.fixture
def live_offices(live_cast: Cast) -> Offices:
    """Give authorities at work in the same database."""
    return open_offices(live_cast)


@pytest.fixture
async def sockets(live_offices: Offices, live_cast: Cast) -> AsyncIterator[dict[str, Socket]]:
    """Give an open, resumed socket for each of these personas."""
    names = ("officer_a", "supervisor_a", "administrator_a", "officer_b", "supervisor_c")
    opened = {}
    for name in names:
        socket = Socket(await sync_to_async(live_cast.everybody()[name].session_cookie)())
        assert (await socket.connect(timeout=5))[0]
        await socket.next_event("network.session.opened")
        assert "result" in await socket.ask("network.session.resume", {"cursors": {}})
        opened[name] = socket
    yield opened
    for socket in opened.values():
        await socket.leave()
    await (await hub_of_process()).stop()


async def heard_by(socket: Socket) -> set[str]:
    """Return the names of the events that wait at a socket."""
    return {frame["event"] for frame in await socket.frames_until_quiet()}


async def test_a_message_reaches_both_members_and_nobody_else(
    live_offices: Offices, sockets: dict[str, Socket]
) -> None:
    a, b = live_offices.officer_a, live_offices.officer_b
    thread = await sync_to_async(a.open_thread)(b)
    for _ in range(2):
        for name in ("officer_a", "supervisor_a", "officer_b"):
            await sockets[name].next_event("messaging.item.appended")
    sealed = await sync_to_async(a.seal)(thread, "Live.")
    reply = await sockets["officer_a"].ask("messaging.messages.append", {"messages": [sealed]})
    (stored,) = reply["result"]["results"]
    assert stored["seq"] == 3
    for name in ("officer_a", "supervisor_a", "officer_b"):
        event = await sockets[name].next_event("messaging.item.appended")
        body = event["body"]
        assert (body["thread"], body["seq"], body["type"]) == (thread, 3, "message")
        assert (body["item"], body["ciphertext"]) == (sealed["item"], sealed["ciphertext"])
        assert body["receipt"] == stored["receipt"]
    for name in ("administrator_a", "supervisor_c"):
        assert await heard_by(sockets[name]) <= {"network.queue.emptied"}, name


async def test_progress_and_refusals_travel_over_the_socket(
    live_offices: Offices, sockets: dict[str, Socket]
) -> None:
    a, b = live_offices.officer_a, live_offices.officer_b
    thread = await sync_to_async(a.open_thread)(b)
    socket = sockets["officer_b"]
    confirmed = await socket.ask("messaging.delivery.confirm", {"thread": thread, "seq": 2})
    assert confirmed["result"] == {}
    event = await sockets["officer_a"].next_event("messaging.progress.made")
    assert event["body"] == {
        "thread": thread,
        "principal": b.principal,
        "delivered_seq": 2,
        "opened_seq": 0,
        "opened": None,
        "told": [],
    }
    beyond = await socket.ask("messaging.delivery.confirm", {"thread": thread, "seq": 9})
    assert beyond["error"]["code"] == "beyond-the-end"
    foreign = await sockets["supervisor_c"].ask("messaging.delivery.confirm", {"thread": thread, "seq": 1})
    assert foreign["error"]["code"] == "not-found"
    refused = await sockets["administrator_a"].ask(
        "messaging.messages.append", {"messages": [{"item": "AA==", "ciphertext": "AA=="}]}
    )
    assert refused["error"]["code"] == "forbidden"
    malformed = await socket.ask("messaging.messages.append", {"messages": []})
    assert malformed["error"]["code"] == "invalid-body"


async def test_a_supervisor_hears_of_a_device_that_asks(
    live_offices: Offices, live_cast: Cast, sockets: dict[str, Socket]
) -> None:
    a = live_offices.supervisor_a
    asking = await sync_to_async(request_device)(live_cast.officer_a, a.mailbox.principal)
    event = await sockets["supervisor_a"].next_event("messaging.device.requested")
    assert event["body"] == {"device": asking.mailbox.device.id.hex()}
