"""Handing over what somebody works on: everything in one act, and the old account does nothing after it.

What hangs on a membership is moved by steps that other apps register; the base does not know what they are.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import access, audit
from network.actions.mail import write_mail
from network.actions.standing import (
    begin_change,
    end_delegations,
    end_sign_ins,
    keep_an_administrator,
    lock_people,
)
from network.errors import Conflict, Forbidden, Sentence
from network.frames import Notice
from network.models import Membership
from network.permissions import Permission
from network.policy import Actor, can_hand_over
from network.realtime import publish_on_commit, revoke_on_commit


@dataclass(frozen=True)
class Moved:
    """How much of something was moved, and who must hear of it."""

    count: int
    notices: Sequence[Notice] = ()


@dataclass(frozen=True)
class Step:
    """One kind of thing that hangs on a membership.

    `move(leaver, successor)` gives all of it to the successor, or lets go of it where there is none; it runs
    in the transaction of the act, publishes nothing itself, and raises a `Refusal` to stop the whole act.
    """

    name: str  # in the audit entry
    sentence: Sentence  # of the page that says what will move
    count: Callable[[Membership], int]
    move: Callable[[Membership, Membership | None], Moved]


STEPS: dict[str, Step] = {}


def register(step: Step) -> None:
    """Add a step; raises ValueError for a second one of the same name."""
    if STEPS.setdefault(step.name, step) is not step:
        raise ValueError(f"there are two steps {step.name}")


@transaction.atomic(durable=True)
def hand_over(actor: Actor, *, membership_id: uuid.UUID, successor_id: uuid.UUID) -> None:
    """End a colleague's standing and give what he or she works on to a successor, all or nothing.

    Raises `NotFound`, `Forbidden`, `Conflict("last-administrator")`, and what a step refuses.
    """
    # Both are locked from the beginning: of two hand-overs to and fro the second finds its successor gone.
    seen = access.get_membership(actor, membership_id, to=Permission.MEMBERSHIP_HAND_OVER)
    lock_people({seen.authority_id}, {membership_id, successor_id}, actor)
    leaver = begin_change(actor, membership_id, to=Permission.MEMBERSHIP_HAND_OVER)
    if not can_hand_over(actor, leaver.role_set):
        raise Forbidden(
            "only-administrators", _("Only an administrator hands over for somebody with these roles.")
        )
    keep_an_administrator(leaver)
    successor = access.get_successor(actor, successor_id, of=leaver)
    counts, notices, ended = _end(leaver, successor)
    facts: dict[str, Any] = {"successor": successor.id.hex, "sign_ins": len(ended), **counts}
    audit.record(actor, "membership:hand-over", leaver.id.hex, **facts)
    audit.record(actor, "membership:take-over", successor.id.hex, predecessor=leaver.id.hex)
    write_mail("account-ended", leaver.person)
    write_mail("account-changed", successor.person)
    if notices:
        publish_on_commit(*notices)
    revoke_on_commit(ended)


@transaction.atomic(durable=True)
def end_membership(actor: Actor | None, *, membership_id: uuid.UUID) -> None:
    """End a person's standing now, with every sign-in under it; nobody takes over what he or she worked on.

    Without an actor it is the operator who asks. Raises `NotFound`, `Forbidden`, `Conflict`.
    """
    if actor:
        leaver = begin_change(actor, membership_id, to=Permission.MEMBERSHIP_END)
        keep_an_administrator(leaver)
    else:
        leaver = _locked_for_operator(membership_id)
    counts, notices, ended = _end(leaver, None)
    facts: dict[str, Any] = {"sign_ins": len(ended), **counts}
    audit.record(actor, "membership:end", leaver.id.hex, concerns=[leaver.authority_id], **facts)
    write_mail("account-ended", leaver.person)
    if notices:
        publish_on_commit(*notices)
    revoke_on_commit(ended)


def what_moves(member: Membership) -> list[tuple[Sentence, int]]:
    """Return what hangs on a membership, each with how many there are."""
    return [(step.sentence, step.count(member)) for step in STEPS.values()]


def _locked_for_operator(membership_id: uuid.UUID) -> Membership:
    seen = access.get_membership_of_operator(membership_id)
    lock_people({seen.authority_id}, {seen.id})
    return access.get_membership_of_operator(membership_id)


def _end(
    leaver: Membership, successor: Membership | None
) -> tuple[dict[str, int], list[Notice], list[uuid.UUID]]:
    """End the leaver's rows and let every step move; returns counts, who must hear, and what is revoked."""
    now = timezone.now()
    ended = end_sign_ins({leaver.id})
    # Compare and set: the row is locked; this holds even where a lock does nothing.
    still = Membership.objects.filter(id=leaver.id, until_at__isnull=True)
    if not still.update(until_at=now, successor=successor):
        raise Conflict("membership-ended", _("This person’s work for the authority has ended already."))
    counts = {"delegations": end_delegations(leaver)}
    notices: list[Notice] = []
    for step in STEPS.values():
        moved = step.move(leaver, successor)
        counts[step.name] = moved.count
        notices.extend(moved.notices)
    return counts, notices, ended
