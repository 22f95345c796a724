"""Principals, their devices, and the signed chain that says which device belongs to which principal."""

import uuid

from django.db import models
from django.db.models import Q

from network.models import Authority, Membership, Person

ID = 64  # a 32-byte identifier or hash in lowercase hexadecimal


class PrincipalKind(models.TextChoices):
    """What a principal is."""

    AUTHORITY = "authority"
    PRACTITIONER = "practitioner"
    SECRETARIAT = "secretariat"


class PrincipalStatus(models.TextChoices):
    """Whether keys are in force: those that are to take the place of others wait until confirmed (K12)."""

    WAITING = "waiting"
    STANDING = "standing"
    ENDED = "ended"


Holder = tuple[uuid.UUID, uuid.UUID | None]
"""Whose a keyring is: an authority's own, or that of a practitioner who is a member of it."""


class Principal(models.Model):
    """Who can be written to: the holder of a keyring. `n` and `head` are its newest entry.

    `person` is the practitioner whose own it is; None of an authority's. `succeeds` is whose place it takes.
    """

    id = models.CharField(primary_key=True, max_length=ID)
    authority = models.ForeignKey(Authority, models.PROTECT, related_name="principals")
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=12, choices=PrincipalKind.choices)
    n = models.PositiveBigIntegerField(default=0)
    head = models.CharField(max_length=ID)
    status = models.CharField(
        max_length=8,
        choices=PrincipalStatus.choices,
        default=PrincipalStatus.STANDING,
        db_default=PrincipalStatus.STANDING,
    )
    succeeds = models.ForeignKey("self", models.PROTECT, null=True, related_name="successors")
    created_at = models.DateTimeField()
    kit_checked_at = models.DateTimeField(null=True)  # when its recovery kit was last made or tried

    class Meta:
        constraints = (
            models.CheckConstraint(name="principal_kind_known", condition=Q(kind__in=PrincipalKind.values)),
            models.CheckConstraint(
                name="principal_of_practitioner",
                condition=Q(kind=PrincipalKind.PRACTITIONER, person__isnull=False)
                | ~Q(kind=PrincipalKind.PRACTITIONER) & Q(person__isnull=True),
            ),
            models.CheckConstraint(
                name="principal_status_known", condition=Q(status__in=PrincipalStatus.values)
            ),
            models.UniqueConstraint(
                name="principal_of_authority",
                fields=("authority",),
                condition=Q(person__isnull=True, status=PrincipalStatus.STANDING),
            ),
            # K12: of several that would take the place of lost keys, the newest waits.
            models.UniqueConstraint(
                name="principal_waits_once",
                fields=("authority",),
                condition=Q(status=PrincipalStatus.WAITING),
            ),
            models.UniqueConstraint(
                name="principal_of_member",
                fields=("authority", "person"),
                condition=Q(person__isnull=False),
            ),
        )

    @property
    def holder(self) -> Holder:
        """Return whose it is."""
        return (self.authority_id, self.person_id)


class DeviceStatus(models.TextChoices):
    """How far a device has come."""

    REQUESTED = "requested"
    ENROLLED = "enrolled"
    DECLINED = "declined"
    REMOVED = "removed"


EVER_LISTED = (DeviceStatus.ENROLLED, DeviceStatus.REMOVED)
"""Devices that stand in some entry of their keyring."""


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
    is_practitioners = models.BooleanField(default=False)  # for the person's own keyring, not the authority's
    requested_at = models.DateTimeField()
    enrolled_n = models.PositiveBigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="device_status_known", condition=Q(status__in=DeviceStatus.values)),
            models.CheckConstraint(
                name="device_enrolled_at_entry",
                condition=Q(status__in=EVER_LISTED, enrolled_n__isnull=False, principal__isnull=False)
                | (~Q(status__in=EVER_LISTED) & Q(enrolled_n__isnull=True)),
            ),
            # K5 for devices that only asked: keys are never used twice, whatever became of the device.
            models.UniqueConstraint(name="device_signing_key_once", fields=("signing_key",)),
            models.UniqueConstraint(name="device_kem_key_once", fields=("kem_key_hash",)),
        )
        indexes = (models.Index(name="device_of_authority", fields=("authority", "status", "requested_at")),)

    @property
    def holder(self) -> Holder:
        """Return whose keyring it belongs to or asks to join."""
        return (self.authority_id, self.person_id if self.is_practitioners else None)


class Sponsoring(models.Model):
    """A supervisor's statement that the authority answers for a practitioner and the device that asked (K9).

    With it the practitioner begins a keyring of his or her own; renewals stand in the sponsor's keyring only.
    """

    device = models.OneToOneField(Device, models.PROTECT, primary_key=True, related_name="sponsoring")
    sponsor = models.ForeignKey(Principal, models.PROTECT, related_name="sponsored")
    statement = models.BinaryField()
    given_by = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    until_at = models.DateTimeField()


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
    only_recovery = models.BooleanField(default=False)  # K6: one steward removed another alone
    unconfirmed_n = models.PositiveBigIntegerField(null=True)  # K11: taken over by the kit alone
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


class KeyringProposal(models.Model):
    """A change of a keyring that waits for somebody's approval; its id is what an approval names (K6).

    It is for the entry after `prev` only, and gone with the next entry.
    """

    id = models.CharField(primary_key=True, max_length=ID)
    principal = models.ForeignKey(Principal, models.CASCADE, related_name="proposals")
    prev = models.CharField(max_length=ID)
    change = models.BinaryField()
    proposed_by = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    until_at = models.DateTimeField()


class KeyringApproval(models.Model):
    """An approval of a proposal, signed by a steward's device, as it was sent."""

    proposal = models.ForeignKey(KeyringProposal, models.CASCADE, related_name="approvals")
    device = models.ForeignKey(Device, models.PROTECT, related_name="+")
    approval = models.BinaryField()
    until_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="keyring_approval_once", fields=("proposal", "device")),)
