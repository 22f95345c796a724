"""What waits in an authority's correspondence: who owes the next word, what is pressing, what is new.

It follows from what the server sees and from nothing else: the order, senders, kinds and stages of items, the
urgency that their headers say, and how far each side has opened. A note passes the turn, and so do some
steps; after others nobody's word is waited for. An acknowledgement names its message in the sealed part, so
it is counted as one of what stood last when it came.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from messaging import access, policy
from messaging.models import (
    Assignment,
    Device,
    DeviceStatus,
    ItemType,
    Principal,
    Progress,
    Thread,
    ThreadItem,
    ThreadMember,
)
from messaging.permissions import Permission
from messaging.sealed.message import Acknowledgement, Note
from messaging.sealed.stages import ENDING, PASSING
from messaging.stage_words import STAGE_NAMES
from network.errors import Sentence
from network.models import Authority
from network.policy import Actor

# A date wanted presses from this long before it.
DUE_SOON = timedelta(days=3)
# Without any movement for so long, somebody should ask how a case stands.
STILL = timedelta(days=60)

_ENDING = Q(stage__in=ENDING)
_ASKING = Q(kind=Note.kind) | Q(stage__in=PASSING)


class Waiting(StrEnum):
    """Which threads are asked for."""

    ANSWER = "answer"  # the other side has the last word
    URGENT = "urgent"  # of these, what is urgent or due soon
    OTHERS = "others"  # the own side has the last word
    OVERDUE = "overdue"  # of these, what should have been answered by now
    NEW = "new"  # something of the other side was not opened by anybody of the own
    STILL = "still"  # somebody's word is waited for, and nothing has moved for long


@dataclass(frozen=True)
class Counts:
    """How many threads wait in each way; `any` is how many there are."""

    any: int = 0
    answer: int = 0
    urgent: int = 0
    others: int = 0
    overdue: int = 0
    new: int = 0
    still: int = 0


@dataclass(frozen=True)
class WaitingThread:
    """A line of the start page. What is sealed is not in it."""

    thread_id: str
    others: list[Authority]
    is_ours: bool  # the next word is ours
    is_theirs: bool
    stage: str  # where the case stands, "" before the first step
    since: datetime  # of the first word that has no answer yet
    urgency: int
    due_at: datetime | None
    is_acknowledged: bool
    reached: str  # "stored", "delivered" or "opened" by the other side, where the next word is theirs
    new: int
    handler: Assignment | None
    is_mine: bool
    now: datetime = field(repr=False)

    @property
    def stage_name(self) -> Sentence:
        """Return what the stage is called, "" before the first step."""
        return STAGE_NAMES[self.stage] if self.stage else ""

    @property
    def is_overdue(self) -> bool:
        """Tell whether the date wanted has passed."""
        return self.due_at is not None and self.due_at <= self.now

    @property
    def is_due_soon(self) -> bool:
        """Tell whether the date wanted is near."""
        return self.due_at is not None and not self.is_overdue and self.due_at <= self.now + DUE_SOON


def count_waiting(actor: Actor, *, mine: bool = False) -> Counts:
    """Return how many threads of the own authority wait, or of those that the actor handles. One query."""
    access.require(actor, Permission.THREAD_LIST)
    own = access.find_own_principal(actor)
    if own is None:
        return Counts()
    now = timezone.now()
    rows = _places(actor, own, mine=mine)
    flags = {f"is_{which}": Case(When(_condition(which, now), then=1), default=0) for which in Waiting}
    sums = {str(which): Coalesce(Sum(f"is_{which}"), 0) for which in Waiting}
    return Counts(**rows.annotate(**flags).aggregate(any=Count("pk"), **sums))


def list_waiting(
    actor: Actor,
    which: Waiting | None,
    *,
    stage: str = "",
    mine: bool = False,
    first: int = 0,
    most: int = 10,
) -> tuple[list[WaitingThread], bool]:
    """Return threads that wait in this way, the most pressing first, and whether there are more.

    Without a way: those whose case stands at this stage.
    """
    access.require(actor, Permission.THREAD_LIST)
    own = access.find_own_principal(actor)
    if own is None:
        return [], False
    now = timezone.now()
    condition = _condition(which, now) if which else Q(thread__stage=stage)
    rows = _places(actor, own, mine=mine).filter(condition).annotate(**_asked(now))
    order = _ORDERS.get(which, _MOST_PRESSING_FIRST)
    found = list(_with_others(rows).order_by(*order)[first : first + most + 1])
    return _lines(actor, own, found[:most], now), len(found) > most


def count_stages(actor: Actor, *, mine: bool = False) -> dict[str, int]:
    """Return how many cases of the own authority stand at each stage, or of those that the actor handles."""
    access.require(actor, Permission.THREAD_LIST)
    own = access.find_own_principal(actor)
    if own is None:
        return {}
    rows = _own_places(actor, own, mine=mine).exclude(thread__stage="").order_by()
    return dict(rows.values_list("thread__stage").annotate(n=Count("pk")))


def count_devices_to_approve(actor: Actor) -> int:
    """Return how many devices of the own authority ask the actor to be let in."""
    if not (policy.can(actor, Permission.KEYRING_WRITE) and policy.can_see_every_request(actor)):
        return 0
    waiting = Device.objects.filter(
        authority_id=actor.authority_id, status=DeviceStatus.REQUESTED, is_practitioners=False
    )
    return waiting.filter(ended_at__isnull=True).count()


_MOST_PRESSING_FIRST = ("-is_pressing", F("due").asc(nulls_last=True), "-urgency", "since", "thread_id")
_ORDERS: dict[Waiting | None, tuple[str, ...]] = {
    Waiting.NEW: ("-changed_at", "-thread_id"),
    Waiting.STILL: ("changed_at", "thread_id"),
}


def _items() -> QuerySet[ThreadItem]:
    return ThreadItem.objects.filter(thread_id=OuterRef("thread_id"))


def _own_places(actor: Actor, own: Principal, *, mine: bool) -> QuerySet[ThreadMember]:
    rows = ThreadMember.objects.filter(principal=own, thread__owner__isnull=True)
    return rows.filter(assignment__membership_id=actor.membership_id) if mine else rows


def _places(actor: Actor, own: Principal, *, mine: bool) -> QuerySet[ThreadMember]:
    """Return the own places in threads with the last word of either side, and what of theirs is not opened.

    `our_seq` and `their_seq` are 0 before the first word, and the same where nobody's is waited for; each is
    found by an index from the thread's end.
    """
    rows = _own_places(actor, own, mine=mine)
    last = _items().order_by("-seq").values("seq")
    opened = Progress.objects.filter(thread_id=OuterRef("thread_id"), principal=own).values("opened_seq")
    rows = rows.annotate(
        our_seq=Coalesce(Subquery(last.filter(_ENDING | _ASKING & Q(principal=own))[:1]), 0),
        their_seq=Coalesce(Subquery(last.filter(_ENDING | _ASKING & ~Q(principal=own))[:1]), 0),
        opened_seq=Coalesce(Subquery(opened[:1]), 0),
    )
    return rows.annotate(settled_seq=Least("our_seq", "their_seq"))


def _foreign_messages() -> QuerySet[ThreadItem]:
    """Return what the other side sent that nobody of the own has opened."""
    here = ThreadItem.objects.filter(thread_id=OuterRef("thread_id"), type=ItemType.MESSAGE)
    return here.filter(seq__gt=OuterRef("opened_seq")).exclude(principal_id=OuterRef("principal_id"))


def _open_words() -> QuerySet[ThreadItem]:
    """Return what whoever spoke last has asked, since the other side's last word."""
    return _items().filter(_ASKING, seq__gt=OuterRef("settled_seq"))


