"""Every limit on how much and how often, in one table. Slowed, never locked for ever."""

import logging
import os
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac

from network.errors import TooMany, Unavailable

logger = logging.getLogger(__name__)

SOCKET_FRAME_BYTES = 64 * 1024
REST_BODY_BYTES = 512 * 1024
CHUNK_BODY_BYTES = 1024 * 1024 + 16  # one sealed chunk of a file
BUCKETS_KEPT = 20_000
SHARED_SECONDS = 2.0  # how long the shared cache may take to answer


@dataclass(frozen=True)
class Limit:
    """A token bucket: `burst` at once, refilled at `per_second`. Keyed by what the caller names."""

    name: str
    burst: float
    per_second: float
    why: str
    is_shared: bool = False  # counted once for all processes, in the shared cache
    fails_open: bool = True  # what happens while that cache is away: go on, or refuse


def _closed(name: str, burst: float, per_second: float, why: str) -> Limit:
    """Return a line that keeps something from being guessed or harvested: shared, refusing when in doubt."""
    return Limit(name, burst, per_second, why, is_shared=True, fails_open=False)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{text!r} in the settings of limits is not a number.") from error
    if not 0 <= value < float("inf"):
        raise ImproperlyConfigured(f"{text!r} in the settings of limits is not a number from zero up.")
    return value


def _changed(table: dict[str, Limit]) -> dict[str, Limit]:
    """Return the table as NETWORK_LIMITS="name=burst:per_second,…" changes it."""
    table = dict(table)
    for part in filter(None, os.environ.get("NETWORK_LIMITS", "").split(",")):
        name, _, numbers = part.partition("=")
        burst, _, per_second = numbers.partition(":")
        if name not in table:
            raise ImproperlyConfigured(f"NETWORK_LIMITS knows no limit {name!r}: {', '.join(table)}.")
        table[name] = replace(table[name], burst=_number(burst), per_second=_number(per_second or "0"))
    return table


# What guards capacity is counted in each process and fails open. What guards a secret from being guessed is
# counted once for all processes and fails closed; passkeys have no line: there is nothing to guess.
_TABLE = (
    Limit("api-read", 120, 20, "reading pages and lists over HTTP, each sign-in"),
    Limit("api-write", 60, 5, "changes over HTTP, each sign-in"),
    Limit("attachment-begin", 40, 0.5, "files begun, each sign-in"),
    Limit("attachment-read", 400, 60, "chunks of files fetched, each sign-in"),
    Limit("attachment-write", 400, 60, "chunks of files sent, each sign-in"),
    Limit("audit-export", 5, 1 / 60, "exports of the audit record, each sign-in"),
    Limit(
        "directory-search", 60, 0.5, "searches of the directory by who is not signed in, each network address"
    ),
    Limit("card-write", 60, 5, "cards of lists kept, a hundred at a time, each sign-in"),
    Limit("draft-write", 60, 2, "drafts saved while writing, each sign-in"),
    _closed("invitation-accept", 20, 1 / 30, "links tried, each network address"),
    _closed("invitation-send", 50, 1 / 30, "invitations sent, each authority"),
    Limit("log-cosign", 30, 1 / 10, "signatures of witnesses, each network address"),
    Limit("message-append", 60, 20, "messages sent, each sign-in"),
    Limit("news-mail", 6, 1 / 600, "mails that something waits, each person"),
    Limit("news-wake", 10, 1 / 60, "messages of the browser that something waits, each browser"),
    _closed("proof", 10, 1 / 90, "wrong answers when proving again, each person"),
    Limit("push-subscribe", 10, 1 / 30, "browsers that ask to be woken, each sign-in"),
    _closed("recovery", 5, 1 / 180, "recovery codes tried, each mail address"),
    _closed("search", 30, 30 / 3600, "persons looked up, each sign-in"),
    Limit("report-send", 10, 1 / 60, "reports of messages, each sign-in"),
    Limit("session-stay", 10, 0.1, "saying that somebody is there, each sign-in"),
    _closed("sign-in", 30, 1 / 30, "attempts to sign in, each network address"),
    _closed("sign-in-code", 10, 1 / 90, "passwords and codes tried, each mail address"),
    Limit("socket-command", 60, 20, "commands of every kind, each socket"),
    Limit("socket-fault", 10, 0.2, "malformed frames before a socket is closed"),
)
DEFAULTS = {limit.name: limit for limit in _TABLE}
LIMITS = _changed(DEFAULTS)

