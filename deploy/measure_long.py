"""Figures of what is large: a thread of 10,000 messages and its record, a list of 20,000 threads, 1,000
re-keys after a removal, a keyring of 50 devices.

`NETWORK_BENCH_SCALE` makes all but the keyring smaller (0.1: a tenth), for a first look.
"""

import asyncio
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy.measure_browser import chromium
from deploy.measure_list import (
    THREADS,
    fill_list,
    measure_list_in_chromium,
    measure_list_on_server,
    measure_texts_in_chromium,
)
from messaging.sdk.client import Client
from messaging.sdk.device_file import to_base64
from messaging.sdk.outbox import now
from messaging.sdk.sign_in import DevelopmentSignIn
from messaging.sealed.client import Person, make_device
from messaging.sealed.encoding import context_hash, sha256
from messaging.sealed.message import Note, Plaintext, seal_message
from network.demo import STATE_A, STATE_C, DemoPerson
from tests.browser.desk import PATIENCE, Desk
from tests.secretariat import confirm_everybody
from tests.server import ROOT, Server

SCALE = float(os.environ.get("NETWORK_BENCH_SCALE", "1"))
MESSAGES = max(400, int(10_000 * SCALE))
REKEYS = max(10, int(1_000 * SCALE))
DEVICES = 50
AT_ONCE = 16
LONG = 900_000  # milliseconds
PASSPHRASE = secrets.token_hex(16)
HEAD_A = STATE_A.persons[2]
OFFICER_C, HEAD_C = STATE_C.persons[0], STATE_C.persons[1]
Say = Callable[[str, float, str, str], None]

SEES = "() => document.querySelector('#thread:not([hidden]) #messages .message') !== null"
ALL = "() => document.querySelector('#thread:not([hidden]) #composer:not([hidden])') !== null"


def since(began: float) -> float:
    """Return the seconds since then."""
    return time.perf_counter() - began


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run beside Playwright, which has an event loop of its own in this thread."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result()


async def open_client(server: Server, person: DemoPerson, folder: Path) -> Client:
    """Return a client of a person, whose authority has keys from the first time on."""
    client = await Client.open(
        server.origin,
        sign_in=DevelopmentSignIn(person.membership_id.hex),
        file=folder / f"{person.address}.long",
        passphrase=PASSPHRASE,
        cost=2**10,
    )
    if client.session.authority.principal is None:
        await client.create_keyring()
        client.kit_is_safe()
    return client


# --- a long thread and its record


def measured(seq: int) -> Plaintext:
    """Return what is written after the item of this number."""
    return Plaintext(Note(f"Message {seq}. " + "x" * 200), "en", "Measurement")


def seal_ahead(
    client: Client, thread: str, count: int, written: Callable[[int], Plaintext] = measured
) -> list[dict[str, str]]:
    """Seal messages one after another, each at the place that the one before it is going to have."""
    mailbox, key = client.mailbox, bytes.fromhex(thread)
    found = mailbox.threads[key]
    state = found.check_end()
    last = state.devices.get(mailbox.device.id)
    counter, prev = (last.counter, last.item) if last else (-1, bytes(32))
    made = []
    for _ in range(count):
        counter += 1
        sealed = seal_message(
            mailbox.net,
            state,
            written(state.seq),
            secret=found.epochs[state.n],
            by=mailbox.by(),
            device=mailbox.device.id,
            key=mailbox.device.signing_key,
            counter=counter,
            prev=prev,
            void=(),
            at=now(),
        )
        prev, seq = sha256(sealed.item), state.seq + 1
        end = context_hash(mailbox.net, "transcript", key, seq, state.transcript, prev)
        state = replace(state, seq=seq, transcript=end)
        made.append({"item": to_base64(sealed.item), "ciphertext": to_base64(sealed.ciphertext)})
    return made


async def write_long(server: Server, folder: Path, say: Say, threads: list[str]) -> None:
    """Write a long thread from State A to State C; then verify it, and its record, without a browser."""
    a, c = await open_client(server, HEAD_A, folder), await open_client(server, HEAD_C, folder)
    await confirm_everybody(server)
    opened = await a.open_thread(c.principal or "", "first", subject="Measurement")
    threads.append(opened.thread)
    await c.close()
    made = seal_ahead(a, opened.thread, MESSAGES)
    began = time.perf_counter()
    for start in range(0, MESSAGES, AT_ONCE):
        body = {"messages": made[start : start + AT_ONCE]}
        results = (await a.http.post("/api/messages", body))["results"]
        if refused := [one for one in results if "error" in one]:
            raise RuntimeError(str(refused[0]))
    say(f"{MESSAGES} messages taken, {AT_ONCE} at once", MESSAGES / since(began), "messages/s", "")
    record = folder / "thread.record"
    began = time.perf_counter()
    exported = await a.export_thread(opened.thread, record, language="en")
    say(f"SDK: {MESSAGES} messages fetched, verified, made a record", since(began), "s", "")
    say("its size", exported.size / 1e6, "MB", "")
    began = time.perf_counter()
    await asyncio.to_thread(verify_offline, record)
    say(f"a record of {MESSAGES} messages verified offline", since(began), "s", "")
    await a.close()


