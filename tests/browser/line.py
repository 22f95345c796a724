"""A line between browsers and a server that can be slow, deaf or cut: all of it, sockets included."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from deploy import services

Made = TypeVar("Made")
CHUNK = 2048


class Way:
    """One direction: so many bytes a second for all connections together, and so long on the way."""

    def __init__(self) -> None:
        self.bytes_per_second = 0.0  # zero: as fast as it goes
        self.seconds = 0.0
        self.is_deaf = False
        self._free_at = 0.0

    def arrives_at(self, size: int) -> float:
        """Return when so many bytes sent now are at the other end."""
        now = asyncio.get_running_loop().time()
        if not self.bytes_per_second:
            return now
        self._free_at = max(now, self._free_at) + size / self.bytes_per_second
        return self._free_at + self.seconds


class Line:
    """A TCP relay on a port of its own, in a thread of its own: Playwright's loop is not disturbed."""

    def __init__(self) -> None:
        self.port = services.free_port()
        self.down, self.up = Way(), Way()
        self.is_cut = False
        self._to = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> str:
        """Return the address that browsers use."""
        return f"http://localhost:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def lead_to(self, port: int) -> None:
        """Listen, and relay to this port."""
        self._to = port
        self._server = self._run(self._listen)

    def be_slow(self, *, bits_per_second: float, round_trip: float) -> None:
        """Let every byte come late, in both directions."""
        for way in (self.down, self.up):
            way.bytes_per_second = bits_per_second / 8
            way.seconds = round_trip / 2

    def be_deaf(self) -> None:
        """Take what is sent and bring no answer, as a line does before it is noticed to be gone."""
        self.down.is_deaf = True

    def cut(self) -> None:
        """Break every connection; whoever tries again is refused."""
        self.is_cut = True
        self._run(self._break)

    def mend(self) -> None:
        """Let connections through again."""
        self.is_cut = self.down.is_deaf = False

    def _run(self, work: Callable[[], Awaitable[Made]]) -> Made:
        async def run() -> Made:
            return await work()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(20)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, ["127.0.0.1", "::1"], self.port)

    async def _break(self) -> None:
        for writer in list(self._open):
            transport: Any = writer.transport
            transport.abort()

    async def _end(self) -> None:
        self._server.close()
        self.is_cut = True
        await asyncio.sleep(0.05)  # who was just accepted has a task by now
        await self._break()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what was broken off is closed in the next round

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            if self.is_cut:
                return
            await asyncio.sleep(self.down.seconds + self.up.seconds)  # the handshake
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
            self._open.add(far_writer)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._carry(reader, far_writer, self.up))
                    group.create_task(self._carry(far_reader, writer, self.down))
            finally:
                self._drop(far_writer)
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._drop(writer)
            self._tasks.discard(task)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._open.discard(writer)
        transport: Any = writer.transport
        transport.abort() if self.is_cut else writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        """Bring bytes over, each at its time; the next are taken while some are on their way."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                at, chunk = await on_the_way.get()
                await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
                if not chunk:
                    with suppress(OSError):
                        writer.write_eof()
                    return
                if not way.is_deaf:
                    writer.write(chunk)
                    await writer.drain()

        delivering = asyncio.ensure_future(deliver())
        try:
            while chunk := await reader.read(CHUNK):
                on_the_way.put_nowait((way.arrives_at(len(chunk)), chunk))
            on_the_way.put_nowait((way.arrives_at(0), b""))
            await delivering
        finally:
            delivering.cancel()
