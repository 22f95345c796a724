"""HTTP and WebSocket entry: body limit, exact Origin, and who asks, before anything else runs."""

import os
import re
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from importlib import import_module
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "network.project.settings")

from django.core.asgi import get_asgi_application

http_application: Any = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402  (Django must be set up first)
from django.conf import settings  # noqa: E402
from django.http import parse_cookie  # noqa: E402

from network import access  # noqa: E402
from network.errors import Refusal, TooLarge  # noqa: E402
from network.frames import to_json  # noqa: E402
from network.guard import check  # noqa: E402
from network.languages import of_browser, spoken_to  # noqa: E402
from network.limits import CHUNK_BODY_BYTES, REST_BODY_BYTES  # noqa: E402
from network.middleware import HEADERS_OF_NO_PAGE, SIGN_IN_KEY  # noqa: E402
from network.permissions import Permission  # noqa: E402
from network.policy import Actor  # noqa: E402
from network.project.database import in_database  # noqa: E402
from network.project.gateway import Gateway  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SOCKET_PATH = "/socket/"
CHUNK_PATH = re.compile(r"/api/threads/[0-9a-f]{64}/attachments/[0-9a-f]{32}/chunks/\d{1,4}")


def header_values(scope: Scope, name: bytes) -> list[bytes]:
    """Return every value of a header, in order."""
    return [value for key, value in scope["headers"] if key == name]


def cookies_of(scope: Scope) -> str:
    """Return the cookies of a request as one header."""
    return b"; ".join(header_values(scope, b"cookie")).decode("latin-1")


def language_of_scope(scope: Scope) -> str:
    """Return the language a browser asks for, before anybody is known."""
    accept = b",".join(header_values(scope, b"accept-language")).decode("latin-1")
    return of_browser(accept, parse_cookie(cookies_of(scope)))


def body_limit(scope: Scope) -> int:
    """Return how many bytes a request may bring: more for a chunk of a file than for anything else."""
    is_chunk = scope["method"] == "PUT" and CHUNK_PATH.fullmatch(scope["path"])
    return CHUNK_BODY_BYTES if is_chunk else REST_BODY_BYTES


class BodyLimit:
    """Refuses a body over the limit before the application reads any of it."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        lengths = header_values(scope, b"content-length")
        is_sized = len(lengths) <= 1 and all(value.isdigit() for value in lengths)
        is_sized = is_sized and not header_values(scope, b"transfer-encoding")  # no length, no limit
        if is_sized and int(lengths[0] if lengths else 0) <= body_limit(scope):
            await self._application(scope, receive, send)
            return
        with spoken_to(language_of_scope(scope)):
            body = to_json(TooLarge().as_body()).encode()
        answer = HEADERS_OF_NO_PAGE | {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
        }
        headers = [(name.lower().encode(), value.encode()) for name, value in answer.items()]
        await send({"type": "http.response.start", "status": TooLarge.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def actor_of_cookies(cookie: str) -> Actor:
    """Return the actor of a session cookie, from the database; blocking. Raises `SignedOut`."""
    session_store = import_module(settings.SESSION_ENGINE).SessionStore
    stored = session_store(parse_cookie(cookie).get(settings.SESSION_COOKIE_NAME)).get(SIGN_IN_KEY)
    actor = access.get_actor(uuid.UUID(stored) if stored else uuid.UUID(int=0))
    check(actor, Permission.SESSION_OPEN)
    return actor


class SocketDoor:
    """Lets a socket in only from the exact origin, on the one path, for a sign-in in force."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the socket on with its actor, or refuse the handshake before it is accepted (HTTP 403)."""
        actor = await self._actor(scope)
        if actor is None:
            await receive()
            await send({"type": "websocket.close", "code": 4401})
            return
        await self._application({**scope, "actor": actor}, receive, send)

    async def _actor(self, scope: Scope) -> Actor | None:
        if scope["path"] != SOCKET_PATH:
            return None
        if header_values(scope, b"origin") != [settings.SITE_ORIGIN.encode()]:
            return None
        try:
            actor = await in_database(actor_of_cookies, cookies_of(scope))
            return replace(actor, language=actor.language or language_of_scope(scope))
        except Refusal:
            return None


application = ProtocolTypeRouter(
    {"http": BodyLimit(http_application), "websocket": SocketDoor(Gateway.as_asgi())}
)
