"""A thousand messages through a real server, then a search for their texts in everything the server has."""

import asyncio
import base64
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from messaging.demo.traces import files_under, find_in, forms_of
from tests.object_store import object_store_in, settings_of
from tests.sdk.conftest import HEAD_A, HEAD_B, Desks, until
from tests.server import PreparedState, Server, manage

THREADS = 20
MESSAGES_EACH = 50
FILES = 5
CHUNK = 32 * 1024 * 1024
OVERLAP = 4096  # longer than any form of what is looked for


def read_memory(pid: int) -> Iterator[bytes]:
    """Yield every readable part of a process's memory, in overlapping chunks."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not place or line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            yield from read_region(memory, int(place[1], 16), int(place[2], 16))


def read_region(memory: object, start: int, end: int) -> Iterator[bytes]:
    """Yield one mapping; one that cannot be read (a device) is left out."""
    for place in range(start, end, CHUNK):
        try:
            memory.seek(place)  # type: ignore[attr-defined]
            yield memory.read(min(CHUNK + OVERLAP, end - place))  # type: ignore[attr-defined]
        except (OSError, ValueError, OverflowError):
            return


def find_in_memory(pid: int, texts: list[str]) -> set[tuple[str, str]]:
    """Return which texts, in which form, stand in the memory of a process."""
    return {found for part in read_memory(pid) for found in find_in(part, texts)}


def find_in_files(folder: Path, texts: list[str]) -> set[tuple[str, str, str]]:
    """Return which files hold which text in which form."""
    return {
        (path.name, *found) for path in files_under(folder) for found in find_in(path.read_bytes(), texts)
    }


def find_in_database(server: Server, texts: list[str]) -> set[tuple[str, str]]:
    """Return what a dump of every table holds; SQLite's file is among the files already."""
    url = server.environment["NETWORK_DATABASE_URL"]
    if not url.startswith("postgres"):
        return {
            found for path in server.state.glob("*.sqlite3*") for found in find_in(path.read_bytes(), texts)
        }
    dump = bytearray()
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as rows:
                for row in rows:
                    dump += row
    return set(find_in(bytes(dump), texts))


