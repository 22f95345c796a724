"""The base app: who is who, events, limits, audit."""

from django.apps import AppConfig


class NetworkConfig(AppConfig):
    name = "network"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what members are told of, and that notifications follow the work."""
        from network.actions.hand_over import register as register_step
        from network.actions.news import HAND_OVER, KINDS, THINGS
        from network.notification_kinds import register

        register(THINGS, KINDS)
        register_step(HAND_OVER)
