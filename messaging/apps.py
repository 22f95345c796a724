"""Sealed correspondence: devices, keyrings, threads, messages."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say to the base app what it does not know: fingerprints, acts, what moves, what is told."""
        from messaging.actions import key_notices
        from messaging.actions.assignments import THREADS
        from messaging.actions.attachments import clear_attachments
        from messaging.actions.confirmations import SIGNING
        from messaging.actions.escalation import escalate
        from messaging.actions.kits import remind_of_kits
        from messaging.actions.log import anchor_threads
        from messaging.actions.notices import KINDS, THINGS
        from messaging.actions.reminders import remind_of_dates
        from messaging.actions.renewal import remind_of_renewal
        from messaging.actions.reports import forget_reports
        from messaging.actions.retention import tell_what_is_over
        from messaging.acts import ACTS
        from messaging.queries import fingerprint_of
        from network.actions.due import DUTIES, PRESSING_DUTIES
        from network.actions.fingerprints import FINGERPRINTS, SIGNINGS
        from network.actions.hand_over import register
        from network.acts import add_acts
        from network.notification_kinds import register as register_kinds

        add_acts(ACTS)
        register(THREADS)
        register_kinds(THINGS + key_notices.THINGS, KINDS + key_notices.KINDS)

        DUTIES[:] = [
            anchor_threads,
            clear_attachments,
            forget_reports,
            remind_of_dates,
            remind_of_kits,
            remind_of_renewal,
            tell_what_is_over,
        ]
        PRESSING_DUTIES[:] = [escalate]
        FINGERPRINTS[:] = [fingerprint_of]
        SIGNINGS[:] = [SIGNING]
