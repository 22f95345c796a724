"""Clients of the SDK and a real server with another between them that lies: nothing false is believed."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import time

import pytest

from messaging.sdk.client import Client
from messaging.sdk.errors import ClientError, NotSent
from messaging.sdk.facts import Arrived
from messaging.sdk.sign_in import DevelopmentSignIn
from messaging.sealed.attachment import File
from messaging.sealed.errors import Refused
from messaging.sealed.message import Note, Plaintext
from tests.lying.defences import DEFENCES, UNBELIEVABLE
from tests.lying.gathered import ATTEMPTS
from tests.lying.lies import Attempt, Facts, Files
from tests.lying.server import LyingServer
from tests.lying.stage import correspond, found_house, tell
from tests.sdk.conftest import COST, HEAD_B, PASSPHRASE, PATIENCE_SECONDS, Desks
from tests.server import PreparedState, Server

pytestmark = pytest.mark.any_database


@dataclass
class Stage:
    """A correspondence that stands, the liar before it, and the reader's two device files."""

    server: Server
    liar: LyingServer
    facts: Facts
    folder: Path
    seen: Path
    fresh: Path

    def reader(self, told_to: str, place: Path) -> Path:
        """Copy the reader's device file, so that no attempt leaves anything to the next."""
        shutil.copytree(getattr(self, told_to).parent, place)
        return place / "device"


@pytest.fixture(scope="module")
def stage(prepared_state: PreparedState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Give the stage, set once for all attempts."""
    folder = tmp_path_factory.mktemp("lying")
    described = Server.unlimited(prepared_state, folder / "server")
    with described as server, LyingServer(server) as liar:
        desks = folder / "desks"
        house_kit = asyncio.run(found_house(server, desks))
        seen, fresh = Desks(server, desks).file_of(HEAD_B), folder / "fresh" / "device"
        shutil.copytree(seen.parent, fresh.parent)
        facts = asyncio.run(correspond(server, desks, house_kit))
        yield Stage(server, liar, facts, folder, seen, fresh)


async def heard(stage: Stage, attempt: Attempt, place: Path, *, is_sent: bool = False) -> str:
    """Tell the lie to the reader; return what its client says against it, "" when it believes.

    `is_sent`: what it writes goes out. Else it is only sealed: nothing of it reaches the honest server.
    """
    tell(stage.liar, stage.facts, attempt)
    try:
        client = await Client.open(
            stage.liar.origin,
            sign_in=DevelopmentSignIn(HEAD_B.membership_id.hex),
            file=stage.reader(attempt.told_to, place),
            passphrase=PASSPHRASE,
            cost=COST,
        )
    except ClientError as refused:
        return str(refused)
    async with client:
        try:
            said = await act(stage, attempt, client, place, is_sent=is_sent)
        except (ClientError, Refused) as refused:
            said = str(refused)
        return " ".join([*map(str, client.distrusted.values()), said, *marks(client, stage.facts.thread)])


async def act(stage: Stage, attempt: Attempt, client: Client, place: Path, *, is_sent: bool) -> str:
    """Do what the lie is told for. Raises what the client says."""
    facts = stage.facts
    if attempt.does == "saves the file":
        await client.save_file(*await file_of(client, facts.conspirators.files), place / "saved")
    elif attempt.does == "tries the kit":
        if not await client.keys.try_kit(facts.conspirators.house_kit):
            return "The kit does not open the newest keys."
    elif attempt.written_to:
        wanted = attempt.written_to(facts)
        chosen = next(one for one in await client.list_authorities() if one.id == wanted)
        with suppress(NotSent):  # by the liar, which keeps it from the honest server
            await client.open_thread(chosen, "Is this believed?")
    elif is_sent:
        await client.send(facts.thread, "Is this believed?")
    else:
        await write(client, bytes.fromhex(facts.thread))
    return ""


async def write(client: Client, thread: bytes) -> None:
    """Follow the log and seal at the end of the thread as it is told, re-keyed first where it must be."""
    if thread not in client.mailbox.threads:
        await client._inbox.pull(thread.hex())
    known = client.mailbox.threads.get(thread)
    members = known.state.members if known and known.state else ()
    await client._others.make_ready([client.mailbox.principal, *(one.principal for one in members)])
    at = int(time())
    if client.mailbox.needs_refresh(thread, at=at):
        client.mailbox.refresh(thread, at=at)
    else:
        client.mailbox.seal(thread, Plaintext(Note("Is this believed?"), "en"), at=at)


async def file_of(client: Client, files: Files) -> tuple[Arrived, File]:
    """Return the message with the file, and the file."""
    async for message in client.messages():
        for file in message.files:
            if (message.thread, file.id.hex()) == (files.thread, files.file):
                return message, file
    raise AssertionError("the client was closed")


def marks(client: Client, thread: str) -> list[str]:
    """Return what stands beside the items of the thread as they are shown."""
    known = client.mailbox.threads.get(bytes.fromhex(thread))
    if known is None:
        return []
    found = [mark for one in known.applied for mark in (*(one.message.marks if one.message else ()),)]
    found += [one.failed for one in known.applied if one.failed]
    return found + ["M8 unanchored" for _ in known.unanchored(client.mailbox)]


# Who confirmed a counterpart is not found in such a log either, and that is asked first.
SAID_HERE = {"other labels": "K8 not-compared"}


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
async def test_client_refuses(attempt: Attempt, stage: Stage, tmp_path: Path) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        says = SAID_HERE.get(attempt.name, attempt.says)
        assert says in await heard(stage, attempt, tmp_path / "reader", is_sent=True)
    assert attempt.is_marked or stage.facts.thread not in stage.liar.swallowed


@pytest.mark.parametrize(
    "attempt",
    [attempt for attempt in ATTEMPTS if attempt.name not in UNBELIEVABLE],
    ids=lambda attempt: attempt.name,
)
async def test_without_its_defence_the_lie_is_believed(
    attempt: Attempt, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, check, instead in DEFENCES[attempt.name]:
        monkeypatch.setattr(place, check, instead)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await heard(stage, attempt, tmp_path / "reader") == ""


@pytest.mark.parametrize("name", UNBELIEVABLE)
async def test_without_its_defence_another_refuses(
    name: str, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (attempt,) = [attempt for attempt in ATTEMPTS if attempt.name == name]
    for place, check, instead in UNBELIEVABLE[name]:
        monkeypatch.setattr(place, check, instead)
    async with asyncio.timeout(PATIENCE_SECONDS):
        said = await heard(stage, attempt, tmp_path / "reader")
    assert said
    assert attempt.says not in said


def test_every_lie_has_its_defence() -> None:
    names = [attempt.name for attempt in ATTEMPTS]
    assert sorted(names) == sorted([*DEFENCES, *UNBELIEVABLE])
    assert all(DEFENCES.values())


async def test_what_is_told_as_it_is_is_believed(stage: Stage, tmp_path: Path) -> None:
    truth = Attempt("the truth", "")
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await heard(stage, truth, tmp_path / "fresh") == ""
        assert await heard(stage, replace(truth, told_to="seen"), tmp_path / "seen") == ""
        assert await heard(stage, replace(truth, does="saves the file"), tmp_path / "file") == ""
        assert await heard(stage, replace(truth, does="tries the kit"), tmp_path / "kit") == ""
    assert (tmp_path / "file" / "saved").read_bytes().startswith(b"evidence.bin")
