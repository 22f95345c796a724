"""Figures of speed and weight, printed: start, pages, idle sockets, sending, sealing in Chromium.

Absolute figures move with the machine and its neighbours; medians of one run are compared with each other.
"""

import asyncio
import gzip
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import websockets

from deploy import services
from deploy.measure_files import measure_files, measure_in_chromium
from deploy.measure_long import measure_keys, measure_long
from messaging.sdk.client import Client
from messaging.sdk.sign_in import DevelopmentSignIn
from network.demo import STATE_A, STATE_C, DemoPerson
from tests.secretariat import confirm_everybody
from tests.server import ROOT, PreparedState, Server, prepare_state

HEAD_A = next(person for person in STATE_A.persons if "supervisor" in person.roles)
HEAD_C = next(person for person in STATE_C.persons if "supervisor" in person.roles)

IDLE_SOCKETS = 500
MESSAGES = 200
UNLIMITED = {
    "NETWORK_LIMITS": ",".join(
        f"{name}=1000000:1000000"
        for name in (
            "message-append",
            "socket-command",
            "api-read",
            "api-write",
            "sign-in",
            "attachment-begin",
            "attachment-read",
            "attachment-write",
            "card-write",
        )
    ),
    "NETWORK_SOCKETS_PER_SIGN_IN": "1000",
    "NETWORK_SOCKETS_PER_AUTHORITY": "1000",
}


def say(what: str, value: float, unit: str, goal: str = "") -> None:
    """Print one figure."""
    sys.stdout.write(f"{what:<58} {value:>10.2f} {unit:<10} {goal}\n")
    sys.stdout.flush()


def measure_start(server: Server) -> None:
    """Time from starting a server process to its first answer: median of five."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        server.start()
        times.append(time.perf_counter() - began)
        server.stop()
    say("warm start of a server", statistics.median(times), "s", "goal < 3")


def _weight(client: httpx.Client, path: str) -> int:
    """Return the bytes of a response as they cross the line, compressed where the server compresses."""
    with client.stream("GET", path) as response:
        response.raise_for_status()
        return sum(len(part) for part in response.iter_raw())


def measure_pages(server: Server) -> None:
    """Weigh the sign-in page and the thread page with all their styles and scripts, and the client bundle."""
    headers = {"accept-encoding": "br, gzip"}
    with httpx.Client(base_url=server.origin, headers=headers, follow_redirects=True) as client:
        _sign_in(client, HEAD_A)
        for name, path in (("thread list page", "/threads/"), ("sign-in page", "/sign-in/")):
            document = client.get(path).text
            links = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', document))
            total = len(gzip.compress(document.encode())) + sum(_weight(client, link) for link in links)
            say(f"{name} with styles, scripts and icons", total / 1000, "kB", "goal < 150")
    bundle = ROOT / "messaging" / "static" / "messaging"
    parts = {file.name: len(gzip.compress(file.read_bytes())) for file in bundle.glob("*.js")}
    first = _needed_at_start(bundle / "client.js")
    say("client bundle at start, gzip", sum(parts[name] for name in first) / 1000, "kB", "goal < 40")
    rest = sum(size for name, size in parts.items() if name not in first)
    say("loaded later, where the browser lacks the KEM, gzip", rest / 1000, "kB")


def _needed_at_start(file: Path) -> set[str]:
    found = {file.name}
    for name in re.findall(r'(?:from|import)\s*"\./([^"]+)"', file.read_text(encoding="utf-8")):
        found |= _needed_at_start(file.parent / name)
    return found


def _sign_in(client: httpx.Client, person: DemoPerson) -> None:
    client.get("/sign-in/")
    form = {"membership": str(person.membership_id), "csrfmiddlewaretoken": client.cookies["csrftoken"]}
    client.post("/sign-in/as/", data=form, headers={"referer": str(client.base_url)}).raise_for_status()


def _proc(server: Server, name: str) -> list[str]:
    if server.process is None:
        raise RuntimeError("the server does not run")
    return Path(f"/proc/{server.process.pid}/{name}").read_text(encoding="ascii").split()


def _memory(server: Server) -> float:
    """Return the resident memory of the server in MiB."""
    return int(_proc(server, "statm")[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _cpu(server: Server) -> float:
    """Return the seconds of CPU the server has used (proc(5): utime and stime)."""
    return sum(int(ticks) for ticks in _proc(server, "stat")[13:15]) / os.sysconf("SC_CLK_TCK")


async def measure_idle(server: Server) -> None:
    """Growth of the server's memory by idle sockets that have resumed."""
    with httpx.Client(base_url=server.origin, follow_redirects=True) as http:
        _sign_in(http, HEAD_A)
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    before = _memory(server)
    address = server.origin.replace("http", "ws") + "/socket/"
    resume = '{"id":"1","command":"network.session.resume","body":{"cursors":{}}}'
    sockets = []
    for _ in range(IDLE_SOCKETS):
        headers = {"Cookie": cookie}
        socket = await websockets.connect(
            address, origin=websockets.Origin(server.origin), additional_headers=headers
        )
        await socket.send(resume)
        sockets.append(socket)
    await asyncio.sleep(2)
    after = _memory(server)
    say(f"memory of a server with {IDLE_SOCKETS} idle sockets", after, "MiB", "goal < 150")
    say("growth for each idle socket", (after - before) * 1024 / IDLE_SOCKETS, "KiB")
    for socket in sockets:
        await socket.close()


