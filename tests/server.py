"""The product as people meet it: a server process with its own database, port and state folder."""

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
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import psycopg
from psycopg.sql import SQL, Identifier

from deploy import services

ROOT = Path(__file__).resolve().parent.parent
SECRET = "only-for-tests-only-for-tests-only-for-tests"
# What turns an empty database into the demo, in this order.
PREPARATION = (
    ("migrate", "--verbosity=0"),
    ("make_server_key",),
    ("load_demo",),
    ("collectstatic", "--no-input", "--verbosity=0"),
)


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
        **settings,
    }


def manage(environment: dict[str, str], *arguments: str) -> str:
    """Run a management command to its end and return what it printed; raises AssertionError with it."""
    command = [sys.executable, "manage.py", *arguments]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"manage.py {' '.join(arguments)} failed:\n{result.stdout}{result.stderr}"
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


def prepare_state(folder: Path, *, cluster: str = "", redis_url: str = "") -> PreparedState:
    """Fill a folder and a database as the first start does; takes a few seconds, so once a session."""
    settings, template = {}, ""
    if cluster:
        template = f"prepared_{uuid.uuid4().hex}"
        create_database(cluster, template)
        settings = {"NETWORK_DATABASE_URL": beside(cluster, template), "NETWORK_REDIS_URL": redis_url}
    for command in PREPARATION:
        manage(server_environment(folder, settings), *command)
    return PreparedState(folder, cluster, template, redis_url)


@dataclass
class Server:
    """One server process. `with` starts and stops it; `kill` and `start` again are for the fault tests."""

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

    def start(self, *, seconds: float = 30) -> Self:
        """Start the process and return when /healthz answers 200; raises AssertionError with its log."""
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        with self._log_file.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the server ended at once:\n{self.log}"
            if self._is_healthy():
                return self
            time.sleep(0.05)
        raise AssertionError(f"/healthz did not answer 200 within {seconds} s:\n{self.log}")

    def _is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.origin}/healthz", timeout=2).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def stop(self, *, seconds: float = 15) -> int:
        """Ask the process to stop and return its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

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
