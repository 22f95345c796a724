"""The worked example of the README runs as it stands, against a server with the demonstration's helpers."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messaging.demo.helpers import run_counterpart, run_steward
from messaging.demo.traces import files_under
from tests.sdk.conftest import HEAD_B, OFFICER_A, Desks, next_message, until
from tests.server import ROOT, Server

README = ROOT / "messaging" / "sdk" / "README.md"


@pytest.fixture
async def helpers(server: Server, tmp_path: Path) -> AsyncIterator[Path]:
    """Run the steward of State A and the counterpart of State B; give their folder."""
    folder = tmp_path / "helpers"
    folder.mkdir()
    tasks = [asyncio.create_task(run(server.origin, folder)) for run in (run_steward, run_counterpart)]
    for kit in ("state-a-recovery-kit.txt", "state-b-recovery-kit.txt"):
        await until((folder / kit).exists)
    yield folder
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_worked_example_prints_what_state_b_answered(
    server: Server, helpers: Path, tmp_path: Path
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "example.py").write_text(example, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(tmp_path / "example.py"),
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "NETWORK_SITE_ORIGIN": server.origin,
            "MEMBERSHIP": OFFICER_A.membership_id.hex,
            "DEVICE_FILE": str(tmp_path / "example.device"),
            "PASSPHRASE": "long and secret",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        printed, faults = await process.communicate()
    assert process.returncode == 0, faults.decode()
    said = printed.decode()
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
