"""Who handles a thread for an authority: whoever opens it or writes first, until it is given to another."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging import access, policy
from messaging.access import SeenThread, audience_of
from messaging.actions.notices import tell_of_thread
from messaging.models import Assignment, ThreadMember
from messaging.permissions import Permission
from messaging.protocol import AssignmentReference, Handler
from messaging.queries import handler_body
from network import audit
from network.actions.hand_over import Moved, Step
from network.errors import Forbidden
from network.frames import Notice
from network.models import Membership
from network.policy import Actor
from network.realtime import publish_on_commit

ASSIGNED = "messaging.thread.assigned"

# By the id of the own row in a thread: the thread, and who was the first to write in it.
Hands = dict[int, tuple[SeenThread, Actor]]


def assign_first(hands: Mapping[int, tuple[SeenThread, Actor]]) -> list[Notice]:
    """Give threads that nobody handles for an authority to who writes in them; returns who must hear.

    Runs inside the transaction that writes, with the threads locked.
    """
    now = timezone.now()
    rows = [
        Assignment(member=seen.own, membership_id=actor.membership_id, since_at=now)
        for seen, actor in hands.values()
    ]
    Assignment.objects.bulk_create(rows)
    return [notice for seen, _ in hands.values() for notice in _notices(seen.own, seen.members)]


@transaction.atomic(durable=True)
def assign_thread(actor: Actor, *, thread_id: str, membership_id: uuid.UUID | None = None) -> Handler:
    """Give a thread of the own authority to a colleague, or take it; who has it already keeps it.

    Raises `SignedOut`, `NotFound`, `Forbidden("only-supervisors" | "cannot-handle")`.
    """
    access.stand(actor, Permission.THREAD_ASSIGN)
    seen = access.get_thread(actor, thread_id, to=Permission.THREAD_ASSIGN, locked=True)
    member = access.get_handler(actor, membership_id or actor.membership_id)
    before = seen.handler
    if before and before.membership_id == member.id:
        before.membership = member
        return handler_body(before)
    made = Assignment(member=seen.own, membership=member, since_at=timezone.now())
    Assignment.objects.bulk_create(
        [made], update_conflicts=True, unique_fields=["member"], update_fields=["membership", "since_at"]
    )
    told = tell_of_thread(actor, thread_ids=[thread_id], member=member)
    audit.record(actor, "thread:assign", thread_id, membership=member.id.hex)
    publish_on_commit(*_notices(seen.own, seen.members), *told)
    return handler_body(made)


def _count(member: Membership) -> int:
    return Assignment.objects.filter(membership=member).count()


def _move(leaver: Membership, successor: Membership | None) -> Moved:
    """Give all threads of the leaver to the successor, or to nobody, and tell all their members."""
    rows = Assignment.objects.filter(membership=leaver)
    ids = list(rows.order_by("member_id").values_list("member_id", flat=True))
    if not ids:
        return Moved(0)
    if successor is None:
        rows.delete()
        return Moved(len(ids), _notices_of(ids))
    _give(ids, successor, timezone.now())
    threads = ThreadMember.objects.filter(id__in=ids).values_list("thread_id", flat=True)
    return Moved(len(ids), [*_notices_of(ids), *tell_of_thread(None, thread_ids=threads, member=successor)])


def _give(ids: Iterable[int], successor: Membership, now: datetime) -> None:
    if not policy.can_handle(successor.role_set):
        raise Forbidden(
            "cannot-handle",
            _("There are threads to hand over. Choose somebody who reads correspondence."),
        )
    Assignment.objects.filter(member_id__in=ids).update(membership=successor, since_at=now)


THREADS = Step("threads", _("Threads of sealed correspondence that the successor handles"), _count, _move)


def _notices_of(ids: Iterable[int]) -> list[Notice]:
    """Return what all members of these threads must hear; three queries however many there are."""
    own = list(ThreadMember.objects.filter(id__in=list(ids)).order_by("id"))
    beside: dict[str, list[ThreadMember]] = {}
    rows = ThreadMember.objects.filter(thread_id__in={row.thread_id for row in own})
    for row in rows.select_related("principal").order_by("id"):
        beside.setdefault(row.thread_id, []).append(row)
    return [notice for row in own for notice in _notices(row, beside[row.thread_id])]


def _notices(own: ThreadMember, members: Iterable[ThreadMember]) -> list[Notice]:
    reference = AssignmentReference(thread=own.thread_id, principal=own.principal_id)
    audiences = sorted({audience_of(member.principal) for member in members})
    return [Notice(ASSIGNED, audience, reference) for audience in audiences]
