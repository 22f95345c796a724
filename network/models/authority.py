"""States, their authorities, and what each authority is designated for."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class State(models.Model):
    """A State Party, or a territory with its own central authority (article 18, paragraph 13)."""

    code = models.CharField(primary_key=True, max_length=3)  # ISO 3166-1 alpha-3
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ("code",)


class AuthorityKind(models.TextChoices):
    """What an authority is in the network."""

    CENTRAL = "central", _("Central authority")
    COMPETENT = "competent", _("Competent authority")
    SECRETARIAT = "secretariat", _("Secretariat")


class Authority(models.Model):
    """A public body in the network. The authority, not the person, is the identity others write to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.ForeignKey(State, models.PROTECT, null=True, related_name="authorities")
    kind = models.CharField(max_length=20, choices=AuthorityKind.choices)
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ("state_id", "name", "id")
        constraints = (
            # Invariant 1: no authority without a State; the secretariat alone belongs to none.
            models.CheckConstraint(
                name="authority_has_state",
                condition=Q(state__isnull=False) ^ Q(kind=AuthorityKind.SECRETARIAT),
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
