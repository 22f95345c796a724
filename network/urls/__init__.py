"""Routes of the base app, one module for each of its views."""

from django.urls import URLPattern, path

from network.urls import (
    accounts,
    appearance,
    audit,
    directory,
    factors,
    help_pages,
    invitations,
    notifications,
    proposals,
    sign_ins,
)
from network.views import pages

urlpatterns: list[URLPattern] = [
    path("healthz", pages.health, name="health"),
    path("language/", pages.choose_language, name="set_language"),
    path("what-the-server-sees/", pages.what_the_server_sees, name="what-the-server-sees"),
    *accounts.urlpatterns,
    *appearance.urlpatterns,
    *audit.urlpatterns,
    *directory.urlpatterns,
    *factors.urlpatterns,
    *help_pages.urlpatterns,
    *invitations.urlpatterns,
    *notifications.urlpatterns,
    *proposals.urlpatterns,
    *sign_ins.urlpatterns,
]
