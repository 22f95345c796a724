"""manage.py witness: follow a network's log of keys from outside and sign it (messaging.tools.witness)."""

import sys
from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from messaging.tools import witness


class Command(BaseCommand):
    """For authorities and others that watch a network other than the one of this server."""

    help = witness.__doc__ or ""
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the same arguments."""
        witness.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it, and end with its status."""
        status = witness.run(Namespace(**options))
        if status:
            sys.exit(status)