def unanswered(items: QuerySet[ThreadItem]) -> QuerySet[ThreadItem]:
    """Return those of the items that ask something of the other side, which has said nothing since."""
    later = _items().filter(seq__gt=OuterRef("seq"))
    answers = later.filter(_ENDING | _ASKING & ~Q(principal=OuterRef("principal_id")))
    return items.filter(_ASKING, ~Exists(answers), thread__owner__isnull=True)


def _pressing(now: datetime) -> Q:
    return Q(urgency__gt=0) | Q(due__lte=int((now + DUE_SOON).timestamp()))


def _condition(which: Waiting, now: datetime) -> Q:
    ours, theirs = Q(their_seq__gt=F("our_seq")), Q(our_seq__gt=F("their_seq"))
    match which:
        case Waiting.ANSWER:
            return ours
        case Waiting.URGENT:
            return ours & Q(Exists(_open_words().filter(_pressing(now))))
        case Waiting.OTHERS:
            return theirs
        case Waiting.OVERDUE:
            return theirs & Q(Exists(_open_words().filter(due__lte=int(now.timestamp()))))
        case Waiting.STILL:
            return (ours | theirs) & Q(changed_at__lte=now - STILL)
    return Q(Exists(_foreign_messages()))


def _asked(now: datetime) -> dict[str, Any]:
    """Return the annotations of a line: what the words without an answer ask for, and how much is new."""
    words = _open_words()
    new = _foreign_messages().order_by().values("thread_id").annotate(n=Count("pk")).values("n")
    due = words.filter(due__isnull=False).order_by("due").values("due")
    return {
        "since": Coalesce(Subquery(words.order_by("seq").values("received_at")[:1]), F("changed_at")),
        "urgency": Coalesce(Subquery(words.order_by("-urgency").values("urgency")[:1]), 0),
        "due": Subquery(due[:1]),
        "is_pressing": Case(When(Exists(words.filter(_pressing(now))), then=Value(1)), default=Value(0)),
        "new": Coalesce(Subquery(new), 0),
    }


