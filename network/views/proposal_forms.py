"""The forms that propose an act: which fields they have, and how they become facts."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from network.functions import DESIGNATIONS, FUNCTIONS, INSTRUMENTS, designations_by_instrument
from network.models import SECRETARIAT_ROLES, AuthorityKind, Role
from network.views.fields import Choice, Field

SIGNED_MOST = 8192  # characters of base64
OTHER_ROWS = range(1, 4)  # functions under an instrument that is not in the list

LANGUAGES: tuple[Choice, ...] = (("", _("Choose …")), *settings.LANGUAGES)
KINDS: tuple[Choice, ...] = tuple(
    (kind.value, kind.label)
    for kind in (AuthorityKind.CENTRAL, AuthorityKind.COMPETENT, AuthorityKind.MISSION)
)

NOTIFICATION = (
    Field(
        "notification",
        _("Reference of the notification"),
        _("Write the reference of the depositary notification or note verbale, at most 100 characters."),
        hint=_("The depositary notification or note verbale, as it is filed."),
        most=100,
        is_code=True,
    ),
    Field(
        "notified_on",
        _("Date of the notification"),
        _("Write the date on the notification."),
        kind="date",
        is_code=True,
    ),
)

INVITED = (
    Field(
        "person", _("Name"), _("Write the person’s name as his or her office does, at most 200 characters.")
    ),
    Field("office", _("Office"), _("Write the office or unit the person works in, at most 200 characters.")),
    Field(
        "address",
        _("Mail address"),
        _("Write one complete mail address like name@ministry.example."),
        hint=_("The invitation goes here, and only who types this address can use it."),
        most=254,
        is_code=True,
    ),
    Field("language", _("Language of mail"), _("Choose a language."), kind="select", choices=LANGUAGES),
)

OPENING = (
    Field(
        "state_code",
        _("Code of the State"),
        _("Write the three letters of ISO 3166-1, like FRA, or a user-assigned code."),
        hint=_("Three letters of ISO 3166-1, or a user-assigned code."),
        most=3,
        is_code=True,
    ),
    Field(
        "state_name",
        _("Name of the State"),
        _("Write the name of the State as the United Nations does, at most 200 characters."),
    ),
    Field("kind", _("Kind of authority"), _("Choose a kind."), kind="select", choices=KINDS),
    Field(
        "name",
        _("Name of the authority"),
        _("Write the name as in the notification, at most 200 characters."),
    ),
    *NOTIFICATION,
    *INVITED,
)

FINGERPRINT = (
    Field(
        "fingerprint",
        _("Fingerprint in the note"),
        _("Type all 12 groups of 5 digits. One digit is missing, or there is something that is no digit."),
        hint=_("12 groups of 5 digits, typed from the State’s note and from nowhere else."),
        kind="digits",
        is_wide=True,
    ),
    *NOTIFICATION,
)

ROLES: tuple[Choice, ...] = tuple((role.value, role.label) for role in Role if role in SECRETARIAT_ROLES)


def functions_of(posted: QueryDict) -> list[dict[str, str]]:
    """Return the functions that were ticked or written; those half written come out half."""
    ticked = [place for place in posted.getlist("designation") if place.isdecimal() and len(place) < 5]
    listed = [DESIGNATIONS[int(place)] for place in ticked if int(place) < len(DESIGNATIONS)]
    written = [
        tuple(posted.get(f"other_{part}_{row}", "").strip() for part in ("code", "instrument", "article"))
        for row in OTHER_ROWS
    ]
    rows = [*listed, *(row for row in written if any(row))]
    return [dict(zip(("code", "instrument", "article"), row, strict=True)) for row in rows]


def opening_facts(values: Mapping[str, str], posted: QueryDict) -> dict[str, Any]:
    """Return the facts of a new authority as they were filled in."""
    code = values["state_code"].upper()
    return {**values, "state_code": code, "functions": functions_of(posted)}


def signed_of(posted: Mapping[str, str]) -> dict[str, str]:
    """Return what a device has signed on the page, in base64; nothing where it has signed nothing."""
    return {name: posted.get(name, "")[:SIGNED_MOST] for name in ("statement", "blind")}


def answer_of(posted: Mapping[str, str]) -> dict[str, str]:
    """Return what the second person brings: the digits typed, and what a device has signed."""
    return {"digits": posted.get("answer", ""), **signed_of(posted)}


def role_facts(values: Mapping[str, str], posted: QueryDict) -> dict[str, Any]:
    """Return the facts of roles as they were filled in: for a member, or for who is invited."""
    facts: dict[str, Any] = {"roles": posted.getlist("roles")}
    if member := posted.get("membership", ""):
        return {**facts, "membership": member}
    return {**facts, **values}


def function_groups(posted: QueryDict) -> list[dict[str, object]]:
    """Return the designations the treaties name, by instrument, with what was ticked."""
    ticked = set(posted.getlist("designation"))
    places = {row: str(place) for place, row in enumerate(DESIGNATIONS)}
    return [
        {
            "instrument": instrument,
            "title": INSTRUMENTS[instrument],
            "lines": [
                {"place": places[row], "row": row, "title": title, "is_ticked": places[row] in ticked}
                for row, title in rows
            ],
        }
        for instrument, rows in designations_by_instrument()
    ]


def other_functions(posted: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the rows for functions under another instrument, as they were filled in."""
    return [
        {
            "row": row,
            "code": posted.get(f"other_code_{row}", ""),
            "instrument": posted.get(f"other_instrument_{row}", ""),
            "article": posted.get(f"other_article_{row}", ""),
        }
        for row in OTHER_ROWS
    ]


FUNCTION_CHOICES: tuple[Choice, ...] = tuple((row.code, row.title) for row in FUNCTIONS.values())
