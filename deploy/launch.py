"""What deploy/run does once Python is there: prepare, serve, start the helpers, prove, wait."""

import argparse
import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

import httpx

ROOT = Path(__file__).resolve().parent.parent
HELPERS = ("steward", "counterpart", "secretariat")
HEALTHY_SECONDS = 30.0
READY_SECONDS = 30.0
STOP_SECONDS = 12.0
FIRST_OFFICERS = ("first.officer@secretariat.example", "second.officer@secretariat.example")
FIRST_STEPS = """
  Nobody is there yet. What is dangerous takes two persons, so two officers of the secretariat come first.
  Open each link in a browser profile of its own, type the address above it; it works once, for 72 hours:
"""
LATER_STEPS = """
  The secretariat has officers: sign in. Mail that no mail server takes can be read at /outbox/."""


class CannotStart(Exception):
    """A reason not to start, as one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    host: str
    port: int
    is_demo: bool
    is_proof_only: bool
    server: str
    officers: tuple[str, ...] = FIRST_OFFICERS


def read_options(arguments: Sequence[str]) -> Options:
    """Return the options; ends the process with a usage message for odd ones."""
    parser = argparse.ArgumentParser(prog="deploy/run", description="Start the network on this machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--no-demo", action="store_true", help="start with an empty database and no helpers")
    parser.add_argument(
        "--officer",
        action="append",
        metavar="ADDRESS",
        help="with --no-demo: mail address of a first officer of the secretariat; say it at least twice",
    )
    parser.add_argument("--prove", action="store_true", help="set up afresh, prove and stop")
    parser.add_argument("--server", choices=["daphne"], default="daphne", help="the server to run on")
    found = parser.parse_args(arguments)
    if found.prove and found.no_demo:
        parser.error("--prove needs the demonstration's authorities")
    officers = tuple(found.officer or FIRST_OFFICERS)
    return Options(found.host, found.port, not found.no_demo, found.prove, found.server, officers)


# --- State folder and settings ------------------------------------------------------------------------------


def make_state_dir(options: Options) -> Path:
    """Return the folder for everything that is kept, mode 0700; a fresh one for a proof."""
    state = Path(os.environ.get("NETWORK_STATE_DIR") or ROOT / ".network")
    if options.is_proof_only:
        state = state / "prove"
        shutil.rmtree(state, ignore_errors=True)
    for folder in (state, state / "logs", state / "demo"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.chmod(0o700)
    return state


def make_secret(file: Path) -> None:
    """Write 48 random bytes as text into a file of mode 0600, unless it is there."""
    if file.exists():
        return
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(secrets.token_urlsafe(48))


def settings_for(options: Options, state: Path) -> dict[str, str]:
    """Return the environment of the server; what the caller's environment says is kept."""
    make_secret(state / "secret.key")
    environment = dict(os.environ)
    if options.is_proof_only:
        environment = {name: value for name, value in environment.items() if not name.startswith("NETWORK_")}
    defaults = {
        "NETWORK_PROFILE": "development",
        "NETWORK_SITE_ORIGIN": f"http://localhost:{options.port}",
        "NETWORK_STATE_DIR": str(state),
        "PYTHONUNBUFFERED": "1",
    }
    if "NETWORK_SECRET_KEY" not in environment:
        defaults["NETWORK_SECRET_KEY_FILE"] = str(state / "secret.key")
    return {**defaults, **environment, "DJANGO_SETTINGS_MODULE": "network.project.settings"}


