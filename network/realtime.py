"""Tells audiences that something happened. Called only from actions, inside their transaction.

The database holds events, their order and every reader's place; the channel layer only rings, and may fail.
A lost ring costs seconds: every process looks at its audiences every five seconds anyway.
"""

import asyncio
import hashlib
import logging
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from network.frames import Notice
from network.models import AudienceCounter, EventRecord

logger = logging.getLogger(__name__)

EVERY_PROCESS = "gateways"  # the group that hears of ended sign-ins

# What a channel layer raises when it is away; its rings are hints, so none of these stops anything.
LAYER_ERRORS: tuple[type[Exception], ...] = (OSError, TimeoutError)
if settings.REDIS_URL:  # a twelfth of a start, where there is none
    from redis.exceptions import RedisError

    LAYER_ERRORS += (RedisError,)

# The loop that serves sockets in this process, if it does; set once by the gateway's hub.
_serving: dict[str, asyncio.AbstractEventLoop] = {}


def serve_on(loop: asyncio.AbstractEventLoop | None) -> None:
    """Say on which loop this process holds sockets, so that rings from other threads reach it."""
    _serving.clear()
    if loop is not None:
        _serving["loop"] = loop


def authority_audience(authority_id: uuid.UUID) -> str:
    """Return the audience of everybody who acts for the authority."""
    return f"authority:{authority_id.hex}"


def member_audience(authority_id: uuid.UUID, person_id: uuid.UUID) -> str:
    """Return the audience of one person as a member of one authority, for what is not the authority's own."""
    return f"member:{authority_id.hex}.{person_id.hex}"


def person_audience(person_id: uuid.UUID) -> str:
    """Return the audience of one person."""
    return f"person:{person_id.hex}"


def group_of(audience: str) -> str:
    """Return the channel-layer group of an audience; says nothing about it to who reads the layer."""
    return "audience." + hashlib.sha256(audience.encode()).hexdigest()[:40]


def _take(audience: str, count: int) -> int:
    """Take `count` sequence numbers; returns the last. The counter row stays locked until the commit."""
    rows = AudienceCounter.objects.filter(audience=audience)
    if not rows.update(seq=F("seq") + count):
        AudienceCounter.objects.bulk_create([AudienceCounter(audience=audience)], ignore_conflicts=True)
        rows.update(seq=F("seq") + count)
    return rows.values_list("seq", flat=True).get()


def publish_on_commit(*notices: Notice) -> None:
    """Store the events and ring after the commit. One call an action: counters are locked in sorted order."""
    counts = Counter(notice.audience for notice in notices)
    next_seq = {
        audience: _take(audience, counts[audience]) - counts[audience] + 1 for audience in sorted(counts)
    }
    records: dict[str, list[EventRecord]] = defaultdict(list)
    now = timezone.now()
    for notice in notices:
        found = records[notice.audience]
        seq = next_seq[notice.audience] + len(found)
        payload = notice.payload.model_dump(mode="json")
        found.append(
            EventRecord(audience=notice.audience, seq=seq, name=notice.name, payload=payload, at=now)
        )
    EventRecord.objects.bulk_create([record for found in records.values() for record in found])
    groups: dict[str, dict[str, object]] = {
        group_of(audience): {"type": "look", "audience": audience} for audience in counts
    }
    transaction.on_commit(lambda: _ring(groups))


def revoke_on_commit(sign_in_ids: Iterable[uuid.UUID]) -> None:
    """After the commit, tell every process to look at once whether these sign-ins still count."""
    ids = [sign_in_id.hex for sign_in_id in sign_in_ids]
    if ids:
        transaction.on_commit(lambda: _ring({EVERY_PROCESS: {"type": "recheck", "sign_ins": ids}}))


async def _ring_all(groups: dict[str, dict[str, object]]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    for group, message in groups.items():
        try:
            await layer.group_send(group, message)
        except LAYER_ERRORS as error:  # the five-second look finds the event
            logger.warning("a ring was lost: %s", type(error).__name__)
            return


def _ring(groups: dict[str, dict[str, object]]) -> None:
    loop = _serving.get("loop")
    if loop is not None and loop.is_running():
        asyncio.run_coroutine_threadsafe(_ring_all(groups), loop)
        return
    try:
        asyncio.get_running_loop().create_task(_ring_all(groups))
    except RuntimeError:
        async_to_sync(_ring_all)(groups)
