"""The forms of an entry in the directory: their fields, and what stands in them before anybody types."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from network.directory.channels import CHANNELS
from network.directory.facts import GROUPS, SPECIAL_MOST, Posted
from network.directory.hours import time_zones
from network.directory.names import LANGUAGES, language_codes, languages_in_order
from network.errors import Sentence
from network.models import DirectoryEntry, FormalRequests, Office, OfficeKind, OralRequests, Visibility
from network.templatetags.directory import hours_text
from network.views.fields import Choice, Field

SIX = ("ar", "zh", "en", "fr", "ru", "es")
EMPTY_ROWS = 3

GROUP_TITLES: dict[str, Promise] = {
    "visibility": _("The whole entry"),
    "address": _("Postal addresses"),
    "telephone": _("Telephone numbers"),
    "mail": _("Mail addresses"),
    "hours": _("Office hours"),
    "duty": _("Telephone for urgent matters"),
    "languages": _("Languages accepted"),
    "channels": _("How requests are to be sent"),
}
_WRONG = _("Look at this field again.")

VISIBILITY = tuple(
    Field(group, GROUP_TITLES[group], _WRONG, kind="select", choices=tuple(Visibility.choices))
    for group in GROUPS
)
NAMES = tuple(
    Field(f"name-{code}", title, _WRONG)
    for code, title in zip(
        LANGUAGES,
        (_("Arabic"), _("Chinese"), _("English"), _("French"), _("Russian"), _("Spanish")),
        strict=True,
    )
)
CHANNEL_FIELDS = (
    Field(
        "formal_requests",
        _("Formal requests through this network"),
        _WRONG,
        kind="select",
        choices=tuple(FormalRequests.choices),
    ),
    Field(
        "oral_requests",
        _("Oral requests in urgent cases"),
        _WRONG,
        kind="select",
        choices=tuple(OralRequests.choices),
    ),
    Field(
        "told_again_after",
        _("Minutes until what is urgent is told again"),
        _WRONG,
        hint=_("To your duty officers and who handles it, where nobody has acknowledged: from 5 to 240."),
        most=3,
        is_code=True,
    ),
    Field(
        "told_further_after",
        _("Minutes until your supervisors and the other authority are told"),
        _WRONG,
        hint=_("That still nobody has acknowledged. What is wanted at once is told again sooner."),
        most=3,
        is_code=True,
    ),
)
CHANNEL_AREAS = (
    Field(
        "channel_note",
        _("What else a requesting authority has to know"),
        _WRONG,
        hint=_("Format, number of copies, kind of translation: at most 1000 characters."),
    ),
    Field(
        "urgent_procedure",
        _("What to do in urgent cases"),
        _WRONG,
        hint=_("Whom to telephone, what to send first: at most 1000 characters."),
    ),
)


def office_fields() -> tuple[Field, ...]:
    """Return the single-line fields of an office."""
    zones: tuple[Choice, ...] = (("", _("Choose …")), *((name, name) for name in time_zones()))
    return (
        Field("name", _("Name of the office"), _WRONG, is_wide=True),
        Field("kind", _("What it is for"), _WRONG, kind="select", choices=tuple(OfficeKind.choices)),
        Field("time_zone", _("Time zone"), _WRONG, kind="select", choices=zones),
        Field("mail", _("Mail address of the office"), _WRONG, most=254, is_code=True),
        Field(
            "duty_telephone",
            _("Telephone for urgent matters"),
            _WRONG,
            hint=_("Answered at all hours, or as the procedure for urgent cases says."),
            most=40,
            is_code=True,
        ),
    )


OFFICE_AREAS = (
    Field("address", _("Postal address"), _WRONG, hint=_("In lines, as on an envelope.")),
    Field("telephones", _("Telephone numbers"), _WRONG, hint=_("One in each line."), is_code=True),
)


def posted_of(posted: QueryDict) -> Posted:
    """Return what was posted: lists where several may be chosen, else one text each."""
    several = ("languages", "channels")
    return {name: posted.getlist(name) if name.startswith(several) else str(posted[name]) for name in posted}


def office_values(office: Office | None) -> dict[str, str]:
    """Return what stands in the form of an office; of none where one is new."""
    if office is None:
        return {"kind": OfficeKind.MAIN}
    values = {
        "name": office.name,
        "kind": office.kind,
        "time_zone": office.time_zone,
        "mail": office.mail,
        "duty_telephone": office.duty_telephone,
        "address": office.address,
        "telephones": "\n".join(office.telephones),
        "is_always_open": "yes" if office.is_always_open else "",
    }
    for weekday in range(7):
        values[f"hours-{weekday}"] = hours_text(
            [(opens, closes) for day, opens, closes in office.hours if day == weekday]
        )
    for row, special in enumerate(office.special_days.all()):
        values[f"special-first-{row}"] = special.first_on.isoformat()
        values[f"special-last-{row}"] = special.last_on.isoformat()
        values[f"special-reason-{row}"] = special.reason
        values[f"special-hours-{row}"] = hours_text([(opens, closes) for opens, closes in special.hours])
    return values


@dataclass(frozen=True)
class HoursRow:
    """One day of the week in the form."""

    name: str
    title: str | Promise
    value: str
    error: Sentence


@dataclass(frozen=True)
class SpecialRow:
    """One row of days with other hours in the form."""

    row: int
    first: str
    last: str
    reason: str
    hours: str
    is_removed: bool
    errors: list[Sentence]


def hours_rows(values: Posted, errors: Mapping[str, Sentence]) -> list[HoursRow]:
    """Return the seven days, Monday first."""
    return [
        HoursRow(name, WEEKDAYS[day], str(values.get(name, "")), errors.get(name, ""))
        for day in range(7)
        for name in [f"hours-{day}"]
    ]


def special_rows(values: Posted, errors: Mapping[str, Sentence]) -> list[SpecialRow]:
    """Return the rows that are filled in, and some empty ones."""
    parts = ("first", "last", "reason", "hours")
    found: list[SpecialRow] = []
    empty = 0
    for row in range(SPECIAL_MOST + EMPTY_ROWS):
        first, last, reason, hours = (str(values.get(f"special-{part}-{row}", "")) for part in parts)
        empty += not any((first, last, reason, hours))
        if empty > EMPTY_ROWS:
            break
        wrong = [errors[name] for part in parts if (name := f"special-{part}-{row}") in errors]
        is_removed = bool(values.get(f"special-remove-{row}"))
        found.append(SpecialRow(row, first, last, reason, hours, is_removed, wrong))
    return found


@dataclass(frozen=True)
class LanguageGroup:
    """The languages of all functions, or of one: what can be ticked, and what can be added."""

    name: str
    title: str | Promise
    ticks: list[tuple[str, str, bool]]  # code, name, ticked
    others: list[tuple[str, str]]
    is_own: bool  # a function that has languages of its own
    error: Sentence


def language_groups(
    functions: Iterable[tuple[str, str | Promise]],
    chosen: Mapping[str, list[str]],
    errors: Mapping[str, Sentence],
) -> list[LanguageGroup]:
    """Return the groups of the form: all functions first, then each that the authority has."""
    groups = []
    for code, title in (("", _("All functions")), *functions):
        name = f"languages-{code}" if code else "languages"
        ticked = [language for language in chosen.get(name, []) if language in language_codes()]
        shown = [*SIX, *(language for language in ticked if language not in SIX)]
        ticks = [(language, words, language in ticked) for language, words in languages_in_order(shown)]
        others = languages_in_order(language_codes() - set(shown))
        groups.append(LanguageGroup(name, title, ticks, others, bool(code and ticked), errors.get(name, "")))
    return groups


def visibility_values(entry: DirectoryEntry) -> dict[str, str]:
    """Return who sees what, and the names, as they stand."""
    values = {
        group: getattr(entry, group if group == "visibility" else f"{group}_visibility") for group in GROUPS
    }
    return values | {f"name-{code}": entry.names.get(code, "") for code in LANGUAGES}


def channel_values(entry: DirectoryEntry) -> dict[str, str]:
    """Return the texts about channels as they stand."""
    names = ("formal_requests", "oral_requests", "channel_note", "urgent_procedure")
    minutes = ("told_again_after", "told_further_after")
    return {name: str(getattr(entry, name)) for name in (*names, *minutes)}


def channel_ticks(chosen: Iterable[str]) -> list[tuple[str, Promise, bool]]:
    """Return the channels of the list with what is ticked."""
    ticked = set(chosen)
    return [(code, title, code in ticked) for code, title in CHANNELS.items()]


def visibility_labels(entry: DirectoryEntry) -> list[tuple[Promise, str, str]]:
    """Return for each group its title, who sees it in words, and as a code."""
    return [
        (GROUP_TITLES[group], str(Visibility(value).label), value)
        for group, value in visibility_values(entry).items()
        if group in GROUP_TITLES
    ]
