"""What is due by the clock is done by a command, as often as one likes."""

from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from tests.personas import Cast


def test_sessions_that_ended_are_cleared_away_and_others_stay(cast: Cast) -> None:
    kept = cast.officer_a.session_cookie()
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store.save()
    Session.objects.filter(session_key=store.session_key).update(expire_date=timezone.now() - timedelta(1))
    for _ in range(2):
        call_command("run_due", verbosity=0)
        assert Session.objects.filter(session_key=kept).exists()
        assert not Session.objects.filter(session_key=store.session_key).exists()
