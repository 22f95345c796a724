"""Persons and their standing in an authority."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from network.models.authority import Authority


class Role(models.TextChoices):
    """What a person may do for an authority."""

    OFFICER = "officer", _("Officer")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMINISTRATOR = "administrator", _("Administrator")
    SECRETARIAT = "secretariat", _("Secretariat officer")


class Person(AbstractBaseUser):
    """A human with an account. A person acts only through a membership."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    objects = BaseUserManager()


class Membership(models.Model):
    """A person's standing in an authority: role, office, from, until."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, models.PROTECT, related_name="memberships")
    authority = models.ForeignKey(Authority, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    office = models.CharField(max_length=200)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="membership_once_in_force",
                fields=("person", "authority"),
                condition=Q(until_at__isnull=True),
            ),
        )
