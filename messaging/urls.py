"""Pages of sealed correspondence; their content is opened in the browser."""

from django.urls import path, register_converter

from messaging import views


class HexIdConverter:
    """A 32-byte identifier in lowercase hexadecimal."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        """Return the text as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Return the text as it is."""
        return value


register_converter(HexIdConverter, "hex_id")

urlpatterns = [
    path("threads/", views.threads_page, name="threads"),
    path("threads/new/", views.new_thread_page, name="new-thread"),
    path("threads/<hex_id:thread_id>/", views.thread_page, name="thread"),
    path("devices/", views.devices_page, name="devices"),
]
