"""The transparency log: its leaves, the hashes of its tiles, how far it goes, and who has cosigned it."""

from django.db import models
from django.db.models import Q

from messaging.models.keyring import ID
from messaging.sealed.transparency import CHAINED, TYPES


class LogLeaf(models.Model):
    """One leaf, for ever at its position. The columns repeat what it says; `hash` is its RFC 6962 hash."""

    position = models.PositiveBigIntegerField(primary_key=True)
    type = models.CharField(max_length=24)
    label = models.CharField(max_length=ID)
    n = models.PositiveBigIntegerField()
    leaf = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        constraints = (
            models.CheckConstraint(name="log_leaf_type_known", condition=Q(type__in=sorted(TYPES))),
            # L3: under one label a number has one value.
            models.UniqueConstraint(
                name="log_leaf_once", fields=("type", "label", "n"), condition=Q(type__in=sorted(CHAINED))
            ),
        )


class LogTile(models.Model):
    """The root of a full tile: a hash of the tile above it. Level 1 stands over 256 leaves."""

    level = models.PositiveSmallIntegerField()
    index = models.PositiveBigIntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(name="log_tile_once", fields=("level", "index")),)


class LogState(models.Model):
    """How far the log goes: one row. The frontier has 32 bytes for each bit of the size that is 1."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    size = models.PositiveBigIntegerField(default=0)
    frontier = models.BinaryField(default=b"")

    class Meta:
        constraints = (models.CheckConstraint(name="log_state_one_row", condition=Q(id=1)),)


class ThreadAnchor(models.Model):
    """The end of a thread in the anchor of a day, kept when the thread had grown since the last one.

    `line` of `lines`: its place in the day's list; `path`: the hashes from there up, 32 bytes each.
    """

    thread = models.ForeignKey("messaging.Thread", models.CASCADE, related_name="+")
    day = models.PositiveBigIntegerField()
    seq = models.PositiveBigIntegerField()
    line = models.PositiveBigIntegerField()
    lines = models.PositiveBigIntegerField()
    path = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(name="thread_anchored_once", fields=("thread", "day")),)


class LogCosignature(models.Model):
    """The newest word of a witness: the line it signed under a checkpoint of this size."""

    witness = models.CharField(primary_key=True, max_length=400)
    size = models.PositiveBigIntegerField()
    root = models.CharField(max_length=ID)
    line = models.CharField(max_length=600)
    at = models.PositiveBigIntegerField()
