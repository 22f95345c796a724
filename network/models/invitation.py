"""The only way to an account: an invitation to one mail address, for one use, within 72 hours."""

import uuid

from django.db import models
from django.db.models import Q

from network.models.authority import Authority
from network.models.person import Membership, Person


class Invitation(models.Model):
    """Its link carries a signature over id, address, roles and end; nothing here is enough to make one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    authority = models.ForeignKey(Authority, models.PROTECT, related_name="invitations")
    # Set when somebody who is already known gets a new way to sign in; else whoever accepts is a new person.
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="invitations")
    address_index = models.CharField(max_length=64)
    address_sealed = models.BinaryField()  # `invitation.address`
    name = models.CharField(max_length=200)
    office = models.CharField(max_length=200)
    roles = models.JSONField(default=list)
    language = models.CharField(max_length=10, default="en")
    sponsor = models.ForeignKey(Membership, models.PROTECT, null=True, related_name="invitations_sent")
    sent_at = models.DateTimeField()
    until_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(name="invitation_of_authority", fields=("authority", "sent_at")),)
        constraints = (
            models.CheckConstraint(
                name="invitation_used_or_withdrawn",
                condition=Q(used_at__isnull=True) | Q(withdrawn_at__isnull=True),
            ),
        )
