"""The one socket: commands and their answers, events in order, coming back after every break.

Events are handed to one handler, one after the other; a break loses none of them, since the server is asked
to go on from the cursors of what has been handled.
"""

import asyncio
import itertools
import json
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, WebSocketException
from websockets.typing import Origin

from messaging.sdk.errors import ClientError, Distrusted, ServerRefused, Unreachable
from messaging.sdk.http import Http

logger = logging.getLogger(__name__)

SIGNED_OUT = "signed-out"
CLOSE_SIGNED_OUT = 4401
CLOSE_MEMBERSHIP_ENDED = 4403
FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 20.0
ANSWER_SECONDS = 30.0
FRAME_MOST = 1024 * 1024

Answer = TypeVar("Answer")
Handler = Callable[[str, str | None, Any], Awaitable[None]]
"""(event name, audience, body); `Distrusted` ends the client, another exception is logged and the event
counts as handled.
"""


def full_jitter(attempt: int) -> float:
    """Return how long to wait before an attempt (0, 1, …): anything up to a limit that doubles each time."""
    return random.uniform(0, min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**attempt))  # noqa: S311


def is_passing(error: Exception) -> bool:
    """Return whether connecting again may help."""
    if isinstance(error, ServerRefused):
        return error.is_temporary
    return isinstance(error, OSError | WebSocketException | Unreachable)


class Socket:
    """Stays connected until `close`. `on_connected(reload)` runs after each resume, before any event."""

    def __init__(
        self,
        http: Http,
        cursors: dict[str, int],
        on_event: Handler,
        on_connected: Callable[[], Awaitable[None]],
    ) -> None:
        self.cursors = cursors
        self._http = http
        self._on_event = on_event
        self._on_connected = on_connected
        self._refs = itertools.count(1)
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._connection: ClientConnection | None = None
        self._is_open = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Begin to connect in the background."""
        self._task = asyncio.create_task(self._stay_connected())

    async def wait_open(self) -> None:
        """Wait until the socket has resumed; raises what ended it for good (`SignInFailed`)."""
        waiter = asyncio.create_task(self._is_open.wait())
        running = {self._task} if self._task else set()
        await asyncio.wait({waiter, *running}, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        self._raise_failure()
        if self._task is None or self._task.done():
            raise ClientError("The client was closed.")

    async def wait_ended(self) -> None:
        """Wait until the socket will not come back; raises what ended it for good."""
        if self._task:
            await asyncio.wait({self._task})
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self.failure:
            raise self.failure
        if self._task and self._task.done() and not self._task.cancelled():
            self._task.result()  # an unexpected end is not hidden

    @property
    def is_open(self) -> bool:
        """Return whether commands can be sent now."""
        return self._is_open.is_set()

    async def command(self, name: str, body: Any) -> Any:
        """Return the result of a command. Raises `ServerRefused`, or `Unreachable` when no answer came."""
        connection = self._connection
        if connection is None:
            raise Unreachable("the socket is not connected")
        try:
            return await self._ask(connection, name, body)
        except ServerRefused as refused:
            if refused.code == SIGNED_OUT:
                await self._leave(connection)
            raise

    async def patiently(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Repeat the same question until there is a definite answer."""
        while True:
            try:
                return await ask()
            except Unreachable:
                await self.wait_open()
                await asyncio.sleep(random.uniform(0, 0.2))  # noqa: S311
            except ServerRefused as refused:
                if not refused.is_temporary:
                    raise
                await asyncio.sleep(random.uniform(0.2, 1.2))  # noqa: S311

    async def _leave(self, connection: ClientConnection) -> None:
        """Come back under a new sign-in."""
        if connection is self._connection:
            self._is_open.clear()
            self._connection = None
        await connection.close()

    async def _ask(self, connection: ClientConnection, name: str, body: Any) -> Any:
        ref = f"c{next(self._refs)}"
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[ref] = answer
        try:
            await connection.send(json.dumps({"id": ref, "command": name, "body": body}))
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except (ConnectionClosed, TimeoutError) as error:
            raise Unreachable(f"no answer to {name}") from error
        finally:
            self._answers.pop(ref, None)

    async def close(self) -> None:
        """Disconnect and stay so."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _stay_connected(self) -> None:
        attempt = 0
        while True:
            try:
                if await self._connect_once():
                    attempt = 0
            except Exception as error:  # whoever waits is told, and nothing is tried that cannot succeed
                if not is_passing(error):
                    logger.exception("the client has ended")
                    self.failure = error
                    return
                logger.info("not connected: %s", type(error).__name__)
            await asyncio.sleep(full_jitter(attempt))
            attempt = min(attempt + 1, 12)

    async def _connect_once(self) -> bool:
        """Hold one connection to its end; return whether it had resumed."""
        generation = self._http.generation
        parts = urlsplit(self._http.origin)
        address = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}/socket/"
        try:
            connection = await connect(
                address,
                origin=Origin(self._http.origin),
                additional_headers={"Cookie": self._http.cookie},
                max_size=FRAME_MOST,
                compression=None,
                ping_interval=20,
                ping_timeout=20,
                proxy=None,
            )
        except InvalidHandshake:
            # The door says no with one status for every reason; likely the session has ended.
            await self._http.sign_in(after=generation)
            raise
        reader = asyncio.create_task(self._hold(connection))
        try:
            return await reader
        finally:
            self._is_open.clear()
            self._connection = None
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(Unreachable("the connection broke"))
            reader.cancel()
            await connection.close()
            if connection.close_code in {CLOSE_SIGNED_OUT, CLOSE_MEMBERSHIP_ENDED}:
                await self._http.sign_in(after=generation)

    async def _hold(self, connection: ClientConnection) -> bool:
        events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        receiving = asyncio.create_task(self._receive(connection, events))
        handling: asyncio.Task[None] | None = None
        try:
            resumed = await self._ask(connection, "network.session.resume", {"cursors": self.cursors})
            for audience in resumed["reload"]:
                self.cursors.pop(audience, None)
            self.cursors.update(resumed["cursors"])
            self._connection = connection
            await self._on_connected()
            self._is_open.set()
            handling = asyncio.create_task(self._handle(events))
            await asyncio.wait({receiving, handling}, return_when=asyncio.FIRST_COMPLETED)
            if handling.done() and isinstance(error := handling.exception(), Distrusted):
                raise error
            return True
        finally:
            tasks = [receiving, *([handling] if handling else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self, connection: ClientConnection, events: asyncio.Queue[dict[str, Any]]) -> None:
        with suppress(ConnectionClosed):
            async for text in connection:
                frame = json.loads(text)
                if "event" in frame:
                    events.put_nowait(frame)
                else:
                    self._answer(frame)

    def _answer(self, frame: dict[str, Any]) -> None:
        answer = self._answers.get(str(frame.get("id")))
        if answer is None or answer.done():
            return
        if "result" in frame:
            answer.set_result(frame["result"])
        else:
            error = frame["error"]
            answer.set_exception(ServerRefused(422, error["code"], error["message"]))

    async def _handle(self, events: asyncio.Queue[dict[str, Any]]) -> None:
        while True:
            frame = await events.get()
            try:
                await self._on_event(frame["event"], frame.get("audience"), frame["body"])
            except (Unreachable, Distrusted):
                raise  # not handled: the cursor stays before it, and it comes again after the next resume
            except Exception:  # one odd event must not end the stream
                logger.exception("an event could not be handled")
            if "audience" in frame:
                self.cursors[frame["audience"]] = frame["seq"]
