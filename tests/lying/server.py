"""The lying server: an honest one behind it does the work; what it says is altered on its way to one reader.

It has what an operator has: the database's answers and the server's signing key, so its receipts hold. It has
no key of any member.
"""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from deploy import services
from messaging.sealed.checkpoint import make_checkpoint
from messaging.sealed.keys import SigningKey
from messaging.sealed.transparency import leaf_hash, tree_over
from network.key_file import read_key_file
from tests.lying.thread import Items, Lie, data, payload_of, shown, text
from tests.server import Server

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Altered = Callable[[str, Any], Any]
"""(path, body of the honest answer) to the body that is told."""
Given = Callable[[str, bytes], bytes]
"""(path, content) to the content that is given: of pages, scripts, chunks of files."""
LogLie = Callable[[list[bytes]], list[bytes]]
"""The leaves of the log as they are to those that are told, under a checkpoint that the log's key signs."""

PAGE = 100
LEAVES = 1_000
APPEND = "messaging.messages.append"
REFUSED = {"code": "forbidden", "message": "Nothing is written here."}
# What belongs to one connection, or no longer holds once the body is another.
OWN_HEADERS = frozenset(
    {b"connection", b"content-length", b"transfer-encoding", b"upgrade", b"host", b"origin", b"referer"}
    | {b"accept-encoding", b"content-encoding", b"keep-alive"}
)


def told_as_it_is(_: str, body: Any) -> Any:
    """Tell no lie."""
    return body


def given_as_it_is(_: str, content: bytes) -> bytes:
    """Put nothing in its place."""
    return content


def threads_of(body: Any) -> set[str]:
    """Return for which threads messages were sealed."""
    return {payload_of(one).data("thread").hex() for one in body["messages"]}


