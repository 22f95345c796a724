"""One sign-in: a browser or a national system acting for one membership until it ends."""

import uuid

from django.db import models

from network.models.person import Delegation, Membership


class Factor(models.TextChoices):
    """With what a sign-in was proven."""

    PASSKEY = "passkey"
    CODE = "code"  # a password and a one-time code of an app
    RECOVERY_CODE = "recovery-code"  # lets in to add a passkey, and to nothing else
    DEVELOPMENT = "development"  # nothing was proven; outside production only


class SignIn(models.Model):
    """What a session cookie stands for. Ending it closes its open sockets."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="sign_ins")
    factor = models.CharField(max_length=16, choices=Factor.choices, default=Factor.DEVELOPMENT)
    credential = models.CharField(max_length=40, default="")  # which passkey, by its row's id
    acting_for = models.ForeignKey(Delegation, models.PROTECT, null=True, related_name="sign_ins")
    started_at = models.DateTimeField()
    proved_at = models.DateTimeField(null=True)  # the newest fresh proof; dangerous acts ask for a recent one
    quiet_until_at = models.DateTimeField(null=True)  # ends then unless the person does something before
    until_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    address_sealed = models.BinaryField(null=True)  # of the connection: `sign-in.address`
    agent = models.CharField(max_length=80, default="")  # "Firefox on Windows"

    class Meta:
        indexes = (models.Index(name="sign_in_of_membership", fields=("membership", "ended_at")),)
