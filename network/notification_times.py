"""When a person is told: quiet hours and digests, by the clock of the person's own time zone."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from network.models import Digest, NotificationChoices

# A person at work reads within moments; a mail that comes afterwards would only be noise.
MAIL_GRACE = timedelta(minutes=2)
PUSH_GRACE = timedelta(seconds=20)


@cache
def time_zones() -> tuple[str, ...]:
    """Return the names of the world's time zones, UTC first."""
    known = {name for name in available_timezones() if "/" in name and not name.startswith("Etc/")}
    return ("UTC", *sorted(known))


def local(choices: NotificationChoices, at: datetime) -> datetime:
    """Return a moment by the person's clock."""
    return at.astimezone(ZoneInfo(choices.time_zone))


def next_time(choices: NotificationChoices, after: datetime, wanted: time) -> datetime:
    """Return the next moment after `after` when the person's clock shows `wanted`."""
    here = local(choices, after)
    found = here.replace(hour=wanted.hour, minute=wanted.minute, second=0, microsecond=0, fold=0)
    if found.astimezone(UTC) <= after.astimezone(UTC):
        found = found + timedelta(days=1)
    return found.astimezone(UTC)


def is_quiet(choices: NotificationChoices, at: datetime) -> bool:
    """Answer whether these are the person's quiet hours; they may go over midnight."""
    begin, end = choices.quiet_from, choices.quiet_until
    if begin is None or end is None or begin == end:
        return False
    now = local(choices, at).time().replace(tzinfo=None)
    return begin <= now < end if begin < end else now >= begin or now < end


def may_sound(choices: NotificationChoices, at: datetime) -> bool:
    """Answer whether a tone may sound for something urgent."""
    return choices.has_sound and (choices.urgent_in_quiet or not is_quiet(choices, at))


def when_to_tell(
    choices: NotificationChoices, now: datetime, *, grace: timedelta, is_urgent: bool
) -> datetime:
    """Return when a mail or push tells of what happens now; a digest never holds up what is urgent."""
    at = now if is_urgent else _next_digest(choices, now, grace)
    if is_quiet(choices, at) and not (is_urgent and choices.urgent_in_quiet) and choices.quiet_until:
        return next_time(choices, at, choices.quiet_until)
    return at


def _next_digest(choices: NotificationChoices, now: datetime, grace: timedelta) -> datetime:
    match choices.digest:
        case Digest.HOURLY:
            return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        case Digest.DAILY if choices.digest_at is not None:
            return next_time(choices, now, choices.digest_at)
        case _:
            return now + grace
