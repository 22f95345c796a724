"""Dates and times in templates: in the reader's language, by the Gregorian calendar, the zone named.

Digits are 0 to 9 in every language, as in documents of the United Nations: references, deadlines and dates
read the same for both sides. Scripts do likewise in `messaging/client/src/views/format.ts`, there in the zone
of the device.
"""

from datetime import UTC, date, datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """Return date and time with the zone, as an element that programs can read too."""
    if not at:
        return ""
    at = timezone.localtime(at, UTC)
    words = date_format(at, "DATETIME_FORMAT")
    form = '<time datetime="{}"><bdi>{} <span translate="no">UTC</span></bdi></time>'
    return format_html(form, at.isoformat(timespec="seconds"), words)


@register.filter
def day(on: date | None) -> SafeString | str:
    """Return a day; of a moment the day it is in UTC."""
    if not on:
        return ""
    on = timezone.localtime(on, UTC).date() if isinstance(on, datetime) else on
    return format_html(
        '<time datetime="{}"><bdi>{}</bdi></time>', on.isoformat(), date_format(on, "DATE_FORMAT")
    )
