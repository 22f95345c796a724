"""The product as people meet it: a server process with its own database, port and state folder."""

import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier
from redis import Redis

from deploy import services
from network.limits import PLACE

ROOT = Path(__file__).resolve().parent.parent
SECRET = "only-for-tests-only-for-tests-only-for-tests"
_FREE = (
    "api-read",
    "api-write",
    "invitation-accept",
    "message-append",
    "recovery",
    "search",
    "sign-in",
    "socket-command",
)
UNLIMITED = ",".join(f"{name}=100000:100000" for name in _FREE)
# What turns an empty database into the demo, in this order; in one process: each would load all of Django.
PREPARATION = """
import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)
for command in ("make_server_key", "make_field_key", "make_push_key", "load_demo", "invite_demo_helpers"):
    call_command(command)
call_command("collectstatic", interactive=False, verbosity=0)
"""


def server_environment(state: Path, settings: Mapping[str, str], *, port: int = 8000) -> dict[str, str]:
    """Return the whole environment of a server: nothing of the test run's own settings goes in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NETWORK_", "DJANGO_"))}
    return {
        **kept,
        "NETWORK_PROFILE": "development",
        "NETWORK_SECRET_KEY": SECRET,
        "NETWORK_STATE_DIR": str(state),
        "NETWORK_DATABASE_URL": f"sqlite:///{state / 'network.sqlite3'}",
        "NETWORK_SITE_ORIGIN": f"http://localhost:{port}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
        **settings,
    }


def manage(environment: dict[str, str], *arguments: str) -> str:
    """Run a management command to its end and return what it printed; raises AssertionError with it."""
    return run_python(environment, "manage.py", *arguments)


def run_python(environment: dict[str, str], *arguments: str) -> str:
    """Run Python to its end and return what it printed; raises AssertionError with it."""
    command = [sys.executable, *arguments]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(arguments)} failed:\n{result.stdout}{result.stderr}"
    return result.stdout


@dataclass(frozen=True)
class PreparedState:
    """A migrated demo database and a state folder with static files, to be copied for each server.

    On PostgreSQL `cluster` is the URL of its maintenance database and `template` the database to copy.
    """

    folder: Path
    cluster: str = ""
    template: str = ""
    redis_url: str = ""

    def copy_to(self, folder: Path) -> dict[str, str]:
        """Make the folder and a database copies; returns the settings that name them."""
        # At rest SQLite's file is the database.
        shutil.copytree(self.folder, folder)
        if not self.cluster:
            return {}
        name = f"server_{uuid.uuid4().hex}"
        create_database(self.cluster, name, template=self.template)
        fill_buckets_of_servers(self.redis_url)
        return {"NETWORK_DATABASE_URL": beside(self.cluster, name), "NETWORK_REDIS_URL": self.redis_url}


def beside(cluster: str, database: str) -> str:
    """Return the URL of another database of the same PostgreSQL."""
    return urlsplit(cluster)._replace(path=f"/{database}").geturl()


def create_database(cluster: str, name: str, *, template: str = "template0") -> None:
    """Create a database; the template must have no connection."""
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(
            SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
        )


def fill_buckets_of_servers(redis_url: str) -> None:
    """Let a server begin with nothing spent in the Redis that the servers of a run share."""
    with Redis.from_url(redis_url) as redis:
        if spent := list(redis.scan_iter(f"{PLACE}:*")):
            redis.delete(*spent)


def prepare(environment: Mapping[str, str]) -> None:
    """Fill the empty database and state folder that the environment names."""
    run_python({**environment, "DJANGO_SETTINGS_MODULE": "network.project.settings"}, "-c", PREPARATION)


def prepare_state(folder: Path, *, cluster: str = "", redis_url: str = "") -> PreparedState:
    """Fill a folder and a database as the first start does; takes a few seconds, so once a session."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings, template = {}, ""
    if cluster:
        template = f"prepared_{uuid.uuid4().hex}"
        create_database(cluster, template)
        settings = {"NETWORK_DATABASE_URL": beside(cluster, template), "NETWORK_REDIS_URL": redis_url}
    prepare(server_environment(folder, settings))
    return PreparedState(folder, cluster, template, redis_url)


