"""What is shown when something went wrong before or outside a view."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from network.errors import Forbidden, ForeignForm, NotFound, Refusal, Unavailable
from network.languages import of_browser, spoken_to
from network.middleware import refused


def bad_request(http_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show 400."""
    refusal = Refusal("bad-request", _("The server could not read this request."))
    if hasattr(http_request, "LANGUAGE_CODE"):
        return refused(http_request, refusal)
    # Refused before the language was chosen, for the host it names: nobody is known then.
    with spoken_to(of_browser(http_request.headers.get("Accept-Language", ""), http_request.COOKIES)):
        return refused(http_request, refusal)


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
