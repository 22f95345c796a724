"""manage.py invite_first_administrator: the first persons of a network that has nobody yet."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from network.actions.first_persons import invite_first_persons
from network.errors import Refusal


class Command(BaseCommand):
    """Invites the first officers of the secretariat, at least two: what is dangerous takes two persons.

    Prints each link, and writes the same mail as every invitation. Hand a link over in person or by mail, and
    the address by another way.
    """

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take addresses and the secretariat's name."""
        parser.add_argument("--address", action="append", required=True, help="one for each person")
        parser.add_argument(
            "--secretariat", default="Secretariat of the network", help="its name, if it is new"
        )
        parser.add_argument("--language", default="en", choices=[code for code, _ in settings.LANGUAGES])
        parser.add_argument(
            "--again", action="store_true", help="although the secretariat has officers already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Invite, or say why not."""
        try:
            invited = invite_first_persons(
                addresses=options["address"],
                secretariat=options["secretariat"],
                language=options["language"],
                again=options["again"],
            )
        except Refusal as refusal:
            raise CommandError(str(refusal.sentence)) from refusal
        for one in invited:
            self.stdout.write(f"{one.address} {one.link}")
        for one in invited:
            if one.took_place:
                self.stderr.write(
                    f"An earlier invitation of {one.address} is withdrawn: its link works no more."
                )
