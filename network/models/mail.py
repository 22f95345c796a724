"""Mail that waits to be sent: content-free, encrypted while it waits, kept until the mail server took it."""

import uuid

from django.db import models


class OutgoingMail(models.Model):
    """One mail of a fixed kind. `sealed` is JSON: the address and what the template needs (a link)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    language = models.CharField(max_length=10)
    sealed = models.BinaryField()  # `mail.facts`
    written_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(name="mail_to_send", fields=("sent_at", "next_try_at")),)
