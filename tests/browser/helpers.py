"""The demonstration's steward, counterpart and secretariat, as programs beside a test's server."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from deploy.launch import HELPERS, Child, wait_ready
from tests.server import Server


@contextmanager
def helpers_of(server: Server, names: Iterable[str] = HELPERS) -> Iterator[None]:
    """Run them until the end of the block; all are ready when it begins."""
    folder = server.state / "demo"
    folder.mkdir(mode=0o700, exist_ok=True)
    children = [
        Child(
            name,
            [sys.executable, "-m", "messaging.demo", name],
            server.environment,
            folder / f"{name}.log",
        )
        for name in names
    ]
    with ExitStack() as stack:
        for child in children:
            child.start()
            stack.callback(child.stop)
        for child in children:
            wait_ready(child)
        yield
