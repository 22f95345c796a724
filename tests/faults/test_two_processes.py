"""Two server processes on PostgreSQL and Redis: what happens in one reaches the other, also without Redis."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from deploy import services
from messaging.sdk.errors import SignInFailed
from tests.sdk.conftest import HEAD_A, HEAD_B, client_at, next_message
from tests.server import UNLIMITED, Server, prepare, server_environment

pytestmark = pytest.mark.postgresql

# Without Redis a process looks at its audiences and sockets every five seconds.
WITHOUT_REDIS_SECONDS = 10.0
REVOKED_SECONDS = 5.0


@contextmanager
def database_of_its_own(url: str) -> Iterator[str]:
    """Give the URL of a new database on a PostgreSQL server, dropped at the end."""
    parts = urlsplit(url)
    admin = urlunsplit(parts._replace(path="/postgres"))
    name = f"two_processes_{uuid.uuid4().hex}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@dataclass
class Cluster:
    """Two processes on one database; `one` and `two` differ in port and origin only."""

    one: Server
    two: Server


@contextmanager
def started_cluster(postgresql: str, redis: str, folder: Path) -> Iterator[Cluster]:
    """Prepare the database and start both processes."""
    with database_of_its_own(postgresql) as database:
        more = {
            "NETWORK_DATABASE_URL": database,
            "NETWORK_REDIS_URL": redis,
            "NETWORK_LIMITS": UNLIMITED,
        }
        folder.mkdir()
        port = services.free_port()
        environment = server_environment(folder, more, port=port)
        prepare(environment)
        one = Server(folder, environment, port)
        with one, Server.beside(one) as two:
            yield Cluster(one, two)


@pytest.fixture
def cluster(postgresql_url: str, redis_url: str, tmp_path: Path) -> Iterator[Cluster]:
    with started_cluster(postgresql_url, redis_url, tmp_path / "cluster") as started:
        yield started


async def test_a_message_at_one_process_arrives_live_at_the_other(cluster: Cluster, tmp_path: Path) -> None:
    a = await client_at(cluster.one, HEAD_A, tmp_path)
    b = await client_at(cluster.two, HEAD_B, tmp_path)
    opened = await a.open_thread(b.principal or "", "from process one", subject="Two processes")
    assert (await next_message(b)).text == "from process one"
    times = []
    for n in range(4):
        began = time.monotonic()
        await b.send(opened.thread, f"{n} from process two")
        assert (await next_message(a)).text == f"{n} from process two"
        times.append(time.monotonic() - began)
    # The five-second look would bring them too: this quick, it was the ring through Redis.
    assert min(times) < 1
    for client in (a, b):
        await client.close()


async def test_ending_a_standing_at_one_process_closes_its_sockets_at_the_other(
    cluster: Cluster, tmp_path: Path
) -> None:
    b = await client_at(cluster.two, HEAD_B, tmp_path)
    began = time.monotonic()
    await asyncio.to_thread(cluster.one.manage, "end_membership", str(HEAD_B.membership_id))
    command = time.monotonic() - began
    with pytest.raises(SignInFailed):
        await next_message(b)
    assert time.monotonic() - began < command + REVOKED_SECONDS
    await b.close()


async def test_without_redis_messages_and_revocation_still_arrive_in_seconds(
    postgresql_url: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        redis = services.redis_server(port=services.free_port())
        cluster = stack.enter_context(
            started_cluster(postgresql_url, redis.__enter__(), tmp_path / "cluster")
        )
        a = await client_at(cluster.one, HEAD_A, tmp_path)
        b = await client_at(cluster.two, HEAD_B, tmp_path)
        opened = await a.open_thread(b.principal or "", "with Redis", subject="Two processes")
        await next_message(b)
        redis.__exit__(None, None, None)
        began = time.monotonic()
        await a.send(opened.thread, "without Redis")
        assert (await next_message(b)).text == "without Redis"
        assert time.monotonic() - began < WITHOUT_REDIS_SECONDS
        await asyncio.to_thread(cluster.one.manage, "end_membership", str(HEAD_B.membership_id))
        began = time.monotonic()
        with pytest.raises(SignInFailed):
            await next_message(b)
        assert time.monotonic() - began < WITHOUT_REDIS_SECONDS
        for client in (a, b):
            await client.close()
