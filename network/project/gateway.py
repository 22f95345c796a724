"""The one WebSocket of the product. A doorman: parse, limit, dispatch, wake, close. No app's noun in it."""

import asyncio
import logging
import uuid
from collections import Counter
from contextlib import suppress
from typing import Any

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from pydantic import ValidationError

from network.errors import Invalid, NotFound, Refusal, TooMany, Unavailable
from network.frames import Body, Command, parse_json, to_json
from network.guard import allows, check
from network.languages import spoken_to
from network.limits import SEND_SECONDS, SOCKETS_PER_AUTHORITY, SOCKETS_PER_SIGN_IN, buckets, spend
from network.policy import Actor
from network.project.batches import Batch
from network.project.catalogue import COMMANDS
from network.project.database import in_database
from network.project.hub import Feed, Hub, event_frame, hub_of_process
from network.protocol import (
    CLOSE_COME_BACK,
    CLOSE_TOO_MANY,
    CLOSE_TOO_SLOW,
    PROTOCOL_VERSION,
    QUEUE_EMPTIED,
    SESSION_OPENED,
    QueueEmptied,
    Resume,
    Resumed,
    SessionOpened,
)
from network.queries import events

logger = logging.getLogger(__name__)

REF_LENGTH = 36

CLOSE_FLOODING = 1008

_batches: dict[tuple[asyncio.AbstractEventLoop, str], Batch] = {}


def _batch_of(command: Command) -> Batch:
    return _batches.setdefault((asyncio.get_running_loop(), command.name), Batch(command))


