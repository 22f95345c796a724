"""Pages of sealed correspondence; their content is opened in the browser."""

from django.urls import path, register_converter

from messaging import (
    counterpart_views,
    log_views,
    practitioner_views,
    report_views,
    restore_views,
    retention_views,
    views,
)


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
    path("log/bundle", log_views.bundle, name="log-bundle"),
    path("log/checkpoint", log_views.checkpoint, name="log-checkpoint"),
    path("log/cosignatures", log_views.cosignatures, name="log-cosignatures"),
    path("log/tile/<str:level>/<path:tile_path>", log_views.tile, name="log-tile"),
    path("threads/<hex_id:thread_id>/step/", views.step_page, name="step"),
    path("threads/<hex_id:thread_id>/draft/", views.draft_page, name="draft"),
    path("threads/<hex_id:thread_id>/formal/", views.formal_page, name="formal"),
    path("threads/<hex_id:thread_id>/contact/", views.contact_page, name="contact"),
    path("threads/<hex_id:thread_id>/hold/", retention_views.hold_thread, name="hold"),
    path("threads/<hex_id:thread_id>/hold/lift/", retention_views.lift_thread, name="lift-hold"),
    path("threads/<hex_id:thread_id>/parties/", views.parties_page, name="parties"),
    path("threads/<hex_id:thread_id>/record/", report_views.record_page, name="record"),
    path("threads/<hex_id:thread_id>/report/", report_views.report_page, name="report"),
    path("reports/", report_views.reports_page, name="reports"),
    path("reports/<uuid:report_uuid>/", report_views.shown_report_page, name="shown-report"),
    path("reports/<uuid:report_uuid>/close/", report_views.close_page, name="close-report"),
    path("restores/", restore_views.restores_page, name="restores"),
    path("retention/", retention_views.retention_page, name="retention"),
    path("retention/schedule/", retention_views.set_retention, name="set-retention"),
    path("counterparts/<uuid:authority_uuid>/", counterpart_views.counterpart_page, name="counterpart"),
    path("devices/", views.devices_page, name="devices"),
    path("practitioners/", practitioner_views.practitioners_page, name="practitioners"),
]
