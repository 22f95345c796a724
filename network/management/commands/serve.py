"""Serve the network on one address."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Serve HTTP and sockets until SIGTERM; stops cleanly."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve."""
        from network.project.serve import serve

        try:
            serve(options["host"], options["port"])
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
