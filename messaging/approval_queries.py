"""The changes of a keyring that wait for a second person."""

from django.db.models import Prefetch
from django.utils import timezone

from messaging import access
from messaging.models import KeyringApproval, KeyringProposal
from messaging.protocol import PAGE_MOST, ApprovalList, WaitingChange
from messaging.queries import seconds
from network.policy import Actor


def list_approvals(actor: Actor, principal_id: str) -> ApprovalList:
    """Return the changes of the own keyring that wait, for the entry that is newest now, the oldest first."""
    principal = access.get_keyring_to_approve(actor, principal_id)
    now = timezone.now()
    approvals = KeyringApproval.objects.filter(until_at__gt=now).order_by("id")
    rows = KeyringProposal.objects.filter(principal=principal, prev=principal.head, until_at__gt=now)
    joined = rows.select_related("proposed_by__person").prefetch_related(Prefetch("approvals", approvals))
    return ApprovalList(
        approvals=[
            WaitingChange(
                id=row.id,
                change=bytes(row.change),
                approvals=[bytes(given.approval) for given in row.approvals.all()],
                person=row.proposed_by.person_id.hex,
                name=row.proposed_by.person.name,
                office=row.proposed_by.office,
                proposed_at=seconds(row.proposed_at),
                until=seconds(row.until_at),
            )
            for row in joined.order_by("proposed_at", "id")[:PAGE_MOST]
        ]
    )