def prepare_state_once(folder: Path, *, cluster: str = "", redis_url: str = "") -> PreparedState:
    """Prepare the state, or take what another worker of this run has prepared in the folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = folder / "done.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            state = prepare_state(folder / "state", cluster=cluster, redis_url=redis_url)
            done.write_text(json.dumps(state.template))
    return PreparedState(folder / "state", cluster, json.loads(done.read_text()), redis_url)


@dataclass
class Server:
    """One server process. `with` starts and stops it; `kill` and `start` again are for the fault tests."""

    running: ClassVar[dict[str, "Server"]] = {}
    """By origin, those that a test has started."""
    state: Path
    environment: dict[str, str]
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @classmethod
    def from_prepared(cls, prepared: PreparedState, state: Path, **more: str) -> Self:
        """Describe a server on a copy of the prepared state and a free port; `more` are settings."""
        port = services.free_port()
        settings = {**prepared.copy_to(state), **more}
        return cls(state, server_environment(state, settings, port=port), port)

    @classmethod
    def unlimited(cls, prepared: PreparedState, state: Path, **more: str) -> Self:
        """As `from_prepared`, of one that counts no limits: a test is quicker than an officer."""
        return cls.from_prepared(prepared, state, NETWORK_LIMITS=UNLIMITED, **more)

    @classmethod
    def beside(cls, other: "Server") -> Self:
        """Describe a second process on the database, Redis and state of another."""
        port = services.free_port()
        environment = {**other.environment, "NETWORK_SITE_ORIGIN": f"http://localhost:{port}"}
        return cls(other.state, environment, port)

    @property
    def origin(self) -> str:
        """Return the address, as a browser names it: localhost, which is a secure context."""
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        """Return everything the processes of this server have printed."""
        return self._log_file.read_text(errors="replace")

    @property
    def _log_file(self) -> Path:
        return self.state / f"server-{self.port}.log"

    def start(self, *, seconds: float = 60) -> Self:
        """Start the process and return when /healthz answers 200; raises AssertionError with its log."""
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        with self._log_file.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the server ended at once:\n{self.log}"
            if self._is_healthy():
                self.running[self.origin] = self
                return self
            time.sleep(0.05)
        services.stop(self.process)  # `with` ends only what it has begun
        raise AssertionError(f"/healthz did not answer 200 within {seconds} s:\n{self.log}")

    def _is_healthy(self) -> bool:
        # Not httpx: each client of its own would first read the certificates of the machine.
        with closing(HTTPConnection("localhost", self.port, timeout=10)) as line:
            try:
                line.request("GET", "/healthz")
                return line.getresponse().status == HTTPStatus.OK
            except (OSError, HTTPException):
                return False

    def stop(self, *, seconds: float = 60) -> int:
        """Ask the process to stop and return its exit status; AssertionError shows what it still does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # prints the stack of every thread
            self.process.wait()
        raise AssertionError(f"the server did not stop within {seconds} s:\n{self.log}")

    def kill(self) -> None:
        """End the process as a power cut would: no clean-up of any kind."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Change the database as an operator could, past the product; `?` stands for each value."""
        url = self.environment["NETWORK_DATABASE_URL"]
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(self.state / "network.sqlite3", timeout=20)) as database:
                rows = database.execute(statement, values).fetchall()
                database.commit()
                return rows
        with psycopg.connect(url) as connection:
            found = connection.execute(statement.replace("?", "%s").encode(), values)
            return found.fetchall() if found.description else []

    def manage(self, *arguments: str) -> str:
        """Run a management command on this server's database."""
        return manage(self.environment, *arguments)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            services.stop(self.process)
