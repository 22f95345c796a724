"""Beginning and ending sign-ins and memberships."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from network import access, audit
from network.errors import NotFound
from network.models import Membership, SignIn
from network.policy import Actor
from network.realtime import revoke_on_commit

SIGN_IN_LASTS = timedelta(hours=12)


@transaction.atomic(durable=True)
def begin_sign_in(*, membership_id: uuid.UUID) -> SignIn:
    """Begin a sign-in for a membership in force; raises `NotFound`. Who asks must have been proven before."""
    membership = access.get_membership_to_begin(membership_id)
    now = timezone.now()
    sign_in = SignIn.objects.create(membership=membership, started_at=now, until_at=now + SIGN_IN_LASTS)
    audit.record(access.get_actor(sign_in.id), "sign-in:begin", sign_in.id.hex)
    return sign_in


@transaction.atomic(durable=True)
def end_sign_in(actor: Actor) -> None:
    """End the actor's own sign-in; its open sockets close on every process."""
    ended = SignIn.objects.filter(id=actor.sign_in_id, ended_at__isnull=True).update(ended_at=timezone.now())
    if ended:
        audit.record(actor, "sign-in:end", actor.sign_in_id.hex)
        revoke_on_commit([actor.sign_in_id])


@transaction.atomic(durable=True)
def end_membership(actor: Actor | None, *, membership_id: uuid.UUID, at: datetime | None = None) -> None:
    """End a person's standing from `at` (now unless told) with every sign-in under it; raises `NotFound`."""
    at = at or timezone.now()
    in_force = Membership.objects.filter(Q(until_at__isnull=True) | Q(until_at__gt=at), id=membership_id)
    if not in_force.update(until_at=at):
        raise NotFound
    open_ones = SignIn.objects.filter(membership_id=membership_id, ended_at__isnull=True)
    ids = list(open_ones.values_list("id", flat=True))
    open_ones.update(ended_at=at)
    audit.record(actor, "membership:end", membership_id.hex)
    revoke_on_commit(ids)
