"""manage.py make_field_key: the key that encrypts addresses and factor secrets, made once for the network."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from network.key_file import make_key_file


class Command(BaseCommand):
    """Makes the field key unless there is one; every process and machine must have the same file."""

    help = __doc__ or ""
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, or leave it."""
        made = make_key_file(settings.FIELD_KEY_FILE)
        print(f"{'made' if made else 'kept'} {settings.FIELD_KEY_FILE}")
