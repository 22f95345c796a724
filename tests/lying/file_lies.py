"""Lies about files: their sealed chunks, and the list of their hashes. They are told to who saves one."""

from collections.abc import Callable
from typing import Any

from messaging.sealed.attachment import CHUNK
from messaging.sealed.encoding import sha256
from tests.lying.lies import Attempt, Facts, flipped, for_path
from tests.lying.server import Altered, Given
from tests.lying.thread import data, text

SIZE = 2 * CHUNK + 1000
"""Of each file of the stage: three chunks."""

Chunks = list[bytes]


def path_of(facts: Facts) -> str:
    found = facts.conspirators.files
    return f"/api/threads/{found.thread}/attachments/{found.file}"


def chunks(facts: Facts) -> Chunks:
    return facts.conspirators.files.chunks


def given(change: Callable[[Facts], Chunks]) -> Callable[[Facts], Given]:
    """Hand out these chunks for those of the file."""

    def lie(facts: Facts) -> Given:
        start = f"{path_of(facts)}/chunks/"
        told = change(facts)

        def give(path: str, content: bytes) -> bytes:
            return told[int(path.removeprefix(start))] if path.startswith(start) else content

        return give

    return lie


def listed(change: Callable[[Facts], Chunks]) -> Callable[[Facts], Altered]:
    """Say that the hashes of the file's chunks are those of these."""

    def lie(facts: Facts) -> Altered:
        hashes = text(b"".join(map(sha256, change(facts))))

        def tell(body: Any) -> Any:
            return {**body, "hashes": hashes}

        return for_path(path_of(facts), tell)

    return lie


def with_both(name: str, says: str, change: Callable[[Facts], Chunks]) -> Attempt:
    """The hashes agree with the chunks."""
    return Attempt(name, says, answers=listed(change), given=given(change), does="saves the file")


def with_chunks(name: str, says: str, change: Callable[[Facts], Chunks]) -> Attempt:
    """The hashes are the true ones."""
    return Attempt(name, says, given=given(change), does="saves the file")


def altered(facts: Facts) -> Chunks:
    first, second, last = chunks(facts)
    return [first, flipped(second, 5000), last]


def truncated(facts: Facts) -> Chunks:
    return [*chunks(facts)[:-1], chunks(facts)[-1][:-100]]


def reordered(facts: Facts) -> Chunks:
    first, second, last = chunks(facts)
    return [second, first, last]


def cut_off(facts: Facts) -> Chunks:
    return chunks(facts)[:-1]


def of_another_file(facts: Facts) -> Chunks:
    return facts.conspirators.files.other


def one_of_another_file(facts: Facts) -> Chunks:
    return [*chunks(facts)[:1], *of_another_file(facts)[1:]]


def of_another_thread(facts: Facts) -> Chunks:
    """The same bytes of the same authority, sealed for another thread."""
    return facts.conspirators.files.elsewhere


def another_list(facts: Facts) -> Altered:
    """Hashes that are none."""
    return for_path(path_of(facts), lambda body: {**body, "hashes": text(flipped(data(body["hashes"])))})


ATTEMPTS = (
    with_chunks("altered chunk", "M5 wrong-chunk", altered),
    with_chunks("truncated chunk", "M5 wrong-chunk", truncated),
    with_chunks("reordered chunks", "M5 wrong-chunk", reordered),
    with_chunks("chunks of another file", "M5 wrong-chunk", one_of_another_file),
    with_both("altered chunk under its hash", "M5 wrong-root", altered),
    with_both("reordered chunks under their hashes", "M5 wrong-root", reordered),
    with_both("file without its end", "M5 wrong-root", cut_off),
    with_both("another file", "M5 wrong-root", of_another_file),
    with_both("file of another thread", "M5 wrong-root", of_another_thread),
    Attempt("altered list of hashes", "M5 wrong-root", answers=another_list, does="saves the file"),
)
