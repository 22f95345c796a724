"""Publishes the documents for programs as they stand in the repository, for everybody to read and keep."""

from functools import cache
from typing import cast

from django.conf import settings
from django.http import HttpResponse
from django.urls import URLPattern, path
from django.utils.cache import get_conditional_response, set_response_etag
from django.views.decorators.http import require_safe

from network.guard import ActingRequest, guarded
from network.permissions import Permission

KEPT_SECONDS = 3600
JSON, TEXT = "application/json", "text/plain; charset=utf-8"
# What is published under which name, from where, and as what.
DOCUMENTS = {
    "openapi.json": ("network/openapi.json", JSON),
    "asyncapi.json": ("network/asyncapi.json", JSON),
    "sdk.md": ("messaging/sdk/README.md", TEXT),
    "protocol.md": ("messaging/PROTOCOL.md", TEXT),
}


@cache
def _content(place: str) -> bytes:
    return (settings.BASE_DIR / place).read_bytes()


@require_safe
@guarded(Permission.PUBLIC_READ)
def document(http_request: ActingRequest, name: str) -> HttpResponse:
    """Give one document, or say that it is the one the program has."""
    place, kind = DOCUMENTS[name]
    response = HttpResponse(_content(place), content_type=kind)
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    set_response_etag(response)
    fitting = get_conditional_response(http_request, etag=response.headers["ETag"], response=response)
    return cast(HttpResponse, fitting)


urlpatterns: list[URLPattern] = [
    path(f"api/{name}", document, {"name": name}, name=f"document-{name}") for name in DOCUMENTS
]
