"""deploy/run as a person at a terminal meets it."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy import services
from tests.server import ROOT

# The command brings SQLite with it: the same on any database.
pytestmark = pytest.mark.any_database

RUN = str(ROOT / "deploy" / "run")
PATIENCE_SECONDS = 90.0


def environment(folder: Path) -> dict[str, str]:
    """Return this environment without the test run's settings, with a state folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NETWORK_", "DJANGO_"))}
    return {**kept, "NETWORK_STATE_DIR": str(folder / "state")}


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run deploy/run from another folder until it says that it has started; give it and what it printed."""
    with subprocess.Popen(
        [RUN, *arguments], cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        printed = ""
        try:
            for line in process.stdout:
                printed += line
                if "Started in" in line:
                    break
            yield process, printed
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_SECONDS)


def is_listening(port: int) -> bool:
    """Return whether anybody accepts connections on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_proof_holds_in_a_fresh_state_folder(tmp_path: Path) -> None:
    result = subprocess.run(
        [RUN, "--prove"], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    sent = re.search(r"sent +“(.*)”", result.stdout)
    assert sent is not None
    assert f"received    “{sent[1]}”" in result.stdout
    for said in (
        "ciphertext: the server refused (wrong-cipher), the receiver refused (M3 wrong-cipher)",
        "signed header: the server refused (bad-signature), the receiver refused (E2 bad-signature)",
        "“Please freeze the account ending 0000 today.” and has 7 words",
        "The proof holds.",
    ):
        assert said in result.stdout
    assert (tmp_path / "state" / "prove").is_dir()


def test_second_start_is_quick_and_ctrl_c_stops_everything(tmp_path: Path) -> None:
    port = services.free_port()
    with running(tmp_path, "--port", str(port)) as (_, printed):
        assert f"Open http://localhost:{port}/" in printed
        assert "12 cases between States A and B written" in printed
        assert is_listening(port)
    assert not is_listening(port)
    began = time.monotonic()
    with running(tmp_path, "--port", str(port)) as (process, printed):
        assert "The proof holds." in printed
    assert process.returncode == 0
    assert time.monotonic() - began < 40  # 3 to 6 s on a quiet machine; tests share it with others
    for file in ("secret.key", "server.key", "demo/state-a-recovery-kit.txt", "demo/passphrase"):
        assert (tmp_path / "state" / file).stat().st_mode & 0o077 == 0, file
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_without_the_demonstration_two_first_officers_are_invited(tmp_path: Path) -> None:
    port = services.free_port()
    with running(tmp_path, "--no-demo", "--port", str(port)) as (_, printed):
        assert len(set(re.findall(rf"http://localhost:{port}/invitation/#\S{{64}}", printed))) == 2
        assert "Proof" not in printed


def test_port_in_use_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run(
            [RUN, "--port", str(port)],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_a_start_that_is_interrupted_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    port = services.free_port()
    state = str(tmp_path / "state")
    with subprocess.Popen(
        [RUN, "--port", str(port)], cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not processes_of(state) and time.monotonic() < deadline:
            time.sleep(0.02)  # until the server's process is there, before it answers
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 130
    assert processes_of(state) == []


def processes_of(state: str) -> list[str]:
    """Return the command lines of the servers and helpers that run on a state folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            is_ours = f"NETWORK_STATE_DIR={state}".encode() in (folder / "environ").read_bytes()
        except OSError:  # it has ended, or belongs to somebody else
            continue
        if is_ours and ("manage.py serve" in command or "messaging.demo" in command):
            found.append(command)
    return found


def test_a_second_start_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, "--no-demo", "--port", str(services.free_port())):
        result = refused(tmp_path, {}, "--no-demo", "--port", str(services.free_port()))
    assert "Another deploy/run uses" in result


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("NETWORK_PROFILE", "production", "NETWORK_SITE_ORIGIN does not begin with https://"),
        ("NETWORK_SITE_ORIGIN", "hello", "NETWORK_SITE_ORIGIN must be like"),
        ("NETWORK_SECRET_KEY", "short", "shorter than 32"),
        ("NETWORK_SECRET_KEY_FILE", "/nonexistent", "cannot be read"),
        ("NETWORK_DATABASE_URL", "mysql://x", "must begin with sqlite"),
        ("NETWORK_LIMITS", "xx", "knows no limit"),
        ("NETWORK_REDIS_URL", "redis://127.0.0.1:1/0", "does not answer"),
    ],
)
def test_an_odd_setting_is_told_in_a_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    said = refused(tmp_path, {name: value}, "--port", str(services.free_port()))
    assert sentence in said
    assert "Traceback" not in said


def refused(folder: Path, settings: dict[str, str], *arguments: str) -> str:
    """Run deploy/run, which must refuse to start; return what it said."""
    result = subprocess.run(
        [RUN, *arguments],
        cwd=folder,
        env={**environment(folder), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stdout
    return result.stderr
