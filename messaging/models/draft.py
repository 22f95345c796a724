"""Drafts: sealed bytes kept for one person, to go on writing on another device of the authority."""

from django.db import models

from messaging.models.keyring import ID
from network.models import Membership

NEW = "new"  # the draft of a thread that is not open yet
STEP = "step-"  # before a thread: of a step in its case


class Draft(models.Model):
    """One draft of a membership: `key` is a thread, `step-` and a thread, or `new`."""

    membership = models.ForeignKey(Membership, models.PROTECT, related_name="drafts")
    key = models.CharField(max_length=len(STEP) + ID)
    sealed = models.BinaryField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="draft_once", fields=("membership", "key")),)
