"""Every route of the product: one include for each app."""

from django.urls import include, path

from network.project.api import api
from network.project.views import start

_patterns, _app, _namespace = api.urls
# The library's own root page says nothing and names no right.
api_routes = ([pattern for pattern in _patterns if getattr(pattern, "name", None) != "api-root"], _app)

urlpatterns = [
    path("", start, name="start"),
    path("", include("network.urls")),
    path("", include("messaging.urls")),
    path("api/", include(api_routes, namespace=_namespace)),
]

handler400 = "network.views.bad_request"
handler403 = "network.views.forbidden"
handler404 = "network.views.not_found"
handler500 = "network.views.server_error"
