"""Mail that says that there is something new, and nothing else; one for all of it, unless it was read."""

import logging
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from network import limits
from network.access import standing
from network.actions.mail import write_mail
from network.models import Notification, Person

logger = logging.getLogger(__name__)

PAGE = f"{settings.SITE_ORIGIN}/notifications/"
PERSONS_AT_ONCE = 200


def write_news_mail() -> int:
    """Write the mails that are due, one a person, and return how many.

    Several processes may do this at once, and one may die: taking what is due and writing the mail about it
    are one transaction, and of two who would take it one finds nothing left. Whoever had many mails lately
    gets the next one later, however much others send: it tells of all that waits then.
    """
    now = timezone.now()
    due = Notification.objects.filter(standing(now, "membership__"), mail_at__lte=now, read_at__isnull=True)
    persons = due.order_by("membership__person_id").values_list("membership__person_id", flat=True).distinct()
    allowed = (person for person in persons if limits.buckets.take("news-mail", person.hex))
    found = Person.objects.filter(id__in=list(islice(allowed, PERSONS_AT_ONCE)))
    return sum(_try_one(person) for person in found.order_by("id"))


def _try_one(person: Person) -> bool:
    """Write to a person; one whose address cannot be opened keeps nobody else's mail back."""
    try:
        return _write_one(person)
    except ValueError as error:
        logger.warning("a mail cannot be written and waits: %s", type(error).__name__)
        return False


@transaction.atomic(durable=True)
def _write_one(person: Person) -> bool:
    """Write to a person unless another process was first, or everything was read meanwhile."""
    waiting = Notification.objects.select_for_update(of=("self",), no_key=True).filter(
        membership__person=person, mail_at__isnull=False, read_at__isnull=True
    )
    rows = list(waiting.order_by("membership_id", "about").values_list("id", "mail_at"))
    if not any(mail_at and mail_at <= timezone.now() for _, mail_at in rows):
        return False
    # One mail tells of all that waits, also of what would be due a little later.
    claimed = Notification.objects.filter(id__in=[row_id for row_id, _ in rows], mail_at__isnull=False)
    if not claimed.update(mail_at=None):
        return False
    write_mail("something-new", person, link=PAGE)
    return True
