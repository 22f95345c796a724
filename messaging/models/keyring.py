"""Principals, their devices, and the signed chain that says which device belongs to which principal."""

from django.db import models
from django.db.models import Q

from network.models import Authority, Person

ID = 64  # a 32-byte identifier or hash in lowercase hexadecimal


class PrincipalKind(models.TextChoices):
    """What a principal is. Practitioners come with mandates."""

    AUTHORITY = "authority"
    SECRETARIAT = "secretariat"


class Principal(models.Model):
    """Who can be written to: the holder of a keyring. `n` and `head` are its newest entry."""

    id = models.CharField(primary_key=True, max_length=ID)
    authority = models.OneToOneField(Authority, models.PROTECT, related_name="principal")
    kind = models.CharField(max_length=12, choices=PrincipalKind.choices)
    n = models.PositiveBigIntegerField(default=0)
    head = models.CharField(max_length=ID)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(name="principal_kind_known", condition=Q(kind__in=PrincipalKind.values)),
        )


class DeviceStatus(models.TextChoices):
    """How far a device has come."""

    REQUESTED = "requested"
    ENROLLED = "enrolled"
    DECLINED = "declined"


class Device(models.Model):
    """One browser profile with keys, for one principal. The statement is signed by its own key."""

    id = models.CharField(primary_key=True, max_length=ID)
    principal = models.ForeignKey(Principal, models.PROTECT, null=True, related_name="devices")
    authority = models.ForeignKey(Authority, models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    statement = models.BinaryField()
    signing_key = models.CharField(max_length=ID)
    kem_key_hash = models.CharField(max_length=ID)
    status = models.CharField(max_length=10, choices=DeviceStatus.choices)
    requested_at = models.DateTimeField()
    enrolled_n = models.PositiveBigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="device_status_known", condition=Q(status__in=DeviceStatus.values)),
            models.CheckConstraint(
                name="device_enrolled_at_entry",
                condition=Q(status=DeviceStatus.ENROLLED, enrolled_n__isnull=False, principal__isnull=False)
                | (~Q(status=DeviceStatus.ENROLLED) & Q(enrolled_n__isnull=True)),
            ),
            # K5 for devices that only asked: keys are never used twice, whatever became of the device.
            models.UniqueConstraint(name="device_signing_key_once", fields=("signing_key",)),
            models.UniqueConstraint(name="device_kem_key_once", fields=("kem_key_hash",)),
        )
        indexes = (models.Index(name="device_of_authority", fields=("authority", "status", "requested_at")),)


class KeyringEntry(models.Model):
    """One link of a keyring, stored as it was sent. `envelopes` is one encoded list."""

    principal = models.ForeignKey(Principal, models.PROTECT, related_name="entries")
    n = models.PositiveBigIntegerField()
    head = models.CharField(max_length=ID)
    entry = models.BinaryField()
    envelopes = models.BinaryField()
    mailbox = models.BinaryField()
    floor = models.PositiveBigIntegerField(default=0)
    had_two_stewards = models.BooleanField(default=False)  # K6: two persons at once, here or before
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            # K1: one entry for each n.
            models.UniqueConstraint(name="keyring_entry_once", fields=("principal", "n")),
            models.UniqueConstraint(name="keyring_head_once", fields=("head",)),
        )


class KeyringValue(models.Model):
    """The SHA-256 of a public key or commit that stands in some keyring. K5: it never stands in another."""

    hash = models.CharField(primary_key=True, max_length=ID)
    principal = models.ForeignKey(Principal, models.PROTECT, related_name="+")
