"""Quiet hours and digests go by the clock of the person's own time zone, over midnight and summer time."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from network.models import Digest, NotificationChoices
from network.notification_times import MAIL_GRACE, is_quiet, may_sound, time_zones, when_to_tell

pytestmark = pytest.mark.any_database


def choices(**chosen: Any) -> NotificationChoices:
    return NotificationChoices(**chosen)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def tell(chosen: NotificationChoices, now: str, *, is_urgent: bool = False) -> str:
    found = when_to_tell(chosen, at(now), grace=MAIL_GRACE, is_urgent=is_urgent)
    return f"{found.astimezone(UTC):%m-%d %H:%M}"


NIGHT = {"quiet_from": time(18), "quiet_until": time(8)}


@pytest.mark.parametrize(
    ("zone", "now", "quiet"),
    [
        ("UTC", "2026-03-02 17:59", False),
        ("UTC", "2026-03-02 18:00", True),
        ("UTC", "2026-03-02 23:59", True),
        ("UTC", "2026-03-02 07:59", True),
        ("UTC", "2026-03-02 08:00", False),
        ("Asia/Kathmandu", "2026-03-02 12:14", False),  # 17:59 there
        ("Asia/Kathmandu", "2026-03-02 12:15", True),
        ("Pacific/Chatham", "2026-03-02 18:14", True),  # 07:59 there, in summer
        ("Pacific/Chatham", "2026-03-02 18:15", False),
    ],
)
def test_quiet_hours_go_over_midnight_by_the_persons_clock(zone: str, now: str, quiet: bool) -> None:
    assert is_quiet(choices(time_zone=zone, **NIGHT), at(now)) is quiet


def test_a_break_at_noon_is_quiet_and_equal_times_are_none() -> None:
    noon = choices(quiet_from=time(12), quiet_until=time(13))
    assert [is_quiet(noon, at(f"2026-03-02 {hour}:30")) for hour in ("11", "12", "13")] == [
        False,
        True,
        False,
    ]
    assert not is_quiet(choices(quiet_from=time(9), quiet_until=time(9)), at("2026-03-02 09:00"))
    assert not is_quiet(choices(), at("2026-03-02 03:00"))


def test_at_once_waits_a_moment_and_what_is_urgent_does_not() -> None:
    assert tell(choices(), "2026-03-02 10:00") == "03-02 10:02"
    assert tell(choices(), "2026-03-02 10:00", is_urgent=True) == "03-02 10:00"


def test_digests_come_by_the_hour_and_by_the_day_and_never_hold_up_what_is_urgent() -> None:
    hourly = choices(digest=Digest.HOURLY)
    daily = choices(digest=Digest.DAILY, digest_at=time(8), time_zone="Europe/Paris")
    assert tell(hourly, "2026-03-02 10:01") == "03-02 11:00"
    assert tell(daily, "2026-03-02 06:59") == "03-02 07:00"
    assert tell(daily, "2026-03-02 07:00") == "03-03 07:00"
    assert tell(daily, "2026-07-02 07:00") == "07-03 06:00"  # summer time
    assert tell(daily, "2026-03-28 12:00") == "03-29 06:00"  # the night the clock is put forward
    for digest in (hourly, daily):
        assert tell(digest, "2026-03-02 10:01", is_urgent=True) == "03-02 10:01"


def test_quiet_hours_hold_everything_back_unless_the_person_lets_what_is_urgent_through() -> None:
    quiet = choices(time_zone="Europe/Paris", **NIGHT)
    awake = choices(time_zone="Europe/Paris", urgent_in_quiet=True, **NIGHT)
    assert tell(quiet, "2026-03-02 20:00") == "03-03 07:00"
    assert tell(quiet, "2026-03-02 20:00", is_urgent=True) == "03-03 07:00"
    assert tell(awake, "2026-03-02 20:00") == "03-03 07:00"
    assert tell(awake, "2026-03-02 20:00", is_urgent=True) == "03-02 20:00"


def test_a_tone_needs_the_persons_wish_and_keeps_quiet_hours() -> None:
    now = at("2026-03-02 20:00")
    assert not may_sound(choices(), now)
    assert may_sound(choices(has_sound=True), now)
    assert not may_sound(choices(has_sound=True, **NIGHT), now)
    assert may_sound(choices(has_sound=True, urgent_in_quiet=True, **NIGHT), now)


def test_a_time_that_the_clock_jumps_over_is_told_once_and_soon() -> None:
    jumped = choices(digest=Digest.DAILY, digest_at=time(2, 30), time_zone="Europe/Paris")
    found = when_to_tell(jumped, at("2026-03-28 12:00"), grace=MAIL_GRACE, is_urgent=False)
    assert timedelta(0) < found - at("2026-03-29 00:00") < timedelta(hours=2)


def test_every_time_zone_that_can_be_chosen_is_known_to_the_clock() -> None:
    assert time_zones()[0] == "UTC"
    assert len(time_zones()) > 300
    for zone in time_zones():
        assert tell(choices(time_zone=zone), "2026-03-02 10:00")
