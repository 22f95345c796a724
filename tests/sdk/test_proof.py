"""The proof at start turns red when the product no longer does what it promises."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.helpers import helpers_of
from tests.server import ROOT, PreparedState, Server, server_environment

# What is proved here is asked of PostgreSQL in tests/faults: the same on any database.
pytestmark = pytest.mark.any_database

# Each hook breaks one promise of the process that loads it, before anything else runs.
HOOKS = {
    # M3: no ciphertext is compared with the one that was signed.
    "any-ciphertext": """
from messaging.sealed import message
class Any(bytes):
    def __ne__(self, other): return False
real = message.sha256
message.sha256 = lambda data: Any(real(data))
""",
    # E2: every signature holds.
    "any-signature": """
from messaging.sealed import statement
statement.verify_signature = lambda *given: True
""",
    # The text is kept beside the ciphertext.
    "keeps-the-text": """
import os, pathlib
from messaging.sealed import message
seal = message.check_plaintext
def leak(plaintext):
    if hasattr(plaintext.body, "text"):
        pathlib.Path(os.environ["NETWORK_STATE_DIR"], "leak.log").write_text(plaintext.body.text)
    return seal(plaintext)
message.check_plaintext = leak
""",
}


def with_hook(environment: dict[str, str], folder: Path, hook: str) -> dict[str, str]:
    """Return the environment of a process that starts with the hook, or as it is without one."""
    if not hook:
        return environment
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HOOKS[hook], encoding="utf-8")
    return {**environment, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


@contextmanager
def running(prepared: PreparedState, folder: Path, hook: str) -> Iterator[Server]:
    """Run a server that starts with the hook."""
    server = Server.unlimited(prepared, folder / "server")
    server.environment = with_hook(server.environment, folder / "at-server", hook)
    with server as started, helpers_of(started, ["secretariat"]):
        yield started


def prove(server: Server, folder: Path, hook: str) -> subprocess.CompletedProcess[str]:
    """Run the proof as deploy/run does, with the hook."""
    settings: dict[str, str] = {
        name: server.environment[name]
        for name in ("NETWORK_DATABASE_URL", "NETWORK_SITE_ORIGIN")
        if name in server.environment
    }
    environment = server_environment(server.state, settings, port=server.port)
    (server.state / "demo").mkdir(mode=0o700, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "messaging.demo", "prove"],
        cwd=ROOT,
        env=with_hook(environment, folder / "at-prover", hook),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("at_server", "at_prover", "said"),
    [
        ("any-ciphertext", "", "PROOF FAILED: the server took a changed message"),
        ("any-signature", "", "PROOF FAILED: the server took a changed message"),
        ("", "any-ciphertext", "PROOF FAILED: the receiver took a changed message"),
        ("", "any-signature", "PROOF FAILED: signed header: refused for another reason"),
        ("", "keeps-the-text", "leak.log holds the text"),
    ],
)
def test_proof_fails_when_something_is_broken(
    prepared_state: PreparedState, tmp_path: Path, at_server: str, at_prover: str, said: str
) -> None:
    with running(prepared_state, tmp_path, at_server) as server:
        result = prove(server, tmp_path, at_prover)
    assert result.returncode == 1, result.stdout + result.stderr
    assert said in result.stdout
    assert "The proof holds." not in result.stdout


def test_proof_holds_when_nothing_is_broken(prepared_state: PreparedState, tmp_path: Path) -> None:
    with running(prepared_state, tmp_path, "") as server:
        result = prove(server, tmp_path, "")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "The proof holds." in result.stdout
