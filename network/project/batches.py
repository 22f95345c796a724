"""Group commit: while one batch is being written the next one gathers."""

import asyncio
import logging
from collections import deque
from typing import Any

from network.errors import Refusal, Unavailable
from network.frames import Body, Command
from network.policy import Actor
from network.project.database import in_database

logger = logging.getLogger(__name__)

MOST = 64  # commands in one transaction


class Batch:
    """The waiting line of one batched command."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._waiting: deque[tuple[Actor, Body, asyncio.Future[Body | Refusal]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, actor: Actor, body: Body) -> Body:
        """Carry the command out with others; returns its own result or raises its own `Refusal`."""
        future: asyncio.Future[Body | Refusal] = asyncio.get_running_loop().create_future()
        self._waiting.append((actor, body, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())
        result = await future
        if isinstance(result, Refusal):
            raise result
        return result

    async def _write(self) -> None:
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            outcomes: list[Any]
            try:
                outcomes = await in_database(self.command.handle, [(actor, body) for actor, body, _ in taken])
            except Exception:
                logger.exception("a batch of %s failed", self.command.name)
                outcomes = [Unavailable()] * len(taken)
            for (_, _, future), outcome in zip(taken, outcomes, strict=True):
                if not future.done():
                    future.set_result(outcome)
