"""Every route of the product: one include for each app."""

from django.urls import include, path

from network.project.api import api
from network.project.views import start

urlpatterns = [
    path("", start, name="start"),
    path("", include("network.urls")),
    path("", include("messaging.urls")),
    path("api/", api.urls),
]

handler400 = "network.views.bad_request"
handler403 = "network.views.forbidden"
handler404 = "network.views.not_found"
handler500 = "network.views.server_error"
