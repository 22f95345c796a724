"""The examples of the README run as they stand, against a real server."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import httpx
import pytest

from messaging.demo.helpers import run_counterpart, run_steward
from messaging.demo.traces import files_under
from messaging.sdk.sign_in import DevelopmentSignIn, forgery_token
from network.demo import STATE_A
from tests.sdk.conftest import HEAD_A, HEAD_B, OFFICER_A, Desks, next_message, until
from tests.secretariat import confirm_everybody
from tests.server import ROOT, Server

# The guide's example: the same on any database.
pytestmark = pytest.mark.any_database

README = ROOT / "messaging" / "sdk" / "README.md"
ADMINISTRATOR_A = STATE_A.persons[3]


@pytest.fixture
async def helpers(server: Server) -> AsyncIterator[Path]:
    """Run the steward of State A and the counterpart of State B; give their folder."""
    folder = server.state / "demo"
    tasks = [asyncio.create_task(run(server.origin, folder)) for run in (run_steward, run_counterpart)]
    for kit in ("state-a-recovery-kit.txt", "state-b-recovery-kit.txt"):
        await until((folder / kit).exists)
    await confirm_everybody(server)
    yield folder
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def example(name: str, folder: Path) -> Path:
    """Write one example of the README into a folder, as it stands, and return its path."""
    found = re.findall(r"```python\n(# (\w+\.py)\b.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    examples = {file: text for text, file in found}
    assert set(examples) == {"enrol.py", "desk.py", "ask.py"}
    path = folder / name
    path.write_text(examples[name], encoding="utf-8")
    return path


class Program:
    """An example that runs, and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    @classmethod
    async def start(cls, path: Path, **settings: str) -> Self:
        """Run an example with these settings."""
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                str(path),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        )

    async def line_with(self, words: str) -> str:
        """Read on until a line has these words, and return it."""
        assert self.process.stdout
        assert self.process.stderr
        async with asyncio.timeout(60):
            while line := (await self.process.stdout.readline()).decode():
                self.said += line
                if words in line:
                    return line
            raise AssertionError(self.said + (await self.process.stderr.read()).decode())

    async def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        await self.process.wait()

    async def end(self) -> str:
        """Wait until it ends well and return what it printed."""
        async with asyncio.timeout(60):
            printed, faults = await self.process.communicate()
        assert self.process.returncode == 0, faults.decode()
        return self.said + printed.decode()


async def invited(server: Server, address: str) -> str:
    """Invite a program into State A on the page of its administrator; return the link of the mail."""
    headers = {"Origin": server.origin}
    async with httpx.AsyncClient(base_url=server.origin, headers=headers) as http:
        await DevelopmentSignIn(ADMINISTRATOR_A.membership_id.hex).sign_in(http)
        form = {
            "person": "Case management system",
            "office": "International Legal Cooperation Department",
            "address": address,
            "language": "en",
            "roles": "officer",
            "csrfmiddlewaretoken": forgery_token(http) or "",
        }
        answer = await http.post("/people/invite/", data=form)
        assert answer.status_code == 302, answer.text

        async def has_come() -> bool:
            found.extend(
                re.findall(rf'href="({server.origin}/invitation/[^"]+)"', (await http.get("/outbox/")).text)
            )
            return bool(found)

        found: list[str] = []
        await until(has_come)
    return found[0]


