"""Loading the demonstration's States, authorities and persons. Never into a database that holds anything."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import audit
from network.demo import AUTHORITIES, DemoAuthority
from network.errors import Conflict, Forbidden
from network.models import Authority, Function, Membership, Person, State

DESIGNATED_FROM = dt.date(2026, 1, 1)


@transaction.atomic(durable=True)
def load_demo() -> int:
    """Load the demonstration and return the number of persons.

    Raises `Forbidden("not-a-demonstration")` outside the development and test profiles, and
    `Conflict("not-empty")` when there is any authority or person already.
    """
    if settings.PROFILE not in {"development", "test"}:
        raise Forbidden("not-a-demonstration", _("Demonstration data is for trying the product out only."))
    if Authority.objects.exists() or Person.objects.exists():
        raise Conflict("not-empty", _("There are authorities or persons already; nothing was changed."))
    persons = sum(_load_authority(facts) for facts in AUTHORITIES)
    audit.record(None, "demo:load", "demo", authorities=len(AUTHORITIES), persons=persons)
    return persons


def _load_authority(facts: DemoAuthority) -> int:
    if facts.state:
        State.objects.create(code=facts.state[0], name=facts.state[1])
    authority = Authority.objects.create(
        id=facts.authority_id,
        state_id=facts.state[0] if facts.state else None,
        kind=facts.kind,
        name=facts.name,
    )
    Function.objects.bulk_create(
        Function(
            authority=authority, code=code, instrument=instrument, article=article, valid_from=DESIGNATED_FROM
        )
        for code, instrument, article in facts.functions
    )
    Person.objects.bulk_create(
        # "!" is Django's mark of a password that nobody can enter.
        Person(id=person.person_id, email=person.email, name=person.name, password="!")  # noqa: S106
        for person in facts.persons
    )
    now = timezone.now()
    Membership.objects.bulk_create(
        Membership(
            id=person.membership_id,
            person_id=person.person_id,
            authority=authority,
            role=person.role,
            office=person.office,
            from_at=now,
        )
        for person in facts.persons
    )
    return len(facts.persons)
