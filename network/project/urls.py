"""Every route of the product: one include for each app."""

from django.urls import include, path

from network.project import directory, views
from network.project.api import api
from network.project.documents import views as documents

_patterns, _app, _namespace = api.urls
# The library's own root page says nothing and names no right.
api_routes = ([pattern for pattern in _patterns if getattr(pattern, "name", None) != "api-root"], _app)

# Behind the base app's: work on the own entry stands below the same path as the codes of States.
directory_routes = [
    path("directory/", directory.list_directory, name="directory"),
    path("directory/own/preview/", directory.preview_entry, name="directory-preview"),
    path(
        "directory/authorities/<uuid:authority_uuid>/", directory.show_authority, name="directory-authority"
    ),
    path("directory/<str:state_code>/", directory.show_state, name="directory-state"),
]

urlpatterns = [
    path("", views.start, name="start"),
    path("start/now/", views.start_now, name="start-now"),
    path("welcome/", views.welcome, name="welcome"),
    path("welcome/note/", views.fingerprint_note, name="fingerprint-note"),
    path("states/", views.list_states, name="states"),
    path("", include("network.urls")),
    path("", include("messaging.urls")),
    *documents.urlpatterns,
    *directory_routes,
    path("api/", include(api_routes, namespace=_namespace)),
]

handler400 = "network.views.errors.bad_request"
handler403 = "network.views.errors.forbidden"
handler404 = "network.views.errors.not_found"
handler500 = "network.views.errors.server_error"