async def test_an_invited_program_enrols_receives_acknowledges_and_answers_also_after_a_crash(
    server: Server, desks: Desks, tmp_path: Path
) -> None:
    steward, b = await desks.with_keyring(HEAD_A), await desks.with_keyring(HEAD_B)
    address, link = "program@justice-a.example", await invited(server, "program@justice-a.example")
    own = {"FOLDER": str(tmp_path), "PASSPHRASE": "long and secret"}
    enrolling = await Program.start(example("enrol.py", tmp_path), INVITATION=link, ADDRESS=address, **own)
    request = await anext(steward.device_requests())
    assert request.words in await enrolling.line_with("key steward")
    await steward.approve_device(request)
    assert STATE_A.name in await enrolling.end()

    desk = await Program.start(example("desk.py", tmp_path), **own)
    await desk.line_with("ready")
    sent = await b.open_thread(
        steward.principal or "", "Is the account frozen?", urgency=1, reason="Until noon."
    )
    await desk.line_with("Is the account frozen?")
    assert "urgent, because: Until noon." in await desk.line_with("because")
    acknowledged, answered = await next_message(b), await next_message(b)
    assert (acknowledged.acknowledges, acknowledged.name) == (sent.id, "Case management system")
    assert (answered.text, answered.own_reference) == ("Received. An officer looks at it today.", "A/2026/18")

    await desk.kill()
    again = await b.send(sent.thread, "And the second one?")
    desk = await Program.start(example("desk.py", tmp_path), **own)
    await desk.line_with("And the second one?")
    # Whatever the first message was at when the power went: it is not acknowledged or answered once more.
    assert (await next_message(b)).acknowledges == again.id
    assert (await next_message(b)).kind == "note"
    await desk.kill()


async def test_worked_example_prints_what_state_b_answered(
    server: Server, helpers: Path, tmp_path: Path
) -> None:
    program = await Program.start(
        example("ask.py", tmp_path),
        NETWORK_SITE_ORIGIN=server.origin,
        MEMBERSHIP=OFFICER_A.membership_id.hex,
        DEVICE_FILE=str(tmp_path / "example.device"),
        PASSPHRASE="long and secret",
    )
    said = await program.end()
    assert re.search(r"steward: \d{5}( \d{5}){5}", said)
    assert f"{HEAD_B.name} wrote: Freezing can be ordered here" in said
    assert "“Please freeze the account ending 0000.” and has 6 words" in said


async def test_counterpart_answers_each_question_by_what_it_says(
    server: Server, helpers: Path, desks: Desks
) -> None:
    officer = await desks.open(OFFICER_A)
    await officer.request_device()
    await officer.wait_until_ready(seconds=30)
    state_b = next(row for row in await officer.list_authorities() if row.state_name == "State B")
    opened = await officer.open_thread(state_b, "Buenos días, ¿en qué idioma se aceptan las solicitudes?")
    acknowledged = await next_message(officer)
    assert (acknowledged.kind, acknowledged.acknowledges) == ("acknowledgement", opened.id)
    first = await next_message(officer)
    await officer.send(opened.thread, "您好，请提供该账户的交易记录。", language="zh-hans")
    await next_message(officer)
    second = await next_message(officer)
    assert (first.language, second.language) == ("es", "zh-hans")
    assert "«Buenos días, ¿en qué idioma se aceptan las solicitudes?» y tiene 9 palabras" in (
        first.text or ""
    )
    assert "可以提供银行记录" in (second.text or "")
    assert "共13个字" in (second.text or "")
    await officer.acknowledge(second)  # never answered
    await asyncio.sleep(0.5)
    (thread,) = await officer.list_threads()
    assert thread.progress[state_b.principal or ""][1] >= second.seq - 2


async def test_kits_and_keys_are_readable_by_their_owner_only(helpers: Path) -> None:
    found = {path.name: path.stat().st_mode & 0o077 for path in files_under(helpers)}
    assert "passphrase" in found
    assert set(found.values()) == {0}


async def test_steward_lists_devices_of_its_own_authority_only(
    server: Server, helpers: Path, desks: Desks
) -> None:
    officer = await desks.open(OFFICER_A)
    await officer.request_device(roles=["officer"])
    await officer.wait_until_ready(seconds=30)
    own = officer.mailbox.newest(officer.mailbox.principal)
    assert own is not None
    listed = own.device(officer.mailbox.device.id)
    assert listed is not None
    assert listed.roles == ("officer",)
