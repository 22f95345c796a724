"""A person's own devices hear at once that there is something, or that it was read; nobody else's do."""

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from network import access
from network.actions.notifications import Told, notify
from network.realtime import publish_on_commit
from tests.network.test_people import row_of
from tests.personas import Cast, Persona
from tests.realtime.conftest import Opener

CHANGED = "network.notifications.changed"


def tell(persona: Persona) -> None:
    with transaction.atomic():
        (member,) = access.members_in_force_by_id([row_of(persona).id])
        publish_on_commit(*notify([Told("message", "ab" * 32, member)]))


async def test_two_devices_of_one_person_hear_it_and_of_its_reading_and_nobody_else(
    live_cast: Cast, open_socket: Opener
) -> None:
    one, two = await open_socket(live_cast.officer_a), await open_socket(live_cast.officer_a)
    others = [await open_socket(each) for each in (live_cast.supervisor_a, live_cast.officer_b)]
    await sync_to_async(tell)(live_cast.officer_a)
    for device in (one, two):
        event = await device.next_event(CHANGED)
        assert event["body"] == {}
    client = await sync_to_async(live_cast.officer_a.client)()
    await sync_to_async(client.post)("/notifications/read/")
    for device in (one, two):
        await device.next_event(CHANGED)
    for other in others:
        assert not [frame for frame in await other.frames_until_quiet() if frame.get("event") == CHANGED]


@pytest.mark.parametrize("name", ["person", "nothing"])
async def test_a_light_line_hears_only_the_audiences_it_names(
    live_cast: Cast, open_socket: Opener, name: str
) -> None:
    socket = await open_socket(live_cast.officer_a, resume=False)
    cursors = (await socket.next_event("network.session.opened"))["body"]["cursors"]
    only = [audience for audience in cursors if audience.startswith(f"{name}:")]
    reply = await socket.ask("network.session.resume", {"cursors": cursors, "only": only})
    assert set(reply["result"]["cursors"]) == set(only)
    await sync_to_async(tell)(live_cast.officer_a)
    events = [frame.get("event") for frame in await socket.frames_until_quiet(1.0)]
    assert (CHANGED in events) is (name == "person")


async def test_naming_an_audience_of_another_gives_nothing(live_cast: Cast, open_socket: Opener) -> None:
    socket = await open_socket(live_cast.officer_a, resume=False)
    foreign = await sync_to_async(lambda: f"person:{live_cast.officer_b.actor.person_id.hex}")()
    reply = await socket.ask("network.session.resume", {"cursors": {foreign: 0}, "only": [foreign]})
    assert reply["result"]["cursors"] == {}
    await sync_to_async(tell)(live_cast.officer_b)
    assert CHANGED not in [frame.get("event") for frame in await socket.frames_until_quiet(1.0)]
