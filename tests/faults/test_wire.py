"""A real server and bytes no client of ours sends: a code and a sentence, never 1011 or a dead server."""

import asyncio
import random
from collections.abc import Iterator

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from network.demo import STATE_A, DemoPerson
from network.limits import REST_BODY_BYTES, SOCKET_FRAME_BYTES
from tests.server import Server

HEAD_A: DemoPerson = next(person for person in STATE_A.persons if "supervisor" in person.roles)
FUZZED_FRAMES = 2000


@pytest.fixture
def client(live_server_process: Server) -> Iterator[httpx.Client]:
    """Give a signed-in HTTP client that proves where its requests come from."""
    origin = live_server_process.origin
    with httpx.Client(base_url=origin, follow_redirects=True, headers={"referer": origin}) as opened:
        opened.get("/sign-in/")
        form = {"membership": str(HEAD_A.membership_id), "csrfmiddlewaretoken": opened.cookies["csrftoken"]}
        opened.post("/sign-in/as/", data=form).raise_for_status()
        opened.headers["x-csrftoken"] = opened.cookies["csrftoken"]
        yield opened


async def open_socket(server: Server, client: httpx.Client) -> ClientConnection:
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    socket = await websockets.connect(
        server.origin.replace("http", "ws") + "/socket/",
        origin=websockets.Origin(server.origin),
        additional_headers={"Cookie": cookie},
    )
    await socket.recv()
    return socket


def code_of(response: httpx.Response) -> tuple[int, str]:
    error = response.json()["error"]
    assert error["message"]
    return response.status_code, error["code"]


def test_a_body_over_the_limit_is_refused_with_a_code(client: httpx.Client) -> None:
    body = b'{"messages":"' + b"x" * REST_BODY_BYTES + b'"}'
    assert code_of(client.post("/api/messages", content=body)) == (413, "too-large")


def test_a_body_of_unknown_length_is_refused_with_a_code(client: httpx.Client) -> None:
    response = client.post("/api/messages", content=iter([b"{", b"}"]))
    assert code_of(response) == (413, "too-large")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'{"a":1,"a":1}', b"null", b"[" * 5000])
def test_a_malformed_body_is_refused_with_a_code(client: httpx.Client, body: bytes) -> None:
    assert code_of(client.post("/api/messages", content=body))[0] == 422


async def test_too_large_a_frame_closes_with_1009(live_server_process: Server, client: httpx.Client) -> None:
    socket = await open_socket(live_server_process, client)
    await socket.send("x" * (SOCKET_FRAME_BYTES + 1))
    with pytest.raises(websockets.ConnectionClosed):
        await socket.recv()
    assert socket.close_code == 1009


async def test_compression_is_not_negotiated(live_server_process: Server, client: httpx.Client) -> None:
    socket = await open_socket(live_server_process, client)
    assert socket.response
    assert "permessage-deflate" not in socket.response.headers.get("Sec-WebSocket-Extensions", "")
    await socket.close()


async def test_fuzzed_frames_never_close_with_1011_and_the_server_lives(
    live_server_process: Server, client: httpx.Client
) -> None:
    chance = random.Random(7)
    good = '{"id":"1","command":"messaging.messages.append","body":{"messages":[]}}'
    socket = await open_socket(live_server_process, client)
    closes = set()
    for _ in range(FUZZED_FRAMES):
        frame = bytearray(good.encode())
        for _ in range(chance.randint(1, 6)):
            frame[chance.randrange(len(frame))] = chance.randrange(256)
        try:
            await socket.send(frame.decode("latin-1") if chance.random() < 0.9 else bytes(frame))
        except websockets.ConnectionClosed:
            closes.add(socket.close_code)
            socket = await open_socket(live_server_process, client)
    await socket.close()
    assert closes <= {1008}
    answer = await asyncio.to_thread(client.get, "/api/session")
    assert answer.status_code == 200
    assert "Traceback" not in live_server_process.log
