"""The socket as a client meets it: frames, replay, live events, limits, and the end of a standing."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, transaction

from messaging.protocol import KeyringPlace
from network import access, limits, realtime
from network.actions.memberships import end_membership
from network.actions.sign_ins import end_sign_in
from network.frames import Notice
from network.models import AudienceCounter
from network.policy import Actor
from network.project import gateway
from network.project.catalogue import COMMANDS
from network.project.hub import Feed, hub_of_process
from network.protocol import CLOSE_COME_BACK, CLOSE_TOO_MANY
from tests.personas import Cast, Persona
from tests.realtime.conftest import Opener

GREW = "messaging.keyring.grew"


def audience_of(persona: Persona) -> str:
    return realtime.authority_audience(persona.actor.authority_id)


@transaction.atomic(durable=True)
def publish(audience: str, numbers: Sequence[int]) -> None:
    for n in numbers:
        body = KeyringPlace(principal="a" * 64, n=n, head="b" * 64)
        realtime.publish_on_commit(Notice(GREW, audience, body))


MALFORMED = [
    ("not json", "malformed-frame"),
    ("[]", "malformed-frame"),
    ("{}", "malformed-frame"),
    ('{"id":"a","command":"network.session.ping","body":{},"more":1}', "malformed-frame"),
    ('{"id":1,"command":"network.session.ping","body":{}}', "malformed-frame"),
    ('{"id":"","command":"network.session.ping","body":{}}', "malformed-frame"),
    ('{"id":"a","id":"b","command":"network.session.ping","body":{}}', "malformed-frame"),
    ('{"id":"a","command":7,"body":{}}', "malformed-frame"),
    ('{"id":"a","command":"network.session.nothing","body":{}}', "unknown-command"),
    ('{"id":"a","command":"__class__","body":{}}', "unknown-command"),
    ('{"id":"a","command":"network.session.ping","body":{"x":1}}', "invalid-body"),
    ('{"id":"a","command":"network.session.ping","body":[]}', "invalid-body"),
    ('{"id":"a","command":"network.session.resume","body":{"cursors":{"x":-1}}}', "invalid-body"),
    ('{"id":"a","command":"network.session.resume","body":{"cursors":{"x":"1"}}}', "invalid-body"),
    ('{"id":"a","command":"network.session.resume","body":{"cursors":{"x":1.5}}}', "invalid-body"),
]


@pytest.mark.parametrize(("text", "code"), MALFORMED)
async def test_a_bad_frame_gets_a_code_and_a_sentence_and_the_socket_lives(
    live_cast: Cast, open_socket: Opener, text: str, code: str
) -> None:
    socket = await open_socket(live_cast.officer_a)
    await socket.send_to(text_data=text)
    while "error" not in (reply := await socket.receive_json_from(timeout=5)):
        assert reply["event"]
    assert reply["error"]["code"] == code
    assert reply["error"]["message"]
    assert (await socket.ask("network.session.ping", {}))["result"] == {}


async def test_a_binary_frame_gets_a_code(live_cast: Cast, open_socket: Opener) -> None:
    socket = await open_socket(live_cast.officer_a, resume=False)
    await socket.next_event("network.session.opened")
    await socket.send_to(bytes_data=b"\x00")
    assert (await socket.receive_json_from(timeout=5))["error"]["code"] == "binary-frame"


async def test_a_flood_of_malformed_frames_is_closed(live_cast: Cast, open_socket: Opener) -> None:
    socket = await open_socket(live_cast.officer_a)
    for _ in range(int(limits.LIMITS["socket-fault"].burst) + 1):
        await socket.send_to(text_data="{")
    assert await socket.close_code() == gateway.CLOSE_FLOODING


async def test_too_many_commands_are_slowed_with_a_code(live_cast: Cast, open_socket: Opener) -> None:
    socket = await open_socket(live_cast.officer_a)
    replies = [await socket.ask("network.session.ping", {}) for _ in range(80)]
    assert {reply["error"]["code"] for reply in replies if "error" in reply} == {"too-many"}


async def test_our_own_fault_is_told_apart_and_the_socket_lives(
    live_cast: Cast, open_socket: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(actor: Actor, body: Any) -> None:
        raise ZeroDivisionError

    ping = COMMANDS["network.session.ping"]
    broken = type(ping)(ping.name, ping.body, ping.result, ping.permission, ping.limit, breaks)
    monkeypatch.setitem(COMMANDS, ping.name, broken)
    socket = await open_socket(live_cast.officer_a)
    assert (await socket.ask(ping.name, {}))["error"]["code"] == "unavailable"
    monkeypatch.undo()
    assert (await socket.ask(ping.name, {}))["result"] == {}


async def test_an_event_reaches_its_authority_live_and_nobody_else(
    live_cast: Cast, open_socket: Opener
) -> None:
    a, colleague, b = [
        await open_socket(p) for p in (live_cast.officer_a, live_cast.supervisor_a, live_cast.officer_b)
    ]
    await sync_to_async(publish)(await sync_to_async(audience_of)(live_cast.officer_a), [1])
    for socket in (a, colleague):
        event = await socket.next_event(GREW)
        assert (event["seq"], event["body"]["n"]) == (1, 1)
    await b.next_event("network.queue.emptied")
    assert await b.frames_until_quiet() == []


async def test_resume_replays_what_was_missed_in_order_and_then_says_current(
    live_cast: Cast, open_socket: Opener
) -> None:
    audience = await sync_to_async(audience_of)(live_cast.officer_a)
    await sync_to_async(publish)(audience, range(1, 451))
    socket = await open_socket(live_cast.officer_a, cursors={audience: 100})
    events = [await socket.next_event(GREW) for _ in range(350)]
    assert [event["seq"] for event in events] == list(range(101, 451))
    emptied = await socket.next_event("network.queue.emptied")
    assert emptied["body"]["cursors"][audience] == 450


async def test_a_cursor_too_old_or_ahead_means_reload(live_cast: Cast, open_socket: Opener) -> None:
    audience = await sync_to_async(audience_of)(live_cast.officer_a)
    await sync_to_async(publish)(audience, range(1, 11))
    await AudienceCounter.objects.filter(audience=audience).aupdate(floor=5)
    for cursor, wanted in ((4, [audience]), (11, [audience]), (5, []), (10, [])):
        socket = await open_socket(live_cast.officer_a, resume=False)
        reply = await socket.ask("network.session.resume", {"cursors": {audience: cursor}})
        assert reply["result"]["reload"] == wanted, cursor


async def test_a_foreign_audience_in_the_cursors_gives_nothing(live_cast: Cast, open_socket: Opener) -> None:
    foreign = await sync_to_async(audience_of)(live_cast.officer_b)
    await sync_to_async(publish)(foreign, [1, 2, 3])
    socket = await open_socket(live_cast.officer_a, cursors={foreign: 0})
    emptied = await socket.next_event("network.queue.emptied")
    assert foreign not in emptied["body"]["cursors"]
    assert await socket.frames_until_quiet() == []


async def test_a_second_resume_is_refused(live_cast: Cast, open_socket: Opener) -> None:
    socket = await open_socket(live_cast.officer_a)
    reply = await socket.ask("network.session.resume", {"cursors": {}})
    assert reply["error"]["code"] == "already-resumed"


async def test_ending_a_sign_in_closes_its_sockets_at_once(live_cast: Cast, open_socket: Opener) -> None:
    socket, other = await open_socket(live_cast.officer_a), await open_socket(live_cast.supervisor_a)
    await sync_to_async(end_sign_in)(await sync_to_async(lambda: live_cast.officer_a.actor)())
    assert await socket.close_code() == 4401
    assert (await other.ask("network.session.ping", {}))["result"] == {}


async def test_ending_a_membership_closes_its_sockets_and_refuses_new_ones(
    live_cast: Cast, open_socket: Opener
) -> None:
    socket = await open_socket(live_cast.officer_a)
    assert live_cast.officer_a.membership
    await sync_to_async(end_membership)(None, membership_id=live_cast.officer_a.membership.id)
    assert await socket.close_code() == 4401


async def test_a_lost_ring_costs_seconds_not_access(
    live_cast: Cast, open_socket: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime, "_ring", lambda groups: None)
    a, b = await open_socket(live_cast.officer_a), await open_socket(live_cast.officer_b)
    await sync_to_async(publish)(await sync_to_async(audience_of)(live_cast.officer_b), [1])
    await sync_to_async(end_sign_in)(await sync_to_async(lambda: live_cast.officer_a.actor)())
    await (await hub_of_process()).look_around()
    assert await a.close_code() == 4401
    assert (await b.next_event(GREW))["seq"] == 1


async def test_an_ended_standing_hears_nothing_even_before_its_socket_is_closed(
    live_cast: Cast, open_socket: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await open_socket(live_cast.officer_a)
    audience = await sync_to_async(audience_of)(live_cast.officer_a)
    await socket.next_event("network.queue.emptied")
    with monkeypatch.context() as lost:
        lost.setattr(realtime, "_ring", lambda groups: None)
        await sync_to_async(end_sign_in)(await sync_to_async(lambda: live_cast.officer_a.actor)())
    await sync_to_async(publish)(audience, [1])
    message = await socket.receive_output(timeout=5)
    assert (message["type"], message.get("code")) == ("websocket.close", 4401)


async def test_one_socket_too_many_is_closed_with_its_code(
    live_cast: Cast, open_socket: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "SOCKETS_PER_SIGN_IN", 2)
    for _ in range(2):
        await open_socket(live_cast.officer_a)
    third = await open_socket(live_cast.officer_a, resume=False)
    assert await third.close_code() == CLOSE_TOO_MANY


async def test_a_feed_made_anew_while_another_socket_leaves_is_kept(live_cast: Cast) -> None:
    actor = await sync_to_async(lambda: live_cast.officer_a.actor)()
    audience = realtime.authority_audience(actor.authority_id)
    hub = await hub_of_process()
    first, second, third = Ghost(actor), Ghost(actor), Ghost(actor)
    for ghost in (first, second):
        await hub.join(ghost, (audience,))
    async with hub._lock:
        leaving = [asyncio.create_task(hub.leave(first, (audience,)))]
        joining = asyncio.create_task(hub.join(third, (audience,)))
        await asyncio.sleep(0)
        leaving.append(asyncio.create_task(hub.leave(second, (audience,))))
        await asyncio.sleep(0)
    await asyncio.gather(*leaving, joining)
    assert third in hub._feeds[audience].listeners
    await hub.stop()


class Ghost:
    """A socket as the hub sees it, with nobody behind it."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.wake = asyncio.Event()

    async def close_with(self, code: int) -> None:
        """Nobody hears it."""


