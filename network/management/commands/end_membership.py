"""Ends a person's standing in an authority at once, with every sign-in and open socket under it."""

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from network.actions.memberships import end_membership
from network.errors import NotFound


class Command(BaseCommand):
    help = "End a membership now; its sockets close in seconds on every process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the membership."""
        parser.add_argument("membership", type=uuid.UUID)

    def handle(self, *args: Any, **options: Any) -> None:
        """End it."""
        try:
            end_membership(None, membership_id=options["membership"])
        except NotFound as error:
            raise CommandError("There is no such membership, or it has ended already.") from error
        self.stdout.write("The membership has ended.")