def find_in_log_of_writes(server: Server, texts: list[str]) -> set[tuple[str, str]]:
    """Return what the write-ahead log of PostgreSQL holds; SQLite's is among the files."""
    url = server.environment["NETWORK_DATABASE_URL"]
    if not url.startswith("postgres"):
        return find_in_database(server, texts)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS written (control text)")
        connection.execute("INSERT INTO written VALUES (%s)", (texts[0],))
    with psycopg.connect(url) as connection:
        (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        parts = sorted(path for path in (Path(folder) / "pg_wal").iterdir() if path.is_file())
    return {found for path in parts for found in find_in(path.read_bytes(), texts)}


def find_in_redis(server: Server, texts: list[str]) -> set[tuple[str, str]]:
    """Return what Redis holds, keys and values, the control among them; where there is none, the control."""
    url = server.environment.get("NETWORK_REDIS_URL", "")
    if not url:
        return {(texts[0], "utf-8")}
    with Redis.from_url(url) as redis:
        redis.set(f"control:{texts[0]}", texts[0], ex=60)
        # The form in which Redis keeps a value: short texts as they are, so only these need no unpacking.
        kept = b"\0".join(key + b"\0" + (redis.dump(key) or b"") for key in redis.scan_iter())
    return set(find_in(kept, texts))


def tells_of_news(server: Server) -> bool:
    """Whether there is a mail that leads to what is new."""
    return any(b"/notifications/" in path.read_bytes() for path in files_under(server.state / "outbox"))


def plant_in_memory(server: Server, control: str) -> socket.socket:
    """Begin a request and do not end it: its header stays in the server's memory while the socket is open."""
    held = socket.create_connection(("127.0.0.1", server.port))
    head = f"POST /healthz HTTP/1.1\r\nHost: localhost\r\nX-Control: {control}\r\nContent-Length: 10\r\n\r\n"
    held.sendall(head.encode())
    return held


@pytest.fixture
def server(prepared_state: PreparedState, tmp_path: Path) -> Iterator[Server]:
    """Give a server that keeps the chunks of files on its disk; beside PostgreSQL in an object store."""
    state = tmp_path / "server"
    with ExitStack() as stack:
        settings = {}
        if prepared_state.cluster:
            settings = settings_of(stack.enter_context(object_store_in(tmp_path / "objects")))
        yield stack.enter_context(Server.unlimited(prepared_state, state, **settings))


def folder_of_chunks(server: Server) -> Path:
    """Return where the server's chunks lie, on its disk or in the object store."""
    is_apart = "NETWORK_CHUNKS_URL" in server.environment
    return server.state.parent / "objects" / "chunks" if is_apart else server.state / "chunks"


@pytest.mark.parametrize("form", forms_of("a text that is looked for"))
def test_search_finds_a_text_in_every_form(form: str) -> None:
    text = "a text that is looked for"
    around = {
        "utf-8": f"before {text} after".encode(),
        "utf-16-le": f"before {text} after".encode("utf-16-le"),
        "utf-16-be": f"before {text} after".encode("utf-16-be"),
        "hex": f"before {text} after".encode().hex().encode(),
        "HEX": f"before {text} after".encode().hex().upper().encode(),
        **{
            f"base64+{shift}": base64.b64encode(bytes(shift) + text.encode() + b" after")
            for shift in range(3)
        },
    }
    assert (text, form) in find_in(around[form], [text])
    assert find_in(around[form].replace(forms_of(text)[form], b""), [text]) == []


async def test_operator_cannot_find_any_text_of_a_thousand_messages(server: Server, desks: Desks) -> None:
    # Every text begins with the same random characters: whoever keeps any of them is found by one search.
    marker = f"canary{secrets.token_hex(12)}"
    reference = f"reference{secrets.token_hex(8)}"
    await exchange(desks, marker, reference)
    await asyncio.to_thread(manage, server.environment, "run_due")
    await asyncio.to_thread(manage, server.environment, "send_mail")
    assert tells_of_news(server)
    control = f"control{secrets.token_hex(12)}"
    held = plant_in_memory(server, control)
    assert server.process is not None
    texts = [marker, reference, control]
    in_memory = set[tuple[str, str]]()

    def look() -> bool:
        in_memory.update(find_in_memory(server.process.pid, texts))  # type: ignore[union-attr]
        return (control, "utf-8") in in_memory

    await until(look)
    held.close()
    name = "International Legal Cooperation"
    in_database = find_in_database(server, [name, marker, reference])
    assert (name, "utf-8") in in_database
    assert {text for text, _ in in_database} == {name}
    assert {text for text, _ in find_in_log_of_writes(server, [name, marker, reference])} == {name}
    assert {text for text, _ in find_in_redis(server, [control, marker, reference])} == {control}
    # Mail and chunks of files are among the server's files; the chunks are there, and more than one.
    chunks = folder_of_chunks(server)
    assert len(list(chunks.rglob("*"))) > FILES
    for folder in (server.state, chunks):
        (folder / "planted").write_text(control)
        assert {text for _, text, _ in find_in_files(folder, [control, marker, reference])} == {control}
    # Files of the clients too: device file and outbox lie outside the server, and hold no text either.
    assert find_in_files(desks.folder, [marker, reference]) == set()
    assert {found for found in in_memory if found[0] != control} == set()
    assert marker not in server.log


async def exchange(desks: Desks, marker: str, reference: str) -> None:
    """Send a thousand messages in twenty threads at once, five with files, and receive them.

    One of each thread is acknowledged.
    """
    file = desks.folder.parent / f"{marker}-name.txt"
    file.write_text(f"{marker}-inside " * 10_000)
    a, b = await desks.with_keyring(HEAD_A), await desks.with_keyring(HEAD_B)
    received: list[str] = []

    async def write(number: int) -> None:
        opened = await a.open_thread(
            b.principal or "", f"{marker}-{number}-0", subject=f"{marker} subject", own_reference=reference
        )
        for count in range(1, MESSAGES_EACH):
            files = [file] if number < FILES and count == 1 else []
            words = f"{marker}-{number}-{count}"
            # One is urgent: a mail tells of that at once.
            is_urgent = words.endswith("-0-9")
            await a.send(
                opened.thread,
                words,
                subject=f"{marker} subject",
                urgency=2 if is_urgent else 0,
                reason=f"{marker} reason" if is_urgent else None,
                files=files,
            )

    async def read() -> None:
        async for message in b.messages():
            received.append(message.text or "")
            if message.seq == 2:
                await b.mark_opened(message)
                await b.acknowledge(message)
            if len(received) == THREADS * MESSAGES_EACH:
                return

    async with asyncio.timeout(900), asyncio.TaskGroup() as group:
        group.create_task(read())
        for number in range(THREADS):
            group.create_task(write(number))
    assert sorted(received) == sorted(
        f"{marker}-{number}-{count}" for number in range(THREADS) for count in range(MESSAGES_EACH)
    )
