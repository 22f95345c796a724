"""The audit record as an authority sees and exports it."""

from django.urls import URLPattern, path

from network.views import audit

urlpatterns: list[URLPattern] = [
    path("audit/", audit.audit_page, name="audit"),
    path("audit/export/", audit.export_audit, name="audit-export"),
]
