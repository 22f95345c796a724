"""When an office is open, across time zones, summer time, midnight, holidays and special days. No database.

Hours are wall-clock times of the office: what its door says. An interval covers everything from the first
moment the office's clock shows the opening until the last moment it shows the closing; a time that the clock
jumps over is the moment of the jump.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

DAY = 24 * 60
LOOKED_AHEAD = 400  # days
WEEK = 7

Hours = tuple[int, int]  # opens, closes: minutes after midnight; closes may lie in the next day
WeeklyHours = tuple[int, int, int]  # weekday (0 is Monday), opens, closes


@dataclass(frozen=True)
class Special:
    """Days with other hours than usual; none of them: closed."""

    first_on: date
    last_on: date
    reason: str
    hours: tuple[Hours, ...] = ()

    @property
    def days(self) -> int:
        """Return how many days."""
        return (self.last_on - self.first_on).days + 1


@dataclass(frozen=True)
class Schedule:
    """The hours of one office."""

    time_zone: str
    hours: tuple[WeeklyHours, ...] = ()
    special: tuple[Special, ...] = ()
    is_always_open: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def is_known(self) -> bool:
        """Answer whether anything was said about hours."""
        return self.is_always_open or bool(self.hours)


@dataclass(frozen=True)
class Opening:
    """How an office stands at a moment. `changes_at` is None where it never changes, or nobody said when."""

    is_open: bool
    changes_at: datetime | None  # closes, or opens next; UTC
    local: datetime  # the office's own time
    reason: str = ""  # why it is closed today, or has other hours

    @property
    def changes_locally_at(self) -> datetime | None:
        """Return when it changes, in the office's own time."""
        return self.changes_at.astimezone(self.local.tzinfo) if self.changes_at else None


@cache
def time_zones() -> tuple[str, ...]:
    """Return the names of time zones that an office may have, by area and city."""
    areas = {
        "Africa",
        "America",
        "Antarctica",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    }
    return tuple(
        sorted(name for name in available_timezones() if name.partition("/")[0] in areas or name == "UTC")
    )


def opening_at(schedule: Schedule, now: datetime) -> Opening:
    """Return whether an office is open at a moment, and when that changes."""
    local = now.astimezone(schedule.zone)
    special = _special_on(schedule, local.date())
    reason = special.reason if special else ""
    if schedule.is_always_open:
        return Opening(is_open=True, changes_at=None, local=local)
    for opens_at, closes_at in _joined(_intervals(schedule, local.date() - timedelta(days=2))):
        if closes_at <= now:
            continue
        if opens_at <= now:
            is_endless = closes_at - now > timedelta(days=WEEK + 1)
            return Opening(is_open=True, changes_at=None if is_endless else closes_at, local=local)
        return Opening(is_open=False, changes_at=opens_at, local=local, reason=reason)
    return Opening(is_open=False, changes_at=None, local=local, reason=reason)


def _intervals(schedule: Schedule, first: date) -> Iterator[tuple[datetime, datetime]]:
    """Give the intervals of each day from `first` on, in UTC, by their beginning."""
    for place in range(LOOKED_AHEAD):
        day = first + timedelta(days=place)
        for opens, closes in sorted(hours_on(schedule, day)):
            interval = _moment(day, opens, schedule.zone), _moment(day, closes, schedule.zone, is_last=True)
            if interval[0] < interval[1]:
                yield interval


def _joined(intervals: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """Join what touches or overlaps: whoever is open till midnight and from midnight on does not close.

    What goes on for more than a week counts as one that does not end.
    """
    held: tuple[datetime, datetime] | None = None
    for opens_at, closes_at in intervals:
        if held and opens_at <= held[1]:
            held = held[0], max(held[1], closes_at)
            if held[1] - held[0] > timedelta(days=3 * WEEK):
                yield held
                return
        else:
            if held:
                yield held
            held = opens_at, closes_at
    if held:
        yield held


def hours_on(schedule: Schedule, day: date) -> tuple[Hours, ...]:
    """Return the hours that begin on a day.

    Special hours of several days (of Ramadan, say) do not open a day of the week that is closed; those of a
    single day do.
    """
    weekly = tuple((opens, closes) for weekday, opens, closes in schedule.hours if weekday == day.weekday())
    special = _special_on(schedule, day)
    if special is None:
        return weekly
    return special.hours if weekly or special.days == 1 else ()


def _special_on(schedule: Schedule, day: date) -> Special | None:
    """Return what is special about a day: of several the shortest, and a closed one before others."""
    found = [special for special in schedule.special if special.first_on <= day <= special.last_on]
    return min(found, key=lambda special: (special.days, bool(special.hours)), default=None)


def _moment(day: date, minutes: int, zone: ZoneInfo, *, is_last: bool = False) -> datetime:
    """Return when the clock of a zone shows this time: of two such moments the first, or the last."""
    naive = datetime.combine(day, time()) + timedelta(minutes=minutes)
    first, last = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= last:
        return last if is_last else first
    # The clock jumps over it: `last` is before the jump and `first` behind it, an hour or less apart.
    return _jump(last, first, zone)


def _jump(before: datetime, behind: datetime, zone: ZoneInfo) -> datetime:
    offset = before.astimezone(zone).utcoffset()
    while behind - before > timedelta(minutes=1):
        middle = before + (behind - before) // 2
        middle = middle.replace(second=0, microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            behind = middle
    return behind


@dataclass(frozen=True)
class WeekLine:
    """Days of the week that follow each other with the same hours."""

    first: int
    last: int
    hours: tuple[Hours, ...]


def week_lines(schedule: Schedule) -> list[WeekLine]:
    """Return the week in as few lines as it takes, so that Sunday to Thursday is one."""
    by_day = [
        tuple(sorted((opens, closes) for day, opens, closes in schedule.hours if day == weekday))
        for weekday in range(WEEK)
    ]
    if len(set(by_day)) == 1:
        return [WeekLine(0, 6, by_day[0])]
    # Begin where the week begins: on a day that is open behind one that is not, else where the hours change.
    starts = [day for day in range(WEEK) if by_day[day] != by_day[day - 1]]
    start = next((day for day in starts if by_day[day] and not by_day[day - 1]), starts[0])
    lines: list[WeekLine] = []
    for place in range(WEEK):
        day = (start + place) % WEEK
        if lines and lines[-1].hours == by_day[day]:
            lines[-1] = WeekLine(lines[-1].first, day, by_day[day])
        else:
            lines.append(WeekLine(day, day, by_day[day]))
    return lines


def clock(minutes: int) -> str:
    """Return minutes after midnight as a clock shows them; the end of a day is 24:00."""
    shown = minutes if minutes <= DAY else minutes - DAY
    return f"{shown // 60:02}:{shown % 60:02}"


def offset_text(at: datetime) -> str:
    """Return the offset from UTC of a local time, like +05:45."""
    offset = at.utcoffset() or timedelta()
    minutes = abs(int(offset.total_seconds())) // 60
    sign = "-" if offset < timedelta() else "+"
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"
