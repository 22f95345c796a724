"""Public pages of the base: language, what the server sees, health."""

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from network.actions import languages as actions
from network.errors import Invalid
from network.guard import ActingRequest, guarded
from network.languages import is_known, keep_in_browser
from network.permissions import Permission
from network.views.sign_ins import next_of


@require_POST
@guarded(Permission.PUBLIC_READ, limit="api-write")
def choose_language(http_request: ActingRequest) -> HttpResponse:
    """Go on in another language, remembered by this browser and, signed in, with the person."""
    language = http_request.POST.get("language", "")
    if not is_known(language):
        raise Invalid("unknown-language", _("This is not one of the six languages."))
    if http_request.actor:
        actions.choose_language(http_request.actor, language=language)
    response = HttpResponseRedirect(next_of(http_request))
    keep_in_browser(response, language)
    return response


@require_safe
@guarded(Permission.PUBLIC_READ)
def what_the_server_sees(http_request: ActingRequest) -> HttpResponse:
    """Publish exactly what the operator can see, and what it cannot."""
    return render(http_request, "network/what_the_server_sees.html", {"page": "what-the-server-sees"})


@require_safe
@guarded(Permission.PUBLIC_READ)
def health(http_request: ActingRequest) -> HttpResponse:
    """Answer that this process serves."""
    return JsonResponse({"status": "ok"})