def static_digest() -> str:
    """Return a digest over names, sizes and times of all static files."""
    digest = hashlib.sha256()
    for app in ("network", "forum", "messaging"):
        for path in sorted((ROOT / app / "static").rglob("*")):
            facts = path.stat()
            digest.update(f"{path.relative_to(ROOT)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def prepare(options: Options, state: Path, environment: Mapping[str, str]) -> str:
    """Bring database, keys, demonstration data and static files up to date, with one start of Django.

    Returns the links of the first officers where there is neither a demonstration nor anybody else.
    """
    os.environ.update(environment)
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.core.management.base import CommandError
    from django.db import OperationalError, connections

    try:
        django.setup()
        check_redis(settings.REDIS_URL)
        with redirect_stdout(StringIO()):
            call_command("migrate", verbosity=0, interactive=False)
            call_command("make_server_key")
            call_command("make_field_key")
            call_command("make_push_key")
            links = prepare_persons(options)
            marker, wanted = state / "static.digest", static_digest()
            if not marker.exists() or marker.read_text() != wanted:
                call_command("collectstatic", interactive=False, verbosity=0, clear=True)
                marker.write_text(wanted)
        connections.close_all()
    except (ImproperlyConfigured, CommandError, OperationalError) as error:
        raise CannotStart(str(error)) from error
    return links


def prepare_persons(options: Options) -> str:
    """Load the demonstration, or invite the first officers unless there are any; returns their links."""
    from django.core.management import call_command

    from network.actions.first_persons import invite_first_persons
    from network.errors import Conflict, Refusal

    if options.is_demo:
        call_command("load_demo", if_empty=True)
        call_command("invite_demo_helpers")
        return ""
    try:
        invited = invite_first_persons(
            addresses=options.officers, secretariat="Secretariat of the network", language="en"
        )
    except Conflict:
        return ""
    except Refusal as refusal:
        raise CannotStart(str(refusal.sentence)) from refusal
    return "".join(f"\n    {one.address}\n      {one.link}\n" for one in invited)


def check_redis(url: str) -> None:
    """Raise `CannotStart` when a Redis was named that does not answer."""
    if not url:
        return
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        with Redis.from_url(url, socket_connect_timeout=5) as redis:
            redis.ping()
    except (RedisError, ValueError) as error:
        raise CannotStart(f"The Redis of NETWORK_REDIS_URL does not answer: {error}") from error


# --- Processes ----------------------------------------------------------------------------------------------


def check_port(host: str, port: int) -> None:
    """Raise `CannotStart` when the port cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OverflowError as error:
            raise CannotStart(f"{port} is not a port.") from error
        except OSError as error:
            raise CannotStart(
                f"Port {port} on {host} cannot be used ({error.strerror}). "
                f"Stop what uses it, or choose another: deploy/run --port {port + 1}"
            ) from error


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Child:
    """One process of ours; what it prints goes to its log file."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _log_start: int = 0

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches the launcher alone."""
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def has_ended(self) -> bool:
        """Return whether the process is not running."""
        return self.process is None or self.process.poll() is not None

    @property
    def said(self) -> str:
        """Return what it has printed since it was started."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", "replace")

    def fail(self, sentence: str) -> NoReturn:
        """Raise `CannotStart` with the last lines it printed."""
        lines = "\n".join(f"    {line}" for line in self.said.splitlines()[-12:])
        raise CannotStart(f"{sentence}\n{lines}\n  All of it: {self.log}")

    def stop(self) -> None:
        """Ask it to stop; kill it when it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def the_server(options: Options, state: Path, environment: Mapping[str, str]) -> Child:
    """Describe the server's process."""
    command = [sys.executable, "manage.py", "serve", "--host", options.host, "--port", str(options.port)]
    return Child("server", command, environment, state / "logs" / "server.log")


def wait_healthy(child: Child, options: Options, stopping: "Stopping") -> None:
    """Wait until the server answers on /healthz; raises `CannotStart`."""
    environment = child.environment
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(options.host, options.host)  # noqa: S104
    name = httpx.URL(environment["NETWORK_SITE_ORIGIN"]).netloc.decode()
    address = f"http://{host}:{options.port}/healthz"
    deadline = time.monotonic() + HEALTHY_SECONDS
    with httpx.Client(headers={"Host": name}, trust_env=False) as http:
        while time.monotonic() < deadline:
            stopping.check()
            if child.has_ended:
                child.fail("The server ended while starting. Its last words:")
            try:
                if http.get(address, timeout=2).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
    child.fail(f"The server did not answer within {HEALTHY_SECONDS:.0f} s. Its last words:")


def a_helper(name: str, state: Path, environment: Mapping[str, str]) -> Child:
    """Describe the process of one helper of the demonstration; it says `ready` when it listens."""
    command = [sys.executable, "-m", "messaging.demo", name]
    return Child(name, command, environment, state / "logs" / f"{name}.log")


def wait_ready(child: Child, stopping: "Stopping | None" = None) -> None:
    """Wait until a helper listens; raises `CannotStart`."""
    deadline = time.monotonic() + READY_SECONDS
    while "ready\n" not in child.said:
        if stopping:
            stopping.check()
        if child.has_ended:
            child.fail(f"The {child.name} of the demonstration ended while starting. Its last words:")
        if time.monotonic() > deadline:
            child.fail(f"The {child.name} was not ready within {READY_SECONDS:.0f} s. Its last words:")
        time.sleep(0.05)


# --- The whole ----------------------------------------------------------------------------------------------


def prove(environment: Mapping[str, str], state: Path, *, is_thorough: bool) -> bool:
    """Run the proof and return whether it held."""
    command = [sys.executable, "-m", "messaging.demo", "prove", *(["--thorough"] if is_thorough else [])]
    return subprocess.run(command, cwd=ROOT, env=dict(environment), check=False).returncode == 0


