"""Limits slow down; they never lock for ever and never let one key slow another."""

import time

import pytest

from network import limits
from network.errors import TooMany


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
    while limits.buckets.take("sign-in", "same"):
        pass
    with pytest.raises(TooMany) as refusal:
        limits.spend("sign-in", "same")
    assert refusal.value.code == "too-many"


def test_every_line_of_the_table_says_why() -> None:
    assert all(limit.why and limit.burst >= 1 and limit.per_second > 0 for limit in limits.LIMITS.values())
