"""manage.py make_server_key: the key that signs receipts, made once for the whole network."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from messaging.server_key import server_key
from network.key_file import make_key_file


class Command(BaseCommand):
    """Makes the server key unless there is one; every process and machine must have the same file."""

    help = __doc__ or ""
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, or leave it, and print the id of its key."""
        made = make_key_file(settings.SERVER_KEY_FILE)
        print(f"{'made' if made else 'kept'} {settings.SERVER_KEY_FILE}: {server_key().id.hex()}")
