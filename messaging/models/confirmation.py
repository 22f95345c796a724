"""What two persons of the secretariat have signed about the keys of an authority (K8, K11)."""

from django.db import models

from messaging.models.keyring import ID, Principal


class Confirmation(models.Model):
    """Two signed statements about one keyring, as they were sent, each with the blind of its note.

    `head` is the entry of a recovery that they confirm, empty where there was none. The newest counts.
    """

    principal = models.ForeignKey(Principal, models.PROTECT, related_name="confirmations")
    head = models.CharField(max_length=ID, blank=True)
    first = models.BinaryField()
    first_blind = models.BinaryField()
    second = models.BinaryField()
    second_blind = models.BinaryField()
    # The State's notification that both have read; its hash stands in the statements.
    reference = models.CharField(max_length=100)
    notified_on = models.DateField()
    confirmed_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(name="confirmation_of_principal", fields=("principal", "id")),)
