"""manage.py make_push_key: the key by which push services know this network, made once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from network.key_file import make_key_file


class Command(BaseCommand):
    """Makes the push key unless there is one; with another key every browser would have to ask again."""

    help = __doc__ or ""
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, or leave it."""
        made = make_key_file(settings.PUSH_KEY_FILE)
        print(f"{'made' if made else 'kept'} {settings.PUSH_KEY_FILE}")
