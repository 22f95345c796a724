"""Sockets against the whole application, two people at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings

from network.project.asgi import application
from network.project.database import close_connections
from network.project.hub import hub_of_process
from tests.personas import Cast, Persona, make_cast

ORIGIN = settings.SITE_ORIGIN.encode()


class Socket(WebsocketCommunicator):  # type: ignore[misc]
    """One socket of a persona."""

    def __init__(
        self,
        cookie: str | None,
        *,
        origin: bytes | None = ORIGIN,
        path: str = "/socket/",
        accept_language: bytes = b"en",
    ) -> None:
        headers = [(b"host", b"localhost"), (b"accept-language", accept_language)]
        if origin is not None:
            headers.append((b"origin", origin))
        if cookie:
            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode()))
        super().__init__(application, path, headers)
        self._came_before: deque[dict[str, Any]] = deque()

    async def ask(self, command: str, body: object, ref: str = "r") -> dict[str, Any]:
        """Send a command and return its reply; events that come before it are kept for `next_event`."""
        await self.send_json_to({"id": ref, "command": command, "body": body})
        while True:
            frame: dict[str, Any] = await self.receive_json_from(timeout=5)
            if "event" not in frame:
                return frame
            self._came_before.append(frame)

    async def next_event(self, name: str) -> dict[str, Any]:
        """Return the next event of this name."""
        while True:
            frame: dict[str, Any] = (
                self._came_before.popleft() if self._came_before else await self.receive_json_from(timeout=8)
            )
            if frame.get("event") == name:
                return frame

    async def frames_until_quiet(self, seconds: float = 0.5) -> list[dict[str, Any]]:
        """Return every frame not yet read, until nothing has come for so long."""
        frames = list(self._came_before)
        self._came_before.clear()
        while not await self.receive_nothing(timeout=seconds):
            frames.append(await self.receive_json_from())
        return frames

    async def leave(self) -> None:
        """Disconnect, also from an application that a failed or a rough test has ended itself."""
        with suppress(asyncio.CancelledError):
            await self.disconnect()

    async def close_code(self) -> int:
        """Return the code with which the server closes, leaving out what comes before."""
        while True:
            message = await self.receive_output(timeout=8)
            if message["type"] == "websocket.close":
                return int(message["code"])


Opener = Callable[..., Awaitable[Socket]]


@pytest.fixture
def live_cast(transactional_db: None) -> Cast:
    """Give the personas in a database whose commits are real."""
    return make_cast()


@pytest.fixture
async def open_socket(live_cast: Cast) -> AsyncIterator[Opener]:
    """Give a function that opens a socket for a persona and reads its first frame."""
    opened: list[Socket] = []

    async def opener(
        persona: Persona,
        *,
        cursors: dict[str, int] | None = None,
        resume: bool = True,
        accept_language: bytes = b"en",
    ) -> Socket:
        cookie = await sync_to_async(persona.session_cookie)()
        socket = Socket(cookie, accept_language=accept_language)
        is_open, _ = await socket.connect(timeout=5)
        assert is_open
        opened.append(socket)
        if resume:
            await socket.next_event("network.session.opened")
            reply = await socket.ask("network.session.resume", {"cursors": cursors or {}})
            assert "result" in reply, reply
        return socket

    yield opener
    for socket in opened:
        await socket.leave()
    await (await hub_of_process()).stop()
    await asyncio.to_thread(close_connections)
