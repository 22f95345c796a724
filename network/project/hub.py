"""One process's registry: audience → sockets. Reads each new event once, for all who may hear it."""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Awaitable, Iterable
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from channels.layers import get_channel_layer

from network import access, realtime
from network.frames import Body, to_json
from network.models import EventRecord
from network.policy import Actor
from network.project.catalogue import EVENTS
from network.project.database import in_database
from network.protocol import CLOSE_SIGNED_OUT
from network.queries import events

logger = logging.getLogger(__name__)

CHARACTERS_KEPT = 2**20  # of the newest frames of each audience, for sockets a little behind
LOOK_EVERY_SECONDS = 4.0  # with the look itself: whoever was signed out hears nothing after five


class Listener(Protocol):
    """A socket as the hub sees it."""

    actor: Actor
    wake: asyncio.Event

    async def close_with(self, code: int) -> None: ...


def event_frame(name: str, body: Body, audience: str | None = None, seq: int | None = None) -> str:
    """Return the text of one event frame."""
    frame: dict[str, Any] = {"event": name}
    if audience is not None:
        frame |= {"audience": audience, "seq": seq}
    return to_json(frame | {"body": body.model_dump(mode="json")})


def _expanded(audience: str, records: list[EventRecord]) -> list[Body | None]:
    """Return the bodies of records of one kind."""
    event = EVENTS[records[0].name]
    payloads = [record.payload for record in records]
    if event.expand:
        return event.expand(audience, payloads)
    return [event.body.model_validate(payload) for payload in payloads]


class Frame(NamedTuple):
    """One serialised event: the same text for every socket whose actor has the right."""

    seq: int
    text: str  # empty where there is nothing left to tell
    permission: StrEnum


def read_frames(audience: str, after: int) -> list[Frame]:
    """Return the events after a sequence as frames, oldest first; blocking."""
    records = list(events.list_events(audience, after))
    by_name: dict[str, list[EventRecord]] = {}
    for record in records:
        by_name.setdefault(record.name, []).append(record)
    frames: list[Frame] = []
    for name, found in by_name.items():
        for record, body in zip(found, _expanded(audience, found), strict=True):
            text = event_frame(name, body, audience, record.seq) if body else ""
            frames.append(Frame(record.seq, text, EVENTS[name].permission))
    return sorted(frames)


