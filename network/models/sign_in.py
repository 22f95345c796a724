"""One sign-in: a browser or a national system acting for one membership until it ends."""

import uuid

from django.db import models

from network.models.person import Membership


class SignIn(models.Model):
    """What a session cookie stands for. Ending it closes its open sockets."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="sign_ins")
    started_at = models.DateTimeField()
    until_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(name="sign_in_of_membership", fields=("membership", "ended_at")),)
