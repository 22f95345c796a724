"""What every page knows: who acts, for whom, until when, and what has to be said once."""

from collections.abc import Callable
from datetime import datetime
from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from network.appearance import Appearance
from network.guard import allows
from network.models import Factor
from network.notices import notices_of
from network.permissions import Permission
from network.policy import Actor, quiet_time
from network.queries.notifications import Waiting, read_waiting


def seconds_left(actor: Actor, quiet_until_at: datetime) -> dict[str, int]:
    """Return in how many seconds a sign-in ends by inactivity, and in any case."""
    now = timezone.now()
    return {
        "quiet": round((min(quiet_until_at, actor.until_at) - now).total_seconds()),
        "until": round((actor.until_at - now).total_seconds()),
    }


def appearance_of(http_request: HttpRequest) -> Appearance:
    """Return how pages look: as the person chose, or as this browser did while nobody was signed in."""
    actor: Actor | None = getattr(http_request, "actor", None)
    in_browser: str = http_request.COOKIES.get(settings.APPEARANCE_COOKIE_NAME, "")
    return Appearance.read(actor.appearance if actor and actor.appearance else in_browser)


def _waiting(actor: Actor, path: str) -> Callable[[], Waiting | None]:
    """Return what a page calls for its bell: the database is asked once, and only by pages that show it."""
    return cache(lambda: read_waiting(actor, path) if allows(actor, Permission.NOTIFICATION_READ) else None)


def page_context(http_request: HttpRequest) -> dict[str, object]:
    """Return `actor` (or None), how the page looks, the notices to show, and the profile."""
    actor = getattr(http_request, "actor", None)
    return {
        "actor": actor,
        "appearance": appearance_of(http_request),
        # Whoever loads a page is there: the middleware has moved the end by inactivity.
        "seconds_left": seconds_left(actor, timezone.now() + quiet_time(actor.roles)) if actor else None,
        "is_unproven": actor is not None and actor.factor == Factor.DEVELOPMENT,
        "is_development": settings.PROFILE != "production",
        "notices": notices_of(http_request),
        "waiting": _waiting(actor, http_request.path) if actor else None,
    }
