"""How long authorities keep closed cases: each its own copy, by its own schedule. No other is told of it.

By authority, not by its place in the thread: new keys in the place of lost ones change nothing here.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from messaging.models.thread import Thread
from network.models import Authority, Membership

YEARS_LEAST, YEARS_MOST, YEARS_USUAL = 1, 100, 10


class HoldReason(models.TextChoices):
    """Why a case is held: a code for the record, no words about the case."""

    COURT_PROCEEDINGS = "court-proceedings", _("Proceedings before a court")
    COMPLAINT = "complaint", _("A complaint or an inquiry")
    OTHER_AUTHORITY = "other-authority", _("Another authority has asked for it")


class RetentionSchedule(models.Model):
    """For how many years an authority keeps a case once it is closed; without a row the usual time."""

    authority = models.OneToOneField(Authority, models.PROTECT, primary_key=True, related_name="+")
    years = models.PositiveSmallIntegerField(default=YEARS_USUAL)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="retention_years_in_bounds",
                condition=Q(years__gte=YEARS_LEAST, years__lte=YEARS_MOST),
            ),
        )


class Retention(models.Model):
    """Until which day an authority keeps a closed case, by its schedule of the day on which it was closed.

    `told_at`: when its people were told that the time is over.
    """

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="+")
    authority = models.ForeignKey(Authority, models.PROTECT, related_name="+")
    closed_at = models.DateTimeField()
    until_on = models.DateField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="retention_once", fields=("thread", "authority")),)
        indexes = (
            models.Index(name="retention_ends", fields=("until_on",), condition=Q(told_at__isnull=True)),
            models.Index(name="retention_of_authority", fields=("authority", "until_on")),
        )


class Hold(models.Model):
    """That an authority does not let a case go, whatever its schedule says."""

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="+")
    authority = models.ForeignKey(Authority, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20, choices=HoldReason.choices)
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    since_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="hold_once", fields=("thread", "authority")),
            models.CheckConstraint(name="hold_reason_known", condition=Q(reason__in=HoldReason.values)),
        )
