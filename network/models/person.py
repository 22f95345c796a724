"""Persons and their standing in an authority."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from network.models.authority import Authority


class Role(models.TextChoices):
    """What a person may do for an authority; one person may have several."""

    OFFICER = "officer", _("Officer")
    DUTY_OFFICER = "duty-officer", _("Duty officer")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMINISTRATOR = "administrator", _("Administrator")
    DIRECTORY_EDITOR = "directory-editor", _("Directory editor")
    AUDITOR = "auditor", _("Auditor")
    LIAISON_MAGISTRATE = "liaison-magistrate", _("Liaison magistrate")
    PRACTITIONER = "practitioner", _("Prosecutor or investigating judge")
    COORDINATOR = "coordinator", _("Coordinator of a regional network")
    OBSERVER = "observer", _("Observer")
    FOCAL_POINT = "focal-point", _("Focal point of a permanent mission")
    DIRECTORY_OFFICER = "directory-officer", _("Directory officer of the secretariat")
    MODERATOR = "moderator", _("Moderator of the secretariat")
    SECURITY_OFFICER = "security-officer", _("Security officer of the secretariat")


SECRETARIAT_ROLES = frozenset({Role.DIRECTORY_OFFICER, Role.MODERATOR, Role.SECURITY_OFFICER})
# Whoever holds one of these signs in with a passkey that stays in one device, and is signed out sooner.
PRIVILEGED_ROLES = SECRETARIAT_ROLES | {Role.SUPERVISOR, Role.ADMINISTRATOR}


class SuspensionReason(models.TextChoices):
    """Why somebody is stopped for a while; a code for the record, no words about a person."""

    ABSENT = "absent", _("Away from the post for a while")
    DEVICE_LOST = "device-lost", _("A device or passkey was lost or stolen")
    MISUSE = "misuse", _("Suspected misuse of the account")
    INQUIRY = "inquiry", _("Until a question is settled")


class Person(AbstractBaseUser):
    """A human with an account. A person acts only through a membership.

    The mail address is kept encrypted (field `person.address`) with a keyed hash to find it by.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    address_index = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - unique, or none
    address_sealed = models.BinaryField(null=True)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=10, default="en")  # of pages and mail; empty: the browser says
    is_active = models.BooleanField(default=True)
    # How pages look to this person, as `network.appearance` writes it; empty where nothing was chosen.
    appearance = models.CharField(max_length=40, default="", db_default="", blank=True)

    USERNAME_FIELD = "address_index"
    objects = BaseUserManager()


class Membership(models.Model):
    """A person's standing in an authority: roles, office, from, until."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, models.PROTECT, related_name="memberships")
    authority = models.ForeignKey(Authority, models.PROTECT, related_name="memberships")
    roles = models.JSONField(default=list)  # sorted values of `Role`
    office = models.CharField(max_length=200)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_by = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    suspended_for = models.CharField(max_length=20, choices=SuspensionReason.choices, default="")
    # The authority says every six months that this person still works here; at this time it ends by itself.
    attested_until_at = models.DateTimeField(null=True, blank=True)
    attestation_reminders = models.PositiveSmallIntegerField(default=0)  # sent since the last attestation
    successor = models.ForeignKey("self", models.PROTECT, null=True, related_name="predecessors")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="membership_once_in_force",
                fields=("person", "authority"),
                condition=Q(until_at__isnull=True),
            ),
        )

    @property
    def role_set(self) -> frozenset[Role]:
        """Return the roles as values of `Role`."""
        return frozenset(Role(role) for role in self.roles)


class Delegation(models.Model):
    """Roles that one member lets another of the same authority exercise for a time, shown on each act."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    grantor = models.ForeignKey(Membership, models.PROTECT, related_name="delegations_given")
    delegate = models.ForeignKey(Membership, models.PROTECT, related_name="delegations_held")
    roles = models.JSONField(default=list)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="delegation_to_another", condition=~Q(grantor=F("delegate"))),
            models.CheckConstraint(name="delegation_has_an_end", condition=Q(until_at__gt=F("from_at"))),
        )
