"""Who watches a log from outside: `verify_log` and `witness`, against honest and lying sites over HTTP."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import time
from typing import Any

import pytest

from messaging.sealed.checkpoint import log_signers, read_checkpoint, read_signer
from messaging.sealed.keys import SigningKey
from messaging.sealed.transparency import TilePlace, bundles, write_bundle
from messaging.tools import verify_log, witness
from tests.sealed.log_world import LogServer, keyring_leaf
from tests.sealed.world import NET, seed, world

ROOT = Path(__file__).resolve().parents[2]


class Site:
    """What a site answers; `lies` replace answers by path. `handed_in` are the notes of witnesses."""

    def __init__(self, log: LogServer) -> None:
        self.log = log
        self.lies: dict[str, bytes] = {}
        self.handed_in: list[str] = []
        self.origin = ""

    def answer(self, path: str) -> bytes | None:
        if path in self.lies:
            return self.lies[path]
        if path == "checkpoint":
            return self.log.note(at=int(time())).encode()
        size = self.log.tree.size
        for place in bundles(0, size):
            if path == place.path:
                first = place.index * 256
                return write_bundle(self.log.leaves[first : first + place.width])
            if path == TilePlace(0, place.index, place.width).path:
                first = place.index * 256
                return b"".join(self.log.tree.levels[0][first : first + place.width])
        above = self.log.tree.levels[8] if len(self.log.tree.levels) > 8 else []
        return b"".join(above) if above and path == TilePlace(1, 0, len(above)).path else None


@contextmanager
def serving(log: LogServer) -> Iterator[Site]:
    """Serve a log on a port of this machine."""
    site = Site(log)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = site.answer(self.path.removeprefix("/log/"))
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(found or b"")

        def do_POST(self) -> None:
            site.handed_in.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    site.origin = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def log_of(*, more: int = 0) -> LogServer:
    """A log with the world's keyrings, and so many lines besides."""
    made = world()
    log = LogServer(made.server_key)
    for party in (made.a, made.b, made.c):
        log.log_party(party)
    for number in range(more):
        log.append(keyring_leaf(made.secretariat, number, seed(f"head {number}")))
    return log


def verify(site: Site, *options: str) -> int:
    log, _ = log_signers(NET, site.log.key.public)
    return verify_log.main([site.origin, "--log", log.line, *options])


