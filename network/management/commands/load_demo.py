"""Fill an empty database with the demonstration."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from network.actions.demo import load_demo
from network.errors import Conflict, Refusal


class Command(BaseCommand):
    help = "Load fictional States, authorities and persons into an empty database, to try the product."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how to treat a database that is not empty."""
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there is data already")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, or say why not."""
        try:
            persons = load_demo()
        except Conflict as refusal:
            if not options["if_empty"]:
                raise CommandError(str(refusal.sentence)) from refusal
            return
        except Refusal as refusal:
            raise CommandError(str(refusal.sentence)) from refusal
        self.stdout.write(f"Demonstration loaded: {persons} persons.")
