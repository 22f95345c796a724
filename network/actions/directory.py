"""Work of an authority on its own entry in the directory; every change counts the version of the entry."""

import uuid

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import access, audit
from network.directory.facts import (
    OFFICES_MOST,
    ChannelFacts,
    LanguageFacts,
    OfficeFacts,
    VisibilityFacts,
)
from network.directory.folding import fold_all
from network.errors import Conflict
from network.models import AcceptedLanguage, Authority, DirectoryEntry, Office, SpecialDays
from network.permissions import Permission
from network.policy import Actor

CHANGE = "directory:change"


def begin_entry(authority: Authority) -> DirectoryEntry:
    """Return an authority's entry, made where there is none; call inside the transaction of an act."""
    entry, _is_new = DirectoryEntry.objects.get_or_create(
        authority=authority, defaults={"folded_names": fold_all(authority.name)}
    )
    return entry


def _take(actor: Actor, version: int, to: Permission) -> DirectoryEntry:
    """Return the own entry, locked and counted on; raises `Conflict` where somebody was first."""
    authority = access.get_own_authority(actor, to=to, locked=True)
    entry = begin_entry(authority)
    if entry.version != version:
        raise Conflict(
            "entry-changed",
            _(
                "Somebody else changed the entry while you were writing. What you filled in is kept below. "
                "Look at the entry as it is now; if yours is to stand, save once more."
            ),
        )
    entry.version += 1
    DirectoryEntry.objects.filter(pk=entry.pk).update(version=entry.version, changed_at=timezone.now())
    return entry


def _record(actor: Actor, entry: DirectoryEntry, part: str) -> None:
    audit.record(actor, CHANGE, entry.authority_id.hex, part=part, version=entry.version)


@transaction.atomic(durable=True)
def change_languages(actor: Actor, *, version: int, facts: LanguageFacts) -> None:
    """Say in which languages requests are accepted. Raises `Conflict`, `Forbidden`, `NotFound`."""
    entry = _take(actor, version, Permission.DIRECTORY_EDIT)
    AcceptedLanguage.objects.filter(entry=entry).delete()
    AcceptedLanguage.objects.bulk_create(
        AcceptedLanguage(entry=entry, function=function, language=language)
        for function, languages in facts.by_function.items()
        for language in languages
    )
    _record(actor, entry, "languages")


@transaction.atomic(durable=True)
def change_channels(actor: Actor, *, version: int, facts: ChannelFacts) -> None:
    """Say how requests are to be sent. Raises `Conflict`, `Forbidden`, `NotFound`."""
    entry = _take(actor, version, Permission.DIRECTORY_EDIT)
    DirectoryEntry.objects.filter(pk=entry.pk).update(
        channels=list(facts.channels),
        channel_note=facts.channel_note,
        formal_requests=facts.formal_requests,
        oral_requests=facts.oral_requests,
        urgent_procedure=facts.urgent_procedure,
        told_again_after=facts.told_again_after,
        told_further_after=facts.told_further_after,
    )
    _record(actor, entry, "channels")


@transaction.atomic(durable=True)
def change_visibility(actor: Actor, *, version: int, facts: VisibilityFacts) -> None:
    """Say who sees which group, and the authority's names. Raises `Conflict`, `Forbidden`, `NotFound`."""
    entry = _take(actor, version, Permission.DIRECTORY_EDIT)
    columns = {
        group if group == "visibility" else f"{group}_visibility": chosen
        for group, chosen in facts.by_group.items()
    }
    DirectoryEntry.objects.filter(pk=entry.pk).update(
        **columns,
        names=dict(facts.names),
        folded_names=fold_all(entry.authority.name, *facts.names.values()),
    )
    _record(actor, entry, "visibility")


@transaction.atomic(durable=True)
def keep_office(actor: Actor, *, version: int, office_id: uuid.UUID | None, facts: OfficeFacts) -> None:
    """Add an office, or change one. Raises `Conflict`, `Forbidden`, `NotFound`."""
    entry = _take(actor, version, Permission.DIRECTORY_EDIT)
    office = access.get_own_office(actor, office_id, to=Permission.DIRECTORY_EDIT) if office_id else None
    if office is None:
        others = Office.objects.filter(entry=entry).count()
        if others >= OFFICES_MOST:
            raise Conflict("offices-most", _("An authority has at most 12 offices here. Remove one first."))
        office = Office(entry=entry, place=others)
    store_office(office, facts)
    _record(actor, entry, "office")


def store_office(office: Office, facts: OfficeFacts) -> None:
    """Store an office as the facts say; call inside the transaction of an act."""
    for name in ("kind", "name", "address", "mail", "duty_telephone", "time_zone", "is_always_open"):
        setattr(office, name, getattr(facts, name))
    office.telephones = list(facts.telephones)
    office.hours = [list(row) for row in facts.hours]
    office.save()
    SpecialDays.objects.filter(office=office).delete()
    SpecialDays.objects.bulk_create(
        SpecialDays(
            office=office,
            first_on=row.first_on,
            last_on=row.last_on,
            reason=row.reason,
            hours=[list(hours) for hours in row.hours],
        )
        for row in facts.special
    )


@transaction.atomic(durable=True)
def remove_office(actor: Actor, *, version: int, office_id: uuid.UUID) -> None:
    """Take an office out of the entry. Raises `Conflict`, `Forbidden`, `NotFound`."""
    entry = _take(actor, version, Permission.DIRECTORY_EDIT)
    access.get_own_office(actor, office_id, to=Permission.DIRECTORY_EDIT).delete()
    _record(actor, entry, "office-removed")


@transaction.atomic(durable=True)
def confirm_entry(actor: Actor, *, version: int) -> None:
    """Say that everything in the entry is right today. Raises `Conflict`, `Forbidden`, `NotFound`."""
    entry = _take(actor, version, Permission.DIRECTORY_CONFIRM)
    DirectoryEntry.objects.filter(pk=entry.pk).update(
        confirmed_at=timezone.now(), confirmed_by_id=actor.membership_id
    )
    audit.record(actor, Permission.DIRECTORY_CONFIRM, entry.authority_id.hex, version=entry.version)
