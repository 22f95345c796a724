"""Entries of the directory put together for a reader: functions, languages, offices, how they stand now."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise

from network.directory.channels import CHANNELS
from network.directory.hours import Opening, Schedule, Special, WeekLine, opening_at, week_lines
from network.directory.names import StateNames, languages_in_order, reader_language
from network.functions import FUNCTIONS
from network.models import (
    AcceptedLanguage,
    Authority,
    DirectoryEntry,
    FormalRequests,
    Function,
    Office,
    OfficeKind,
    OralRequests,
    SpecialDays,
)
from network.policy import Reader, can_see

# A State confirms its entries every six months (decision 3/2, paragraph g (vi)); it is reminded from five
# months on, and from nine on the entry says that nobody confirmed it.
CONFIRMED_EVERY = timedelta(days=183)
REMINDED_AFTER = timedelta(days=152)
UNCONFIRMED_AFTER = timedelta(days=274)
SPECIAL_SHOWN = 12


def due_before(now: datetime) -> datetime:
    """Return the moment before which a confirmation is too old."""
    return now - CONFIRMED_EVERY


def functions_in_force() -> QuerySet[Function]:
    """Return the designations that count today."""
    today = timezone.now().date()
    return Function.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=today), valid_from__lte=today
    )


@dataclass(frozen=True)
class ShownFunction:
    """A function in words, with all instruments it is designated under, and languages of its own if any."""

    code: str
    title: str | Promise
    legal_bases: list[tuple[str, str]]  # instrument, article
    languages: list[tuple[str, str]]  # code, name


@dataclass(frozen=True)
class ListedEntry:
    """An authority as a line of a list. What the reader may not see is empty."""

    authority: Authority
    state: StateNames
    name: str
    translation: str  # the name in the reader's language, where the authority gave one
    functions: list[ShownFunction]
    languages: list[str]  # codes
    opening: Opening | None
    time_zone: str
    has_duty: bool
    confirmed_at: datetime | None

    @property
    def language_names(self) -> list[tuple[str, str]]:
        """Return (code, name) of the languages accepted."""
        return languages_in_order(self.languages)

    @property
    def confirmation(self) -> str:
        """Return "fresh", "due" (six months), "old" (nine) or "never"."""
        return confirmation_of(self.confirmed_at)


def confirmation_of(confirmed_at: datetime | None) -> str:
    """Return how old a confirmation is: "fresh", "due", "old" or "never"."""
    if confirmed_at is None:
        return "never"
    age = timezone.now() - confirmed_at
    if age > UNCONFIRMED_AFTER:
        return "old"
    return "due" if age > CONFIRMED_EVERY else "fresh"


@dataclass(frozen=True)
class ShownOffice:
    """An office. What the reader may not see is empty."""

    office: Office
    address: str
    telephones: list[str]
    mail: str
    duty_telephone: str
    opening: Opening | None
    week: list[WeekLine]
    special: list[SpecialDays]  # today's and those to come

    def tells(self, reader: Reader) -> bool:
        """Answer whether anything but its name is shown to the reader; the own authority sees all of them."""
        if self.office.entry_id == reader.own:
            return True
        return any((self.address, self.telephones, self.mail, self.duty_telephone, self.opening))


@dataclass(frozen=True)
class ShownEntry:
    """The whole entry of an authority, as the reader may see it."""

    listed: ListedEntry
    names: list[tuple[str, str]]  # language, name
    offices: list[ShownOffice]
    channels: list[str | Promise]
    channel_note: str
    formal_requests: str
    oral_requests: str
    urgent_procedure: str
    has_channels: bool


def entry_of(authority: Authority) -> DirectoryEntry:
    """Return an authority's entry; one that says nothing where nobody has written any."""
    entry: DirectoryEntry | None = getattr(authority, "entry", None)
    return entry or DirectoryEntry(authority=authority)


def schedule_of(office: Office) -> Schedule:
    """Return an office's hours."""
    special = tuple(
        Special(row.first_on, row.last_on, row.reason, tuple((opens, closes) for opens, closes in row.hours))
        for row in office.special_days.all()
    )
    weekly = tuple((day, opens, closes) for day, opens, closes in office.hours)
    return Schedule(office.time_zone, weekly, special, office.is_always_open)


def listed_entries(reader: Reader, authorities: Iterable[Authority]) -> list[ListedEntry]:
    """Return lines of a list, in the order given; four queries, whatever the number."""
    rows = list(authorities)
    ids = [row.id for row in rows]
    functions, languages, offices = _functions(ids), _languages(ids), _offices(ids)
    now = timezone.now()
    return [_listed(reader, row, functions[row.id], languages[row.id], offices[row.id], now) for row in rows]


