"""Notifications: the list, the settings, and what scripts ask."""

from django.urls import URLPattern, path

from network.views import notifications

urlpatterns: list[URLPattern] = [
    path("notifications/", notifications.list_page, name="notifications"),
    path("notifications/read/", notifications.read_all, name="notifications-read"),
    path("notifications/<uuid:notification_uuid>/open/", notifications.open_one, name="notification-open"),
    path("notifications/level/", notifications.set_level, name="notification-level"),
    path("notifications/now/", notifications.now, name="notifications-now"),
    path("notifications/now/seen/", notifications.seen, name="notifications-seen"),
    path("notifications/settings/", notifications.settings_page, name="notification-settings"),
    path("notifications/settings/save/", notifications.save_settings, name="notification-settings-save"),
    path("notifications/push/", notifications.add_push, name="push-add"),
    path("notifications/push/renew/", notifications.renew_push, name="push-renew"),
    path("notifications/push/remove/", notifications.remove_push, name="push-remove"),
    path("notifications/push/remove-all/", notifications.remove_all_push, name="push-remove-all"),
    path("sw.js", notifications.service_worker, name="service-worker"),
]
