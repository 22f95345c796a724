"""Mail: written in the transaction of the act it tells of, sent after it, kept until a server took it."""

import json
import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from threading import Event
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import get_template, render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from network import audit
from network.field_encryption import index_field, open_field, seal_field
from network.models import Invitation, Membership, OutgoingMail, Person

logger = logging.getLogger(__name__)

# The same for every mail, so that a subject line in somebody's list of mail tells nothing.
SUBJECT = _("Network of Central Authorities")

FIRST_RETRY, LAST_RETRY = timedelta(minutes=1), timedelta(hours=4)
# What a mail server says no to: for good, this often; in any case so long, as an invitation is good for.
REFUSALS = (SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused, ValueError)
REFUSED_TRIES, REFUSED_LASTS = 5, timedelta(days=3)

# Set when a mail was written in this process, so that its loop need not wait for the next round.
mail_waits = Event()


def write_mail(kind: str, to: Person | str, *, language: str | None = None, link: str = "") -> None:
    """Add a mail of a kind (a template `mail/<kind>.txt`) inside the caller's transaction.

    `to` is a person, written to in his or her language, or an address parsed before. A person without an
    address gets none. A template tells nothing but what kind of thing happened; `link` is all it is given.
    """
    get_template(f"mail/{kind}.txt")
    if isinstance(to, Person):
        if not to.address_sealed:
            return
        language = language or to.language
        to = open_field("person.address", bytes(to.address_sealed))
    now = timezone.now()
    facts = json.dumps({"address": to, "link": link})
    OutgoingMail.objects.create(
        kind=kind,
        language=language or settings.LANGUAGE_CODE,
        sealed=seal_field("mail.facts", facts),
        written_at=now,
        next_try_at=now,
    )
    transaction.on_commit(mail_waits.set)


@dataclass
class MailRound:
    """What became of the mails that were due; `is_away` when the mail server could not be reached."""

    sent: int = 0
    refused: int = 0
    given_up: int = 0
    is_away: bool = False


def send_due_mail(*, limit: int = 50) -> int:
    """Send what waits and is due, and return how many mails were taken by the mail server."""
    return send_round_of_mail(limit=limit).sent


def send_round_of_mail(*, limit: int = 50) -> MailRound:
    """Send what waits and is due, and return what became of it.

    Several processes may do this at once: each mail is claimed first. One that dies between the mail server's
    yes and the note of it sends that mail again, with the same Message-ID.
    """
    done = MailRound()
    waiting = OutgoingMail.objects.filter(sent_at__isnull=True, next_try_at__lte=timezone.now())
    for mail in waiting.order_by("next_try_at", "id")[:limit]:
        if not _claim(mail):
            continue
        try:
            message_of(mail).send()
        except REFUSALS as error:
            logger.warning("a mail was refused and waits: %s, %s", mail.kind, type(error).__name__)
            done.refused += 1
            done.given_up += _give_up_if_in_vain(mail, error)
        except OSError as error:  # what smtplib raises too: the next mail would fare no better
            logger.warning("mail cannot be sent and waits: %s", type(error).__name__)
            done.is_away = True
            break
        else:
            _note_sent(mail)
            done.sent += 1
    return done


def _give_up_if_in_vain(mail: OutgoingMail, error: Exception) -> bool:
    """Forget a mail that is refused for good, or for days; the authority sees that in its audit record."""
    tries = mail.tries + 1
    is_over = timezone.now() - mail.written_at >= REFUSED_LASTS
    if not is_over and not (is_for_good(error) and tries >= REFUSED_TRIES):
        return False
    give_up(mail, tries=tries)
    return True


def is_for_good(error: Exception) -> bool:
    """Answer whether a mail server said that it will never take this mail (RFC 5321: a code from 500 up)."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _answer in error.recipients.values())
    return isinstance(error, SMTPDataError) and error.smtp_code >= 500


@transaction.atomic(durable=True)
def give_up(mail: OutgoingMail, *, tries: int) -> None:
    """Forget a mail that cannot be delivered, with an entry for each authority it concerned."""
    found = _whom_it_was_for(mail)
    for subject, authority in found:
        audit.record(None, "mail:give-up", subject.hex, concerns=[authority], kind=mail.kind, tries=tries)
    if not found:
        audit.record(None, "mail:give-up", mail.id.hex, kind=mail.kind, tries=tries)
    OutgoingMail.objects.filter(id=mail.id).delete()


def _whom_it_was_for(mail: OutgoingMail) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Return (membership or invitation, authority) of an address; nothing where it cannot be read."""
    try:
        address = json.loads(open_field("mail.facts", bytes(mail.sealed)))["address"]
    except ValueError:
        return []
    index = index_field("person.address", address)
    if mail.kind == "invitation":
        rows = Invitation.objects.filter(address_index=index, sent_at__lte=mail.written_at).order_by(
            "-sent_at"
        )
        return list(rows.values_list("id", "authority_id")[:1])
    members = Membership.objects.filter(person__address_index=index, until_at__isnull=True)
    return list(members.order_by("id").values_list("id", "authority_id"))


def _claim(mail: OutgoingMail) -> bool:
    """Take a mail for this process by moving its next try; False when another was first."""
    tries = mail.tries + 1
    wait = min(FIRST_RETRY * 2 ** min(tries - 1, 16), LAST_RETRY)
    unclaimed = OutgoingMail.objects.filter(id=mail.id, sent_at__isnull=True, next_try_at=mail.next_try_at)
    return bool(unclaimed.update(tries=tries, next_try_at=timezone.now() + wait))


def _note_sent(mail: OutgoingMail) -> None:
    """Keep that it was sent and when; to whom and with which link is forgotten."""
    OutgoingMail.objects.filter(id=mail.id).update(sent_at=timezone.now(), sealed=b"")


def message_of(mail: OutgoingMail) -> EmailMessage:
    """Return the mail as it is sent; raises `ValueError` when its facts cannot be opened with this key."""
    facts = json.loads(open_field("mail.facts", bytes(mail.sealed)))
    host = urlsplit(settings.SITE_ORIGIN).hostname
    with translation.override(mail.language):
        return EmailMessage(
            subject=str(SUBJECT),
            body=render_to_string(f"mail/{mail.kind}.txt", {"link": facts["link"]}).strip() + "\n",
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[facts["address"]],
            headers={"Message-ID": f"<{mail.id.hex}@{host}>", "Auto-Submitted": "auto-generated"},
        )
