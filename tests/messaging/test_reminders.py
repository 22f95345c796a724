"""Dates wanted: who owes an answer is told before the date, both sides after it, once each."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.actions.reminders import remind_of_dates
from messaging.models import ThreadItem
from network.models import Notification
from tests.factories import Offices, now
from tests.messaging.case_steps import DAY, begin, last_on, step_to, take
from tests.personas import Cast, Persona


@pytest.fixture
def thread(offices: Offices) -> str:
    """Give a case in which State B has asked State A for more, and wants it in two days."""
    found = begin(offices)
    for code in ("sent", "more-asked"):
        take(offices, found, step_to("assistance", code, last_on(found)))
    asked_long_ago(found)
    Notification.objects.all().delete()
    return found


def asked_long_ago(thread: str, **changes: object) -> None:
    long_ago = timezone.now() - timedelta(days=9)
    ThreadItem.objects.filter(thread_id=thread, due__isnull=False).update(received_at=long_ago, **changes)


def told(persona: Persona) -> list[str]:
    rows = Notification.objects.filter(membership_id=persona.actor.membership_id)
    return list(rows.order_by("made_at").values_list("kind", flat=True))


def test_who_owes_the_answer_is_told_once_before_the_date(cast: Cast, offices: Offices, thread: str) -> None:
    assert remind_of_dates() == 1
    assert told(cast.officer_a) == ["date-near"]
    assert told(cast.officer_b) == told(cast.supervisor_a) == told(cast.officer_c) == []
    assert remind_of_dates() == 0


def test_both_sides_are_told_once_when_it_has_passed(cast: Cast, offices: Offices, thread: str) -> None:
    asked_long_ago(thread, due=now() - DAY)
    assert remind_of_dates() == 1  # and not that it comes near, too
    assert told(cast.officer_a) == told(cast.officer_b) == ["date-over"]
    assert told(cast.officer_c) == []
    assert remind_of_dates() == 0


def test_an_answer_or_an_end_stops_the_clock(cast: Cast, offices: Offices, thread: str) -> None:
    take(offices, thread, step_to("assistance", "more-supplied", last_on(thread)))
    ended = begin(offices)
    for code in ("sent", "more-asked", "withdrawn"):
        take(offices, ended, step_to("assistance", code, last_on(ended)))
    asked_long_ago(ended)
    assert remind_of_dates() == 0


def test_what_was_asked_today_is_not_repeated_today(offices: Offices, thread: str) -> None:
    ThreadItem.objects.filter(thread_id=thread).update(received_at=timezone.now())
    assert remind_of_dates() == 0
