"""manage.py audit_verify: walk the whole audit chain and name every place at which it does not hold."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from network.audit import verify_chain


def _noted(text: str) -> tuple[int, str]:
    number, _, noted_hash = text.partition(":")
    if not number.isdecimal() or len(noted_hash) != 64:
        raise CommandError(f"{text!r} is not like NUMBER:HASH, as this command printed it.")
    return int(number), noted_hash


class Command(BaseCommand):
    """Prints the number of entries and the head's hash: note both outside this machine."""

    help = "Check the audit chain; ends with 1 and the faults' places when it does not hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what was noted of earlier runs."""
        parser.add_argument(
            "--noted",
            action="append",
            default=[],
            metavar="NUMBER:HASH",
            help="a head noted earlier: finds a chain that was rewritten together with its head",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and say what was found."""
        report = verify_chain(dict(map(_noted, options["noted"])))
        if report.faults:
            places = "\n".join(f"  {fault}" for fault in report.faults)
            raise CommandError(f"The audit chain does not hold, {len(report.faults)} faults:\n{places}")
        self.stdout.write(
            f"The audit chain holds: {report.entries} entries, head {report.entries}:{report.head}"
        )
