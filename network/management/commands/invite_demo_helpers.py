"""manage.py invite_demo_helpers: lets the demonstration's programs make their passkeys."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from network.actions.demo import invite_demo_helper
from network.demo import HELPERS
from network.errors import Refusal


class Command(BaseCommand):
    """Writes an invitation's link for each helper that has no passkey file yet."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder of the helpers' files."""
        parser.add_argument("--folder", type=Path, default=settings.STATE_DIR / "demo")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the missing links, each readable by this user alone."""
        folder: Path = options["folder"]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for helper in HELPERS:
            if (folder / f"{helper.file_stem}.passkey").exists():
                continue
            try:
                link = invite_demo_helper(address=helper.address)
            except Refusal as refusal:
                raise CommandError(str(refusal.sentence)) from refusal
            file = folder / f"{helper.file_stem}.invitation"
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as opened:
                opened.write(link)
