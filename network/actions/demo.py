"""Loading the demonstration's States, authorities and persons. Never into a database that holds anything."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import audit
from network.access import standing
from network.actions.directory import store_office
from network.actions.invitations import issue_invitation
from network.demo import AUTHORITIES, HELPERS, DemoAuthority
from network.directory.demonstration import ENTRIES, DemoEntry, DemoOffice, state_names
from network.directory.facts import GROUPS, OfficeFacts, SpecialFacts, parse_hours
from network.directory.folding import fold_all
from network.errors import Conflict, Forbidden, NotFound
from network.field_encryption import index_field, seal_field
from network.invitation_tokens import make_link
from network.models import (
    AcceptedLanguage,
    Authority,
    DirectoryEntry,
    Function,
    Membership,
    Office,
    Person,
    State,
    Visibility,
)

DESIGNATED_FROM = dt.date(2026, 1, 1)


@transaction.atomic(durable=True)
def load_demo() -> int:
    """Load the demonstration and return the number of persons.

    Raises `Forbidden("not-a-demonstration")` outside the development and test profiles, and
    `Conflict("not-empty")` when there is any authority or person already.
    """
    _require_demonstration()
    if Authority.objects.exists() or Person.objects.exists():
        raise Conflict("not-empty", _("There are authorities or persons already; nothing was changed."))
    persons = sum(_load_authority(facts) for facts in AUTHORITIES)
    audit.record(None, "demo:load", "demo", authorities=len(AUTHORITIES), persons=persons)
    return persons


@transaction.atomic(durable=True)
def invite_demo_helper(*, address: str) -> str:
    """Invite a program of the demonstration to make a (new) passkey; returns the invitation's link.

    Raises `Forbidden("not-a-demonstration")` outside the development and test profiles, and `NotFound`.
    """
    _require_demonstration()
    person = next((helper for helper in HELPERS if helper.address == address), None)
    rows = Membership.objects.filter(standing(timezone.now())).select_related("person", "authority")
    membership = rows.filter(id=person.membership_id).first() if person else None
    if membership is None:
        raise NotFound
    invitation = issue_invitation(
        None,
        authority=membership.authority,
        address=address,
        name=membership.person.name,
        office=membership.office,
        roles=membership.role_set,
        language=membership.person.language or settings.LANGUAGE_CODE,
        person=membership.person,
    )
    return make_link(invitation)


def _require_demonstration() -> None:
    if settings.PROFILE not in {"development", "test"}:
        raise Forbidden("not-a-demonstration", _("Demonstration data is for trying the product out only."))


def _load_authority(facts: DemoAuthority) -> int:
    if facts.state:
        code, name = facts.state
        named = {"name": name, "names": state_names(code, name)}
        State.objects.get_or_create(code=code, defaults=named)
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
    if facts.key in ENTRIES:
        _load_entry(authority, ENTRIES[facts.key])
    Person.objects.bulk_create(
        Person(
            id=person.person_id,
            address_index=index_field("person.address", person.address),
            address_sealed=seal_field("person.address", person.address),
            name=person.name,
            language="",  # as the browser of whoever tries it says
            password="!",  # noqa: S106 - Django's mark of a password that nobody can enter
        )
        for person in facts.persons
    )
    now = timezone.now()
    Membership.objects.bulk_create(
        Membership(
            id=person.membership_id,
            person_id=person.person_id,
            authority=authority,
            roles=sorted(person.roles),
            office=person.office,
            from_at=now,
        )
        for person in facts.persons
    )
    return len(facts.persons)


def _load_entry(authority: Authority, facts: DemoEntry) -> None:
    now, days_ago = timezone.now(), facts.confirmed_days_ago
    shown = {f"{group}_visibility": Visibility.PUBLIC for group in GROUPS if group in facts.public}
    entry = DirectoryEntry.objects.create(
        authority=authority,
        version=1,
        names=facts.names,
        folded_names=fold_all(authority.name, *facts.names.values()),
        visibility=Visibility.PUBLIC if facts.is_public else Visibility.NETWORK,
        channels=list(facts.channels),
        channel_note=facts.channel_note,
        formal_requests=facts.formal_requests,
        oral_requests=facts.oral_requests,
        urgent_procedure=facts.urgent_procedure,
        changed_at=now,
        confirmed_at=None if days_ago is None else now - dt.timedelta(days=days_ago),
        **shown,
    )
    AcceptedLanguage.objects.bulk_create(
        AcceptedLanguage(entry=entry, function=function, language=language)
        for function, languages in facts.languages.items()
        for language in languages
    )
    for place, office in enumerate(facts.offices):
        store_office(Office(entry=entry, place=place), _office_facts(office, now.date()))


def _office_facts(office: DemoOffice, today: dt.date) -> OfficeFacts:
    return OfficeFacts(
        kind=office.kind,
        name=office.name,
        address=office.address,
        telephones=office.telephones,
        mail=office.mail,
        duty_telephone=office.duty_telephone,
        time_zone=office.time_zone,
        is_always_open=office.is_always_open,
        hours=tuple(
            (int(day), *hours)
            for days, text in office.hours.items()
            for day in days
            for hours in parse_hours(text)
        ),
        special=tuple(
            SpecialFacts(
                today + dt.timedelta(days=first), today + dt.timedelta(days=last), reason, parse_hours(text)
            )
            for first, last, reason, text in office.special
        ),
    )
