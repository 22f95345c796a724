"""manage.py show_log_key: the key of this network's log, for its witnesses and for whoever verifies it."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from messaging.sealed.checkpoint import log_signers
from messaging.server_key import server_key


class Command(BaseCommand):
    """Prints one line; publish it where your server cannot change it."""

    help = __doc__ or ""
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Print name, id and key."""
        log, _ = log_signers(settings.ORIGIN_NAME, server_key().key.public)
        self.stdout.write(log.line)
