"""What stands around every view: headers, who asks, and how a refusal is shown."""

import uuid
from collections.abc import Callable
from typing import cast
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render

from network import access
from network.errors import Refusal, SignedOut
from network.guard import ActingRequest

GetResponse = Callable[[HttpRequest], HttpResponse]

SIGN_IN_KEY = "sign_in"
OWN_PAGES = frozenset({400, 403, 404})

_SOCKET_ORIGIN = settings.SITE_ORIGIN.replace("http", "ws", 1)

HEADERS = {
    # XSS is total compromise: keys live in the page. No inline code, nothing foreign, no string becomes code.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        f"connect-src 'self' {_SOCKET_ORIGIN}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "X-Frame-Options": "DENY",
}
if settings.SECURE:
    # Django sends this only over a line it knows to be encrypted; behind a proxy it does not know.
    HEADERS["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"


def security_headers(get_response: GetResponse) -> GetResponse:
    """Put the same protective headers on every response, errors and static files included."""

    def middleware(http_request: HttpRequest) -> HttpResponse:
        response = get_response(http_request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if not http_request.path_info.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def one_address(get_response: GetResponse) -> GetResponse:
    """Lead who typed 127.0.0.1 to localhost: keys and sockets belong to one exact origin."""

    def middleware(http_request: HttpRequest) -> HttpResponse:
        is_page = http_request.method in {"GET", "HEAD"} and http_request.path_info != "/healthz"
        if (
            is_page
            and http_request.get_host().startswith("127.0.0.1")
            and "localhost" in settings.ALLOWED_HOSTS
        ):
            return HttpResponseRedirect(settings.SITE_ORIGIN + http_request.get_full_path())
        return get_response(http_request)

    return middleware


def actor_of_request(get_response: GetResponse) -> GetResponse:
    """Set `actor`: who asks, or None. A sign-in that has ended counts as none from the next request on."""

    def middleware(http_request: HttpRequest) -> HttpResponse:
        acting = cast(ActingRequest, http_request)
        acting.actor = None
        if sign_in := http_request.session.get(SIGN_IN_KEY):
            try:
                acting.actor = access.get_actor(uuid.UUID(sign_in))
            except (SignedOut, ValueError):
                http_request.session.flush()
        return get_response(http_request)

    return middleware


def refusal_as_page(get_response: GetResponse) -> GetResponse:
    """Show a refusal as a page with its sentence, or as JSON below /api/."""

    class Middleware:
        def __call__(self, http_request: HttpRequest) -> HttpResponse:
            return get_response(http_request)

        def process_exception(self, http_request: HttpRequest, error: Exception) -> HttpResponse | None:
            return refused(http_request, error) if isinstance(error, Refusal) else None

    return Middleware()


def refused(http_request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Return the response for a refusal."""
    if http_request.path_info.startswith("/api/"):
        return JsonResponse(refusal.as_body(), status=refusal.status)
    if isinstance(refusal, SignedOut):
        return HttpResponseRedirect(f"/sign-in/?next={quote(http_request.path_info)}")
    page = f"{refusal.status}.html" if refusal.status in OWN_PAGES else "400.html"
    return render(http_request, page, {"message": refusal.sentence}, status=refusal.status)
