"""Restores: that the database was put back to an earlier day, as two persons have signed."""

from django.db import models
from django.db.models import F, Q

from messaging.models.keyring import ID, Device


class Restore(models.Model):
    """One restore: begun by the operator, announced when two have signed, over when writing goes on.

    `log_size` and `log_root` are the log when it began; `statement` is the server's, with theirs in it.
    """

    serial = models.PositiveBigIntegerField(primary_key=True)
    log_size = models.PositiveBigIntegerField()
    log_root = models.CharField(max_length=ID)
    cause = models.CharField(max_length=200)
    begun_at = models.DateTimeField()
    statement = models.BinaryField(null=True)
    announced_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="restore_announced_with_statement",
                condition=Q(statement__isnull=True, announced_at__isnull=True, finished_at__isnull=True)
                | Q(statement__isnull=False, announced_at__isnull=False),
            ),
            models.CheckConstraint(
                name="restore_finished_after_announced",
                condition=Q(finished_at__isnull=True) | Q(finished_at__gte=F("announced_at")),
            ),
        )


class RestoreSignature(models.Model):
    """What one person of the secretariat has signed of a restore, as it was sent."""

    restore = models.ForeignKey(Restore, models.PROTECT, related_name="signatures")
    device = models.ForeignKey(Device, models.PROTECT, related_name="+")
    person = models.UUIDField()
    statement = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(name="restore_signed_once", fields=("restore", "person")),)
