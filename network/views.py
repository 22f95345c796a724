"""HTTP in, HTTP out for the base: signing in and out, language, public pages, errors."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from network.actions.sign_ins import begin_sign_in, end_sign_in
from network.errors import Forbidden, ForeignForm, Invalid, NotFound, Refusal, Unavailable
from network.guard import ActingRequest, MemberRequest, guarded
from network.middleware import SIGN_IN_KEY, refused
from network.permissions import Permission
from network.queries import list_persons_to_try

choose_language = guarded(Permission.PUBLIC_READ)(set_language)


@require_safe
@guarded(Permission.PUBLIC_READ)
def sign_in_page(http_request: ActingRequest) -> HttpResponse:
    """Show whom one may sign in as; only the development profile has such persons."""
    states = list_persons_to_try() if settings.PROFILE != "production" else []
    context = {"page": "sign-in", "states": states, "next": _next(http_request)}
    return render(http_request, "network/sign_in.html", context)


@require_POST
@guarded(Permission.SIGN_IN_BEGIN, limit="sign-in")
def sign_in_as(http_request: ActingRequest) -> HttpResponse:
    """Sign in as a demo person without proof. The route exists in the development profile only."""
    try:
        membership_id = uuid.UUID(http_request.POST.get("membership", ""))
    except ValueError as error:
        raise Invalid from error
    if http_request.actor:
        end_sign_in(http_request.actor)  # its open pages must not go on as somebody else
    sign_in = begin_sign_in(membership_id=membership_id)
    http_request.session.flush()  # a new session key at sign-in: no fixation
    http_request.session[SIGN_IN_KEY] = sign_in.id.hex
    return HttpResponseRedirect(_next(http_request))


@require_POST
@guarded(Permission.SIGN_IN_END, limit="api-write")
def sign_out(http_request: MemberRequest) -> HttpResponse:
    """End this sign-in; its open sockets close."""
    end_sign_in(http_request.actor)
    http_request.session.flush()
    return HttpResponseRedirect("/sign-in/")


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


def _next(http_request: HttpRequest) -> str:
    wanted = http_request.POST.get("next") or http_request.GET.get("next") or "/"
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return "/"


def bad_request(http_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show 400."""
    return refused(http_request, Refusal("bad-request", _("The server could not read this request.")))


def forbidden(http_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show 403."""
    return refused(http_request, Forbidden())


def not_found(http_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show 404; a page one may not see looks the same."""
    return refused(http_request, NotFound())


def server_error(http_request: HttpRequest) -> HttpResponse:
    """Show 500 without a word about its cause."""
    if http_request.path_info.startswith("/api/"):
        return refused(http_request, Unavailable())
    return render(http_request, "500.html", status=500)


def csrf_failure(http_request: HttpRequest, reason: str = "") -> HttpResponse:
    """Show that the form was too old or came from elsewhere."""
    return refused(http_request, ForeignForm())
