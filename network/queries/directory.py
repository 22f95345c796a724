"""The directory for its readers: lists, one State, one authority. What a reader may not see is not there."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from network import access
from network.directory.folding import searched
from network.directory.function_words import folded_functions, folded_instruments
from network.directory.names import StateNames, folded_languages
from network.errors import NotFound
from network.models import (
    AcceptedLanguage,
    Authority,
    AuthorityKind,
    DirectoryEntry,
    Office,
    State,
    Visibility,
)
from network.permissions import Permission
from network.policy import Actor, Reader, can, reader_of
from network.queries.entries import (
    REMINDED_AFTER,
    ListedEntry,
    due_before,
    functions_in_force,
    listed_entries,
)

STATES_AT_ONCE = 25
AUTHORITIES_OF_STATE = 6  # shown in the list of all States; the others on the page of theirs
AUTHORITIES_AT_ONCE = 50
WORDS_MOST = 8
KINDS = (AuthorityKind.CENTRAL, AuthorityKind.COMPETENT)


@dataclass(frozen=True)
class Filters:
    """What a reader looks for; empty where nothing was chosen."""

    words: str = ""
    function: str = ""
    instrument: str = ""
    language: str = ""
    is_stale: bool = False  # not confirmed for six months, or never

    @property
    def is_any(self) -> bool:
        """Answer whether anything was chosen."""
        return any((self.words, self.function, self.instrument, self.language, self.is_stale))


@dataclass(frozen=True)
class StateGroup:
    """A State with its first authorities; `more` is how many stand on its own page only."""

    state: StateNames
    entries: list[ListedEntry]
    more: int


@dataclass(frozen=True)
class DirectoryPage:
    """Some States in the reader's alphabet; `after` begins the next page."""

    groups: list[StateGroup]
    states: int
    authorities: int
    after: str


@dataclass(frozen=True)
class StatePage:
    """One State; `after` begins the next page."""

    state: StateNames
    entries: list[ListedEntry]
    after: uuid.UUID | None


def names_of(state: State) -> StateNames:
    """Return a State's names."""
    return StateNames(state.code, state.name, state.names)


def shown(reader: Reader, column: str = "visibility") -> Q:
    """Return the condition under which a group of an entry, or the whole of it, is shown to a reader.

    An authority whose entry nobody has touched is shown to the network: its State has not said more yet.
    """
    seen = Q(**{f"entry__{column}__in": sorted(reader.sees)})
    if Visibility.NETWORK in reader.sees:
        seen |= Q(entry__isnull=True)
    return seen | Q(id=reader.own) if reader.own else seen


def entries_shown(reader: Reader) -> QuerySet[Authority]:
    """Return the authorities in the directory: of a State, designated for something now, and shown."""
    designated = functions_in_force().filter(authority=OuterRef("pk"))
    rows = Authority.objects.filter(Exists(designated), kind__in=KINDS, state__isnull=False)
    return rows.filter(shown(reader))


def find_authority(reader: Reader, authority_id: uuid.UUID) -> Authority:
    """Return an authority of the directory; raises `NotFound`, also for what is not shown."""
    found = entries_shown(reader).select_related("state", "entry").filter(id=authority_id).first()
    if found is None:
        raise NotFound
    return found


def list_entries(reader: Reader, filters: Filters, *, after: str = "") -> DirectoryPage:
    """Return States by the reader's alphabet with what fits of them; raises `NotFound` for a bad place."""
    states = {state.code: names_of(state) for state in State.objects.all()}
    matching = _matching(reader, filters, states)
    numbers: Counter[str] = Counter(
        dict(matching.order_by().values("state_id").annotate(n=Count("id")).values_list("state_id", "n"))
    )
    behind = states[after].order() if after in states else None
    if after and behind is None:
        raise NotFound
    ordered = sorted((states[code] for code in numbers), key=StateNames.order)
    rest = [state for state in ordered if behind is None or state.order() > behind]
    page = rest[:STATES_AT_ONCE]
    by_state = _first_of_each(reader, matching, [state.code for state in page])
    groups = [
        StateGroup(state, by_state.get(state.code, []), max(0, numbers[state.code] - AUTHORITIES_OF_STATE))
        for state in page
    ]
    last = page[-1].code if len(rest) > len(page) else ""
    return DirectoryPage(groups, len(numbers), numbers.total(), last)


def _first_of_each(
    reader: Reader, matching: QuerySet[Authority], codes: list[str]
) -> dict[str, list[ListedEntry]]:
    nth = Window(RowNumber(), partition_by=F("state_id"), order_by=("name", "id"))
    rows = matching.filter(state_id__in=codes).annotate(nth=nth).filter(nth__lte=AUTHORITIES_OF_STATE)
    by_state: dict[str, list[ListedEntry]] = {}
    for entry in listed_entries(reader, rows.select_related("entry", "state").order_by("name", "id")):
        by_state.setdefault(entry.authority.state_id or "", []).append(entry)
    return by_state


def read_state(reader: Reader, code: str, *, after: str = "") -> StatePage:
    """Return a State with its authorities by name, at most 50; raises `NotFound` where none is shown."""
    if not (code.isascii() and code.isalnum()):
        raise NotFound
    rows = entries_shown(reader).filter(state_id=code.upper())
    state = State.objects.filter(Exists(rows.filter(state_id=OuterRef("pk")))).first()
    if state is None:
        raise NotFound
    if after:
        last = _place(rows, after)
        rows = rows.filter(Q(name__gt=last.name) | Q(name=last.name, id__gt=last.id))
    joined = rows.select_related("entry", "state").order_by("name", "id")
    found = list(joined[: AUTHORITIES_AT_ONCE + 1])
    page = found[:AUTHORITIES_AT_ONCE]
    behind = page[-1].id if len(found) > len(page) else None
    return StatePage(names_of(state), listed_entries(reader, page), behind)


