"""What the start page shows: what waits in correspondence, what else waits for a person, where to go."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from messaging.permissions import Permission as Messaging
from messaging.restore_queries import list_restores
from messaging.sealed.stages import STAGES
from messaging.stage_words import STAGE_NAMES
from messaging.waiting import (
    Counts,
    Waiting,
    WaitingThread,
    count_devices_to_approve,
    count_stages,
    count_waiting,
    list_waiting,
)
from network.errors import Sentence
from network.guard import allows
from network.permissions import Permission
from network.policy import Actor
from network.project import console
from network.queries.directory import count_due
from network.queries.invitations import count_expired_invitations
from network.queries.people import count_attestations_due
from network.queries.proposals import proposals_waiting_for

# How many lines a list has: on the overview, and on a page of its own.
SHORT = {Waiting.ANSWER: 10, Waiting.OTHERS: 5}
LONG = 50
FIRST_MOST = 100_000
DIGITS_MOST = 6  # of a number in the address

TITLES: dict[Waiting, Promise] = {
    Waiting.ANSWER: _("Needs your authority’s answer"),
    Waiting.URGENT: _("Urgent, or due within three days"),
    Waiting.OTHERS: _("Waiting for others"),
    Waiting.OVERDUE: _("Overdue at others"),
    Waiting.NEW: _("Not opened yet"),
    Waiting.STILL: _("No movement for 60 days"),
}
TILES = (Waiting.ANSWER, Waiting.URGENT, Waiting.OTHERS, Waiting.OVERDUE, Waiting.STILL, Waiting.NEW)


@dataclass(frozen=True)
class Tile:
    """One number at the head of the page, and the list it leads to."""

    which: Waiting
    title: Promise
    count: int
    is_shown: bool


@dataclass(frozen=True)
class Section:
    """One list of threads; `more` is where the list goes on, empty at its end."""

    which: str
    title: Sentence
    count: int
    lines: list[WaitingThread]
    more: str


@dataclass(frozen=True)
class Standing:
    """How many cases stand at a stage."""

    stage: str
    title: Sentence
    count: int
    is_shown: bool


@dataclass(frozen=True)
class Task:
    """Something besides the correspondence that waits for the person, and where it is done."""

    path: str
    sentence: str
    count: int
    is_alarm: bool = False


@dataclass(frozen=True)
class Wanted:
    """What the address of the page asks for; whatever it does not know it leaves out."""

    show: Waiting | None
    stage: str  # "" unless the cases at one stage are asked for
    mine: bool
    first: int

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Wanted":
        """Read the address."""
        show = asked.get("show", "")
        first = asked.get("from", "")[:DIGITS_MOST]
        return cls(
            show=Waiting(show) if show in set(Waiting) else None,
            stage=asked.get("stage", "") if asked.get("stage") in STAGES and not show else "",
            mine=asked.get("handled", "") == "me",
            first=min(int(first), FIRST_MOST) if first.isascii() and first.isdecimal() else 0,
        )

    def address(
        self, *, show: Waiting | None = None, stage: str = "", first: int = 0, mine: bool | None = None
    ) -> str:
        """Return the query of another list with the same filter, or of the same list further on."""
        parts = [f"show={show}"] if show else []
        parts += [f"stage={stage}"] if stage else []
        parts += ["handled=me"] if (self.mine if mine is None else mine) else []
        parts += [f"from={first}"] if first else []
        return "?" + "&".join(parts)


def correspondence_of(actor: Actor, wanted: Wanted) -> dict[str, object]:
    """Return the numbers and lists of the correspondence; the same few queries however many threads wait."""
    counts = count_waiting(actor, mine=wanted.mine)
    stages = count_stages(actor, mine=wanted.mine)
    shown = [wanted.show] if wanted.show else list(SHORT)
    if wanted.stage:
        sections = [_stage_section(actor, stages.get(wanted.stage, 0), wanted)]
    else:
        sections = [_section(actor, which, counts, wanted) for which in shown]
    return {
        "counts": counts,
        "tiles": [_tile(which, counts, wanted) for which in TILES],
        "standings": [
            Standing(stage, STAGE_NAMES[stage], stages[stage], wanted.stage == stage)
            for stage in STAGES
            if stage in stages
        ],
        "sections": sections,
        "is_long": bool(wanted.show or wanted.stage),
        "address_all": wanted.address(show=wanted.show, stage=wanted.stage, mine=False),
        "address_mine": wanted.address(show=wanted.show, stage=wanted.stage, mine=True),
        "address_overview": wanted.address(),
    }


def _tile(which: Waiting, counts: Counts, wanted: Wanted) -> Tile:
    return Tile(which, TITLES[which], getattr(counts, which), wanted.show == which)


def _section(actor: Actor, which: Waiting, counts: Counts, wanted: Wanted) -> Section:
    first, most = (wanted.first, LONG) if wanted.show else (0, SHORT[which])
    lines, has_more = list_waiting(actor, which, mine=wanted.mine, first=first, most=most)
    following = wanted.address(show=which, first=first + LONG if wanted.show else 0)
    return Section(which, TITLES[which], getattr(counts, which), lines, following if has_more else "")


def _stage_section(actor: Actor, count: int, wanted: Wanted) -> Section:
    lines, has_more = list_waiting(
        actor, None, stage=wanted.stage, mine=wanted.mine, first=wanted.first, most=LONG
    )
    following = wanted.address(stage=wanted.stage, first=wanted.first + LONG)
    return Section("stage", STAGE_NAMES[wanted.stage], count, lines, following if has_more else "")


def tasks_of(actor: Actor) -> list[Task]:
    """Return what else waits for the actor: a query for each kind of it that the actor may do at all."""
    return [task for right, find in _TASKS if allows(actor, right) for task in find(actor) if task.count]


def _devices(actor: Actor) -> Iterator[Task]:
    count = count_devices_to_approve(actor)
    sentence = ngettext("%(count)s device asks to be let in", "%(count)s devices ask to be let in", count)
    yield Task("/devices/", sentence % {"count": count}, count)


def _proposals(actor: Actor) -> Iterator[Task]:
    count = proposals_waiting_for(actor).count()
    sentence = ngettext(
        "%(count)s proposal waits for your decision", "%(count)s proposals wait for your decision", count
    )
    yield Task("/proposals/", sentence % {"count": count}, count)


def _attestations(actor: Actor) -> Iterator[Task]:
    count = count_attestations_due(actor)
    sentence = ngettext("%(count)s person has to be attested", "%(count)s people have to be attested", count)
    yield Task("/people/attest/", sentence % {"count": count}, count)


def _invitations(actor: Actor) -> Iterator[Task]:
    count = count_expired_invitations(actor)
    sentence = ngettext(
        "%(count)s invitation was not answered in time",
        "%(count)s invitations were not answered in time",
        count,
    )
    yield Task("/people/", sentence % {"count": count}, count)


def _entry(actor: Actor) -> Iterator[Task]:
    yield Task(
        "/directory/own/",
        gettext("Your authority’s entry in the directory has to be confirmed"),
        count_due(actor),
    )


def _states(_actor: Actor) -> Iterator[Task]:
    found = console.count_to_settle()
    sentence = ngettext(
        "%(count)s authority shows other keys than were confirmed",
        "%(count)s authorities show other keys than were confirmed",
        found.differ,
    )
    yield Task("/states/", sentence % {"count": found.differ}, found.differ, is_alarm=True)
    sentence = ngettext(
        "%(count)s authority has keys that nobody confirmed yet",
        "%(count)s authorities have keys that nobody confirmed yet",
        found.unconfirmed,
    )
    yield Task("/states/", sentence % {"count": found.unconfirmed}, found.unconfirmed)
    sentence = ngettext(
        "%(count)s authority has nobody who keeps its accounts",
        "%(count)s authorities have nobody who keeps their accounts",
        found.without_administrator,
    )
    yield Task("/states/", sentence % {"count": found.without_administrator}, found.without_administrator)


def _restores(actor: Actor) -> Iterator[Task]:
    waiting = [row for row in list_restores(actor).restores if not row.is_announced]
    sentence = gettext("The network was put back to an earlier day: two directory officers sign for it")
    yield Task("/restores/", sentence, len(waiting), is_alarm=True)


_TASKS: tuple[tuple[StrEnum, Callable[[Actor], Iterator[Task]]], ...] = (
    (Messaging.DEVICE_DECLINE, _devices),
    (Permission.PROPOSAL_DECIDE, _proposals),
    (Messaging.RESTORE_LIST, _restores),
    (Permission.FINGERPRINT_CONFIRM, _states),
    (Permission.DIRECTORY_CONFIRM, _entry),
    (Permission.MEMBERSHIP_ATTEST, _attestations),
    (Permission.INVITATION_SEND, _invitations),
)


@dataclass(frozen=True)
class Place:
    """A page that a role works on, in one sentence, for those who have no correspondence."""

    path: str
    title: Promise
    text: Promise
    permission: StrEnum


_PLACES = (
    Place(
        "/states/",
        _("States"),
        _("Open authorities, confirm keys, invite first people."),
        Permission.STATE_LIST,
    ),
    Place(
        "/people/",
        _("People"),
        _("Who works for your authority, and what each may do."),
        Permission.PERSON_LIST,
    ),
    Place(
        "/devices/", _("Devices"), _("Which devices are let in, and which ask to be."), Messaging.DEVICE_LIST
    ),
    Place("/audit/", _("Audit"), _("What was done, by whom, and the proof of it."), Permission.AUDIT_READ),
    Place(
        "/directory/",
        _("Directory"),
        _("Find the authority to ask, its functions and languages."),
        Permission.PUBLIC_READ,
    ),
    Place(
        "/directory/own/",
        _("Your entry"),
        _("What others find in the directory about your authority; keep it right."),
        Permission.DIRECTORY_EDIT,
    ),
    Place(
        "/account/",
        _("Account"),
        _("Your passkeys, recovery codes and open sign-ins."),
        Permission.FACTOR_READ,
    ),
)


def places_of(actor: Actor) -> list[Place]:
    """Return where the actor may go from the start page."""
    return [place for place in _PLACES if allows(actor, place.permission)]
