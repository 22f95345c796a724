"""What an officer has written and not sent."""

from messaging import access
from messaging.models import Draft
from messaging.models.draft import NEW, STEP
from messaging.permissions import Permission
from messaging.protocol import KeptDraft
from network.policy import Actor


def read_draft(actor: Actor, key: str) -> KeptDraft:
    """Return the actor's own draft for a thread of the own authority, a step in it, or a new one.

    Raises `NotFound`.
    """
    access.require(actor, Permission.DRAFT_READ)
    if key != NEW:
        access.get_thread(actor, key.removeprefix(STEP), to=Permission.DRAFT_READ)
    draft = Draft.objects.filter(membership_id=actor.membership_id, key=key).first()
    return KeptDraft(sealed=bytes(draft.sealed) if draft else None)
