"""Readers that do not read, and a server that is asked to stop: memory stays bounded, nothing is lost."""

import asyncio
import signal
import socket as sockets
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import httpx
import websockets
from daphne.ws_protocol import WebSocketProtocol
from websockets.asyncio.client import ClientConnection

from network.demo import DemoPerson
from network.project.serve import GracefulServer, Pressure
from network.protocol import CLOSE_COME_BACK, CLOSE_TOO_SLOW
from tests.sdk.conftest import HEAD_A, HEAD_C, OFFICER_A, client_at
from tests.server import PreparedState, Server

READERS = 5
MESSAGES = 220  # 12 MB for each reader: more than the system keeps for a line by itself
TEXT = "x" * 30_000
SEND_SECONDS = 3
HANDSHAKES = 60


def memory_of(server: Server) -> float:
    """Return the resident memory of a server in MiB."""
    assert server.process
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def cookie_of(server: Server, person: DemoPerson) -> str:
    """Sign a person in and return the cookies."""
    async with httpx.AsyncClient(base_url=server.origin, headers={"referer": server.origin}) as http:
        await http.get("/sign-in/")
        form = {"membership": str(person.membership_id), "csrfmiddlewaretoken": http.cookies["csrftoken"]}
        assert (await http.post("/sign-in/as/", data=form)).status_code == httpx.codes.FOUND
        return "; ".join(f"{name}={value}" for name, value in http.cookies.items())


async def open_reader(server: Server, cookie: str) -> ClientConnection:
    """Open a socket whose receiving side holds little, and resume."""
    raw = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM)
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", server.port))
    raw.setblocking(False)
    reader = await websockets.connect(
        f"ws://localhost:{server.port}/socket/",
        sock=raw,
        origin=websockets.Origin(server.origin),
        additional_headers={"Cookie": cookie},
        max_queue=1,
        max_size=None,
        ping_interval=None,
        close_timeout=1,
    )
    await reader.recv()
    await reader.send('{"id":"1","command":"network.session.resume","body":{"cursors":{}}}')
    await reader.recv()
    return reader


async def test_readers_that_do_not_read_cost_little_and_are_closed(
    prepared_state: PreparedState, tmp_path: Path
) -> None:
    more = {
        "NETWORK_SEND_SECONDS": str(SEND_SECONDS),
        "NETWORK_SOCKETS_PER_SIGN_IN": str(READERS + 5),
    }
    async with AsyncExitStack() as stack:
        server = stack.enter_context(Server.unlimited(prepared_state, tmp_path / "server", **more))
        a, c = await client_at(server, HEAD_A, tmp_path), await client_at(server, HEAD_C, tmp_path)
        for client in (a, c):
            stack.push_async_callback(client.close)
        opened = await a.open_thread(c.principal or "", "first", subject="Slow readers")
        cookie = await cookie_of(server, OFFICER_A)
        readers = [await open_reader(server, cookie) for _ in range(READERS)]
        for reader in readers:
            stack.callback(reader.transport.abort)
        before = memory_of(server)
        for _ in range(MESSAGES):
            await a.send(opened.thread, TEXT)
        # All that was sent to these readers is 60 MB; a server without back-pressure would hold it.
        assert memory_of(server) - before < 30
        await asyncio.sleep(SEND_SECONDS + 2)
        codes = [await close_code(reader) for reader in readers]
        # The code stands behind all that was not read; where that takes too long the line is dropped (1006).
        assert set(codes) <= {CLOSE_TOO_SLOW, 1006}
        # Everybody else was served all the while, and is still.
        await a.send(opened.thread, "still here")


async def close_code(reader: ClientConnection) -> int | None:
    """Read what is left and return the code with which the server closed."""
    with suppress(websockets.ConnectionClosed):
        async with asyncio.timeout(20):
            while True:
                await reader.recv()
    return reader.close_code


async def test_asked_to_stop_the_server_tells_its_sockets_to_come_back(live_server_process: Server) -> None:
    server = live_server_process
    reader = await open_reader(server, await cookie_of(server, OFFICER_A))
    assert server.process
    server.process.send_signal(signal.SIGTERM)
    assert await close_code(reader) == CLOSE_COME_BACK
    assert await asyncio.to_thread(server.process.wait, 30) == 0
    assert "Traceback" not in server.log


async def test_sockets_that_are_still_shaking_hands_do_not_keep_the_server(
    live_server_process: Server,
) -> None:
    server = live_server_process
    cookie = await cookie_of(server, OFFICER_A)
    asked = (
        f"GET /socket/ HTTP/1.1\r\nHost: localhost:{server.port}\r\nOrigin: {server.origin}\r\n"
        f"Cookie: {cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    async with AsyncExitStack() as stack:
        lines = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(HANDSHAKES)]
        for _, line in lines:
            stack.callback(line.close)
            line.write(asked.encode())
        # The first answer says that the others are being asked about, far fewer at a time than wait.
        await asyncio.wait(
            [asyncio.create_task(answers.readline()) for answers, _ in lines], return_when="FIRST_COMPLETED"
        )
        assert server.process
        server.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.process.wait, 30) == 0
    assert "cannot close a connection not yet connected" not in server.log


async def test_nothing_is_sent_to_a_socket_that_said_goodbye() -> None:
    server = GracefulServer(application=None, endpoints=["tcp:port=0"])
    socket = WebSocketProtocol()
    socket.pressure = Pressure()
    sent: list[str] = []
    socket.serverSend = lambda text, _is_binary: sent.append(text)
    server.connections = {socket: {}}
    for state in (socket.STATE_CLOSING, socket.STATE_CLOSED, socket.STATE_OPEN):
        socket.state = state
        await server.handle_reply(socket, {"type": "websocket.send", "text": f"in state {state}"})
    assert sent == [f"in state {socket.STATE_OPEN}"]
