"""Runs blocking work of the gateway in a few threads, each of which keeps its database connection."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, connections

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 4

_threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="database")


def _call(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return function(*args, **kwargs)
    except DatabaseError:
        # The server may have gone and come back: the next call connects anew.
        connections.close_all()
        raise


async def in_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `function` in a database thread and return what it returns.

    The connection stays open: opening one for each call costs more than most calls, and on SQLite the last
    one to close writes the whole log back.
    """
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, lambda: _call(function, *args, **kwargs))


def close_connections() -> None:
    """Close the connection of every database thread; the next call of each opens its own again. Blocking."""
    together = Barrier(THREADS)

    def close() -> None:
        together.wait(timeout=10)  # so that no thread takes two of these and leaves another out
        connections.close_all()

    for done in [_threads.submit(close) for _ in range(THREADS)]:
        done.result()
