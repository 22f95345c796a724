"""The append-only record of who did what, each entry holding the hash of the one before."""

from django.db import models


class AuditHead(models.Model):
    """The end of the chain: one row, locked while an entry is added."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    n = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")


class AuditEntry(models.Model):
    """One act. Never content, subject, name of a case or secret."""

    n = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    membership_id = models.UUIDField(null=True, blank=True)
    authority_id = models.UUIDField(null=True, blank=True, db_index=True)
    act = models.CharField(max_length=60)
    subject = models.CharField(max_length=100)
    facts = models.JSONField(default=dict)
    concerns = models.JSONField(default=list)  # sorted ids (hexadecimal) of other authorities it is about
    hash = models.CharField(max_length=64)


class AuditConcern(models.Model):
    """Finds the entries about an authority that another one made; what counts is `AuditEntry.concerns`."""

    entry = models.ForeignKey(AuditEntry, models.PROTECT, related_name="+")
    authority_id = models.UUIDField()

    class Meta:
        constraints = (models.UniqueConstraint(name="audit_concern_once", fields=("authority_id", "entry")),)
