"""The secretariat's two officers in tests: they confirm the keys of every authority there is."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from messaging.demo.secretariat import KIT, Officers, officers
from messaging.sdk.device_file import from_base64
from messaging.sdk.http import Http
from messaging.sdk.sign_in import DevelopmentSignIn
from messaging.sealed.confirmation import named_head
from messaging.sealed.ring import Ring
from messaging.sealed.trust import read_confirm
from network.demo import SECRETARIAT
from tests.server import Server

PATIENCE_SECONDS = 60.0


async def confirm_everybody(server: Server, origin: str = "") -> None:
    """Confirm every authority that has a keyring; again after a recovery. The devices stay listed.

    `origin`: where the server is reached, if not at its own address.
    Where the demonstration's secretariat runs beside the server it does so, and is waited for.
    """
    if (server.state / "demo" / KIT).exists():
        async with asyncio.timeout(PATIENCE_SECONDS):
            await _until_confirmed(server)
        return
    async with officers(origin or server.origin, folder_of(server)) as pair:
        await pair.confirm_all()


async def _until_confirmed(server: Server) -> None:
    http = Http(server.origin, DevelopmentSignIn(SECRETARIAT.persons[0].membership_id.hex))
    try:
        await http.sign_in()
        net = (await http.get("/api/session"))["net"]
        for row in (await http.get("/api/authorities"))["authorities"]:
            while row["principal"] and row["state"]:
                if _is_confirmed(net, await http.get(f"/api/keyrings/{row['principal']}")):
                    break
                await asyncio.sleep(0.2)
    finally:
        await http.close()


def _is_confirmed(net: str, found: dict[str, Any]) -> bool:
    ring = Ring(net)
    statements = [from_base64(raw) for raw in found["statements"]]
    for entry in found["entries"]:
        ring.accept(from_base64(entry["entry"]), statements, None)
    heads = [read_confirm(net, from_base64(raw)).head for raw in found["confirms"]]
    return bool(heads) and heads[0] == named_head(ring)


def confirm_all(server: Server, origin: str = "") -> None:
    """As `confirm_everybody`, also beside a running event loop (Playwright has one)."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, confirm_everybody(server, origin)).result()


def folder_of(server: Server) -> Path:
    """Return where the officers' device files of this server lie."""
    folder = server.state / "secretariat"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


__all__ = ["Officers", "confirm_all", "confirm_everybody", "officers"]
