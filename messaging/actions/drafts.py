"""Keeping drafts, sealed by the client, for one membership."""

from django.db import transaction
from django.utils import timezone

from messaging import access
from messaging.models import Draft
from messaging.models.draft import NEW, STEP
from messaging.permissions import Permission
from network.policy import Actor


@transaction.atomic(durable=True)
def save_draft(actor: Actor, *, key: str, sealed: bytes) -> None:
    """Keep a draft for a thread of the own authority, a step in it, or a new one; raises `NotFound`."""
    access.stand(actor, Permission.DRAFT_WRITE)
    if key != NEW:
        access.get_thread(actor, key.removeprefix(STEP), to=Permission.DRAFT_WRITE)
    Draft.objects.update_or_create(
        membership_id=actor.membership_id, key=key, defaults={"sealed": sealed, "changed_at": timezone.now()}
    )


@transaction.atomic(durable=True)
def delete_draft(actor: Actor, *, key: str) -> None:
    """Forget a draft; one that is not there is forgotten already."""
    access.stand(actor, Permission.DRAFT_WRITE)
    Draft.objects.filter(membership_id=actor.membership_id, key=key).delete()
