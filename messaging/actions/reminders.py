"""The clock of dates wanted: who owes an answer is told before the date, both sides once it has passed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from messaging.actions.notices import tell_of_date
from messaging.models import ThreadItem
from messaging.waiting import DUE_SOON, unanswered
from network.realtime import publish_on_commit

# Who was asked today needs no reminder of it today.
AT_LEAST_ASKED = timedelta(days=1)
AT_ONCE = 200


@dataclass(frozen=True)
class Reminder:
    """One reminder of a date: the how-manieth it is, how long before the date, and whether that is over."""

    count: int
    before: timedelta
    is_over: bool


# The last first: whose date has passed meanwhile is told that, and not that it comes near.
REMINDERS = (Reminder(2, timedelta(0), is_over=True), Reminder(1, DUE_SOON, is_over=False))


def remind_of_dates() -> int:
    """Tell of every date wanted that comes near or has passed without an answer; return of how many.

    Run as often as one likes, by several processes at once: each reminder is claimed first.
    """
    now = timezone.now()
    told = 0
    for reminder in REMINDERS:
        for item in _due(reminder, now):
            with transaction.atomic(durable=True):
                if _unclaimed(reminder).filter(pk=item.pk).update(reminded=reminder.count):
                    publish_on_commit(*tell_of_date(item, is_over=reminder.is_over))
                    told += 1
    return told


def _unclaimed(reminder: Reminder) -> QuerySet[ThreadItem]:
    return ThreadItem.objects.filter(reminded__lt=reminder.count)


def _due(reminder: Reminder, now: datetime) -> Iterator[ThreadItem]:
    rows = _unclaimed(reminder).filter(due__lte=int((now + reminder.before).timestamp()))
    if not reminder.is_over:
        rows = rows.filter(received_at__lte=now - AT_LEAST_ASKED)
    yield from unanswered(rows).order_by("due", "id")[:AT_ONCE]
