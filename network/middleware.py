"""What stands around every view: headers, who asks, and how a refusal is shown."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import cast
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme

from network import access, languages
from network.actions.sign_ins import note_use
from network.errors import ProofNeeded, Refusal, SignedOut
from network.guard import ActingRequest

GetResponse = Callable[[HttpRequest], HttpResponse]

SIGN_IN_KEY = "sign_in"
# What a script or a program asks for by itself is no sign that somebody is there.
OF_PROGRAMS = (
    "/api/",
    "/session/ends/",
    "/notifications/now/",
    "/notifications/push/renew/",
    "/start/now/",
    "/sw.js",
    "/healthz",
)
OWN_PAGES = frozenset({400, 403, 404})

_SOCKET_ORIGIN = settings.SITE_ORIGIN.replace("http", "ws", 1)

HEADERS = {
    # XSS is total compromise: keys live in the page. No inline code, nothing foreign, no string becomes code.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        f"connect-src 'self' {_SOCKET_ORIGIN}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    # A script that is not the one whose hash the page names does not run; one without a hash neither.
    "Integrity-Policy": "blocked-destinations=(script)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Passkeys for this site's own pages; nothing else that a browser can do.
    "Permissions-Policy": (
        "publickey-credentials-get=(self), publickey-credentials-create=(self), "
        "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), "
        "display-capture=(), encrypted-media=(), geolocation=(), gyroscope=(), hid=(), "
        "identity-credentials-get=(), idle-detection=(), local-fonts=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), picture-in-picture=(), screen-wake-lock=(), "
        "serial=(), usb=(), xr-spatial-tracking=()"
    ),
    "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# On the one page where a browser is asked to be woken: a script's address is given to the browser there.
WORKER_POLICY = HEADERS["Content-Security-Policy"].replace(
    "trusted-types 'none'", "trusted-types service-worker"
)
if settings.SECURE:
    # Django sends this only over a line it knows to be encrypted; behind a proxy it does not know.
    HEADERS["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"


# A file or an answer to a program is no page: what a page may do is not said fifty times on a weak line.
# Opened by itself (a picture in SVG can be), it may do nothing.
_OF_PAGES = {
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Embedder-Policy",
    "Integrity-Policy",
    "Permissions-Policy",
}
HEADERS_OF_NO_PAGE = {name: value for name, value in HEADERS.items() if name not in _OF_PAGES} | {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"
}
PROGRAMS_READ = "application/json"


def security_headers(get_response: GetResponse) -> GetResponse:
    """Put the same protective headers on every page, errors included, and on all that is no page."""

    def middleware(http_request: HttpRequest) -> HttpResponse:
        response = get_response(http_request)
        is_static = http_request.path_info.startswith(settings.STATIC_URL)
        is_file = is_static and response.status_code < 400
        is_no_page = is_file or response.headers.get("Content-Type", "").startswith(PROGRAMS_READ)
        for name, value in (HEADERS_OF_NO_PAGE if is_no_page else HEADERS).items():
            response.headers.setdefault(name, value)
        if not is_static:
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
    """Set `actor`: who asks, or None. A sign-in that has ended counts as none from the next request on.

    Pages and forms are what a person does, so they move the end by inactivity; calls of a program do not.
    """

    def middleware(http_request: HttpRequest) -> HttpResponse:
        acting = cast(ActingRequest, http_request)
        acting.actor = None
        if sign_in := http_request.session.get(SIGN_IN_KEY):
            try:
                acting.actor = access.get_actor(uuid.UUID(sign_in))
                if not http_request.path_info.startswith(OF_PROGRAMS):
                    note_use(acting.actor)
            except (SignedOut, ValueError):
                http_request.session.flush()
        return get_response(http_request)

    return middleware


def language_of_reader(get_response: GetResponse) -> GetResponse:
    """Speak the language of whoever is signed in, and let the browser remember it for the pages before that.

    Stands below `LocaleMiddleware`, which has chosen for everybody else.
    """

    def middleware(http_request: HttpRequest) -> HttpResponse:
        acting = cast(ActingRequest, http_request)
        actor = acting.actor
        language = actor.language if actor else ""
        if actor is None or not languages.is_known(language):
            if actor:
                acting.actor = replace(actor, language=translation.get_language() or settings.LANGUAGE_CODE)
            return get_response(http_request)
        with translation.override(language):
            response = get_response(http_request)
        response.headers.setdefault("Content-Language", language)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        cookie = settings.LANGUAGE_COOKIE_NAME
        if is_page and cookie not in response.cookies and http_request.COOKIES.get(cookie) != language:
            languages.keep_in_browser(response, language)
        return response

    return middleware


def refusal_as_page(get_response: GetResponse) -> GetResponse:
    """Show a refusal as a page with its sentence, or as JSON below /api/."""

    class Middleware:
        def __call__(self, http_request: HttpRequest) -> HttpResponse:
            return get_response(http_request)

        def process_exception(self, http_request: HttpRequest, error: Exception) -> HttpResponse | None:
            return refused(http_request, error) if isinstance(error, Refusal) else None

    return Middleware()


def wants_json(http_request: HttpRequest) -> bool:
    """Answer whether a program asks: the REST face, or a script of a page that says so."""
    return (
        http_request.path_info.startswith("/api/") or http_request.headers.get("Accept") == "application/json"
    )


def refused(http_request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Return the response for a refusal."""
    if wants_json(http_request):
        return JsonResponse(refusal.as_body(), status=refusal.status)
    if isinstance(refusal, SignedOut):
        return HttpResponseRedirect(f"/sign-in/?next={quote(http_request.path_info)}")
    if isinstance(refusal, ProofNeeded):
        if http_request.method in {"GET", "HEAD"}:
            return HttpResponseRedirect(f"/sign-in/again/?next={quote(http_request.get_full_path())}")
        return proof_page(http_request)
    page = f"{refusal.status}.html" if refusal.status in OWN_PAGES else "400.html"
    context = {"message": refusal.sentence, "was_read": refusal.status != 400}
    return render(http_request, page, context, status=refusal.status)


def _place(wanted: str) -> str:
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "/"


def proof_page(http_request: HttpRequest, *, is_proven: bool = False) -> HttpResponse:
    """Show the page that asks for a proof and carries the posted form along, so that nothing is lost."""
    own = {"csrfmiddlewaretoken", *(("carried-to", "code") if is_proven else ())}
    carried = [
        (name, value) for name, values in http_request.POST.lists() if name not in own for value in values
    ]
    context = {
        "carried": carried,
        "carried_to": _place(http_request.POST["carried-to"]) if is_proven else http_request.get_full_path(),
        "is_proven": is_proven,
    }
    return render(http_request, "network/prove.html", context, status=200 if is_proven else 403)
