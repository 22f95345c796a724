"""The scripts that browsers get, checked from outside: an honest server, and one that gives others."""

import pytest

from messaging.sealed.checkpoint import log_signers
from messaging.sealed.keys import SigningKey
from messaging.tools import verify_bundle
from network.key_file import read_key_file
from tests.lying.server import LyingServer
from tests.server import ROOT, Server

pytestmark = pytest.mark.any_database
NET = "network.example/s1"
LISTED = "/log/bundle"


def check(server: Server, origin: str, *options: str) -> int:
    """Run the command against an address; the key is that of the server."""
    seed = read_key_file(server.state / "server.key", command="make_server_key")
    log, _ = log_signers(NET, SigningKey.from_seed(seed).public)
    return verify_bundle.main([origin, "--log", log.line, *options])


def in_script(path: str, content: bytes) -> bytes:
    return content + b"//" if path.startswith("/static/messaging/client.") else content


def in_page(path: str, content: bytes) -> bytes:
    return content.replace(b"</head>", b"<script>1</script></head>") if path == "/sign-in/" else content


def in_handler(path: str, content: bytes) -> bytes:
    return content.replace(b"<body", b"<body onload='1'") if path == "/sign-in/" else content


def elsewhere(path: str, content: bytes) -> bytes:
    found = b"<script src='https://elsewhere.example/x.js'></script></head>"
    return content.replace(b"</head>", found) if path == "/sign-in/" else content


def in_list(path: str, content: bytes) -> bytes:
    return content.replace(b"  network/", b"  network/x", 1) if path == LISTED else content


def list_without_one(path: str, content: bytes) -> bytes:
    return b"".join(content.splitlines(keepends=True)[1:]) if path == LISTED else content


def no_list(path: str, content: bytes) -> bytes:
    return b"<html>" if path == LISTED else content


def test_an_honest_server_gives_the_published_scripts(
    live_server_process: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    origin = live_server_process.origin
    assert check(live_server_process, origin, "--release", str(ROOT)) == 0
    assert "the list stands in the log" in capsys.readouterr().out


LIES = (
    (in_script, 1, "is not the script on the list"),
    (in_page, 1, "a script that stands in the page itself"),
    (in_handler, 1, "a script that stands in the page itself"),
    (elsewhere, 1, "which is not on the list"),
    (in_list, 2, "could not be asked"),
    (list_without_one, 1, "not the one that stands in the log"),
    (no_list, 2, "another form"),
)


def test_whatever_is_given_instead_is_named(
    live_server_process: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with LyingServer(live_server_process) as liar:
        assert check(live_server_process, liar.origin) == 0
        for replace, status, says in LIES:
            liar.replace = replace
            assert check(live_server_process, liar.origin) == status, replace
            assert says in capsys.readouterr().out, replace


def test_another_release_is_named(
    live_server_process: Server, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(live_server_process, live_server_process.origin, "--release", str(tmp_path)) == 1
    assert "client.js is not the published script" in capsys.readouterr().out
