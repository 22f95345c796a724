"""The command that checks records without network: what it says, what it opens, what it takes out."""

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from messaging.sealed.container import pack, unpack
from messaging.sealed.passphrase import FileKey
from messaging.sealed.record import item_path
from messaging.tools.record import main
from tests.sealed.records import CODE, one, record
from tests.sealed.world import NET, tampered, world

ROOT = Path(__file__).resolve().parents[2]
ALONE = """
import sys
class Nothing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in {"django", "network", "httpx", "websockets", "pydantic", "_socket"}:
            raise ImportError(name)
sys.meta_path.insert(0, Nothing())
from messaging.tools.record import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A record without texts."""
    file = tmp_path / "record.zip"
    file.write_bytes(record(readable=False))
    return file


def secret(folder: Path, text: str) -> str:
    file = folder / "secret"
    file.write_text(text, encoding="utf-8")
    return str(file)


def device_file(folder: Path) -> Path:
    """The file that the SDK keeps of Elin's device."""
    stored = {name: b64encode(value).decode() for name, value in world().elin.export().items()}
    file = folder / "device"
    file.write_bytes(FileKey.create("a passphrase", cost=2).lock(json.dumps({"device": stored}).encode()))
    return file


def test_r2_it_checks_without_network_django_or_key(sealed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(sealed)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Items: 5. Messages: 3. Opened: 0." in done.stdout
    assert "Elin, Central Authority, Authority A (State)" in done.stdout
    assert "Everything in this record holds." in done.stdout


@pytest.mark.parametrize("opener", ["kit", "code", "device"])
def test_r2_it_opens_and_writes_a_page_in_the_reader_s_language(
    sealed: Path, tmp_path: Path, opener: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {"kit": world().a.kit.print(), "code": CODE.print(), "device": "a passphrase"}[opener]
    page = tmp_path / "page.html"
    more = ["--device-file", str(device_file(tmp_path))] if opener == "device" else []
    asked = [str(sealed), "--open", opener, "--secret-file", secret(tmp_path, words), *more]
    assert main([*asked, "--page", str(page), "--language", "ar"]) == 0
    text = page.read_text(encoding="utf-8")
    assert '<html lang="ar" dir="rtl">' in text
    assert "Begäran 17" in text
    assert "我们请求" in text
    assert "<script" not in text
    assert words not in capsys.readouterr().out


def test_r1_it_names_the_part_that_was_altered(sealed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = unpack(record(readable=False)).parts
    name = item_path(4)
    sealed.write_bytes(pack(parts | {name: tampered(parts[name], 900)}))
    assert main([str(sealed)]) == 1
    said = capsys.readouterr().out
    assert f"{name}: this part was changed after the export. [R1 altered-part]" in said
    assert "THIS RECORD DOES NOT HOLD" in said


def test_r2_it_takes_out_one_message_that_proves_itself(
    sealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "one.zip"
    asked = ["--open", "code", "--secret-file", secret(tmp_path, CODE.print()), "--one", "2", str(out)]
    assert main([str(sealed), *asked]) == 0
    capsys.readouterr()
    assert main([str(out)]) == 0
    said = capsys.readouterr().out
    assert "Message 2 of the thread" in said
    assert "Dara, Central Authority" in said
    assert "Vi ber om bevis." in said
    assert out.read_bytes() == one(2)
    assert len(out.read_bytes()) < 20_000


@pytest.mark.parametrize("seq", ["1", "9"])
def test_r2_what_is_no_message_is_not_taken_out(
    sealed: Path, tmp_path: Path, seq: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(sealed), "--one", seq, str(tmp_path / "x")]) == 1
    assert "wrong place" in capsys.readouterr().out
    assert main([str(sealed), "--one", "2", str(tmp_path / "x")]) == 1
    assert "cannot be opened" in capsys.readouterr().out
    assert not (tmp_path / "x").exists()


def test_r1_an_altered_record_of_one_message_does_not_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "one.zip"
    parts = unpack(one(2)).parts
    name = f"statements/{world().dara.id.hex()}"
    file.write_bytes(pack(parts | {name: tampered(parts[name])}))
    assert main([str(file)]) == 1
    assert f"{name}: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("opener", "words"), [("kit", "0" * 60), ("code", "nonsense"), ("code", world().a.kit.print())]
)
def test_r2_a_wrong_kit_or_code_is_said(
    sealed: Path, tmp_path: Path, opener: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(sealed), "--open", opener, "--secret-file", secret(tmp_path, words)]) == 1
    assert "typed wrong" in capsys.readouterr().out


def test_r2_another_authority_s_kit_opens_nothing(
    sealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = secret(tmp_path, world().b.kit.print())
    assert main([str(sealed), "--open", "kit", "--secret-file", words]) == 1
    assert "Opened: 0." in (said := capsys.readouterr().out)
    assert "cannot be opened with what was given" in said


def test_r1_what_is_no_record_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x"
    for content in (b"", b"PK", b"<html>", bytes(100), pack({"more": b"x"}), pack({"facts": b"\xff"})):
        file.write_bytes(content)
        assert main([str(file)]) == 1
    assert main([str(tmp_path / "none")]) == 2
    assert NET not in capsys.readouterr().out
