"""HTTP and WebSocket entry: body limit, exact Origin, and who asks, before anything else runs."""

import os
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
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
from network.limits import REST_BODY_BYTES  # noqa: E402
from network.middleware import SIGN_IN_KEY  # noqa: E402
from network.permissions import Permission  # noqa: E402
from network.policy import Actor  # noqa: E402
from network.project.database import in_database  # noqa: E402
from network.project.gateway import Gateway  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SOCKET_PATH = "/socket/"


def header_values(scope: Scope, name: bytes) -> list[bytes]:
    """Return every value of a header, in order."""
    return [value for key, value in scope["headers"] if key == name]


class BodyLimit:
    """Refuses a body over the limit before the application reads any of it."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        lengths = header_values(scope, b"content-length")
        is_sized = len(lengths) <= 1 and all(value.isdigit() for value in lengths)
        is_sized = is_sized and not header_values(scope, b"transfer-encoding")  # no length, no limit
        if is_sized and int(lengths[0] if lengths else 0) <= REST_BODY_BYTES:
            await self._application(scope, receive, send)
            return
        body = to_json(TooLarge().as_body()).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
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
        cookies = header_values(scope, b"cookie")
        try:
            return await in_database(actor_of_cookies, b"; ".join(cookies).decode("latin-1"))
        except Refusal:
            return None


application = ProtocolTypeRouter(
    {"http": BodyLimit(http_application), "websocket": SocketDoor(Gateway.as_asgi())}
)
