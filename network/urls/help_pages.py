"""Help pages."""

from django.urls import URLPattern, path

from network.views import help as views

urlpatterns: list[URLPattern] = [
    path("help/", views.help_index, name="help"),
    path("help/<slug:slug>/", views.help_topic, name="help-topic"),
]