# How many sockets may be open at once in a process.
SOCKETS_PER_SIGN_IN = int(_number(os.environ.get("NETWORK_SOCKETS_PER_SIGN_IN", "10")))
SOCKETS_PER_AUTHORITY = int(_number(os.environ.get("NETWORK_SOCKETS_PER_AUTHORITY", "200")))

# A reader that takes nothing for so long is closed and resumes by its cursor.
SEND_SECONDS = _number(os.environ.get("NETWORK_SEND_SECONDS", "30"))


def _check_for_real_use(defaults: dict[str, Limit]) -> None:
    """Refuse to guard secrets less well than the table says where real correspondence is kept."""
    for name, limit in LIMITS.items():
        known = defaults[name]
        if not known.fails_open and (limit.burst > known.burst or limit.per_second > known.per_second):
            raise ImproperlyConfigured(f"NETWORK_LIMITS weakens {name!r}: it may be made stricter only.")
    if not 5 <= SEND_SECONDS <= 120:
        raise ImproperlyConfigured("NETWORK_SEND_SECONDS must be from 5 to 120.")


if settings.PROFILE == "production":
    _check_for_real_use(DEFAULTS)


class Buckets:
    """The buckets of this process, the least used forgotten first."""

    def __init__(self) -> None:
        self._levels: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, name: str, key: str, cost: float = 1) -> bool:
        """Take from the bucket `name` of `key`; False when it is empty."""
        limit = LIMITS[name]
        now = time.monotonic()
        with self._lock:
            level, at = self._levels.pop((name, key), (limit.burst, now))
            level = min(limit.burst, level + (now - at) * limit.per_second)
            granted = level >= cost
            self._levels[(name, key)] = (level - cost if granted else level, now)
            if len(self._levels) > BUCKETS_KEPT:
                self._levels.popitem(last=False)
        return granted


buckets = Buckets()

# One step for all processes: the level and its time are read, refilled, taken from and written at once.
_TAKE = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1e6
local burst, rate, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
local passed = math.max(0, at - (tonumber(kept[2]) or at))
local level = math.min(burst, (tonumber(kept[1]) or burst) + passed * rate)
local granted = level >= cost
if granted then level = level - cost end
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', tostring(at))
redis.call('EXPIRE', KEYS[1], rate > 0 and math.ceil(burst / rate) + 1 or 86400)
return granted and 1 or 0
"""


PLACE = "network:limit"  # where Redis keeps them


class SharedBuckets:
    """The buckets of all processes, in Redis, by Redis's clock. Keys are hashed: none holds an address."""

    def __init__(self, url: str) -> None:
        from redis import Redis  # a twelfth of a start, where there is none
        from redis.exceptions import RedisError

        redis = Redis.from_url(url, socket_connect_timeout=SHARED_SECONDS, socket_timeout=SHARED_SECONDS)
        self._take = redis.register_script(_TAKE)
        self._errors = (RedisError, OSError)

    def take(self, name: str, key: str, cost: float = 1) -> bool:
        """Take from the bucket `name` of `key`; False when it is empty. Raises `ConnectionError` if away."""
        limit = LIMITS[name]
        place = f"{PLACE}:{name}:{salted_hmac('network.limits', key, algorithm='sha256').hexdigest()}"
        try:
            return bool(self._take(keys=[place], args=[limit.burst, limit.per_second, cost]))
        except self._errors as error:
            raise ConnectionError(type(error).__name__) from error


@cache
def shared_buckets() -> SharedBuckets | None:
    """Return the buckets of all processes; None where there is one process, which counts by itself."""
    return SharedBuckets(settings.REDIS_URL) if settings.REDIS_URL else None


def spend(name: str, key: str, cost: float = 1) -> None:
    """Take from a bucket or raise `TooMany`; `Unavailable` for a closed line while nothing can be counted."""
    if not _take_any(name, key, cost):
        raise TooMany


def _take_any(name: str, key: str, cost: float) -> bool:
    shared = shared_buckets() if LIMITS[name].is_shared else None
    if shared is None:
        return buckets.take(name, key, cost)
    try:
        return shared.take(name, key, cost)
    except ConnectionError as error:
        logger.warning("the shared cache does not answer: %s", error)
        if LIMITS[name].fails_open:
            return buckets.take(name, key, cost)
        raise Unavailable from error
