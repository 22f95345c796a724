"""The secretariat of the demonstration: two devices of two officers, who confirm keys as they appear.

In earnest both read the State's note; nobody is there to write one, so they take the digits from the server.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from messaging.demo.helpers import ensure_keyring, open_client, say
from messaging.sdk.client import Client
from messaging.sdk.errors import ApprovalNeeded, ClientError
from messaging.sdk.facts import Authority, DeviceRequest
from messaging.sealed.keys import fingerprint_digits
from network.demo import SECRETARIAT

NOTIFIED_ON = date(2026, 1, 15)
EVERY_SECONDS = 1.0
KIT = "secretariat-recovery-kit.txt"
STEWARD = ("steward",)


@dataclass(frozen=True)
class Officers:
    """Two connected devices, both of which keep the secretariat's keys."""

    first: Client
    second: Client
    done: set[tuple[str, int]] = field(default_factory=set)  # looked at, at this entry

    async def confirm_all(self) -> int:
        """Confirm every authority whose keyring nobody has confirmed as it stands; returns how many."""
        count = 0
        for row in (await self.first.http.get("/api/authorities"))["authorities"]:
            place = (row["waiting"] or row["principal"], row["keyring_n"])
            if row["principal"] is None or row["state"] is None or place in self.done:
                continue
            authority = Authority.from_json(row)
            if not await self.first.secretariat.is_confirmed(authority):
                await self.confirm(authority)
                count += 1
            self.done.add(place)
        return count

    async def confirm(self, authority: Authority) -> None:
        """Confirm one authority's keys, both officers."""
        digits = fingerprint_digits(bytes.fromhex(authority.waiting or authority.principal or ""))
        reference = f"Note verbale of {authority.state_name}, demonstration"[:100]
        for officer in (self.first, self.second):
            await officer.secretariat.confirm(authority, digits, reference=reference, notified_on=NOTIFIED_ON)

    async def let_in(self, request: DeviceRequest) -> None:
        """List a device of a colleague, or of the same officers' browsers; both agree where it takes two."""
        try:
            await self.first.approve_device(request, STEWARD)
        except ApprovalNeeded as needed:
            await self.first.keys.propose(needed.change)
            for waiting in await self.second.keys.list_waiting():
                await self.second.keys.agree(waiting)


@asynccontextmanager
async def officers(origin: str, folder: Path) -> AsyncIterator[Officers]:
    """Give the two officers, whose devices are in the folder; at the first time they make the keyring."""
    one, other = SECRETARIAT.persons[0], SECRETARIAT.persons[1]
    async with await open_client(origin, folder, one) as first:
        await ensure_keyring(first, folder / KIT)
        async with await open_client(origin, folder, other) as second:
            await _list(first, second)
            yield Officers(first, second)


async def _list(first: Client, second: Client) -> None:
    if second.is_ready:
        return
    if second.principal is None:
        await second.request_device(STEWARD)
    for request in await first.list_device_requests():
        if request.words == second.device_words:
            await first.approve_device(request, STEWARD)
    await second.wait_until_ready()


async def run_secretariat(origin: str, folder: Path) -> None:
    """Confirm every authority's keys: at once, and again within a second whenever new ones appear."""
    async with officers(origin, folder) as pair:
        await _confirm(pair)
        say("ready")
        async with asyncio.TaskGroup() as group:
            group.create_task(_keep_confirming(pair))
            group.create_task(_keep_letting_in(pair))


async def _keep_confirming(pair: Officers) -> None:
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        await _confirm(pair)


async def _confirm(pair: Officers) -> None:
    try:
        if count := await pair.confirm_all():
            say(f"confirmed the keys of {count} authorities")
    except ClientError as error:  # tried again a moment later
        say(f"could not confirm: {error}")


async def _keep_letting_in(pair: Officers) -> None:
    async for request in pair.first.device_requests():
        await pair.let_in(request)
        say(f"let in a device of {request.name}")
