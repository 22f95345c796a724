"""What is due by the clock. The server does it every hour, what presses every few seconds; a timer may."""

from collections.abc import Callable
from importlib import import_module

from django.conf import settings

from network.actions.attestation import remind_of_attestation
from network.actions.news_mail import write_news_mail
from network.actions.notifications import forget_old
from network.actions.push import forget_ended_subscriptions, wake_browsers

# What the apps above this one have to do by the clock; they add it when they start.
DUTIES: list[Callable[[], object]] = []
# Those of them that cannot wait for the hour.
PRESSING_DUTIES: list[Callable[[], object]] = []


def do_what_is_due() -> int:
    """Send what reminds and tells, clear away what has ended; returns how many were reminded of attestation.

    Several processes may do this at once. What ends by itself (sign-ins, delegations, invitations, accounts
    nobody attested) needs no clock: it is compared with the time whenever it is asked for.
    """
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    forget_old()
    forget_ended_subscriptions()
    tell_what_is_due()
    for duty in DUTIES:
        duty()
    return remind_of_attestation()


def tell_what_is_due() -> None:
    """Do what presses, write mail and wake browsers for what was not looked at: every few seconds."""
    try:
        for duty in PRESSING_DUTIES:
            duty()
    finally:  # one that fails keeps nobody's mail back
        write_news_mail()
        wake_browsers()
