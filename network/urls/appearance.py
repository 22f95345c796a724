"""How pages look, and in the development profile what they are made of."""

from django.conf import settings
from django.urls import URLPattern, path

from network.views import appearance

urlpatterns: list[URLPattern] = [
    path("account/appearance/", appearance.appearance_page, name="appearance"),
    path("account/appearance/save/", appearance.set_appearance, name="set-appearance"),
]

if settings.PROFILE in {"development", "test"}:
    urlpatterns.append(path("components/", appearance.components_page, name="components"))
