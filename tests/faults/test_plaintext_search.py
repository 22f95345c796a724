"""A thousand messages through a real server, then a search for their texts in everything the server has."""

import asyncio
import base64
import re
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from messaging.demo.traces import files_under, find_in, forms_of
from tests.sdk.conftest import HEAD_A, HEAD_B, Desks, until
from tests.server import Server

THREADS = 20
MESSAGES_EACH = 50
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


def plant_in_memory(server: Server, control: str) -> socket.socket:
    """Begin a request and do not end it: its header stays in the server's memory while the socket is open."""
    held = socket.create_connection(("127.0.0.1", server.port))
    head = f"POST /healthz HTTP/1.1\r\nHost: localhost\r\nX-Control: {control}\r\nContent-Length: 10\r\n\r\n"
    held.sendall(head.encode())
    return held


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
    # Files of the clients too: device file and outbox lie outside the server, and hold no text either.
    assert find_in_files(server.state, [marker, reference]) == set()
    assert find_in_files(desks.folder, [marker, reference]) == set()
    assert {found for found in in_memory if found[0] != control} == set()
    assert marker not in server.log


async def exchange(desks: Desks, marker: str, reference: str) -> None:
    """Send a thousand messages in twenty threads at once and receive them; acknowledge one of each."""
    a, b = await desks.with_keyring(HEAD_A), await desks.with_keyring(HEAD_B)
    received: list[str] = []

    async def write(number: int) -> None:
        opened = await a.open_thread(
            b.principal or "", f"{marker}-{number}-0", subject=f"{marker} subject", own_reference=reference
        )
        for count in range(1, MESSAGES_EACH):
            await a.send(opened.thread, f"{marker}-{number}-{count}", subject=f"{marker} subject")

    async def read() -> None:
        async for message in b.messages():
            received.append(message.text or "")
            if message.seq == 2:
                await b.mark_opened(message)
                await b.acknowledge(message)
            if len(received) == THREADS * MESSAGES_EACH:
                return

    async with asyncio.timeout(300), asyncio.TaskGroup() as group:
        group.create_task(read())
        for number in range(THREADS):
            group.create_task(write(number))
    assert sorted(received) == sorted(
        f"{marker}-{number}-{count}" for number in range(THREADS) for count in range(MESSAGES_EACH)
    )
