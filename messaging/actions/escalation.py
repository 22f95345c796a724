"""What is urgent is told again, until somebody of each authority that was asked has taken it up.

The server sees who has written in a thread since, and not to what: an acknowledgement or any other word of a
member counts as having seen what stood there before it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from messaging.access import audience_of
from messaging.actions.notices import tell_again, tell_of_silence
from messaging.actions.progress import MADE
from messaging.models import (
    Escalation,
    ItemType,
    Progress,
    Thread,
    ThreadItem,
    ThreadMember,
    ThreadRole,
)
from messaging.protocol import ProgressReference
from messaging.sealed.message import Acknowledgement, Note
from messaging.sealed.plaintext import StageChange
from messaging.sealed.stages import ENDING
from network.frames import Notice
from network.models import DirectoryEntry
from network.queries.entries import entry_of
from network.realtime import publish_on_commit

# First to the duty officers and who handles it; then to the supervisors too, and to whoever asked.
AGAIN, FURTHER = 1, 2
# Where liberty, evidence or assets are at risk, no authority's own minutes are longer than these.
AT_ONCE = 2
AT_ONCE_MINUTES = (5, 15)
# Afterwards the reminders of dates and the lists take over: who was silent for a day is not at a desk.
GIVEN_UP_AFTER = timedelta(days=1)

_ASKED = (ThreadRole.PARTY, ThreadRole.PRACTITIONER)
_WORDS = (Acknowledgement.kind, Note.kind, StageChange.kind)


@dataclass(frozen=True)
class _Due:
    """A member to be told of an item at a stage."""

    item: ThreadItem
    member: ThreadMember
    stage: int


def escalate() -> int:
    """Tell again of every urgent message that waits for too long; return how many members were told.

    Run every few seconds, by several processes at once: a thread is looked at again under its lock.
    """
    now = timezone.now()
    threads = dict.fromkeys(due.item.thread_id for due in _due(_urgent(now), now))
    return sum(_escalate_thread(thread_id, now) for thread_id in threads)


@transaction.atomic(durable=True)
def _escalate_thread(thread_id: str, now: datetime) -> int:
    """Tell the members of one thread; whoever writes in it meanwhile comes before or after."""
    Thread.objects.select_for_update().get(id=thread_id)
    found = list(_due(_urgent(now).filter(thread_id=thread_id), now))
    progress = dict(Progress.objects.filter(thread_id=thread_id).values_list("principal_id", "id"))
    Escalation.objects.bulk_create(
        Escalation(progress_id=progress[due.member.principal_id], seq=due.item.seq, stage=due.stage, at=now)
        for due in found
    )
    if found:
        publish_on_commit(*_notices(thread_id, found))
    return len(found)


def _urgent(now: datetime) -> QuerySet[ThreadItem]:
    """Return the urgent messages of late that some member has said nothing to."""
    rows = ThreadItem.objects.filter(type=ItemType.MESSAGE, urgency__gt=0)  # as its index says
    rows = rows.filter(received_at__gt=now - GIVEN_UP_AFTER)
    rows = rows.only("thread_id", "seq", "principal_id", "urgency", "received_at")
    told = Escalation.objects.filter(
        progress__thread_id=OuterRef("thread_id"),
        progress__principal_id=OuterRef("principal_id"),
        seq=OuterRef(OuterRef("seq")),
        stage=FURTHER,
    )
    silent = _silent(seq=OuterRef(OuterRef("seq")), thread_id=OuterRef("thread_id"))
    silent = silent.exclude(principal_id=OuterRef("principal_id"))
    return rows.filter(Exists(silent.filter(~Exists(told)))).order_by("received_at", "id")


def _silent(*, seq: object, thread_id: object) -> QuerySet[ThreadMember]:
    """Return the members of a thread who have said nothing since an item; nobody once a step has ended it."""
    words = ThreadItem.objects.filter(
        Q(principal_id=OuterRef("principal_id"), kind__in=_WORDS) | Q(stage__in=ENDING),
        thread_id=OuterRef("thread_id"),
        seq__gt=seq,
    )
    return ThreadMember.objects.filter(~Exists(words), thread_id=thread_id, role__in=_ASKED)


def _due(items: Iterable[ThreadItem], now: datetime) -> Iterator[_Due]:
    """Give whom to tell of which of the items now, at the last stage whose time has come."""
    for item in items:
        told = Escalation.objects.filter(progress__thread_id=item.thread_id, seq=item.seq)
        stages = dict(told.values_list("progress__principal_id").annotate(Max("stage")).order_by())
        silent = _silent(seq=item.seq, thread_id=item.thread_id).exclude(principal_id=item.principal_id)
        silent = silent.select_related("principal__authority__entry", "assignment")
        for member in silent.order_by("principal_id"):
            stage = _stage(item, entry_of(member.principal.authority), now)
            if stage > stages.get(member.principal_id, 0):
                yield _Due(item, member, stage)


def _stage(item: ThreadItem, entry: DirectoryEntry, now: datetime) -> int:
    """Return which stage an item has reached at an authority, 0 while none; its own minutes count."""
    minutes = (entry.told_again_after, entry.told_further_after)
    if item.urgency >= AT_ONCE:
        minutes = (min(minutes[0], AT_ONCE_MINUTES[0]), min(minutes[1], AT_ONCE_MINUTES[1]))
    waited = now - item.received_at
    return sum(waited >= timedelta(minutes=each) for each in minutes)


def _notices(thread_id: str, found: Iterable[_Due]) -> list[Notice]:
    """Tell people, and show the threads' open pages when they were told."""
    found = list(found)
    again = [(due.member, due.item.urgency, due.stage == FURTHER) for due in found]
    unheard = [due.item for due in found if due.stage == FURTHER]
    members = ThreadMember.objects.filter(thread_id=thread_id).select_related("principal", "assignment")
    places = list(members.order_by("principal_id"))
    shown = [
        Notice(MADE, audience_of(place.principal), ProgressReference(thread=thread_id, principal=principal))
        for principal in sorted({due.member.principal_id for due in found})
        for place in places
    ]
    askers = {item.principal_id: item.urgency for item in unheard}
    authors = [(place, askers[place.principal_id]) for place in places if place.principal_id in askers]
    return [*tell_again(again), *tell_of_silence(authors), *shown]
