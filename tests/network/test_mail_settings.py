"""Where mail is handed over is read strictly: what is odd stops the start, with a sentence."""

import subprocess
from pathlib import Path

import pytest

from network.project.settings import MailServer, mail_server
from tests.network.test_settings import GOOD, start

pytestmark = pytest.mark.any_database
FROM = {"NETWORK_MAIL_FROM": "network@un.example"}


@pytest.mark.parametrize(
    ("url", "password", "expected"),
    [
        ("smtp://localhost", "", MailServer("localhost", 25, "", "", use_tls=False, use_ssl=False)),
        ("smtp://localhost:2525", "", MailServer("localhost", 2525, "", "", use_tls=False, use_ssl=False)),
        ("smtps://a%40b:p%2Fw@mail.example", "", MailServer("mail.example", 465, "a@b", "p/w", False, True)),
        (
            "smtp+starttls://user@mail.example",
            "from a file",
            MailServer("mail.example", 587, "user", "from a file", use_tls=True, use_ssl=False),
        ),
    ],
)
def test_a_mail_server_is_read_from_its_url(url: str, password: str, expected: MailServer) -> None:
    assert mail_server(url, password) == expected


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mail.example", "must be like smtps://"),
        ("http://mail.example", "must be like smtps://"),
        ("smtps://", "must be like smtps://"),
        ("smtps://user:pass@mail.example/folder", "must be like smtps://"),
        ("smtps://user:pass@mail.example?tls=no", "must be like smtps://"),
        ("smtps://user:pass@mail.example:99999", "not a number up to 65535"),
        ("smtps://user@mail.example", "without password"),
        ("smtp://user:pass@mail.example", "in plain text"),
    ],
)
def test_an_odd_mail_server_stops_the_start(tmp_path: Path, url: str, sentence: str) -> None:
    refused(start(tmp_path, **GOOD, **FROM, NETWORK_MAIL_URL=url), sentence)


def test_mail_comes_from_one_plain_address(tmp_path: Path) -> None:
    odd = {"NETWORK_MAIL_URL": "smtp://localhost", "NETWORK_MAIL_FROM": "Network <network@un.example>"}
    refused(start(tmp_path, **GOOD, **odd), "one plain mail address")
    refused(start(tmp_path, **GOOD, NETWORK_MAIL_URL="smtp://localhost"), "NETWORK_MAIL_FROM")


def test_a_password_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret\n")
    url = {"NETWORK_MAIL_URL": "smtps://user@mail.example", "NETWORK_MAIL_PASSWORD_FILE": str(file)}
    result = start(tmp_path, **GOOD, **FROM, **url)
    assert result.returncode == 0, result.stderr


def refused(result: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert result.returncode != 0
    assert "ImproperlyConfigured" in result.stderr
    assert sentence in result.stderr
