"""The clock of attestation: gives everybody a date and reminds, once each, of those that come near."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from network import access, audit
from network.actions.mail import write_mail
from network.actions.news import tell_of_attestation
from network.models import AuthorityKind, Membership, Role
from network.policy import ATTESTATION_EVERY, ATTESTATION_LASTS, ATTESTATION_REMINDERS
from network.realtime import publish_on_commit

PAGE = "/people/attest/"


@transaction.atomic(durable=True)
def remind_of_attestation() -> int:
    """Write the reminders that are due to who may attest, and return how many memberships they are about.

    Run as often as one likes, by several processes at once: each reminder is claimed first.
    """
    now = timezone.now()
    _begin_clocks(now)
    due = list(_claim(now))
    attesting = {by.id: by for member in due for by in _who_attests(member)}
    for person in {by.person_id: by.person for by in attesting.values()}.values():
        write_mail("attestation-due", person, link=settings.SITE_ORIGIN + PAGE)
    told = tell_of_attestation(attesting.values())
    for member in due:
        audit.record(None, "attestation:remind", member.id.hex, concerns=[member.authority_id])
    publish_on_commit(*told)
    return len(due)


def _begin_clocks(now: datetime) -> None:
    """Give a date to whoever has none: as if attested on joining, but nobody lapses without a reminder."""
    without = Membership.objects.filter(attested_until_at__isnull=True, until_at__isnull=True)
    long_here = without.filter(from_at__lt=now - ATTESTATION_EVERY)
    long_here.update(attested_until_at=now + (ATTESTATION_LASTS - ATTESTATION_EVERY), attestation_reminders=0)
    without.update(attested_until_at=F("from_at") + ATTESTATION_LASTS, attestation_reminders=0)


def _claim(now: datetime) -> Iterable[Membership]:
    """Yield those to be reminded of, each only to the process whose mark on the row was the first.

    The last reminder first: who was never reminded of gets one, not both.
    """
    for count, after in sorted(enumerate(ATTESTATION_REMINDERS, start=1), reverse=True):
        rows = Membership.objects.filter(until_at__isnull=True, attestation_reminders__lt=count)
        rows = rows.filter(attested_until_at__lte=now + ATTESTATION_LASTS - after, attested_until_at__gt=now)
        for member in rows.select_related("authority").order_by("id"):
            unclaimed = Membership.objects.filter(id=member.id, attestation_reminders__lt=count)
            if unclaimed.update(attestation_reminders=count):
                yield member


def _who_attests(member: Membership) -> list[Membership]:
    """Return the authority's other administrators; where there is none, the directory officers."""
    others = access.administrators_in_force(member.authority_id).exclude(id=member.id)
    found = list(others.select_related("person")[:20])
    if not found:
        officers = access.with_role(Role.DIRECTORY_OFFICER).filter(access.standing(timezone.now()))
        officers = officers.filter(authority__kind=AuthorityKind.SECRETARIAT).exclude(id=member.id)
        found = list(officers.select_related("person")[:20])
    return found
