"""Cards: what a list shows of a thread, sealed for the members of one principal. Never read here."""

from django.db import models

from messaging.models.keyring import Principal
from messaging.models.thread import Thread


class Card(models.Model):
    """The card of a principal for one of its threads. `card` is its random id, by which it is replaced.

    `m` is the generation of the keyring it is sealed under, `seq` the place of the thread it was made at.
    """

    principal = models.ForeignKey(Principal, models.PROTECT, related_name="cards")
    thread = models.ForeignKey(Thread, models.PROTECT, related_name="cards")
    card = models.CharField(max_length=32)
    m = models.PositiveBigIntegerField()
    seq = models.PositiveBigIntegerField()
    sealed = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(name="card_once", fields=("principal", "thread")),)
