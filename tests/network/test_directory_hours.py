"""When an office is open: patterns that naive code gets wrong, each as somebody abroad would ask."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from network.directory.facts import parse_hours
from network.directory.hours import (
    Schedule,
    Special,
    WeekLine,
    hours_on,
    opening_at,
    time_zones,
    week_lines,
)

SUNDAY_TO_THURSDAY = (6, 0, 1, 2, 3)
WORKDAYS = range(5)


def office(zone: str, days: dict[int, str], *special: tuple[date, date, str, str]) -> Schedule:
    return Schedule(
        zone,
        tuple((day, *hours) for day, text in days.items() for hours in parse_hours(text)),
        tuple(Special(first, last, why, parse_hours(text)) for first, last, why, text in special),
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NEPAL = office("Asia/Kathmandu", dict.fromkeys(SUNDAY_TO_THURSDAY, "10:00-17:00") | {4: "10:00-15:00"})
CHATHAM = office("Pacific/Chatham", dict.fromkeys(WORKDAYS, "08:45-12:15, 13:00-16:45"))
PARIS = office("Europe/Paris", dict.fromkeys(WORKDAYS, "09:00-12:30, 13:30-17:30"))
CAIRO = office(
    "Africa/Cairo",
    dict.fromkeys(SUNDAY_TO_THURSDAY, "08:00-15:00"),
    (date(2026, 2, 18), date(2026, 3, 19), "Month of fasting", "09:00-13:30"),
    (date(2026, 3, 19), date(2026, 3, 22), "Feast", ""),
)
NIGHTS = office("America/Sao_Paulo", dict.fromkeys(WORKDAYS, "20:00-04:00"))
WEEKEND_WATCH = office("Africa/Nairobi", dict.fromkeys((5, 6), "00:00-24:00"))
PARIS_NIGHT = office("Europe/Paris", {6: "02:30-04:00"})
NOON = office(
    "Asia/Shanghai",
    dict.fromkeys(WORKDAYS, "08:30-11:30"),
    (date(2026, 2, 14), date(2026, 2, 14), "Made up", "09:00-16:00"),
)


@pytest.mark.parametrize(
    ("schedule", "moment", "is_open", "changes_at"),
    [
        # +05:45, a week that begins on Sunday, half a day on Friday, Saturday free.
        (NEPAL, "2026-11-22T04:14", False, "2026-11-22T04:15"),
        (NEPAL, "2026-11-22T04:15", True, "2026-11-22T11:15"),
        (NEPAL, "2026-11-27T09:14", True, "2026-11-27T09:15"),
        (NEPAL, "2026-11-27T09:15", False, "2026-11-29T04:15"),
        # +13:45 in summer: Friday morning there is Thursday evening in UTC.
        (CHATHAM, "2026-11-26T19:00", True, "2026-11-26T22:30"),
        (CHATHAM, "2026-11-26T22:45", False, "2026-11-26T23:15"),
        # +12:45 in winter.
        (CHATHAM, "2026-06-25T20:00", True, "2026-06-25T23:30"),
        # Lunch, and the weekend in which the clock goes back: Monday opens an hour later in UTC.
        (PARIS, "2026-10-23T10:30", False, "2026-10-23T11:30"),
        (PARIS, "2026-10-23T15:30", False, "2026-10-26T08:00"),
        (PARIS, "2026-03-27T16:30", False, "2026-03-30T07:00"),
        # Shorter hours of a month, which do not open a Friday; a feast within it closes.
        (CAIRO, "2026-02-18T06:30", False, "2026-02-18T07:00"),
        (CAIRO, "2026-02-18T11:30", False, "2026-02-19T07:00"),
        (CAIRO, "2026-02-19T11:30", False, "2026-02-22T07:00"),
        (CAIRO, "2026-03-18T12:00", False, "2026-03-23T06:00"),
        # Egypt changes its clock on a Friday in April.
        (CAIRO, "2026-04-23T14:00", False, "2026-04-26T05:00"),
        # Over midnight: Friday's night goes on into Saturday, and then it is closed until Monday evening.
        (NIGHTS, "2026-11-28T06:59", True, "2026-11-28T07:00"),
        (NIGHTS, "2026-11-28T07:00", False, "2026-11-30T23:00"),
        # Two whole days are one interval.
        (WEEKEND_WATCH, "2026-11-28T12:00", True, "2026-11-29T21:00"),
        # 02:30 does not exist on the day the clock goes forward: it opens at the jump.
        (PARIS_NIGHT, "2026-03-29T00:59", False, "2026-03-29T01:00"),
        (PARIS_NIGHT, "2026-03-29T01:00", True, "2026-03-29T02:00"),
        # 02:30 comes twice when it goes back: from the first time on.
        (PARIS_NIGHT, "2026-10-25T00:30", True, "2026-10-25T03:00"),
        # A Saturday that is worked to make up for a holiday.
        (NOON, "2026-02-14T02:00", True, "2026-02-14T08:00"),
    ],
)
def test_an_office_is_open_by_its_own_clock(
    schedule: Schedule, moment: str, is_open: bool, changes_at: str
) -> None:
    found = opening_at(schedule, at(moment))
    assert (found.is_open, found.changes_at) == (is_open, at(changes_at))


def test_the_reason_stands_beside_a_closed_day() -> None:
    assert opening_at(CAIRO, at("2026-03-21T08:00")).reason == "Feast"
    assert opening_at(CAIRO, at("2026-03-25T08:00")).reason == ""


def test_both_clocks_are_told() -> None:
    found = opening_at(NEPAL, at("2026-11-22T04:14"))
    assert f"{found.local:%H:%M}" == "09:59"
    assert found.changes_locally_at
    assert f"{found.changes_locally_at:%a %H:%M}" == "Sun 10:00"


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule("UTC", is_always_open=True),
        office("Europe/Paris", dict.fromkeys(range(7), "00:00-24:00")),
        office("Europe/Paris", dict.fromkeys(range(7), "08:00-08:00")),
    ],
)
def test_what_never_closes_says_no_time(schedule: Schedule) -> None:
    found = opening_at(schedule, at("2026-10-25T00:30"))
    assert (found.is_open, found.changes_at) == (True, None)


def test_an_office_that_is_closed_for_good_opens_never() -> None:
    closed = office("UTC", {0: "09:00-10:00"}, (date(2026, 1, 1), date(2028, 1, 1), "Moved", ""))
    assert opening_at(closed, at("2026-06-01T09:30")).changes_at is None


def test_a_week_is_told_in_as_few_lines_as_it_takes() -> None:
    assert week_lines(NEPAL) == [
        WeekLine(6, 3, ((600, 1020),)),
        WeekLine(4, 4, ((600, 900),)),
        WeekLine(5, 5, ()),
    ]
    assert [(line.first, line.last) for line in week_lines(PARIS)] == [(0, 4), (5, 6)]
    assert len(week_lines(office("UTC", dict.fromkeys(range(7), "09:00-10:00")))) == 1


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("", ()),
        ("09:00-12:30, 13:30-17:00", ((540, 750), (810, 1020))),
        ("9-12 , 13.30–17", ((540, 720), (810, 1020))),
        ("٠٩:٠٠-١٢:٣٠، ١٣:٣٠-١٧:٠٠", ((540, 750), (810, 1020))),
        ("20:00-04:00", ((1200, 1680),)),
        ("00:00-24:00", ((0, 1440),)),
        ("13:00-14:00; 08:00-12:00", ((480, 720), (780, 840))),
    ],
)
def test_hours_are_read_as_editors_type_them(text: str, hours: tuple[tuple[int, int], ...]) -> None:
    assert parse_hours(text) == hours


@pytest.mark.parametrize(
    "text", ["morning", "9", "09:60-10:00", "25:00-26:00", "09:00-12:00, 11:00-13:00", "24:00-25:00"]
)
def test_what_is_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_hours(text)


@given(
    st.sampled_from(time_zones()),
    st.integers(0, 6 * 365 * 24 * 60),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 600)), min_size=1, max_size=8),
)
def test_a_moment_agrees_with_the_next_change(
    zone: str, minute: int, hours: list[tuple[int, int, int]]
) -> None:
    """Until it changes it stays so; then it is the other way round."""
    schedule = Schedule(zone, tuple((day, opens, opens + length) for day, opens, length in hours))
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    found = opening_at(schedule, now)
    if found.changes_at is None:
        assert found.is_open
        return
    assert found.changes_at > now
    before = opening_at(schedule, max(now, found.changes_at - timedelta(seconds=1)))
    behind = opening_at(schedule, found.changes_at)
    assert (before.is_open, behind.is_open) == (found.is_open, not found.is_open)


def test_hours_on_a_day() -> None:
    assert hours_on(CAIRO, date(2026, 2, 20)) == ()
    assert hours_on(CAIRO, date(2026, 2, 22)) == ((540, 810),)
    assert hours_on(NOON, date(2026, 2, 14)) == ((540, 960),)