class LyingServer:
    """Serves at `origin` what `server` says, but for its lies. Use `with`.

    `lies` alter threads, `log_lie` the log that members follow, whose time is wrong by `clock` seconds;
    `alter` any other answer of the API, `invented` stand for what is not there, `replace` pages, scripts,
    chunks of files and the public log. While it `swallows`, what is written in threads does not reach the
    honest server: it is refused.
    """

    def __init__(self, server: Server) -> None:
        self.port = services.free_port()
        self.lies: dict[str, Lie] = {}  # by thread
        self.alter: Altered = told_as_it_is
        self.log_lie: LogLie | None = None
        self.clock = 0
        self.invented: dict[str, Any] = {}
        self.swallows = False
        self.swallowed: set[str] = set()  # threads for which something was meant
        self.replace: Given = given_as_it_is
        self._server = server
        self._key = SigningKey.from_seed(
            read_key_file(server.state / "server.key", command="make_server_key")
        )
        # No cookies of its own, no redirects followed. Made once: it reads the certificates of the machine.
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))
        config = uvicorn.Config(
            self._serve,
            port=self.port,
            lifespan="off",
            log_level="error",
            ws="websockets-sansio",
            interface="asgi3",
            timeout_graceful_shutdown=5,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, daemon=True)

    @property
    def origin(self) -> str:
        """Return the address of the lying server."""
        return f"http://localhost:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._uvicorn.started:
            assert self._thread.is_alive(), "the lying server did not start"
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(10)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._pass_socket(scope, receive, send)
        elif scope["type"] == "http":
            await self._pass_request(scope, receive, send)

    def _headers(self, scope: Scope) -> Headers:
        """Return a request's headers as if it had been made to the honest server."""
        kept = [(name, value) for name, value in scope["headers"] if name not in OWN_HEADERS]
        for name, value in scope["headers"]:
            if name in {b"origin", b"referer"}:
                kept.append((name, value.replace(self.origin.encode(), self._server.origin.encode())))
        return kept

    # requests

    async def _pass_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        path, query = scope["raw_path"].decode().partition("?")[0], scope["query_string"].decode()
        if self.swallows and scope["method"] == "POST" and path.startswith(("/api/threads", "/api/messages")):
            self._note_sealed(path, body)
            await self._answer(send, 403, {"error": REFUSED})
            return
        if path in self.invented:
            await self._answer(send, 200, self.invented[path])
            return
        answer = await self._ask(scope["method"], path, query, self._headers(scope), body)
        content = await self._told(scope, path, query, answer)
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() not in OWN_HEADERS]
        headers = [(name.lower(), value.replace(*self._origins())) for name, value in headers]
        headers.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _note_sealed(self, path: str, body: bytes) -> None:
        """Remember for which thread something was sealed; that it came and was opened is no such thing."""
        if path == "/api/messages":
            self.swallowed |= threads_of(json.loads(body))
        elif path.endswith(("/entries", "/withdrawals")):
            self.swallowed.add(path.split("/")[3])

    @staticmethod
    async def _answer(send: Send, status: int, body: Any) -> None:
        """Answer without asking the honest server."""
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    def _origins(self) -> tuple[bytes, bytes]:
        return self._server.origin.encode(), self.origin.encode()

    async def _ask(self, method: str, path: str, query: str, headers: Headers, body: bytes) -> httpx.Response:
        url = f"{self._server.origin}{path}{'?' + query if query else ''}"
        request = httpx.Request(
            method, url, headers=[*headers, (b"accept-encoding", b"identity")], content=body
        )
        answer = await self._transport.handle_async_request(request)
        try:
            await answer.aread()
        finally:
            await answer.aclose()  # also of a request that is broken off when the liar ends
        return answer

    async def _told(self, scope: Scope, path: str, query: str, answer: httpx.Response) -> bytes:
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        if not is_json or not answer.is_success:
            return self.replace(path, answer.content)
        body = answer.json()
        if path.startswith("/api/threads/") and path.endswith("/items") and path.split("/")[3] in self.lies:
            values = httpx.QueryParams(query)
            after, limit = int(values.get("after", 0)), int(values.get("limit", PAGE))
            items = await self._lied_items(path.split("/")[3], self._headers(scope))
            body = {**body, "items": items[after : after + limit], "seq": len(items)}
        elif path == "/api/threads" and scope["method"] == "GET":
            for row in [row for row in body["threads"] if row["thread"] in self.lies]:
                row["seq"] = len(await self._lied_items(row["thread"], self._headers(scope)))
        elif path == "/api/log" and (self.log_lie or self.clock):
            first = int(httpx.QueryParams(query).get("from", 0))
            body |= await self._lied_log(self._headers(scope), first, body["checkpoint"])
        return json.dumps(self.alter(path, body)).encode()

    async def _lied_items(self, thread: str, headers: Headers) -> Items:
        """Ask for the whole thread, and return it as it is told, with receipts that hold."""
        honest: Items = []
        while True:
            query = f"after={len(honest)}&limit={PAGE}"
            answer = await self._ask("GET", f"/api/threads/{thread}/items", query, headers, b"")
            page = answer.json()["items"]
            honest += page
            if len(page) < PAGE:
                return shown(self._key, honest, self.lies[thread])

    async def _lied_log(self, headers: Headers, first: int, note: str) -> dict[str, Any]:
        """Ask for the whole log, and return it from `first` on as it is told, signed by the log's own key."""
        answer = await self._ask("GET", "/api/log", "from=0", headers, b"")
        leaves = [data(leaf) for leaf in answer.json()["leaves"]]
        told = self.log_lie(leaves) if self.log_lie else leaves
        tree = tree_over(map(leaf_hash, told))
        origin, at = note.split("\n", 1)[0], int(time.time()) + self.clock
        signed = make_checkpoint(origin, self._key, size=tree.size, root=tree.root, at=at)
        return {"checkpoint": signed, "leaves": [text(leaf) for leaf in told[first : first + LEAVES]]}

    # the socket

    async def _pass_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        headers = self._headers(scope)
        cookies = [("Cookie", value.decode()) for name, value in headers if name == b"cookie"]
        url = f"ws{self._server.origin.removeprefix('http')}{scope['path']}"
        if scope["query_string"]:
            url += "?" + scope["query_string"].decode()
        origin = Origin(self._server.origin)
        try:
            upstream = await connect(url, additional_headers=cookies, origin=origin, proxy=None)
        except (InvalidStatus, OSError):
            await send({"type": "websocket.close", "code": 1011})
            return
        try:
            await send({"type": "websocket.accept"})
            await self._pass_both_ways(upstream, headers, receive, send)
        finally:
            # Not closed politely: who ends the liar does not wait for an answer of the honest server.
            upstream.transport.abort()
            await asyncio.sleep(0)

    async def _pass_both_ways(
        self, upstream: ClientConnection, headers: Headers, receive: Receive, send: Send
    ) -> None:
        downward = asyncio.create_task(self._pass_down(upstream, headers, send))
        try:
            while (message := await receive())["type"] == "websocket.receive":
                frame = message.get("text") or message.get("bytes") or ""
                if self.swallows and (asked := json.loads(frame))["command"] == APPEND:
                    self.swallowed |= threads_of(asked["body"])
                    told = json.dumps({"id": asked["id"], "error": REFUSED})
                    await send({"type": "websocket.send", "text": told})
                else:
                    await upstream.send(frame)
        except ConnectionClosed:
            pass
        finally:
            downward.cancel()
            await asyncio.wait([downward])
            if not downward.cancelled():
                downward.result()

    async def _pass_down(self, upstream: ClientConnection, headers: Headers, send: Send) -> None:
        try:
            async for frame in upstream:
                told = await self._told_frame(frame, headers)
                if told is not None:
                    await send({"type": "websocket.send", "text": told})
        except ConnectionClosed:
            pass
        await send({"type": "websocket.close", "code": upstream.close_code or 1011})

    async def _told_frame(self, frame: str | bytes, headers: Headers) -> str | None:
        body = json.loads(frame)
        if body.get("event") == "messaging.item.appended" and body["body"]["thread"] in self.lies:
            items = await self._lied_items(body["body"]["thread"], headers)
            if body["body"]["seq"] > len(items):
                return None
            body["body"] = items[body["body"]["seq"] - 1]
        return json.dumps(self.alter(f"event:{body.get('event', '')}", body))