def _with_others(rows: QuerySet[ThreadMember]) -> QuerySet[ThreadMember]:
    others = ThreadMember.objects.select_related("principal__authority__state").order_by("principal_id")
    threads = Thread.objects.only("id", "stage").prefetch_related(Prefetch("members", others), "progress")
    joined = rows.select_related("assignment__membership__person")
    return joined.prefetch_related(Prefetch("thread", threads))


def _lines(actor: Actor, own: Principal, rows: Iterable[Any], now: datetime) -> list[WaitingThread]:
    found = list(rows)
    acknowledged = _acknowledged([row.thread_id for row in found])
    return [_line(actor, own, row, acknowledged, now) for row in found]


def _acknowledged(thread_ids: list[str]) -> dict[tuple[str, str], int]:
    """Return by thread and principal where the last acknowledgement stands."""
    rows = ThreadItem.objects.filter(thread_id__in=thread_ids, kind=Acknowledgement.kind)
    places = rows.values_list("thread_id", "principal_id").annotate(last=Max("seq")).order_by()
    return {(thread_id, principal_id): last for thread_id, principal_id, last in places}


def _line(
    actor: Actor, own: Principal, row: Any, acknowledged: dict[tuple[str, str], int], now: datetime
) -> WaitingThread:
    others = [member.principal for member in row.thread.members.all() if member.principal_id != own.id]
    is_ours, is_theirs = row.their_seq > row.our_seq, row.our_seq > row.their_seq
    asked = [own.id] if is_ours else [other.id for other in others]
    last = max(row.our_seq, row.their_seq)
    handler: Assignment | None = getattr(row, "assignment", None)
    return WaitingThread(
        thread_id=row.thread_id,
        others=[other.authority for other in others],
        is_ours=is_ours,
        is_theirs=is_theirs,
        stage=row.thread.stage,
        since=row.since,
        urgency=row.urgency,
        due_at=datetime.fromtimestamp(row.due, UTC) if row.due is not None else None,
        is_acknowledged=any(acknowledged.get((row.thread_id, one), 0) > last for one in asked),
        reached=_reached(row, own) if is_theirs else "",
        new=row.new,
        handler=handler,
        is_mine=handler is not None and handler.membership_id == actor.membership_id,
        now=now,
    )


def _reached(row: Any, own: Principal) -> str:
    """Return how far the last own note has come at any other member, by what the server was told."""
    theirs = [progress for progress in row.thread.progress.all() if progress.principal_id != own.id]
    if any(progress.opened_seq >= row.our_seq for progress in theirs):
        return "opened"
    return "delivered" if any(progress.delivered_seq >= row.our_seq for progress in theirs) else "stored"
