"""What every page knows: who acts, and for whom."""

from django.conf import settings
from django.http import HttpRequest


def page_context(http_request: HttpRequest) -> dict[str, object]:
    """Return `actor` (or None) and whether this is the development profile."""
    return {
        "actor": getattr(http_request, "actor", None),
        "is_development": settings.PROFILE != "production",
    }
