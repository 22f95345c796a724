"""Hours and States in templates, in the reader's language; times of an office in its own time zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from network.directory.hours import Hours, Opening, WeekLine, clock, offset_text
from network.directory.names import StateNames, language_name
from network.models import State

register = template.Library()


@register.filter
def in_words(state: State | StateNames | None) -> str:
    """Return the name of a State in the reader's language."""
    if state is None:
        return ""
    return (
        state.name()
        if isinstance(state, StateNames)
        else StateNames(state.code, state.name, state.names).name()
    )


@register.filter
def language_in_words(code: str) -> str:
    """Return the name of a language in the reader's."""
    return language_name(code)


@register.filter
def there_now(opening: Opening) -> SafeString:
    """Return what the clock of an office shows."""
    return _time(opening.local, f"{date_format(_naive(opening.local), 'l')} {opening.local:%H:%M}")


@register.filter
def changes_there(opening: Opening) -> SafeString | str:
    """Return when an office closes or opens next, by its own clock."""
    at = opening.changes_locally_at
    return _time(at, _words(at, opening.local)) if at else ""


@register.filter
def changes_here(opening: Opening, zone: str = "") -> SafeString | str:
    """Return the same moment by the clock of another zone, named; UTC where none is given."""
    if opening.changes_at is None:
        return ""
    at = timezone.localtime(opening.changes_at, ZoneInfo(zone) if zone else UTC)
    return _time(at, f"{_words(at, timezone.localtime(opening.local, at.tzinfo))} {zone or 'UTC'}")


@register.filter
def offset(opening: Opening) -> SafeString:
    """Return how far the clock of an office is from UTC."""
    return format_html('<bdi dir="ltr" translate="no">UTC{}</bdi>', offset_text(opening.local))


@register.filter
def days_of(line: WeekLine) -> str:
    """Return the days of the week that a line is about."""
    if line.first == line.last:
        return str(WEEKDAYS[line.first])
    return f"{WEEKDAYS[line.first]} – {WEEKDAYS[line.last]}"


@register.filter
def as_cited(article: str) -> SafeString:
    """Return an article as it is cited, also in a line that runs from right to left."""
    return format_html('<bdi dir="ltr">{}</bdi>', article)


@register.filter
def hours_of(hours: list[Hours]) -> SafeString:
    """Return the hours of a day; those that go over midnight end the next morning."""
    return format_html('<bdi dir="ltr">{}</bdi>', hours_text(hours))


def hours_text(hours: list[Hours]) -> str:
    """Return the hours of a day as an editor types them."""
    return ", ".join(f"{clock(opens)}–{clock(closes)}" for opens, closes in hours)


def _naive(at: datetime) -> datetime:
    # The formats of Django would turn an aware time into UTC.
    return at.replace(tzinfo=None)


def _words(at: datetime, now: datetime) -> str:
    days = (at.date() - now.date()).days
    if days == 0:
        return f"{at:%H:%M}"
    return f"{_day(at.date(), days)} {at:%H:%M}"


def _day(day: date, days: int) -> str:
    return date_format(day, "l") if 0 < days < 7 else date_format(day, "DATE_FORMAT")


def _time(at: datetime, words: str) -> SafeString:
    return format_html('<time datetime="{}"><bdi>{}</bdi></time>', at.isoformat(timespec="minutes"), words)
