"""Figures of files beside messages: up and down by SDK and Chromium, against a plain upload of the bytes.

`NETWORK_BENCH_FILE_MIB` sets the size; without it the largest file there may be, 1 GiB.
"""

import asyncio
import hashlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from deploy import services
from messaging.sdk.client import Client
from messaging.sdk.sign_in import DevelopmentSignIn
from messaging.sealed.attachment import CHUNK, NewFile
from network.demo import DemoPerson
from tests.browser.desk import Desk
from tests.secretariat import confirm_all, confirm_everybody
from tests.server import Server

MIB = 1024 * 1024
SIZE = int(os.environ.get("NETWORK_BENCH_FILE_MIB", "1024")) * MIB
PATIENCE = 1_800_000  # milliseconds
Say = Callable[[str, float, str, str], None]


def make_file(folder: Path) -> Path:
    """Make a file of random bytes, which no disk and no line makes smaller."""
    path = folder / "large.bin"
    with path.open("wb") as file:
        for _ in range(SIZE // MIB):
            file.write(secrets.token_bytes(MIB))
    return path


async def open_client(server: Server, person: DemoPerson, folder: Path) -> Client:
    """Return a client of a person with the keyring of its authority."""
    client = await Client.open(
        server.origin,
        sign_in=DevelopmentSignIn(person.membership_id.hex),
        file=folder / f"{person.address}.files",
        passphrase=secrets.token_hex(16),
        cost=2**10,
    )
    await client.create_keyring()
    return client


async def upload_plainly(client: Client, thread: str, path: Path) -> float:
    """Send the same bytes to the same server without sealing them; returns the seconds."""
    new = NewFile(client.session.net, bytes.fromhex(thread), bytes(32), SIZE)
    where = f"/api/threads/{thread}/attachments"
    await client.http.post(where, {"file": new.id.hex(), "size": new.padded})
    began = time.perf_counter()
    with path.open("rb") as file:
        for index in range(new.chunks):
            part = file.read(CHUNK).ljust(min(CHUNK, new.padded - index * CHUNK), b"\0") + bytes(16)
            await client.http.put_bytes(f"{where}/{new.id.hex()}/chunks/{index}", part)
    return time.perf_counter() - began


async def measure_files(
    server: Server, persons: tuple[DemoPerson, DemoPerson], folder: Path, say: Say
) -> None:
    """One file from one authority to another through the SDK."""
    a, c = [await open_client(server, person, folder) for person in persons]
    await confirm_everybody(server)
    opened = await a.open_thread(c.principal or "", "first", subject="Measurement")
    await anext(c.messages())
    path = make_file(folder)
    plain = await upload_plainly(a, opened.thread, path)
    say(f"{SIZE // MIB} MiB sent as they are", SIZE / MIB / plain, "MiB/s", "")
    began = time.perf_counter()
    await a.send(opened.thread, "A file.", files=[path])
    sealed = time.perf_counter() - began
    say(
        "the same read, sealed and sent by the SDK",
        SIZE / MIB / sealed,
        "MiB/s",
        f"{plain / sealed:.0%} of that",
    )
    async with asyncio.timeout(60):
        while not (message := await anext(c.messages())).files:
            pass
    began = time.perf_counter()
    await c.save_file(message, message.files[0], folder / "saved.bin")
    say("fetched, verified and opened by the SDK", SIZE / MIB / (time.perf_counter() - began), "MiB/s", "")
    with path.open("rb") as sent, (folder / "saved.bin").open("rb") as saved:
        if hashlib.file_digest(sent, "sha256").digest() != hashlib.file_digest(saved, "sha256").digest():
            raise RuntimeError("the file that was saved is not the one that was sent")
    for client in (a, c):
        await client.close()


def measure_in_chromium(
    server: Server, persons: tuple[DemoPerson, DemoPerson], folder: Path, say: Say
) -> None:
    """The same in a tab: how fast, and how much memory its scripts hold at most."""
    from playwright.sync_api import sync_playwright

    os.environ.update(services.node_environment())
    found = services.find_chromium()
    path = make_file(folder)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--enable-features=WebCryptoPQC"]
        browser = playwright.chromium.launch(
            executable_path=found.path, args=flags, env={**os.environ, **found.environment}
        )
        with Desk(browser, server.origin, persons[0]) as a, Desk(browser, server.origin, persons[1]) as c:
            for desk in (a, c):
                desk.sign_in()
                desk.make_keyring()
            confirm_all(server)
            a.page.add_init_script("delete window.showSaveFilePicker")
            a.open_thread_with("State C", subject="Measurement", text="First")
            a.page.locator("#files-field").set_input_files(str(path))
            row = a.page.locator("#added-files > li")
            seconds, most = watch(a, lambda: "goes with" in row.locator("[data-slot=state]").inner_text())
            say("Chromium: read, sealed and sent", SIZE / MIB / seconds, "MiB/s", "")
            say("Chromium: memory of the tab's scripts meanwhile", most, "MiB", "goal < 80")
            a.write("A file.")
            row = a.message("A file.").locator(".file")
            row.locator("[data-slot=save]").click()
            seconds, most = watch(a, lambda: "byte for byte" in row.locator("[data-slot=state]").inner_text())
            say("Chromium: fetched, verified and opened", SIZE / MIB / seconds, "MiB/s", "")
            say("Chromium: memory of the tab's scripts meanwhile", most, "MiB", "goal < 80")
        browser.close()


def watch(desk: Desk, is_done: Callable[[], bool]) -> tuple[float, float]:
    """Return the seconds that something takes, and the most MiB that scripts and their buffers hold."""
    session = desk.context.new_cdp_session(desk.page)
    began, most = time.perf_counter(), 0.0
    while not is_done():
        usage = session.send("Runtime.getHeapUsage")
        most = max(most, (usage["usedSize"] + usage.get("backingStorageSize", 0)) / MIB)
        desk.page.wait_for_timeout(100)
    return time.perf_counter() - began, most
