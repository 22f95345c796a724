"""Does what is due by the clock: reminders, ended sessions. For a timer; the server does it every hour."""

from typing import Any

from django.core.management.base import BaseCommand

from network.actions.due import do_what_is_due


class Command(BaseCommand):
    help = "Send the reminders that are due and clear ended sessions away."

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it once."""
        self.stdout.write(f"Reminded of the attestation of {do_what_is_due()} persons.")
