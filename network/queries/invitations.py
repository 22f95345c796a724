"""What the page about people shows of invitations that nobody answered yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from network.field_encryption import open_field
from network.models import Invitation, Role
from network.policy import Actor

SHOWN_FOR = timedelta(days=30)
SHOWN = 100


@dataclass(frozen=True)
class OpenInvitation:
    """One line of the list; the address is shown to those who could have sent the invitation."""

    id: str
    address: str
    name: str
    office: str
    role_names: list[str]
    authority_name: str
    is_for_another: bool  # sent by the secretariat into another authority
    is_readmission: bool
    sent_at: datetime
    until_at: datetime
    is_expired: bool


def list_open_invitations(actor: Actor) -> list[OpenInvitation]:
    """Return the invitations of the last 30 days that were neither used nor withdrawn, newest first.

    Those of the actor's authority, and for directory officers those that the secretariat sent.
    """
    now = timezone.now()
    rows = _open_invitations(actor, now)
    return [
        OpenInvitation(
            id=str(row.id),
            address=open_field("invitation.address", bytes(row.address_sealed)),
            name=row.name,
            office=row.office,
            role_names=[str(Role(role).label) for role in row.roles],
            authority_name=row.authority.name,
            is_for_another=row.authority_id != actor.authority_id,
            is_readmission=row.person_id is not None,
            sent_at=row.sent_at,
            until_at=row.until_at,
            is_expired=row.until_at <= now,
        )
        for row in rows.select_related("authority").order_by("-sent_at", "id")[:SHOWN]
    ]


def count_expired_invitations(actor: Actor) -> int:
    """Return how many of them nobody answered in time: they have to be sent again, or withdrawn."""
    now = timezone.now()
    return _open_invitations(actor, now).filter(until_at__lte=now).count()


def _open_invitations(actor: Actor, now: datetime) -> QuerySet[Invitation]:
    theirs = Q(authority_id=actor.authority_id)
    if Role.DIRECTORY_OFFICER in actor.roles:
        theirs |= Q(sponsor__authority_id=actor.authority_id)
    return Invitation.objects.filter(
        theirs, used_at__isnull=True, withdrawn_at__isnull=True, sent_at__gt=now - SHOWN_FOR
    )
