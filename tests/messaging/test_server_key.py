"""The key of the receipts: made once, read by nobody else, and missed with a sentence that helps."""

import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from pytest_django import Settings

from messaging.server_key import server_key
from network.key_file import make_key_file


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> Path:
    """Give the place of a key that does not exist yet."""
    settings.SERVER_KEY_FILE = tmp_path / "state" / "server.key"
    return tmp_path / "state" / "server.key"


def test_the_key_is_made_once_and_for_its_owner_only(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("make_server_key")
    first = server_key()
    assert capsys.readouterr().out == f"made {file}: {first.id.hex()}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert make_key_file(file) is False
    call_command("make_server_key")
    assert capsys.readouterr().out.startswith("kept ")
    assert server_key() is first


def test_a_missing_key_is_named_with_the_command_that_makes_it(file: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="make_server_key"):
        server_key()


@pytest.mark.parametrize("content", ["", "not hexadecimal", "ab" * 31, "ab" * 33])
def test_a_file_that_holds_no_key_is_refused(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(ImproperlyConfigured):
        server_key()


def test_a_key_that_others_can_read_is_refused(file: Path) -> None:
    make_key_file(file)
    file.chmod(0o640)
    with pytest.raises(ImproperlyConfigured, match="chmod 600"):
        server_key()


def test_the_key_does_not_show_its_secret(file: Path) -> None:
    make_key_file(file)
    assert file.read_text().strip() not in repr(server_key())
    assert server_key().key.seed.hex() == file.read_text().strip()