def shown_entry(reader: Reader, authority: Authority) -> ShownEntry:
    """Return the whole entry of an authority that the reader may see."""
    entry, now = entry_of(authority), timezone.now()
    ids = [authority.id]
    offices = _offices(ids)[authority.id]
    listed = _listed(
        reader, authority, _functions(ids)[authority.id], _languages(ids)[authority.id], offices, now
    )
    sees = can_see(reader, authority.id, entry.channels_visibility)
    return ShownEntry(
        listed=listed,
        names=sorted(entry.names.items()),
        # An office of which nothing is shown is not there: its name alone would tell that there is something.
        offices=[shown for row in offices if (shown := _office(reader, entry, row, now)).tells(reader)],
        channels=[CHANNELS[code] for code in entry.channels if code in CHANNELS] if sees else [],
        channel_note=entry.channel_note if sees else "",
        formal_requests=str(FormalRequests(entry.formal_requests).label)
        if sees and entry.formal_requests
        else "",
        oral_requests=str(OralRequests(entry.oral_requests).label) if sees and entry.oral_requests else "",
        urgent_procedure=entry.urgent_procedure if sees else "",
        has_channels=sees
        and any((entry.channels, entry.channel_note, entry.formal_requests, entry.oral_requests)),
    )


def _functions(ids: list[uuid.UUID]) -> dict[uuid.UUID, list[Function]]:
    found: dict[uuid.UUID, list[Function]] = defaultdict(list)
    order = list(FUNCTIONS)
    rows = functions_in_force().filter(authority_id__in=ids).order_by("id")
    for row in sorted(rows, key=lambda row: order.index(row.code) if row.code in order else len(order)):
        found[row.authority_id].append(row)
    return found


def _languages(ids: list[uuid.UUID]) -> dict[uuid.UUID, list[AcceptedLanguage]]:
    found: dict[uuid.UUID, list[AcceptedLanguage]] = defaultdict(list)
    for row in AcceptedLanguage.objects.filter(entry_id__in=ids).order_by("id"):
        found[row.entry_id].append(row)
    return found


def _offices(ids: list[uuid.UUID]) -> dict[uuid.UUID, list[Office]]:
    """Return offices by authority, each with its special days of today and later."""
    yesterday = timezone.now().date() - timedelta(days=2)  # it is still then somewhere
    coming = SpecialDays.objects.filter(last_on__gte=yesterday).order_by("first_on", "id")
    rows = Office.objects.filter(entry_id__in=ids).prefetch_related(Prefetch("special_days", coming))
    found: dict[uuid.UUID, list[Office]] = defaultdict(list)
    for row in rows.order_by("place", "id"):
        found[row.entry_id].append(row)
    return found


def _shown_functions(rows: list[Function], own: Mapping[str, list[str]]) -> list[ShownFunction]:
    return [
        ShownFunction(
            code,
            FUNCTIONS[code].title if code in FUNCTIONS else code,
            [(row.instrument, row.article) for row in group],
            languages_in_order(own.get(code, [])),
        )
        for code, group in groupby(rows, key=lambda row: row.code)
    ]


def _listed(
    reader: Reader,
    authority: Authority,
    functions: list[Function],
    languages: list[AcceptedLanguage],
    offices: list[Office],
    now: datetime,
) -> ListedEntry:
    entry = entry_of(authority)
    state = authority.state
    by_function: dict[str, list[str]] = defaultdict(list)
    if can_see(reader, authority.id, entry.languages_visibility):
        for row in languages:
            by_function[row.function].append(row.language)
    desk = _desk(offices) if can_see(reader, authority.id, entry.hours_visibility) else None
    translation = entry.names.get(reader_language(), "")
    return ListedEntry(
        authority=authority,
        state=StateNames(
            state.code if state else "", state.name if state else "", state.names if state else {}
        ),
        name=authority.name,
        translation=translation if translation != authority.name else "",
        functions=_shown_functions(functions, by_function),
        languages=by_function[""],
        opening=opening_at(schedule_of(desk), now) if desk else None,
        time_zone=desk.time_zone if desk else "",
        has_duty=can_see(reader, authority.id, entry.duty_visibility)
        and any(office.duty_telephone or office.kind == OfficeKind.DUTY for office in offices),
        confirmed_at=entry.confirmed_at,
    )


def _desk(offices: list[Office]) -> Office | None:
    """Return the office whose hours stand for the authority: its first with hours, a duty service last."""
    known = [office for office in offices if schedule_of(office).is_known]
    return min(known, key=lambda office: office.kind == OfficeKind.DUTY, default=None)


def _office(reader: Reader, entry: DirectoryEntry, office: Office, now: datetime) -> ShownOffice:
    def sees(visibility: str) -> bool:
        return can_see(reader, entry.authority_id, visibility)

    schedule = schedule_of(office)
    has_hours = sees(entry.hours_visibility) and schedule.is_known
    opening = opening_at(schedule, now) if has_hours else None
    today = opening.local.date() if opening else now.date()
    return ShownOffice(
        office=office,
        address=office.address if sees(entry.address_visibility) else "",
        telephones=office.telephones if sees(entry.telephone_visibility) else [],
        mail=office.mail if sees(entry.mail_visibility) else "",
        duty_telephone=office.duty_telephone if sees(entry.duty_visibility) else "",
        opening=opening,
        week=week_lines(schedule) if opening and not schedule.is_always_open else [],
        special=[row for row in office.special_days.all() if row.last_on >= today][:SPECIAL_SHOWN]
        if opening
        else [],
    )
