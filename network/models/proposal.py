"""An act that two persons do together: one proposes, another carries it out within 24 hours."""

import uuid

from django.db import models

from network.models.authority import Authority
from network.models.person import Membership


class ProposalStatus(models.TextChoices):
    """How far a proposal has come; one that ran out of time stays open in the row and counts as expired."""

    OPEN = "open"
    CARRIED_OUT = "carried-out"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Proposal(models.Model):
    """What is to be done, to what, as it stood when it was proposed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    act = models.CharField(max_length=40)  # a key of `network.actions.proposals.ACTS`
    authority = models.ForeignKey(Authority, models.PROTECT, related_name="proposals")  # of who proposes
    subject = models.CharField(max_length=100)
    facts = models.JSONField()
    sealed_facts = models.BinaryField(null=True)  # mail addresses among the facts: `proposal.facts`
    state = models.CharField(max_length=64)  # hash of the object as it stood; another state refuses the act
    proposed_by = models.ForeignKey(Membership, models.PROTECT, related_name="proposals")
    proposed_credential = models.CharField(max_length=40, default="")
    proposed_at = models.DateTimeField()
    until_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=ProposalStatus.choices, default=ProposalStatus.OPEN)
    decided_by = models.ForeignKey(Membership, models.PROTECT, null=True, related_name="decisions")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(name="proposal_of_authority", fields=("authority", "status", "proposed_at")),)
