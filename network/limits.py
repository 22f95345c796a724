"""Every limit on how much and how often, in one table. Slowed, never locked for ever."""

import os
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

from django.core.exceptions import ImproperlyConfigured

from network.errors import TooMany

SOCKET_FRAME_BYTES = 64 * 1024
REST_BODY_BYTES = 512 * 1024
BUCKETS_KEPT = 20_000


@dataclass(frozen=True)
class Limit:
    """A token bucket: `burst` at once, refilled at `per_second`. Keyed by what the caller names."""

    name: str
    burst: float
    per_second: float
    why: str


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{text!r} in the settings of limits is not a number.") from error


def _table(*limits: Limit) -> dict[str, Limit]:
    """Return the table by name; NETWORK_LIMITS="name=burst:per_second,…" changes lines of it."""
    table = {limit.name: limit for limit in limits}
    for part in filter(None, os.environ.get("NETWORK_LIMITS", "").split(",")):
        name, _, numbers = part.partition("=")
        burst, _, per_second = numbers.partition(":")
        if name not in table:
            raise ImproperlyConfigured(f"NETWORK_LIMITS knows no limit {name!r}: {', '.join(table)}.")
        table[name] = replace(table[name], burst=_number(burst), per_second=_number(per_second or "0"))
    return table


# Counted in each process by itself. All fail open: a limit guards capacity here, not a right.
LIMITS = _table(
    Limit("api-read", 120, 20, "reading pages and lists over HTTP, each sign-in"),
    Limit("api-write", 60, 5, "changes over HTTP, each sign-in"),
    Limit("draft-write", 60, 2, "drafts saved while writing, each sign-in"),
    Limit("message-append", 60, 20, "messages sent, each sign-in"),
    Limit("sign-in", 30, 0.5, "attempts to sign in, each network address"),
    Limit("socket-command", 60, 20, "commands of every kind, each socket"),
    Limit("socket-fault", 10, 0.2, "malformed frames before a socket is closed"),
)

# How many sockets may be open at once in a process.
SOCKETS_PER_SIGN_IN = int(_number(os.environ.get("NETWORK_SOCKETS_PER_SIGN_IN", "10")))
SOCKETS_PER_AUTHORITY = int(_number(os.environ.get("NETWORK_SOCKETS_PER_AUTHORITY", "200")))

# A reader that takes nothing for so long is closed and resumes by its cursor.
SEND_SECONDS = _number(os.environ.get("NETWORK_SEND_SECONDS", "30"))


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


def spend(name: str, key: str, cost: float = 1) -> None:
    """Take from a bucket or raise `TooMany`."""
    if not buckets.take(name, key, cost):
        raise TooMany
