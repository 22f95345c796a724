"""A route that fails, to see what is said of it."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def broken(http_request: HttpRequest) -> HttpResponse:
    """Fail with a text that must not get out."""
    raise RuntimeError("told to nobody")


urlpatterns = [path("broken/", broken)]
handler500 = "network.views.errors.server_error"
