"""Pages that join the apps."""

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from network.guard import ActingRequest, guarded
from network.permissions import Permission


@require_safe
@guarded(Permission.PUBLIC_READ)
def start(http_request: ActingRequest) -> HttpResponse:
    """Lead to the correspondence, or to the sign-in page."""
    return HttpResponseRedirect("/threads/" if http_request.actor else "/sign-in/")
