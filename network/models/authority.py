"""States, their authorities, and what each authority is designated for."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class State(models.Model):
    """A State Party, or a territory with its own central authority (article 18, paragraph 13)."""

    code = models.CharField(primary_key=True, max_length=3)  # ISO 3166-1 alpha-3
    name = models.CharField(max_length=200)
    # By language, for a State or territory that is in no list of names (`network.state_names`).
    names = models.JSONField(default=dict, db_default={}, blank=True)

    class Meta:
        ordering = ("code",)


class AuthorityKind(models.TextChoices):
    """What an authority is in the network."""

    CENTRAL = "central", _("Central authority")
    COMPETENT = "competent", _("Competent authority")
    MISSION = "mission", _("Permanent mission")
    ORGANIZATION = "organization", _("Regional network or organization")
    SECRETARIAT = "secretariat", _("Secretariat")


class Authority(models.Model):
    """A public body in the network. The authority, not the person, is the identity others write to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.ForeignKey(State, models.PROTECT, null=True, related_name="authorities")
    kind = models.CharField(max_length=20, choices=AuthorityKind.choices)
    name = models.CharField(max_length=200)
    # Whether officers without privilege may sign in with a password and a one-time code instead of a passkey.
    allows_codes = models.BooleanField(default=False)
    # The depositary notification or note verbale by which the State named this authority.
    notification = models.CharField(max_length=100, default="")
    notified_on = models.DateField(null=True)
    # The fingerprint of the authority's keys as the State gave it, confirmed by two directory officers.
    root_fingerprint = models.CharField(max_length=64, default="")
    root_notification = models.CharField(max_length=100, default="")
    root_notified_on = models.DateField(null=True)
    root_confirmed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("state_id", "name", "id")
        constraints = (
            # Invariant 1: no authority without a State; the secretariat and organizations belong to none.
            models.CheckConstraint(
                name="authority_has_state",
                condition=Q(state__isnull=False)
                ^ Q(kind__in=(AuthorityKind.SECRETARIAT, AuthorityKind.ORGANIZATION)),
            ),
        )


class Function(models.Model):
    """One designation of an authority under one article of one instrument."""

    authority = models.ForeignKey(Authority, models.PROTECT, related_name="functions")
    code = models.CharField(max_length=12)
    instrument = models.CharField(max_length=20)
    article = models.CharField(max_length=20)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ("code", "id")
        constraints = (
            # Invariant 1: no function without an instrument and an article.
            models.CheckConstraint(
                name="function_has_article", condition=~Q(instrument="") & ~Q(article="") & ~Q(code="")
            ),
            models.UniqueConstraint(
                name="function_once", fields=("authority", "code", "instrument", "article", "valid_from")
            ),
        )
