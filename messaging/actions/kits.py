"""The recovery kit: that it was tried is noted, and who keeps the keys is reminded to try it once a year."""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from messaging import access
from messaging.actions.key_notices import tell_kit_is_due, tell_of_tried_kit
from messaging.models import Principal, PrincipalKind, PrincipalStatus
from messaging.permissions import Permission
from messaging.refusals import refusal
from network import audit
from network.policy import Actor
from network.realtime import publish_on_commit

TRY_AFTER = timedelta(days=365)


@transaction.atomic(durable=True)
def note_tried_kit(actor: Actor, *, principal_id: str, n: int) -> None:
    """Note that the kit of the own authority opens entry `n` of its keyring, as its client has found.

    Whoever keeps the keys is told: a kit that was taken out of its safe is something to know of. Raises
    `NotFound`, `Forbidden`, and `Conflict("stale-epoch")` for an entry that is not the newest any more.
    """
    access.stand(actor, Permission.KEYRING_TRY)
    principal = access.get_keyring_to_try(actor, principal_id)
    newest = Principal.objects.filter(id=principal.id, n=n)
    if not newest.update(kit_checked_at=timezone.now()):
        raise refusal("stale-epoch")
    told = tell_of_tried_kit(actor, principal_id=principal.id)
    audit.record(actor, "keyring:try", principal.id, n=n)
    publish_on_commit(*told)


def remind_of_kits() -> None:
    """Tell of every recovery kit that was neither made nor tried within a year."""
    late = timezone.now() - TRY_AFTER
    rows = Principal.objects.annotate(checked_at=Coalesce("kit_checked_at", "created_at"))
    due = rows.filter(
        kind=PrincipalKind.AUTHORITY, status=PrincipalStatus.STANDING, checked_at__lte=late
    ).order_by("id")
    for principal in due:
        with transaction.atomic(durable=True):
            publish_on_commit(*tell_kit_is_due(principal.authority_id, principal.id))
