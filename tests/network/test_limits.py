"""Limits slow down; they never lock for ever and never let one key slow another."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings as product_settings
from redis import Redis

from deploy import services
from network import limits
from network.errors import TooMany, Unavailable


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_burst_passes_then_waits_then_passes_again(clock: list[float]) -> None:
    buckets = limits.Buckets()
    line = limits.LIMITS["socket-command"]
    assert all(buckets.take("socket-command", "one") for _ in range(int(line.burst)))
    assert not buckets.take("socket-command", "one")
    clock[0] += 1.01 / line.per_second
    assert buckets.take("socket-command", "one")
    assert not buckets.take("socket-command", "one")


def test_one_key_does_not_slow_another(clock: list[float]) -> None:
    buckets = limits.Buckets()
    while buckets.take("sign-in", "flooder"):
        pass
    assert buckets.take("sign-in", "officer")


def test_spending_from_an_empty_bucket_is_a_refusal_with_a_code(clock: list[float]) -> None:
    while limits.buckets.take("api-write", "same"):
        pass
    with pytest.raises(TooMany) as refusal:
        limits.spend("api-write", "same")
    assert refusal.value.code == "too-many"


LINES = sorted(limits.LIMITS)
SECRETS = {
    *("invitation-accept", "invitation-send", "proof", "recovery", "search", "sign-in", "sign-in-code"),
}


def test_every_line_of_the_table_says_why() -> None:
    assert all(limit.why and limit.burst >= 1 and limit.per_second > 0 for limit in limits.LIMITS.values())


def test_what_guards_a_secret_is_counted_together_and_fails_closed() -> None:
    closed = {name for name, limit in limits.LIMITS.items() if not limit.fails_open}
    assert closed >= SECRETS
    assert closed == {name for name, limit in limits.LIMITS.items() if limit.is_shared}


@pytest.mark.parametrize("name", LINES)
def test_each_line_gives_its_burst_then_one_each_time_it_is_refilled(name: str, clock: list[float]) -> None:
    buckets, line = limits.Buckets(), limits.LIMITS[name]
    assert [buckets.take(name, "one") for _ in range(int(line.burst) + 1)] == [True] * int(line.burst) + [
        False
    ]
    for _ in range(3):
        clock[0] += 1.01 / line.per_second
        assert buckets.take(name, "one")
        assert not buckets.take(name, "one")
    clock[0] += 10 * line.burst / line.per_second
    assert sum(buckets.take(name, "one") for _ in range(int(line.burst) + 5)) == int(line.burst)


# --- Several processes: counted in Redis --------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_redis() -> Iterator[str]:
    with services.redis_server(port=services.free_port()) as url:
        yield url


@pytest.fixture
def shared(own_redis: str, settings: Any) -> Iterator[None]:
    """Count as a deployment of several processes does."""
    settings.REDIS_URL = own_redis
    limits.shared_buckets.cache_clear()
    yield
    limits.shared_buckets.cache_clear()


@pytest.fixture
def away(settings: Any) -> Iterator[None]:
    """The shared cache does not answer."""
    settings.REDIS_URL = f"redis://127.0.0.1:{services.free_port()}/0"
    limits.shared_buckets.cache_clear()
    yield
    limits.shared_buckets.cache_clear()


def spent(name: str, key: str) -> bool:
    try:
        limits.spend(name, key)
    except TooMany:
        return False
    return True


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_processes_together_give_no_more_than_the_burst(shared: None, name: str) -> None:
    burst = int(limits.LIMITS[name].burst)
    processes = [limits.SharedBuckets(product_settings.REDIS_URL) for _ in range(2)]
    granted = sum(processes[n % 2].take(name, "somebody") for n in range(burst + 6))
    assert granted == burst
    assert not spent(name, "somebody")
    assert spent(name, "somebody else")


def test_fifty_at_once_never_take_more_than_the_burst(shared: None) -> None:
    with ThreadPoolExecutor(50) as threads:
        granted = sum(threads.map(lambda _: spent("sign-in", "parallel"), range(50)))
    assert granted == limits.LIMITS["sign-in"].burst


def test_a_shared_bucket_is_refilled_and_forgotten_when_full(shared: None) -> None:
    found = limits.shared_buckets()
    assert found
    line = limits.LIMITS["api-read"]
    while found.take("api-read", "one"):
        pass
    time.sleep(2.5 / line.per_second)
    assert found.take("api-read", "one")
    redis = Redis.from_url(product_settings.REDIS_URL)
    keys = redis.keys(f"{limits.PLACE}:api-read:*")
    assert 0 < redis.ttl(keys[0]) <= line.burst / line.per_second + 2


def test_no_key_says_whom_it_counts(shared: None) -> None:
    limits.spend("recovery", "officer@justice.example")
    keys = str(Redis.from_url(product_settings.REDIS_URL).keys("*"))
    assert "recovery" in keys
    assert "justice" not in keys


@pytest.mark.parametrize("name", LINES)
def test_while_the_shared_cache_is_away_each_line_does_what_it_says(away: None, name: str) -> None:
    limit = limits.LIMITS[name]
    if limit.fails_open:
        assert spent(name, "while away")
    else:
        with pytest.raises(Unavailable):
            limits.spend(name, "while away")


def test_a_line_that_fails_open_is_counted_by_the_process_meanwhile(
    away: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = limits.Limit("open", 3, 0.001, "a line of this test", is_shared=True)
    monkeypatch.setitem(limits.LIMITS, "open", line)
    assert [spent("open", "one") for _ in range(5)] == [True] * 3 + [False] * 2