def verify_offline(record: Path) -> None:
    """Check a record with the command that anybody uses."""
    command = [sys.executable, "-m", "messaging.tools.record", str(record)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


async def let_in(server: Server, folder: Path) -> None:
    """List the browser that waits, in State C."""
    async with await open_client(server, HEAD_C, folder) as c:
        await c.approve_device(await anext(c.device_requests()))


def look_at_thread(desk: Desk, thread: str, say: Say) -> None:
    """Time the first screen of a long thread, at a first visit and again, and until all of it is verified."""
    for visit in ("first visit", "next visit"):
        began = time.perf_counter()
        desk.page.goto(f"/threads/{thread}/", wait_until="commit")
        desk.page.wait_for_function(SEES, timeout=LONG)
        say(
            f"Chromium: first screen of {MESSAGES} messages, {visit}",
            since(began) * 1000,
            "ms",
            "goal < 1000",
        )
        desk.page.wait_for_function(ALL, timeout=LONG)
        say(f"Chromium: all of it verified, {visit}", since(began), "s", "")
    began = time.perf_counter()
    desk.page.locator("#show-earlier").click()
    say("Chromium: a hundred earlier messages", since(began) * 1000, "ms", "")


def measure_long(server: Server, folder: Path, say: Say) -> None:
    """A long thread and a long list, by the SDK and in a tab."""
    threads: list[str] = []
    run(write_long(server, folder, say, threads))
    with chromium() as browser, Desk(browser, server.origin, OFFICER_C) as desk:
        desk.sign_in()
        desk.go("/devices/")
        desk.page.locator("#make-request").click()
        desk.page.locator("#step-waiting").wait_for()
        run(let_in(server, folder))
        desk.page.locator("#step-ready:visible, #threads:visible").first.wait_for(timeout=4 * PATIENCE)
        look_at_thread(desk, threads[0], say)
        run(fill_threads(server, folder, threads[0]))
        measure_list_on_server(server, HEAD_C, say)
        measure_list_in_chromium(desk, say)
        measure_texts_in_chromium(desk, MESSAGES, say)


async def fill_threads(server: Server, folder: Path, thread: str) -> None:
    """Make many threads of State C, with its cards."""
    async with await open_client(server, HEAD_C, folder) as c:
        await asyncio.to_thread(fill_list, server, c.mailbox, thread, THREADS)


# --- keys


async def measure_keys(server: Server, folder: Path, say: Say) -> None:
    """Add a device to a keyring of fifty; then remove one, and write in every thread that it could read."""
    a, c = await open_client(server, HEAD_A, folder), await open_client(server, HEAD_C, folder)
    await confirm_everybody(server)
    while len(devices_of(a)) < DEVICES:
        await add_devices(a, min(10, DEVICES - len(devices_of(a))))
    times = []
    for _ in range(3):
        began = time.perf_counter()
        await add_devices(a, 1)
        times.append(since(began) * 1000)
    say(f"a device asked for and added to a keyring of {DEVICES}", statistics.median(times), "ms", "")
    opened = [await a.open_thread(c.principal or "", "first", subject="x") for _ in range(REKEYS)]
    before = await send_in_each(a, [one.thread for one in opened[: min(REKEYS, 100)]])
    own = a.mailbox.device.id.hex()
    await a.keys.remove_devices([next(device for device in devices_of(a) if device != own)])
    began = time.perf_counter()
    after = await send_in_each(a, [one.thread for one in opened])
    say(f"{REKEYS} threads re-keyed after a removal, each with a message", since(began), "s", "")
    say("a message with its re-key: median", statistics.median(after), "ms", "")
    say("a message without: median", statistics.median(before), "ms", "")
    for client in (a, c):
        await client.close()


def devices_of(client: Client) -> list[str]:
    """Return the devices in the own keyring."""
    state = client.mailbox.newest(client.mailbox.principal)
    return [device.id.hex() for device in state.devices] if state else []


async def add_devices(steward: Client, count: int) -> None:
    """Let in further devices of the steward's own person."""
    session, principal = steward.session, steward.mailbox.principal
    person = Person(session.person, session.name, session.office)
    made = [make_device(session.net, principal, person, at=now()).statement for _ in range(count)]
    for statement in made:
        body = {"statement": to_base64(statement), "roles": ["officer"]}
        await steward.http.post("/api/devices/requests", body)
    await steward.keys.add_devices([(statement, ["officer"]) for statement in made])


async def send_in_each(client: Client, threads: list[str]) -> list[float]:
    """Send a message in each thread; returns the milliseconds of each."""
    times = []
    for thread in threads:
        began = time.perf_counter()
        await client.send(thread, "x" * 1000)
        times.append(since(began) * 1000)
    return times
