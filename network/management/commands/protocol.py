"""Writes what the client knows of the protocol: TypeScript types and the OpenAPI document."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from network.project.typescript import generated_files


class Command(BaseCommand):
    help = "Write the generated protocol files; with --check only say whether they are true."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or compare."""
        stale = [path for path, text in generated_files().items() if _content(path) != text]
        if options["check"]:
            if stale:
                names = ", ".join(path.name for path in stale)
                raise CommandError(f"Not up to date: {names}. Run: python manage.py protocol")
            return
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(generated_files()[path], encoding="utf-8")
            self.stdout.write(f"wrote {path.name}")


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