class Gateway(AsyncConsumer):  # type: ignore[misc]
    """One open socket of one actor."""

    channel_layer_alias = "none"  # the hub listens for the whole process; a socket has no channel of its own

    actor: Actor
    hub: Hub

    def __init__(self) -> None:
        super().__init__()
        self.wake = asyncio.Event()
        self._feeds: dict[str, Feed] = {}
        self._cursors: dict[str, int] = {}
        self._pump: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._is_closed = False
        self._key = uuid.uuid4().hex  # of this socket's own limits

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the socket to its end; whatever ends it, nothing of it stays in the hub."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._is_closed = True
            if self._pump:
                self._pump.cancel()
            if hasattr(self, "hub"):
                await self.hub.leave(self, events.audiences_of(self.actor))

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand a message of the server to its handler; Channels' own way costs a thread hop for each."""
        await getattr(self, get_handler_name(message))(message)

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        """Accept the actor that the door in `asgi` has let in, and say where its audiences stand."""
        self.actor = self.scope["actor"]
        self.hub = await hub_of_process()
        await self.send({"type": "websocket.accept"})
        if self._is_one_too_many():
            await self.close_with(CLOSE_TOO_MANY)
            return
        self._feeds = await self.hub.join(self, events.audiences_of(self.actor))
        cursors = {audience: feed.position for audience, feed in self._feeds.items()}
        await self._send(
            event_frame(SESSION_OPENED, SessionOpened(protocol=PROTOCOL_VERSION, cursors=cursors))
        )

    def _is_one_too_many(self) -> bool:
        actors = [listener.actor for listener in self.hub.listeners]
        sign_ins = Counter(actor.sign_in_id for actor in actors)
        authorities = Counter(actor.authority_id for actor in actors)
        if sign_ins[self.actor.sign_in_id] >= SOCKETS_PER_SIGN_IN:
            return True
        return authorities[self.actor.authority_id] >= SOCKETS_PER_AUTHORITY

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """End the consumer; what it held is let go in `__call__`."""
        raise StopConsumer

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        """Answer one frame. Whatever is wrong with it gets a code and a sentence, never a silent close."""
        ref: str | None = None
        try:
            frame = self._parse(message)
            ref = frame["id"]
            result = await self._dispatch(frame["command"], frame["body"])
            reply: dict[str, Any] = {"id": ref, "result": result.model_dump(mode="json")}
        except Refusal as refusal:
            reply = {"id": ref, **self._worded(refusal)}
            if ref is None and not buckets.take("socket-fault", self._key):
                await self.close_with(CLOSE_FLOODING)
                return
        except Exception:  # our fault: told apart from the client's, logged without what was sent
            logger.exception("a command failed")
            reply = {"id": ref, **self._worded(Unavailable())}
        await self._send(to_json(reply))

    def _worded(self, refusal: Refusal) -> dict[str, Any]:
        """Return a refusal in the language that whoever opened the socket reads."""
        with spoken_to(self.actor.language):
            return refusal.as_body()

    def _parse(self, message: dict[str, Any]) -> dict[str, Any]:
        text = message.get("text")
        if text is None:
            raise Invalid("binary-frame")
        frame = parse_json(text)
        if not isinstance(frame, dict) or set(frame) != {"id", "command", "body"}:
            raise Invalid("malformed-frame")
        ref = frame["id"]
        if (
            not isinstance(ref, str)
            or not 0 < len(ref) <= REF_LENGTH
            or not isinstance(frame["command"], str)
        ):
            raise Invalid("malformed-frame")
        return frame

    async def _dispatch(self, name: str, raw: object) -> Body:
        if not buckets.take("socket-command", self._key):
            raise TooMany
        command = COMMANDS.get(name)
        if command is None:
            raise NotFound("unknown-command")
        check(self.actor, command.permission)
        try:
            body = command.body.model_validate(raw)
        except ValidationError as error:
            raise Invalid("invalid-body") from error
        if command.limit != "socket-command":
            spend(command.limit, self.actor.sign_in_id.hex, body.cost)
        if isinstance(body, Resume):
            return await self._resume(body)
        if command.batched:
            return await _batch_of(command).submit(self.actor, body)
        return await in_database(command.handle, self.actor, body)

    async def _resume(self, body: Resume) -> Resumed:
        """Start sending after the client's cursors; an unusable one means: load that audience anew."""
        if self._pump:
            raise Invalid("already-resumed")
        known = await in_database(events.cursors_of, tuple(self._feeds))
        reload = []
        for audience, (floor, newest) in known.items():
            if body.only is not None and audience not in body.only:
                continue
            wanted = body.cursors.get(audience, newest)
            if not floor <= wanted <= newest:
                reload.append(audience)
                wanted = newest
            self._cursors[audience] = wanted
        for audience in known:
            self._feeds[audience].look()
        self._pump = asyncio.create_task(self._send_events())
        return Resumed(cursors=dict(self._cursors), reload=reload)

    async def _send_events(self) -> None:
        """Send what is new whenever woken; the socket's own pace, nothing is queued for it."""
        try:
            is_current = False
            while not self._is_closed:
                moved = await self._send_new()
                if moved or not is_current:
                    is_current = True
                    await self._send(event_frame(QUEUE_EMPTIED, QueueEmptied(cursors=dict(self._cursors))))
                await self.wake.wait()
                self.wake.clear()
        except Exception:  # a socket that would hear nothing more must not look alive: it comes back, resumes
            logger.exception("events could not be sent")
            await self.close_with(CLOSE_COME_BACK)

    async def _send_new(self) -> bool:
        is_replay = False
        for audience, feed in self._feeds.items():
            if audience not in self._cursors:
                continue
            while not self._is_closed and (frames := await feed.after(self._cursors[audience])):
                is_replay = is_replay or len(frames) > 1
                for frame in frames:
                    if frame.text and allows(self.actor, frame.permission):
                        await self._send(frame.text)
                    self._cursors[audience] = frame.seq
        return is_replay

    async def _send(self, text: str) -> None:
        if self._is_closed:
            return
        async with self._sending:
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self.send({"type": "websocket.send", "text": text})
            except TimeoutError:
                await self.close_with(CLOSE_TOO_SLOW)

    async def close_with(self, code: int) -> None:
        """Close with a code of the protocol."""
        if not self._is_closed:
            self._is_closed = True
            with suppress(RuntimeError):  # the other side may have gone already
                await self.send({"type": "websocket.close", "code": code})
