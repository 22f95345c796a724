"""A server that lies about mandates, their end and sponsors, between real clients and a real server."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import time

import pytest

from messaging.sdk.client import Client
from messaging.sdk.errors import ClientError
from messaging.sdk.sign_in import DevelopmentSignIn
from messaging.sealed.errors import Refused
from messaging.sealed.plaintext import Note, Plaintext
from network.demo import PROSECUTOR_A
from tests.lying.mandate_lies import LIES, Contact, MandateLie
from tests.lying.mandate_stage import admit_twice
from tests.lying.server import LyingServer, told_as_it_is
from tests.sdk.conftest import COST, HEAD_A, HEAD_B, PASSPHRASE, Desks
from tests.secretariat import confirm_everybody
from tests.server import PreparedState, Server

pytestmark = pytest.mark.any_database
PATIENCE_SECONDS = 60.0


@dataclass
class Stage:
    """Direct contact that stands, the liar before it, and two device files of State B's head."""

    liar: LyingServer
    contact: Contact
    files: dict[str, Path]


@pytest.fixture(scope="module")
def stage(prepared_state: PreparedState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Give the stage, set once for all lies."""
    folder = tmp_path_factory.mktemp("mandates")
    described = Server.unlimited(prepared_state, folder / "server")
    with described as server, LyingServer(server) as liar:
        files = {name: folder / name / "device" for name in ("fresh", "seen")}
        contact = asyncio.run(correspond(server, folder / "desks", files))
        yield Stage(liar, contact, files)


async def correspond(server: Server, folder: Path, files: dict[str, Path]) -> Contact:
    """Let A and B admit a prosecutor twice, withdraw the first mandate, and A answer for nobody at last."""
    desks = Desks(server, folder)
    async with desks.stack:
        first = await desks.with_keyring(HEAD_B)
        await first.close()
        shutil.copytree(desks.file_of(HEAD_B).parent, files["fresh"].parent)
        a, b = await desks.with_keyring(HEAD_A), await desks.open(HEAD_B)
        await confirm_everybody(server)
        prosecutor = await desks.open(PROSECUTOR_A)
        contact = await admit_twice(a, b, prosecutor)
        await b.close()
        shutil.copytree(desks.file_of(HEAD_B).parent, files["seen"].parent)
        await a.practice.end(contact.practitioner.hex())
        return contact


async def heard(stage: Stage, told_to: str, thread: str, place: Path) -> str:
    """Let State B's head write in the thread as it is told; return what the client says against it."""
    shutil.copytree(stage.files[told_to].parent, place)
    client = await Client.open(
        stage.liar.origin,
        sign_in=DevelopmentSignIn(HEAD_B.membership_id.hex),
        file=place / "device",
        passphrase=PASSPHRASE,
        cost=COST,
    )
    async with client:
        try:
            await write(client, bytes.fromhex(thread))
        except (ClientError, Refused) as refused:
            return " ".join([str(refused), *map(str, client.distrusted.values())])
        return " ".join(map(str, client.distrusted.values()))


async def write(client: Client, thread: bytes) -> None:
    """Seal at the end of the thread as it is told, re-keyed first where it must be; nothing is sent."""
    if thread not in client.mailbox.threads:
        await client._inbox.pull(thread.hex())
    state = client.mailbox.threads[thread].state
    members = [row.principal for row in state.members] if state else []
    await client._others.make_ready([client.mailbox.principal, *members])
    at = int(time())
    if client.mailbox.needs_refresh(thread, at=at):
        client.mailbox.refresh(thread, at=at)
    else:
        client.mailbox.seal(thread, Plaintext(Note("Is this believed?"), "en"), at=at)


def thread_of(stage: Stage, lie: MandateLie) -> str:
    return stage.contact.ended if lie.in_ended else stage.contact.open_still


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
async def test_client_refuses(lie: MandateLie, stage: Stage, tmp_path: Path) -> None:
    lie.tell(stage.liar, stage.contact)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert lie.says in await heard(stage, lie.told_to, thread_of(stage, lie), tmp_path / "reader")


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
async def test_without_its_defence_the_lie_is_believed(
    lie: MandateLie, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, check, instead in lie.defences:
        monkeypatch.setattr(place, check, instead)
    lie.tell(stage.liar, stage.contact)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await heard(stage, lie.told_to, thread_of(stage, lie), tmp_path / "reader") == ""


@pytest.mark.parametrize("told_to", ["fresh", "seen"])
async def test_what_is_told_as_it_is_is_believed(told_to: str, stage: Stage, tmp_path: Path) -> None:
    stage.liar.lies, stage.liar.alter = {}, told_as_it_is
    for number, thread in enumerate((stage.contact.ended, stage.contact.open_still)):
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await heard(stage, told_to, thread, tmp_path / str(number)) == ""
