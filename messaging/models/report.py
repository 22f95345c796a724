"""Reports of abuse: what members of a thread have disclosed of it to the secretariat's moderators."""

import uuid

from django.db import models
from django.db.models import Q

from messaging.models.keyring import ID, Device, Principal
from messaging.models.thread import Thread
from network.models import Membership


class ReportOutcome(models.TextChoices):
    """What the moderators found; open while they have not said."""

    OPEN = "open"
    FOUNDED = "founded"
    UNFOUNDED = "unfounded"


class Report(models.Model):
    """One report: the signed statement, and in it who reports, which messages and why.

    The statement, with what the reporter explains, is encrypted as a field. Some time after the report was
    closed statement and texts are forgotten, which `cleared_at` says; that there was a report stays.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    thread = models.ForeignKey(Thread, models.PROTECT, related_name="reports")
    principal = models.ForeignKey(Principal, models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, models.PROTECT, related_name="+")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    statement_hash = models.CharField(max_length=ID, unique=True)
    statement = models.BinaryField()
    cause = models.CharField(max_length=20)
    outcome = models.CharField(max_length=10, choices=ReportOutcome.choices, default=ReportOutcome.OPEN.value)
    reported_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Membership, models.PROTECT, null=True, related_name="+")
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="report_outcome_known", condition=Q(outcome__in=ReportOutcome.values)
            ),
            models.CheckConstraint(
                name="report_closed_with_outcome",
                condition=Q(outcome="open", closed_at__isnull=True, closed_by__isnull=True)
                | (~Q(outcome="open") & Q(closed_at__isnull=False, closed_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="report_cleared_when_closed", condition=Q(cleared_at__isnull=True) | ~Q(outcome="open")
            ),
        )
        indexes = (models.Index(name="report_list", fields=("-reported_at", "-id")),)


class ReportedMessage(models.Model):
    """One disclosed message.

    `disclosed` (blind and padded text) is encrypted as a field, and empty once it was cleared.
    """

    report = models.ForeignKey(Report, models.PROTECT, related_name="messages")
    thread = models.ForeignKey(Thread, models.PROTECT, related_name="+")
    principal = models.ForeignKey(Principal, models.PROTECT, related_name="+")  # who reports
    seq = models.PositiveBigIntegerField()
    disclosed = models.BinaryField()

    class Meta:
        constraints = (
            # R4: an authority reports a message once.
            models.UniqueConstraint(name="message_reported_once", fields=("thread", "principal", "seq")),
        )
