"""What the directory says of an authority: offices with hours, languages, channels; who may see what."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from network.models.authority import Authority
from network.models.person import Membership

# Long enough to read and answer at a desk, short enough to telephone before a bank opens or a ship sails.
TOLD_AGAIN_AFTER, TOLD_FURTHER_AFTER = 15, 30


class Visibility(models.TextChoices):
    """Who sees a part of an entry. The State chooses (decision 3/2, paragraph g (v))."""

    PUBLIC = "public", _("Everybody, also without signing in")
    NETWORK = "network", _("Members of the network")
    NOBODY = "nobody", _("Only the own authority")


class FormalRequests(models.TextChoices):
    """Whether formal requests may be sent through this network."""

    UNKNOWN = "", _("Not said")
    YES = "yes", _("Formal requests are accepted here")
    ADVANCE = "advance", _("An advance copy may be sent here; the formal request follows by another channel")
    NO = "no", _("No formal requests here; for questions and preparation only")


class OralRequests(models.TextChoices):
    """Whether an urgent request may be made orally (article 18, paragraph 14)."""

    UNKNOWN = "", _("Not said")
    YES = "yes", _("Accepted in urgent cases, to be confirmed in writing at once")
    NO = "no", _("Not accepted")


class DirectoryEntry(models.Model):
    """The entry of one authority. Its parts are changed together: `version` counts every change."""

    authority = models.OneToOneField(Authority, models.PROTECT, primary_key=True, related_name="entry")
    version = models.PositiveIntegerField(default=0)
    names = models.JSONField(default=dict)  # of the authority, by language of the network
    folded_names = models.TextField(default="")  # all its names as `network.folding` writes them, for search
    # The whole entry, and within it each group.
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.NETWORK)
    address_visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.NETWORK)
    telephone_visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.NETWORK)
    mail_visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.NETWORK)
    hours_visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.NETWORK)
    duty_visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.NETWORK)
    languages_visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.NETWORK)
    channels_visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.NETWORK)
    channels = models.JSONField(default=list)  # codes of `network.channels`, in the order of that list
    channel_note = models.TextField(default="")
    formal_requests = models.CharField(max_length=10, choices=FormalRequests, default="", blank=True)
    oral_requests = models.CharField(max_length=10, choices=OralRequests, default="", blank=True)
    urgent_procedure = models.TextField(default="")
    # Minutes until its own people are told again of an urgent message that none of them has acknowledged.
    told_again_after = models.PositiveSmallIntegerField(default=TOLD_AGAIN_AFTER, db_default=TOLD_AGAIN_AFTER)
    told_further_after = models.PositiveSmallIntegerField(
        default=TOLD_FURTHER_AFTER, db_default=TOLD_FURTHER_AFTER
    )
    changed_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(Membership, models.PROTECT, null=True, related_name="+")


class AcceptedLanguage(models.Model):
    """A language in which an authority accepts requests; for one function where that has its own."""

    entry = models.ForeignKey(DirectoryEntry, models.PROTECT, related_name="languages")
    function = models.CharField(max_length=12, default="", blank=True)  # empty: all without their own
    language = models.CharField(max_length=10)  # of `network.languages`

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(name="accepted_language_once", fields=("entry", "function", "language")),
        )
        indexes = (models.Index(name="accepted_language", fields=("language", "entry")),)


class OfficeKind(models.TextChoices):
    """What an office is for."""

    MAIN = "main", _("Main office")
    UNIT = "unit", _("Unit")
    REGISTRY = "registry", _("Registry for papers")
    DUTY = "duty", _("Duty service")


class Office(models.Model):
    """A place or service of an authority, with its own hours in its own time zone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entry = models.ForeignKey(DirectoryEntry, models.PROTECT, related_name="offices")
    place = models.PositiveSmallIntegerField(default=0)  # in the order of the entry
    kind = models.CharField(max_length=10, choices=OfficeKind, default=OfficeKind.MAIN)
    name = models.CharField(max_length=200)
    address = models.TextField(default="")  # in lines, as on an envelope
    telephones = models.JSONField(default=list)
    mail = models.CharField(max_length=254, default="", blank=True)
    duty_telephone = models.CharField(max_length=40, default="", blank=True)
    time_zone = models.CharField(max_length=64)  # of the IANA database
    is_always_open = models.BooleanField(default=False)
    # [weekday (0 is Monday), opens, closes] in minutes after midnight; one that closes after more than 1440
    # minutes goes on into the next day.
    hours = models.JSONField(default=list)

    class Meta:
        ordering = ("place", "id")


class SpecialDays(models.Model):
    """Days on which an office has other hours than usual, or none, and why."""

    office = models.ForeignKey(Office, models.CASCADE, related_name="special_days")
    first_on = models.DateField()
    last_on = models.DateField()
    reason = models.CharField(max_length=100)
    hours = models.JSONField(default=list)  # [opens, closes] in minutes; none: closed

    class Meta:
        ordering = ("first_on", "id")
        constraints = (
            models.CheckConstraint(name="special_days_in_order", condition=Q(last_on__gte=F("first_on"))),
        )
