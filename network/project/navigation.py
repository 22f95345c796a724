"""The navigation of every page: only what the actor may use, from all apps."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.permissions import Permission as Messaging
from network.guard import allows
from network.permissions import Permission
from network.policy import Actor
from network.queries.proposals import proposals_waiting_for

COUNTED_MOST = 100


@dataclass(frozen=True)
class Entry:
    """One entry: a page and everything below it, the right it asks for, the keys that lead there."""

    path: str
    title: Promise
    permission: StrEnum
    keys: str = ""
    count: Callable[[Actor], int] = lambda _actor: 0
    beside: tuple[str, ...] = ()  # other pages that belong to it


@dataclass(frozen=True)
class Shown:
    """An entry on a page; `place` is "page" or "true" as `aria-current` has it, or empty."""

    entry: Entry
    place: str
    count: int


def _waiting(actor: Actor) -> int:
    return proposals_waiting_for(actor)[:COUNTED_MOST].count()


ENTRIES = (
    Entry("/", _("Start"), Permission.WELCOME_READ, "g s", beside=("/welcome/",)),
    Entry("/threads/", _("Correspondence"), Messaging.THREAD_LIST, "g c"),
    Entry("/directory/", _("Directory"), Permission.PUBLIC_READ, "g d"),
    Entry("/people/", _("People"), Permission.PERSON_LIST),
    Entry("/states/", _("States"), Permission.STATE_LIST),
    Entry("/proposals/", _("Proposals"), Permission.PROPOSAL_LIST, count=_waiting),
    Entry("/practitioners/", _("Practitioners"), Messaging.PRACTITIONER_SPONSOR),
    Entry("/reports/", _("Reports"), Messaging.REPORT_LIST),
    Entry("/audit/", _("Audit"), Permission.AUDIT_READ),
)
ACCOUNT_ENTRIES = (
    Entry("/account/", _("Account"), Permission.FACTOR_READ),
    Entry("/devices/", _("Devices"), Messaging.DEVICE_LIST),
    Entry("/notifications/settings/", _("Settings of notifications"), Permission.NOTIFICATION_CHOOSE),
    Entry("/account/appearance/", _("Appearance"), Permission.APPEARANCE_SET),
)


def navigation(http_request: HttpRequest) -> dict[str, object]:
    """Return what the masthead shows: functions, so that pages without one ask the database nothing."""
    actor: Actor | None = getattr(http_request, "actor", None)

    def shown(entries: Iterable[Entry]) -> list[Shown]:
        allowed = [entry for entry in entries if allows(actor, entry.permission)]
        here = _entry_at(http_request.path, allowed)
        return [
            Shown(entry, _place(http_request.path, entry) if entry is here else "", _count(actor, entry))
            for entry in allowed
        ]

    return {
        "navigation": lambda: shown(ENTRIES),
        "account_entries": lambda: shown(ACCOUNT_ENTRIES) if actor else [],
    }


def _count(actor: Actor | None, entry: Entry) -> int:
    return entry.count(actor) if actor else 0


def _entry_at(path: str, entries: Iterable[Entry]) -> Entry | None:
    """Return the entry a page belongs to: the one with the longest path above it."""
    above = [entry for entry in entries if _place(path, entry)]
    return max(above, key=lambda entry: len(entry.path), default=None)


def _place(path: str, entry: Entry) -> str:
    if path == entry.path:
        return "page"
    is_below = entry.path != "/" and path.startswith(entry.path)
    return "true" if is_below or path.startswith(entry.beside) else ""
