"""Routes of the base app."""

from django.conf import settings
from django.urls import URLPattern, path

from network import views

urlpatterns: list[URLPattern] = [
    path("healthz", views.health, name="health"),
    path("language/", views.choose_language, name="set_language"),
    path("sign-in/", views.sign_in_page, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("what-the-server-sees/", views.what_the_server_sees, name="what-the-server-sees"),
]

if settings.PROFILE != "production":
    urlpatterns.append(path("sign-in/as/", views.sign_in_as, name="sign-in-as"))
