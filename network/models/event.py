"""What happened, in order, for each audience. The bell rings; these rows are what is heard."""

from django.db import models


class AudienceCounter(models.Model):
    """The newest sequence of an audience. Taken inside the writing transaction, so it has no gaps."""

    audience = models.CharField(primary_key=True, max_length=80)
    seq = models.PositiveBigIntegerField(default=0)
    floor = models.PositiveBigIntegerField(default=0)  # events up to here have been cleared away


class EventRecord(models.Model):
    """One event for one audience. `payload` holds references, never content."""

    audience = models.CharField(max_length=80)
    seq = models.PositiveBigIntegerField()
    name = models.CharField(max_length=80)
    payload = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="event_once", fields=("audience", "seq")),)
        indexes = (models.Index(name="event_by_time", fields=("at",)),)
