"""Files beside messages: how many sealed chunks, of which size, which are stored. Never a name or a key."""

from django.db import models
from django.db.models import F, Q

from messaging.models.keyring import ID, Principal
from messaging.models.thread import Thread

FILE_ID = 32


class Attachment(models.Model):
    """A file of a thread. `size` is padded; `seq` is the message it belongs to, once that was taken.

    One that belongs to no message is seen by the authority that sends it alone. `ended_at`: given up, its
    chunks are being removed.
    """

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="attachments")
    file = models.CharField(max_length=FILE_ID)
    principal = models.ForeignKey(Principal, models.PROTECT, related_name="+")
    size = models.PositiveBigIntegerField()
    chunks = models.PositiveIntegerField()
    seq = models.PositiveBigIntegerField(null=True)
    begun_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="attachment_once", fields=("thread", "file")),
            models.CheckConstraint(
                name="attachment_has_chunks", condition=Q(chunks__gte=1, size__gte=F("chunks"))
            ),
            models.CheckConstraint(
                name="attachment_of_a_message_stays", condition=Q(seq__isnull=True) | Q(ended_at__isnull=True)
            ),
        )
        indexes = (
            models.Index(
                name="attachment_without_message", fields=("changed_at",), condition=Q(seq__isnull=True)
            ),
        )


class AttachmentChunk(models.Model):
    """A sealed chunk that is stored, with the SHA-256 of its bytes."""

    attachment = models.ForeignKey(Attachment, models.PROTECT, related_name="stored")
    index = models.PositiveIntegerField()
    hash = models.CharField(max_length=ID)

    class Meta:
        constraints = (models.UniqueConstraint(name="chunk_once", fields=("attachment", "index")),)
