"""The matrix on the socket: who gets in, every command, and every event on its way to every persona."""

import json
from collections.abc import AsyncIterator
from enum import StrEnum

import pytest
from asgiref.sync import sync_to_async

from network.frames import to_json
from network.project import gateway
from network.project.catalogue import COMMANDS, EVENTS
from network.project.hub import Frame, hub_of_process
from network.protocol import QUEUE_EMPTIED, SESSION_OPENED
from tests.permissions.walk import PERSONAS, is_allowed
from tests.personas import Cast, make_cast
from tests.realtime.conftest import Socket

# The gateway says these itself, to whoever it has let in.
OF_THE_SOCKET = {SESSION_OPENED, QUEUE_EMPTIED}


@pytest.fixture
async def live(transactional_db: None) -> AsyncIterator[Cast]:
    """Give everybody in a database whose commits are real."""
    yield await sync_to_async(make_cast)()
    await (await hub_of_process()).stop()


async def sockets_of(cast: Cast) -> dict[str, Socket]:
    """Return an open socket for everybody who is let in."""
    opened = {}
    for name, persona in cast.everybody().items():
        socket = Socket(await sync_to_async(persona.session_cookie)())
        if (await socket.connect(timeout=10))[0]:
            await socket.next_event(SESSION_OPENED)
            opened[name] = socket
    return opened


async def commands_against_the_matrix(sockets: dict[str, Socket]) -> list[str]:
    """Return where a command was answered against the matrix. A body that is none comes after the right."""
    wrong = []
    for name, socket in sockets.items():
        for command in COMMANDS.values():
            reply = await socket.ask(command.name, "no body")
            code = reply.get("error", {}).get("code")
            if code != ("invalid-body" if is_allowed(command.permission, name) else "forbidden"):
                wrong.append(f"{command.name}: {name} was answered {code}")
    return wrong


async def events_against_the_matrix(cast: Cast, sockets: dict[str, Socket]) -> list[str]:
    """Send every event to everybody's own audience, and return where it was heard against the matrix."""
    hub = await hub_of_process()
    names = sorted(set(EVENTS) - OF_THE_SOCKET)
    for socket in sockets.values():
        await socket.ask("network.session.resume", {"cursors": {}})
        await socket.next_event(QUEUE_EMPTIED)
    for audience, feed in hub._feeds.items():
        if audience.startswith("person:"):
            places = enumerate(names, feed.position + 1)
            feed._take([Frame(seq, to_json({"event": n}), EVENTS[n].permission) for seq, n in places])
    wrong = []
    for name, socket in sockets.items():
        heard = {frame["event"] for frame in await socket.frames_until_quiet(seconds=0.1)}
        expected = {event for event in names if is_allowed(EVENTS[event].permission, name)}
        wrong += [f"{event}: {name}" for event in (heard - OF_THE_SOCKET) ^ expected]
    return wrong


async def leave(sockets: dict[str, Socket]) -> None:
    for socket in sockets.values():
        await socket.leave()


async def test_the_door_commands_and_events_say_what_the_matrix_says(live: Cast) -> None:
    sockets = await sockets_of(live)
    opening = EVENTS[SESSION_OPENED].permission
    assert set(sockets) == {name for name in PERSONAS if is_allowed(opening, name)}
    assert await commands_against_the_matrix(sockets) == []
    assert await events_against_the_matrix(live, sockets) == []
    await leave(sockets)


async def test_a_command_or_event_whose_right_is_not_asked_for_is_found(
    live: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = await sockets_of(live)
    monkeypatch.setattr(gateway, "check", lambda actor, permission: None)
    monkeypatch.setattr(gateway, "allows", lambda actor, permission: True)
    found = json.dumps(await commands_against_the_matrix(sockets))

    def is_everybodys(permission: StrEnum) -> bool:
        return all(is_allowed(permission, name) for name in sockets)

    for command in COMMANDS.values():
        assert is_everybodys(command.permission) or command.name in found
    found = json.dumps(await events_against_the_matrix(live, sockets))
    for event in set(EVENTS) - OF_THE_SOCKET:
        assert is_everybodys(EVENTS[event].permission) or event in found
    await leave(sockets)