def _place(rows: QuerySet[Authority], after: str) -> Authority:
    try:
        return rows.get(id=uuid.UUID(after))
    except (ValueError, Authority.DoesNotExist) as error:
        raise NotFound from error


def _matching(reader: Reader, filters: Filters, states: Mapping[str, StateNames]) -> QuerySet[Authority]:
    rows = entries_shown(reader)
    if filters.function:
        rows = rows.filter(_designated(code__in=[filters.function]))
    if filters.instrument:
        rows = rows.filter(_designated(instrument=filters.instrument))
    if filters.language:
        rows = rows.filter(_accepts(reader, [filters.language]))
    if filters.is_stale:
        rows = rows.filter(_stale(timezone.now()))
    if not filters.words:
        return rows
    pieces = searched(filters.words)[:WORDS_MOST]
    return rows.filter(_said(reader, pieces, states)) if pieces else rows.none()


def _said(reader: Reader, pieces: list[str], states: Mapping[str, StateNames]) -> Q:
    """Return the condition that every word of a search is found in what is shown of an authority."""
    condition = Q()
    for word in pieces:
        condition &= (
            Q(state_id__in=[code for code, state in states.items() if word in state.folded])
            | Q(entry__folded_names__contains=word)
            | Q(entry__isnull=True, name__icontains=word.strip())
            | _designated(code__in=_keys(folded_functions(), word))
            | _designated(instrument__in=_keys(folded_instruments(), word))
            | _accepts(reader, _keys(folded_languages(), word))
        )
    return condition


def _keys(folded: Mapping[str, str], word: str) -> list[str]:
    return [key for key, text in folded.items() if word in text]


def _designated(**conditions: object) -> Q:
    rows = functions_in_force().filter(authority=OuterRef("pk"), **conditions)
    return Q(Exists(rows))


def _accepts(reader: Reader, languages: Iterable[str]) -> Q:
    rows = AcceptedLanguage.objects.filter(entry=OuterRef("pk"), language__in=list(languages))
    return Q(Exists(rows)) & shown(reader, "languages_visibility")


def _stale(now: datetime) -> Q:
    return Q(entry__confirmed_at__isnull=True) | Q(entry__confirmed_at__lt=due_before(now))


def instruments_shown(reader: Reader) -> list[str]:
    """Return the instruments that authorities in the directory are designated under."""
    rows = functions_in_force().filter(authority__in=entries_shown(reader).values("id"))
    return sorted(set(rows.order_by().values_list("instrument", flat=True).distinct()))


def languages_shown(reader: Reader) -> list[str]:
    """Return the languages that some authority says it accepts."""
    rows = AcceptedLanguage.objects.filter(
        entry__authority__in=entries_shown(reader).filter(shown(reader, "languages_visibility")).values("id")
    )
    return list(rows.order_by().values_list("language", flat=True).distinct())


def common_instruments(actor: Actor | None, authority_id: uuid.UUID) -> list[str]:
    """Return the instruments under which the reader's authority and another are both designated."""
    if actor is None or actor.authority_id == authority_id:
        return []
    rows = functions_in_force().filter(authority_id__in=[actor.authority_id, authority_id])
    pairs = set(rows.values_list("instrument", "authority_id"))
    return sorted(short for short, n in Counter(short for short, _ in pairs).items() if n == 2)


def find_own_authority(actor: Actor) -> Authority:
    """Return the actor's own authority with its entry; raises `NotFound` where it can have none."""
    own = access.get_own_authority(actor, to=Permission.DIRECTORY_EDIT)
    return Authority.objects.select_related("state", "entry").get(id=own.id)


def has_entry(actor: Actor | None) -> bool:
    """Answer whether the actor's authority stands in the directory."""
    return actor is not None and actor.authority_kind in KINDS and actor.state_code is not None


def is_shown(reader: Reader, authority: Authority) -> bool:
    """Answer whether a reader finds an authority in the directory."""
    return entries_shown(reader).filter(id=authority.id).exists()


def zone_of(authority_id: uuid.UUID) -> str:
    """Return the time zone of an authority's first office; empty where it named none."""
    rows = Office.objects.filter(entry_id=authority_id).order_by("place", "id")
    return rows.values_list("time_zone", flat=True).first() or ""


def count_due(actor: Actor) -> int:
    """Return 1 where the actor should confirm the own entry: after five months, or when nobody ever did."""
    if not can(actor, Permission.DIRECTORY_CONFIRM) or not has_entry(actor):
        return 0
    fresh = DirectoryEntry.objects.filter(
        authority_id=actor.authority_id, confirmed_at__gt=timezone.now() - REMINDED_AFTER
    )
    return 0 if fresh.exists() else 1


@dataclass(frozen=True)
class Desk:
    """What who writes to an authority has to know. `is_open` is None where no hours are shown."""

    languages: tuple[str, ...]
    is_open: bool | None
    changes_at: datetime | None
    time_zone: str
    confirmed_at: datetime | None


def desks_of(actor: Actor, authority_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Desk]:
    """Return by authority accepted languages (codes), whether it is open now and when that changes.

    Four queries, whatever the number. An authority that is not in the directory is missing.
    """
    reader = reader_of(actor)
    rows = entries_shown(reader).filter(id__in=list(authority_ids)).select_related("entry", "state")
    return {
        entry.authority.id: Desk(
            tuple(entry.languages),
            entry.opening.is_open if entry.opening else None,
            entry.opening.changes_at if entry.opening else None,
            entry.time_zone,
            entry.confirmed_at,
        )
        for entry in listed_entries(reader, rows)
    }