async def test_an_error_while_sending_closes_the_socket_so_that_it_comes_back(
    live_cast: Cast, open_socket: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await open_socket(live_cast.officer_a)
    await socket.next_event("network.queue.emptied")
    audience = await sync_to_async(audience_of)(live_cast.officer_a)

    async def fails(feed: Feed, cursor: int) -> list[Any]:
        raise DatabaseError

    monkeypatch.setattr(Feed, "after", fails)
    await sync_to_async(publish)(audience, [1])
    assert await socket.close_code() == CLOSE_COME_BACK


async def test_a_ring_that_fails_does_not_make_the_process_deaf(
    live_cast: Cast, open_socket: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await open_socket(live_cast.officer_a), await open_socket(live_cast.officer_b)
    with monkeypatch.context() as broken:
        broken.setattr(access, "require_standing", lambda actors: 1 / 0)
        await sync_to_async(end_sign_in)(await sync_to_async(lambda: live_cast.officer_a.actor)())
        await asyncio.sleep(0.3)
    await sync_to_async(publish)(await sync_to_async(audience_of)(live_cast.officer_b), [1])
    async with asyncio.timeout(3):
        assert (await b.next_event(GREW))["seq"] == 1
    await (await hub_of_process()).look_around()
    assert await a.close_code() == 4401


async def test_a_socket_whose_application_is_cancelled_leaves_nothing_behind(
    live_cast: Cast, open_socket: Opener
) -> None:
    socket = await open_socket(live_cast.officer_a)
    hub = await hub_of_process()
    assert len(hub.listeners) == 1
    socket.future.cancel()
    await asyncio.sleep(0.2)
    assert hub.listeners == set()


async def test_every_message_counts_against_the_limit(live_cast: Cast, open_socket: Opener) -> None:
    socket = await open_socket(live_cast.officer_a)
    empty = {"item": "AAAA", "ciphertext": "AAAA"}
    codes = set()
    for _ in range(6):
        reply = await socket.ask("messaging.messages.append", {"messages": [empty] * 16})
        codes.add(reply.get("error", {}).get("code"))
    assert codes == {None, "too-many"}
