"""Real servers and real clients: two authorities of the demonstration, connected through the SDK."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from messaging.sdk.client import Client
from messaging.sdk.facts import Arrived, Sent
from messaging.sdk.sign_in import DevelopmentSignIn
from network.demo import COUNTERPART_B, STATE_A, STATE_B, STATE_C, DemoPerson
from tests.secretariat import confirm_everybody
from tests.server import PreparedState, Server

PASSPHRASE = "correct horse battery staple"
COST = 2**10  # of scrypt, in tests
PATIENCE_SECONDS = 40.0

OFFICER_A = STATE_A.persons[0]
COLLEAGUE_A = STATE_A.persons[1]
HEAD_A = STATE_A.persons[2]
OFFICER_B = STATE_B.persons[0]
HEAD_B = COUNTERPART_B
HEAD_C = STATE_C.persons[1]


@pytest.fixture
def server(prepared_state: PreparedState, tmp_path: Path) -> Iterator[Server]:
    """Give a started server that counts no limits: these tests are quicker than officers."""
    with Server.unlimited(prepared_state, tmp_path / "server") as started:
        yield started


async def client_at(server: Server, person: DemoPerson, folder: Path) -> Client:
    """Return a client of a person at this server, which makes the keyring where there is none, confirmed."""
    client = await Client.open(
        server.origin,
        sign_in=DevelopmentSignIn(person.membership_id.hex),
        file=folder / person.address,
        passphrase=PASSPHRASE,
        cost=COST,
    )
    if client.session.authority.principal is None:
        await client.create_keyring()
        await confirm_everybody(server)
    return client


@dataclass
class Desks:
    """Opens clients on one server, each with a device file in its own folder, and closes them at the end."""

    server: Server
    folder: Path
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def file_of(self, person: DemoPerson, name: str = "device") -> Path:
        """Return the device file of a person."""
        return Path(self.folder / person.address / name)

    async def open(self, person: DemoPerson, *, passphrase: str = PASSPHRASE, name: str = "device") -> Client:
        """Return a connected client of the person."""
        client = await Client.open(
            self.server.origin,
            sign_in=DevelopmentSignIn(person.membership_id.hex),
            file=self.file_of(person, name),
            passphrase=passphrase,
            cost=COST,
        )
        self.stack.push_async_callback(client.close)
        return client

    async def with_keyring(self, person: DemoPerson, *, confirmed: bool = True) -> Client:
        """Return a client whose device is the first of its authority.

        `confirmed`: its keys, and those of everybody else, by the secretariat.
        """
        client = await self.open(person)
        await client.create_keyring()
        client.kit_is_safe()
        if confirmed:
            await confirm_everybody(self.server)
        return client


@pytest.fixture
async def desks(server: Server, tmp_path: Path) -> AsyncIterator[Desks]:
    """Give a way to open clients on the server."""
    opened = Desks(server, tmp_path / "desks")
    async with opened.stack:
        yield opened


@dataclass
class Pair:
    """State A and State B, each with a keyring, and a thread between them that A has opened."""

    a: Client
    b: Client
    opened: Sent
    first: Arrived


@pytest.fixture
async def pair(desks: Desks) -> Pair:
    """Give two authorities in correspondence."""
    a = await desks.with_keyring(HEAD_A, confirmed=False)  # with the other's, a moment later
    b = await desks.with_keyring(HEAD_B)
    opened = await a.open_thread(b.principal or "", "May we send you a request?", subject="A question")
    return Pair(a, b, opened, await next_message(b))


async def next_message(client: Client) -> Arrived:
    """Return the next message of a client and mark it as handled."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        message = await anext(client.messages())
    client.mark_handled(message)
    return message


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


async def listed_device(desks: Desks, person: DemoPerson, steward: Client) -> Client:
    """Return a client whose device the steward has listed."""
    client = await desks.open(person)
    await client.request_device()
    await steward.approve_device(await anext(steward.device_requests()))
    await client.wait_until_ready(seconds=20)
    return client