async def _milliseconds(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


async def measure_sending(server: Server, folder: Path) -> None:
    """From sealing to the verified receipt, one message after another, each after a durable commit."""
    clients = []
    for person in (HEAD_A, HEAD_C):
        clients.append(
            await Client.open(
                server.origin,
                sign_in=DevelopmentSignIn(person.membership_id.hex),
                file=folder / person.address,
                passphrase=secrets.token_hex(16),
                cost=2**10,
            )
        )
        await clients[-1].create_keyring()
    a, c = clients
    await confirm_everybody(server)
    opened = await a.open_thread(c.principal or "", "first", subject="Measurement")
    cpu = _cpu(server)
    began = time.perf_counter()
    times = [await _milliseconds(lambda: a.send(opened.thread, "x" * 1000)) for _ in range(MESSAGES)]
    seconds = time.perf_counter() - began
    say("sealed, stored and receipt verified: median", statistics.median(times), "ms")
    say("the same: 95th percentile", statistics.quantiles(times, n=20)[-1], "ms")
    say("one sender, one after another", MESSAGES / seconds, "messages/s")
    say("CPU of the server for 1,000 messages", (_cpu(server) - cpu) * 1000 / MESSAGES, "s")
    for client in clients:
        await client.close()


def measure_sealing(folder: Path) -> None:
    """Seal and open 1 kB messages in Chromium, on the native KEM and on the fallback."""
    from playwright.sync_api import sync_playwright

    os.environ.update(services.node_environment())
    page_file = folder / "measure.js"
    client = ROOT / "messaging" / "client"
    command = [services.find_node().path, "tests/run.mjs", "page", "measure", str(page_file)]
    subprocess.run(command, cwd=client, check=True)
    found = services.find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.path, args=["--no-sandbox"], env={**os.environ, **found.environment}
        )
        page = browser.new_page()
        page.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        page.goto("http://localhost:4173/")
        page.add_script_tag(path=page_file, type="module")
        page.wait_for_function("'measurePage' in globalThis")
        figures: dict[str, Any] = page.evaluate("measurePage.run(100)")
        browser.close()
    for name, value in figures.items():
        say(f"Chromium: {name}", value, "ms", "goal < 2" if "1 kB" in name else "")


def main() -> None:
    """Measure everything, or the parts named on the command line."""
    wanted = set(sys.argv[1:]) or {"start", "pages", "idle", "sending", "sealing", "files", "long", "keys"}
    with tempfile.TemporaryDirectory(prefix="network-bench-") as name:
        folder = Path(name)
        (folder / "prepared").mkdir()
        prepared: PreparedState = prepare_state(folder / "prepared")
        if "start" in wanted:
            measure_start(Server.from_prepared(prepared, folder / "start"))
        if "pages" in wanted:
            with Server.from_prepared(prepared, folder / "pages", **UNLIMITED) as server:
                measure_pages(server)
        if "idle" in wanted:
            with Server.from_prepared(prepared, folder / "idle", **UNLIMITED) as server:
                asyncio.run(measure_idle(server))
        if "sending" in wanted:
            with Server.from_prepared(prepared, folder / "sending", **UNLIMITED) as server:
                asyncio.run(measure_sending(server, folder))
        if "sealing" in wanted:
            measure_sealing(folder)
        if "files" in wanted:
            (folder / "files").mkdir()
            with Server.from_prepared(prepared, folder / "for-programs", **UNLIMITED) as server:
                asyncio.run(measure_files(server, (HEAD_A, HEAD_C), folder / "files", say))
            with Server.from_prepared(prepared, folder / "for-browsers", **UNLIMITED) as server:
                measure_in_chromium(server, (HEAD_A, HEAD_C), folder / "files", say)
        if "long" in wanted:
            (folder / "long").mkdir()
            with Server.from_prepared(prepared, folder / "for-long", **UNLIMITED) as server:
                measure_long(server, folder / "long", say)
        if "keys" in wanted:
            (folder / "keys").mkdir()
            with Server.from_prepared(prepared, folder / "for-keys", **UNLIMITED) as server:
                asyncio.run(measure_keys(server, folder / "keys", say))


if __name__ == "__main__":
    main()
