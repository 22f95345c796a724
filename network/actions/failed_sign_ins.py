"""Recording that somebody tried to sign in as one of an authority's people and failed."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from network import access, audit
from network.failed_sign_ins import take_failures
from network.models import AuditEntry, Membership

ACT = "sign-in:fail"
ONCE_IN = timedelta(hours=1)


def record_failed_sign_ins() -> int:
    """Record what was noted since the last time, for known persons alone; returns for how many persons.

    At most once an hour for each person, so that nobody fills another authority's record from outside. Each
    authority of the person has an entry of its own, which does not tell it of the others. An entry names no
    connection: whose it was is not known.
    """
    return sum(_record(index, tries) for index, tries in take_failures().items())


@transaction.atomic(durable=True)
def _record(index: str, tries: int) -> bool:
    now = timezone.now()
    members = Membership.objects.filter(access.standing(now), person__address_index=index).order_by("id")
    found = list(members.values_list("id", "authority_id"))
    subjects = [member.hex for member, _authority in found]
    lately = AuditEntry.objects.filter(act=ACT, subject__in=subjects, at__gt=now - ONCE_IN)
    if not found or lately.exists():
        return False
    for member, authority in found:
        audit.record(None, ACT, member.hex, concerns=[authority], tries=tries)
    return True