def write_cases(environment: Mapping[str, str]) -> None:
    """Let officers of two States write the cases of the demonstration, at its first start; not vital."""
    command = [sys.executable, "-m", "messaging.demo", "cases"]
    if subprocess.run(command, cwd=ROOT, env=dict(environment), check=False).returncode:
        print("  The cases of the demonstration could not all be written.", file=sys.stderr)


def print_demo(origin: str, state: Path) -> None:
    """Print where to go and as whom."""
    from network.demo import SECRETARIAT, STATE_A, STATE_B, STATE_C

    print(f"\n  Open {origin}/ and sign in as any of these (no password in the demonstration):")
    for authority in (STATE_A, STATE_B, STATE_C, SECRETARIAT):
        print(f"    {authority.state[1]}: {authority.name}" if authority.state else f"    {authority.name}")
        for person in authority.persons:
            print(f"      {person.name} ({', '.join(person.roles)})")
    print("  State A: devices are approved within a second by its automatic key steward.")
    print("  Secretariat: two automatic devices confirm the keys of every authority within seconds.")
    print("  State B: answers every message, according to what it could decrypt.")
    print("  State C: its supervisor creates the keyring at /devices/, unless that has been done.")
    print(f"  State A's recovery kit: {state / 'demo' / 'state-a-recovery-kit.txt'}")


def watch(children: list[Child], stopping: "Stopping") -> int:
    """Wait for Ctrl-C; a helper that ends is started again, a server that ends ends everything."""
    while not stopping.is_asked:
        time.sleep(0.2)
        for child in children:
            if not child.has_ended or stopping.is_asked:
                continue
            if child.name == "server":
                print(f"error: the server has ended. See {child.log}", file=sys.stderr)
                return 1
            print(f"The {child.name} has ended (see {child.log}); starting it again.")
            time.sleep(1)
            child.start()
    return 0


class Stopping:
    """Remembers that Ctrl-C, a closed terminal or a request to end has come.

    It interrupts at once only while no process of ours runs; later the waiting ends by itself, so that none
    is left behind between its start and its being known.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self.has_children = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True
        if not self.has_children:
            raise KeyboardInterrupt

    def check(self) -> None:
        """End a start that nobody wants any more."""
        if self.is_asked:
            raise KeyboardInterrupt


def start_one(child: Child, stack: ExitStack) -> None:
    """Start a process that the stack stops."""
    stack.callback(child.stop)
    child.start()


def lock_state(state: Path) -> IO[str]:
    """Return the held lock of a state folder; raises `CannotStart` while another start uses it."""
    lock = (state / "lock").open("w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise CannotStart(
            f"Another deploy/run uses {state}. Stop it, or set NETWORK_STATE_DIR to another folder."
        ) from error
    return lock


def launch(options: Options) -> int:
    """Do everything; return the exit status."""
    began = time.monotonic()
    stopping = Stopping()
    if options.is_proof_only:
        options = Options(options.host, free_port(), True, True, options.server)
    check_port(options.host, options.port)
    state = make_state_dir(options)
    lock = lock_state(state)
    environment = settings_for(options, state)
    origin = environment["NETWORK_SITE_ORIGIN"]
    print(f"Preparing {state} …", flush=True)
    links = prepare(options, state, environment)
    stopping.has_children = True
    with ExitStack() as stack:
        children = [the_server(options, state, environment)]
        start_one(children[0], stack)
        wait_healthy(children[0], options, stopping)
        print(f"Serving on {origin}/ (after {time.monotonic() - began:.1f} s)", flush=True)
        if options.is_demo:
            children += [a_helper(name, state, environment) for name in HELPERS]
            for child in children[1:]:
                start_one(child, stack)
            for child in children[1:]:
                wait_ready(child, stopping)
            is_proven = prove(environment, state, is_thorough=options.is_proof_only)
            stopping.check()
            if not is_proven:
                print("error: the proof did not hold; nothing is left running.", file=sys.stderr)
                return 1
        if options.is_proof_only:
            return 0
        if options.is_demo:
            write_cases(environment)
            stopping.check()
            print_demo(origin, state)
        else:
            print(FIRST_STEPS + links if links else LATER_STEPS)
        took = time.monotonic() - began
        print(f"\n  Started in {took:.1f} s. Logs: {state / 'logs'}. Ctrl-C stops everything.", flush=True)
        status = watch(children, stopping)
        print("\nStopping …", flush=True)
        lock.close()
        return status


def main(arguments: Sequence[str]) -> int:
    """Launch; print a reason instead of a traceback when it cannot be."""
    os.umask(0o077)
    try:
        return launch(read_options(arguments))
    except CannotStart as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