class Feed:
    """The newest frames of one audience and the sockets that hear it."""

    def __init__(self, audience: str, position: int) -> None:
        self.audience = audience
        self.position = position
        self.listeners: set[Listener] = set()
        self._frames: deque[Frame] = deque()
        self._kept = 0
        self._looking: asyncio.Task[None] | None = None
        self._again = False

    def look(self) -> None:
        """Read what is new; a ring during a reading causes one more."""
        self._again = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while self._again:
            self._again = False
            listeners = list(self.listeners)
            try:
                frames, in_force = await in_database(self._read, [one.actor for one in listeners])
            except Exception:  # the database may be away for a moment: the next look finds the same events
                logger.exception("events of an audience could not be read")
                return
            await close_others(listeners, in_force)
            self._take(frames)
            self._again = self._again or len(frames) == events.EVENTS_AT_ONCE

    def _read(self, actors: list[Actor]) -> tuple[list[Frame], set[uuid.UUID]]:
        """Return what is new, and which of those who would hear it still stand; blocking."""
        ids = [one.sign_in_id for one in actors]
        return read_frames(self.audience, self.position), access.sign_ins_in_force(ids)

    def _take(self, frames: list[Frame]) -> None:
        for frame in frames:
            if frame.seq > self.position:
                self._keep(frame)
                self.position = frame.seq
        if frames:
            for listener in self.listeners:
                listener.wake.set()

    def _keep(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._kept += len(frame.text)
        while self._kept > CHARACTERS_KEPT:
            self._kept -= len(self._frames.popleft().text)

    async def after(self, cursor: int) -> list[Frame]:
        """Return frames after a cursor: from memory where it reaches back far enough, else from rows."""
        if cursor >= self.position:
            return []
        if self._frames and self._frames[0].seq <= cursor + 1:
            return [frame for frame in self._frames if frame.seq > cursor]
        frames = await in_database(read_frames, self.audience, cursor)
        return [frame for frame in frames if frame.seq <= self.position]


async def close_ended(listeners: set[Listener]) -> None:
    """Close the sockets whose sign-in or membership has ended; one query for all."""
    waiting = list(listeners)
    if not waiting:
        return
    ids = [one.actor.sign_in_id for one in waiting]
    await close_others(waiting, await in_database(access.sign_ins_in_force, ids))


async def close_others(listeners: Iterable[Listener], in_force: set[uuid.UUID]) -> None:
    """Close every socket whose sign-in is not among those in force."""
    for listener in listeners:
        if listener.actor.sign_in_id not in in_force:
            await listener.close_with(CLOSE_SIGNED_OUT)


class Ear:
    """This process's one channel at the layer; while the layer is away the five-second look goes on."""

    def __init__(self) -> None:
        self._layer = get_channel_layer()
        self._channel = ""

    async def open(self) -> None:
        """Take a channel; once."""
        self._channel = await self._layer.new_channel("gateway")

    async def join(self, group: str) -> None:
        """Hear the rings of a group."""
        await self._tell(self._layer.group_add(group, self._channel))

    async def leave(self, group: str) -> None:
        """Hear them no more."""
        await self._tell(self._layer.group_discard(group, self._channel))

    async def _tell(self, call: Awaitable[None]) -> None:
        try:
            await call
        except realtime.LAYER_ERRORS as error:
            logger.warning("the channel layer does not answer: %s", type(error).__name__)

    async def hear(self) -> dict[str, Any]:
        """Return the next ring."""
        while True:
            try:
                ring: dict[str, Any] = await self._layer.receive(self._channel)
            except Exception as error:  # noqa: BLE001 - away, or under another key: the five-second look goes on
                logger.warning("a ring could not be heard: %s", type(error).__name__)
                await asyncio.sleep(1)
            else:
                return ring


class Hub:
    """All sockets of this process, and its one ear at the channel layer."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self._feeds: dict[str, Feed] = {}
        self._lock = asyncio.Lock()
        self._ear = Ear()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Listen to rings and begin the five-second look; once a process."""
        realtime.serve_on(asyncio.get_running_loop())
        await self._ear.open()
        await self._ear.join(realtime.EVERY_PROCESS)
        self._tasks.append(asyncio.create_task(self._hear()))
        self._tasks.append(asyncio.create_task(self._look_around()))

    async def stop(self) -> None:
        """End the hub's tasks; a later socket would start another hub."""
        realtime.serve_on(None)
        _hubs.pop(asyncio.get_running_loop(), None)
        for task in self._tasks:
            task.cancel()

    async def join(self, listener: Listener, audiences: tuple[str, ...]) -> dict[str, Feed]:
        """Let a socket hear its audiences; returns the feeds, each at the newest sequence."""
        self.listeners.add(listener)
        feeds = {}
        for audience in audiences:
            feeds[audience] = await self._feed(audience, listener)
        return feeds

    async def _feed(self, audience: str, listener: Listener) -> Feed:
        async with self._lock:
            if audience not in self._feeds:
                # Subscribe first, read second: nothing that happens in between is missed.
                await self._ear.join(realtime.group_of(audience))
                cursors = await in_database(events.cursors_of, (audience,))
                self._feeds[audience] = Feed(audience, cursors[audience][1])
            self._feeds[audience].listeners.add(listener)
            return self._feeds[audience]

    async def leave(self, listener: Listener, audiences: tuple[str, ...]) -> None:
        """Forget a socket; an audience nobody here hears any more is left."""
        self.listeners.discard(listener)
        for audience in audiences:
            feed = self._feeds.get(audience)
            if feed is None:
                continue
            feed.listeners.discard(listener)
            async with self._lock:
                # Asked again under the lock: the feed may have been left and made anew while this waited.
                if not feed.listeners and self._feeds.get(audience) is feed:
                    del self._feeds[audience]
                    await self._ear.leave(realtime.group_of(audience))

    async def _hear(self) -> None:
        while True:
            message = await self._ear.hear()
            try:
                await self._heed(message)
            except Exception:  # one ring that fails must not make this process deaf
                logger.exception("a ring could not be followed")

    async def _heed(self, message: dict[str, Any]) -> None:
        if message["type"] == "look" and (feed := self._feeds.get(message["audience"])):
            feed.look()
        elif message["type"] == "recheck":
            ended = {uuid.UUID(sign_in) for sign_in in message["sign_ins"]}
            await close_ended({one for one in self.listeners if one.actor.sign_in_id in ended})

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                await self.look_around()
            except Exception:  # a database that is away for a moment must not end the look for good
                logger.exception("the look at sign-ins and audiences failed")

    async def look_around(self) -> None:
        """Close what has ended and read what no ring told of: two queries whatever the number of sockets."""
        await close_ended(self.listeners)
        cursors = await in_database(events.cursors_of, tuple(self._feeds))
        for audience, (_, newest) in cursors.items():
            feed = self._feeds.get(audience)
            if feed and newest > feed.position:
                feed.look()


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


async def hub_of_process() -> Hub:
    """Return the hub of the running loop, started on first use."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = hub = Hub()
        await hub.start()
    return _hubs[loop]
