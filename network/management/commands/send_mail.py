"""manage.py send_mail: one round of what the server does by itself every few seconds."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from network.actions.mail import MailRound, send_round_of_mail


class Command(BaseCommand):
    """Sends the mail that waits and is due; what the mail server does not take stays and is tried again.

    Ends with status 1 when a mail was refused or the mail server could not be reached. A mail that is refused
    for good, or for three days, is given up: an entry of the audit record says so.
    """

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Send, and say how many."""
        done = MailRound()
        while (one := send_round_of_mail()) != MailRound():
            done.sent += one.sent
            done.refused += one.refused
            done.given_up += one.given_up
            done.is_away = one.is_away
            if one.is_away:
                break
        self.stdout.write(f"{done.sent} sent")
        if done.refused:
            raise CommandError(
                f"{done.refused} refused by the mail server, {done.given_up} of them given up; the others "
                "are tried again. Look at NETWORK_MAIL_FROM, and at the mail server's own record."
            )
        if done.is_away:
            raise CommandError("The mail server cannot be reached: what waits is kept and tried again later.")
