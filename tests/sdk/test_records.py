"""A national system takes its records away, and reports what it was threatened with."""

import asyncio
from pathlib import Path

import pytest

from messaging.sdk.errors import Distrusted, ServerRefused
from messaging.sealed.record_anchors import Anchored
from messaging.sealed.record_check import check_thread_record
from messaging.sealed.record_one import Proven, check_message_record
from messaging.tools.record import main
from tests.sdk.conftest import HEAD_A, HEAD_B, PASSPHRASE, Desks, Pair, next_message, until
from tests.secretariat import confirm_everybody

ANSWER = "You may. سلام"


def secret(folder: Path, text: str) -> str:
    file = folder / "secret"
    file.write_text(text, encoding="utf-8")
    return str(file)


async def test_a_sealed_record_opens_with_its_code_and_the_device_file(
    pair: Pair, desks: Desks, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await pair.b.send(pair.opened.thread, ANSWER)
    await next_message(pair.a)
    made = await pair.a.export_thread(pair.opened.thread, tmp_path / "sealed.zip")
    assert made.code
    assert b"May we send" not in made.path.read_bytes()
    page = tmp_path / "page.html"
    asked = [str(made.path), "--open", "code", "--secret-file", secret(tmp_path, made.code)]
    assert main([*asked, "--page", str(page)]) == 0
    assert ANSWER in page.read_text(encoding="utf-8")
    file = str(desks.file_of(HEAD_A))
    asked = [str(made.path), "--open", "device", "--device-file", file]
    assert main([*asked, "--secret-file", secret(tmp_path, PASSPHRASE)]) == 0
    assert "Opened: 2." in capsys.readouterr().out


async def test_a_readable_record_shows_what_was_written(pair: Pair, tmp_path: Path) -> None:
    made = await pair.b.export_thread(pair.opened.thread, tmp_path / "open.zip", language="fr")
    assert made.code is None
    checked = check_thread_record(made.path.read_bytes())
    assert checked.faults == []
    assert [text.subject for text in checked.texts.values()] == ["A question"]
    assert checked.log
    assert checked.facts
    assert {row.state for row in checked.facts.authorities} == {"State A", "State B"}


async def test_a_record_shows_who_has_opened_the_thread(
    pair: Pair, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await pair.b.mark_opened(pair.first)

    async def is_shown() -> bool:
        made = await pair.a.export_thread(pair.opened.thread, tmp_path / "opened.zip", language="en")
        checked = check_thread_record(made.path.read_bytes())
        assert checked.faults == []
        return {principal.hex() for principal in checked.opened} == {pair.b.principal}

    await until(is_shown)
    assert main([str(tmp_path / "opened.zip")]) == 0
    assert "Opened up to item 2 by" in capsys.readouterr().out


async def test_a_record_shows_who_has_confirmed_the_keys_and_by_which_note(
    pair: Pair, desks: Desks, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await confirm_everybody(desks.server)
    made = await pair.a.export_thread(pair.opened.thread, tmp_path / "confirmed.zip", language="en")
    checked = check_thread_record(made.path.read_bytes())
    assert checked.faults == []
    assert {principal.hex() for principal in checked.confirmed} == {pair.a.principal, pair.b.principal}
    assert all(found.note.reference for found in checked.confirmed.values())
    one = await pair.b.export_message(pair.opened.thread, pair.opened.seq, tmp_path / "one.zip")
    proven = check_message_record(one.path.read_bytes())
    assert isinstance(proven, Proven)
    assert proven.confirmed is not None
    assert len({officer.person for officer in proven.officers}) == 2
    for file in (made.path, one.path):
        assert main([str(file)]) == 0
    assert capsys.readouterr().out.count("Fingerprint of the secretariat") == 2


async def test_a_record_shows_when_the_log_held_the_thread(
    pair: Pair, desks: Desks, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    anchor = "from messaging.actions.log import anchor_threads; assert anchor_threads({})"
    await asyncio.to_thread(desks.server.manage, "shell", "-c", anchor.format(90_000))
    await pair.b.send(pair.opened.thread, ANSWER)
    await asyncio.to_thread(desks.server.manage, "shell", "-c", anchor.format(90_001))
    made = await pair.a.export_thread(pair.opened.thread, tmp_path / "anchored.zip", language="en")
    checked = check_thread_record(made.path.read_bytes())
    assert checked.faults == []
    assert [(found.day, found.seq) for found in checked.anchors] == [(90_000, 2), (90_001, 3)]
    one = await pair.a.export_message(pair.opened.thread, pair.opened.seq, tmp_path / "one.zip")
    proven = check_message_record(one.path.read_bytes())
    assert isinstance(proven, Proven), proven
    assert proven.anchored == Anchored(90_000, 2)
    for file in (made.path, one.path):
        assert main([str(file)]) == 0
    said = capsys.readouterr().out
    assert "Items up to 3 stood in that log on 2216-06-01, by its anchor of that day." in said
    assert "It stood in that log on 2216-05-31 at the latest" in said


async def test_one_message_is_proven(pair: Pair, tmp_path: Path) -> None:
    made = await pair.b.export_message(pair.opened.thread, pair.opened.seq, tmp_path / "one.zip")
    proven = check_message_record(made.path.read_bytes())
    assert isinstance(proven, Proven)
    assert (proven.sender.name, proven.receipt.seq) == (HEAD_A.name, pair.opened.seq)
    assert proven.log
    assert HEAD_B.name.encode() not in made.path.read_bytes()
    with pytest.raises(Distrusted, match="R2 wrong-place"):
        await pair.b.export_message(pair.opened.thread, 1, tmp_path / "entry.zip")


async def test_a_message_is_reported_once_and_only_with_a_known_cause(pair: Pair) -> None:
    thread, seq = pair.opened.thread, pair.opened.seq
    with pytest.raises(Distrusted, match="R4 unknown-cause"):
        await pair.b.report(thread, [seq], cause="because")
    with pytest.raises(Distrusted, match="R2 cannot-open"):
        await pair.b.report(thread, [99], cause="other")
    assert await pair.b.report(thread, [seq], cause="pressure", words="They threaten us.")
    with pytest.raises(ServerRefused) as refused:
        await pair.b.report(thread, [seq], cause="other")
    assert refused.value.code == "already-reported"
