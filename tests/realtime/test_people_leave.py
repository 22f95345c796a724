"""Whoever is suspended, ended or handed over is off the line in seconds; partners hear who goes on."""

import time

import pytest
from asgiref.sync import sync_to_async

from tests.factories import change_keyring, open_offices
from tests.network.test_people import person, post, row_of
from tests.personas import Cast
from tests.realtime.conftest import Opener

ACTS = {
    "suspend/": {"reason": "device-lost"},
    "change/": {"roles": "liaison-magistrate", "office": "Embassy"},
    "end/": {},
    "hand-over/confirm/": {},
}


@pytest.mark.parametrize("act", ACTS)
async def test_the_open_socket_of_whom_the_act_concerns_closes_and_others_stay(
    live_cast: Cast, open_socket: Opener, act: str
) -> None:
    socket = await open_socket(live_cast.officer_a)
    other = await open_socket(live_cast.supervisor_a)
    fields = dict(ACTS[act])
    if act == "hand-over/confirm/":
        fields["successor"] = str(await sync_to_async(lambda: row_of(live_cast.supervisor_a).id)())
    started = time.monotonic()
    done = await sync_to_async(post)(live_cast.administrator_a, person(live_cast.officer_a, act), **fields)
    assert done.status_code == 302
    assert await socket.close_code() == 4401
    assert time.monotonic() - started < 5
    assert "result" in await other.ask("network.session.ping", {})


async def test_who_loses_a_device_is_off_the_line_and_who_removed_it_stays(
    live_cast: Cast, open_socket: Opener
) -> None:
    offices = await sync_to_async(open_offices)(live_cast)
    steward, officer = offices.supervisor_a, offices.officer_a
    socket = await open_socket(live_cast.officer_a)
    other = await open_socket(live_cast.supervisor_a)

    def remove() -> None:
        steward.learn(steward.mailbox.principal)
        change_keyring(steward, steward.mailbox.stewardship.removal([officer.mailbox.device.id]))

    started = time.monotonic()
    await sync_to_async(remove)()
    assert await socket.close_code() == 4401
    assert time.monotonic() - started < 5
    assert "result" in await other.ask("network.session.ping", {})


async def test_a_delegate_is_off_the_line_when_the_grantor_is_suspended(
    live_cast: Cast, open_socket: Opener
) -> None:
    socket = await open_socket(live_cast.delegate_a)
    path = person(live_cast.supervisor_a, "suspend/")
    done = await sync_to_async(post)(live_cast.administrator_a, path, reason="absent")
    assert done.status_code == 302
    assert await socket.close_code() == 4401


async def test_partners_hear_who_handles_a_thread_after_a_hand_over(
    live_cast: Cast, open_socket: Opener
) -> None:
    def prepare() -> tuple[str, str]:
        offices = open_offices(live_cast)
        return offices.officer_a.open_thread(offices.officer_b), offices.officer_a.principal

    thread, principal = await sync_to_async(prepare)()
    partner = await open_socket(live_cast.officer_b)
    stranger = await open_socket(live_cast.officer_c)
    await partner.frames_until_quiet()
    successor = str(await sync_to_async(lambda: row_of(live_cast.supervisor_a).id)())
    path = person(live_cast.officer_a, "hand-over/confirm/")
    done = await sync_to_async(post)(live_cast.supervisor_a, path, successor=successor)
    assert done.status_code == 302
    body = (await partner.next_event("messaging.thread.assigned"))["body"]
    assert (body["thread"], body["principal"]) == (thread, principal)
    assert body["handler"]["name"] == "Supervisor A"
    heard = [frame.get("event") for frame in await stranger.frames_until_quiet()]
    assert "messaging.thread.assigned" not in heard