@pytest.mark.parametrize("more", [0, 300])
def test_an_honest_log_verifies(more: int, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(log_of(more=more)) as site:
        assert verify(site) == 0
    said = capsys.readouterr().out
    assert f"{4 + more} lines lead to the state that is signed" in said
    assert "Everything holds." in said


def test_it_needs_no_django_and_runs_by_itself() -> None:
    """A machine without the product's settings; nothing of the server is imported."""
    with serving(log_of()) as site:
        log, _ = log_signers(NET, site.log.key.public)
        program = (
            "import sys; from messaging.tools.verify_log import main; status = main(sys.argv[1:]);"
            "assert not {'django', 'network', 'httpx'} & set(sys.modules); sys.exit(status)"
        )
        command = [sys.executable, "-c", program, site.origin, "--log", log.line]
        found = subprocess.run(
            command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
        )
    assert (found.returncode, found.stderr) == (0, "")


def test_l5_another_key_an_altered_line_and_a_false_tile_are_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(log_of()) as site:
        stranger, _ = log_signers(NET, SigningKey(seed("stranger")).public)
        assert verify_log.main([site.origin, "--log", stranger.line]) == 1
        assert "not signed by the key of this log. (L5 bad-checkpoint)" in capsys.readouterr().out
        [place] = bundles(0, site.log.tree.size)
        lines = site.log.leaves
        site.lies[place.path] = write_bundle([*lines[:-1], lines[0]])
        assert verify(site) == 1
        assert "L5 inconsistent-log" in capsys.readouterr().out
        site.lies.clear()
        tile = TilePlace(0, 0, site.log.tree.size)
        site.lies[tile.path] = bytes(32 * site.log.tree.size)
        assert verify(site) == 1
        assert f"{tile.path} does not hold the hashes" in capsys.readouterr().out


def test_l3_lines_that_contradict_each_other_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    log = log_of()
    log.append(keyring_leaf(world().a, 1, seed("ghost")))
    with serving(log) as site:
        assert verify(site) == 1
    assert "L3 contradicting-leaves" in capsys.readouterr().out


def test_l8_a_log_that_was_shortened_or_rewritten_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    with serving(log_of(more=5)) as site:
        assert verify(site, "--state", str(state)) == 0
        for changed, said in ((log_of(), "smaller-checkpoint"), (_rewritten(12), "inconsistent-log")):
            site.log = changed
            assert verify(site, "--state", str(state)) == 1
            assert said in capsys.readouterr().out
        site.log = _rewritten(5)
        assert verify(site, "--state", str(state)) == 1
        assert "forked-log" in capsys.readouterr().out


def _rewritten(more: int) -> LogServer:
    log = log_of()
    for number in range(more):
        log.append(keyring_leaf(world().secretariat, number, seed(f"other {number}")))
    return log


def test_l5_a_checkpoint_that_others_saw_is_held_against_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = {"early": log_of().note(), "fork": _rewritten(3).note(), "later": log_of(more=9).note()}
    for name, note in seen.items():
        (tmp_path / name).write_text(note, encoding="utf-8")
    with serving(log_of(more=5)) as site:
        assert verify(site, "--note", str(tmp_path / "early")) == 0
        assert verify(site, "--note", str(tmp_path / "fork")) == 1
        assert "another state of 7 lines" in capsys.readouterr().out
        assert verify(site, "--note", str(tmp_path / "later")) == 1
        assert "signed 13 lines there, and shows 9 here" in capsys.readouterr().out


def test_a_site_that_does_not_answer_is_no_proof(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(log_of()) as site:
        site.lies["checkpoint"] = b"\xff"
        assert verify(site) == 2
        site.lies["checkpoint"] = b"x" * 100_000
        assert verify(site) == 2
        del site.lies["checkpoint"]
        site.lies[bundles(0, 4)[0].path] = b"\xff\xff"
        assert verify(site) == 1
    assert verify(site) == 2
    log, _ = log_signers(NET, site.log.key.public)
    assert verify_log.main(["ftp://x", "--log", log.line]) == 2
    assert verify_log.main([site.origin, "--log", "nonsense"]) == 1
    assert "could not be asked" in capsys.readouterr().out


# --- the witness


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A witness's key."""
    file = tmp_path / "witness.key"
    assert witness.main(["--make-key", str(file)]) == 0
    return file


def look(site: Site, key: Path, state: Path) -> int:
    log, _ = log_signers(NET, site.log.key.public)
    options = ["--key", str(key), "--name", "west.example", "--state", str(state)]
    return witness.main([site.origin, "--log", log.line, *options])


def test_l4_a_witness_signs_what_it_has_followed(
    tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert witness.main(["--show", "--key", str(key), "--name", "west.example"]) == 0
    signer = read_signer(capsys.readouterr().out.splitlines()[-1])
    with serving(log_of()) as site:
        assert look(site, key, tmp_path / "state") == 0
        site.log.append(keyring_leaf(world().secretariat, 0, seed("later")))
        assert look(site, key, tmp_path / "state") == 0
        notes = [read_checkpoint(NET, site.log.key.public, note, [signer]) for note in site.handed_in]
    assert [note.size for note in notes] == [4, 5]
    assert [each.name for note in notes for each in note.witnesses] == [signer.line] * 2
    assert abs(notes[0].witnesses[0].at - time()) < 60


def test_l5_a_witness_never_signs_a_log_that_was_rewritten(
    tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(log_of(more=5)) as site:
        assert look(site, key, tmp_path / "state") == 0
        for changed in (log_of(), _rewritten(12), _rewritten(5)):
            site.log = changed
            assert look(site, key, tmp_path / "state") == 1
            assert "NOT SIGNED" in capsys.readouterr().out
        assert len(site.handed_in) == 1
        # What was found wrong once stays so, even when the log looks right again.
        site.log = log_of(more=5)
        assert look(site, key, tmp_path / "state") == 1


def test_l3_a_witness_does_not_sign_lines_that_contradict_each_other(tmp_path: Path, key: Path) -> None:
    log = log_of()
    log.append(keyring_leaf(world().a, 1, seed("ghost")))
    with serving(log) as site:
        assert look(site, key, tmp_path / "state") == 1
        assert site.handed_in == []


def test_a_witness_s_key_is_its_own(tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert key.stat().st_mode & 0o077 == 0
    assert witness.main(["--make-key", str(key)]) == 2
    key.chmod(0o644)
    assert witness.main(["--show", "--key", str(key), "--name", "west.example"]) == 2
    assert "chmod 600" in capsys.readouterr().out
    key.chmod(0o600)
    assert witness.main(["--show", "--key", str(key), "--name", "a name"]) == 2
    assert witness.main(["--key", str(key), "--name", "west.example"]) == 2
    (tmp_path / "short").write_text("00")
    (tmp_path / "short").chmod(0o600)
    assert witness.main(["--show", "--key", str(tmp_path / "short"), "--name", "x"]) == 2
