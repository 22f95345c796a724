"""Two hundred open sockets: those of whoever leaves close in seconds, those of everybody else stay open."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from deploy import services
from messaging.sdk.http import Http
from messaging.sdk.sign_in import DevelopmentSignIn
from network.demo import STATE_A, STATE_B, STATE_C, DemoPerson
from network.protocol import CLOSE_SIGNED_OUT
from tests.faults.test_two_processes import started_cluster
from tests.server import PreparedState, Server

SOCKETS = 200
EACH = 10  # the most of one sign-in in a process
SECONDS = 5.0
SECONDS_WITHOUT_REDIS = 10.0

PERSONS = [person for authority in (STATE_A, STATE_B, STATE_C) for person in authority.persons]


@dataclass
class Desk:
    """One sign-in of a person at one server, with its open sockets."""

    person: DemoPerson
    http: Http
    server: Server
    sockets: list[ClientConnection]

    async def sign_out(self) -> None:
        """Press the button."""
        async with httpx.AsyncClient(headers={"Cookie": self.http.cookie}, trust_env=False) as http:
            token = http.headers["Cookie"].partition("csrftoken=")[2].partition(";")[0]
            form = {"csrfmiddlewaretoken": token}
            answer = await http.post(
                f"{self.server.origin}/sign-out/", data=form, headers={"Origin": self.server.origin}
            )
        assert answer.status_code == httpx.codes.FOUND


async def open_desk(server: Server, person: DemoPerson, count: int) -> Desk:
    """Sign in and open sockets, each past its first frame."""
    http = Http(server.origin, DevelopmentSignIn(person.membership_id.hex))
    await http.sign_in()
    address = f"{server.origin.replace('http', 'ws', 1)}/socket/"
    headers = {"Cookie": http.cookie, "Origin": server.origin}
    sockets = []
    for _ in range(count):
        socket = await connect(address, additional_headers=headers, proxy=None, open_timeout=20)
        await socket.recv()
        sockets.append(socket)
    return Desk(person, http, server, sockets)


@asynccontextmanager
async def desks_at(*servers: Server, persons: Sequence[DemoPerson] = PERSONS) -> AsyncIterator[list[Desk]]:
    """Open two hundred sockets: ten each of twenty sign-ins, turn about at the servers."""
    desks = []
    for number in range(SOCKETS // EACH):
        person = persons[number % len(persons)]
        desks.append(await open_desk(servers[number % len(servers)], person, EACH))
    try:
        yield desks
    finally:
        await asyncio.gather(*(socket.close() for desk in desks for socket in desk.sockets))
        await asyncio.gather(*(desk.http.close() for desk in desks))


async def close_code(socket: ClientConnection) -> int | None:
    """Wait until the server closes; return its code."""
    try:
        while True:
            await socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


async def time_to_close(desks: list[Desk], *, within: float) -> float:
    """Return after how long all sockets of these desks are closed as signed out."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        codes = await asyncio.gather(*(close_code(socket) for desk in desks for socket in desk.sockets))
    assert set(codes) == {CLOSE_SIGNED_OUT}
    return time.monotonic() - began


# Done past the product these are the worst cases: nothing is rung, and only the look at all open sockets
# finds what stands in the database afterwards.
SUSPEND = "UPDATE network_membership SET suspended_at = ? WHERE id = ?"
SIGN_INS = "SELECT id FROM network_signin WHERE membership_id = ? AND ended_at IS NULL ORDER BY started_at"
END = "UPDATE network_signin SET ended_at = ? WHERE id = ?"


def id_of(server: Server, person: DemoPerson) -> str:
    """Return the id of a standing as the database writes it."""
    is_postgresql = server.environment["NETWORK_DATABASE_URL"].startswith("postgres")
    return str(person.membership_id) if is_postgresql else person.membership_id.hex


def suspend_silently(server: Server, person: DemoPerson) -> None:
    """Suspend a standing."""
    server.sql(SUSPEND, datetime.now(UTC).isoformat(" "), id_of(server, person))


def revoke_silently(server: Server, person: DemoPerson) -> None:
    """End the person's oldest sign-in, as removing the factor does with which it was begun."""
    sign_in = server.sql(SIGN_INS, id_of(server, person))[0][0]
    server.sql(END, datetime.now(UTC).isoformat(" "), str(sign_in) if "-" in str(sign_in) else sign_in)


async def stays_open(desks: list[Desk]) -> None:
    """Assert that every socket of these desks is open and answers."""
    for desk in desks:
        for socket in desk.sockets:
            await (await socket.ping())


async def measure(servers: list[Server], desks: list[Desk], *, within: float, what: str) -> None:
    """Let people leave in four ways, one after the other, and measure how long their sockets stay open."""
    waiting = list(desks)

    def of_next() -> list[Desk]:
        person = waiting[0].person
        found = [desk for desk in waiting if desk.person == person]
        waiting[:] = [desk for desk in waiting if desk.person != person]
        return found

    took = {}
    signing_out = waiting.pop(0)
    await signing_out.http.request("GET", "/api/session")
    closing = asyncio.create_task(time_to_close([signing_out], within=within))
    await signing_out.sign_out()
    took["sign-out"] = await closing
    await stays_open(waiting)
    for name in ("ended membership", "suspension"):
        leaving = of_next()
        person = leaving[0].person
        if name == "suspension":
            await asyncio.to_thread(suspend_silently, servers[0], person)
        else:
            await asyncio.to_thread(servers[0].manage, "end_membership", str(person.membership_id))
        # From the commit on, which comes before the command's end.
        took[name] = await time_to_close(leaving, within=within)
        await stays_open(waiting)
    revoked = waiting.pop(0)  # whose person has signed in elsewhere too
    await asyncio.to_thread(revoke_silently, servers[0], revoked.person)
    took["revoked factor"] = await time_to_close([revoked], within=within)
    assert revoked.person in {desk.person for desk in waiting}
    await stays_open(waiting)
    said = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in took.items())
    sys.stdout.write(f"{what}, {SOCKETS} sockets: {said}\n")


async def test_sockets_of_one_process_close_in_seconds(prepared_state: PreparedState, tmp_path: Path) -> None:
    described = Server.unlimited(prepared_state, tmp_path / "server", NETWORK_SOCKETS_PER_AUTHORITY="1000")
    with described as server:
        async with desks_at(server) as desks:
            await measure([server], desks, within=SECONDS, what="one process")


@pytest.mark.postgresql
async def test_sockets_of_two_processes_close_in_seconds_also_without_redis(
    postgresql_url: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        redis = services.redis_server(port=services.free_port())
        url = redis.__enter__()
        cluster = stack.enter_context(started_cluster(postgresql_url, url, tmp_path / "cluster"))
        servers = [cluster.one, cluster.two]
        async with desks_at(*servers, persons=PERSONS[::2]) as desks:
            await measure(servers, desks, within=SECONDS, what="two processes")
        async with desks_at(*servers, persons=PERSONS[1::2]) as desks:
            redis.__exit__(None, None, None)
            await measure(servers, desks, within=SECONDS_WITHOUT_REDIS, what="two processes without Redis")
