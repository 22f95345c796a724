"""manage.py restore: what was acknowledged comes back after a database was put back.

    manage.py restore --begin "what happened"     before the server starts: puts lost lines of the log back
    manage.py restore --finish                    when devices have handed back what they had: writing goes on

In between two directory officers sign for it with their devices. Until then nothing is read or written; from
then until the end it is read, and devices hand back, and nothing new is written.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from messaging.actions.restoring import begin_restore, finish_restore
from messaging.sealed.restore import CAUSE_LIMIT
from network.errors import Refusal


class Command(BaseCommand):
    """Begins and ends a restore."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take one of the two steps."""
        step = parser.add_mutually_exclusive_group(required=True)
        step.add_argument("--begin", metavar="CAUSE", help=f"why, in at most {CAUSE_LIMIT} characters")
        step.add_argument("--finish", action="store_true", help="let everybody write again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the step, and say what comes next."""
        cause = options["begin"]
        if cause is not None and not 0 < len(cause.strip()) <= CAUSE_LIMIT:
            raise CommandError(f"Say what happened, in at most {CAUSE_LIMIT} characters.")
        try:
            found = finish_restore() if cause is None else begin_restore(cause=cause.strip())
        except Refusal as refusal:
            raise CommandError(f"{refusal.code}: {refusal.sentence}") from refusal
        if cause is None:
            self.stdout.write("The restore is over; everybody writes again.")
        else:
            self.stdout.write(
                f"Restore {found.serial} has begun; the log has {found.log_size} lines. Start the server, "
                "and let two directory officers sign."
            )
