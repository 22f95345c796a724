"""What a person is told of: that there is something, about what, how urgent. Never what it says."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from network.models.person import Membership, Person
from network.models.sign_in import SignIn

ABOUT_MOST = 100


class Level(models.TextChoices):
    """How much of what happens about something tells a person at once."""

    ALL = "all", _("Everything")
    URGENT = "urgent", _("Only what is urgent")
    LIST = "list", _("Nothing; it only stands in the list")


class Digest(models.TextChoices):
    """When mail and messages of the browser come."""

    AT_ONCE = "at-once", _("At once")
    HOURLY = "hourly", _("Once an hour")
    DAILY = "daily", _("Once a day")


class Notification(models.Model):
    """The newest that a member is told about one thing: a thread, a device, a proposal.

    One row for each thing: whatever happens before it is read is told by the same row.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="notifications")
    about = models.CharField(max_length=ABOUT_MOST)  # "thread:" and its id: a reference, never a name
    kind = models.CharField(max_length=40)  # of `network.notification_kinds`
    urgency = models.PositiveSmallIntegerField(default=0)
    is_counted = models.BooleanField(default=True)  # not where the level says: only in the list
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mail_at = models.DateTimeField(null=True)  # a mail tells of it then, unless it was read before
    push_at = models.DateTimeField(null=True)  # the same for messages of the browser

    class Meta:
        constraints = (models.UniqueConstraint(name="notification_once", fields=("membership", "about")),)
        indexes = (
            models.Index(
                name="notification_unread",
                fields=("membership", "is_counted"),
                condition=Q(read_at__isnull=True),
            ),
            models.Index(name="notification_list", fields=("membership", "-made_at")),
            models.Index(name="notification_read_at", fields=("read_at",)),
            models.Index(
                name="notification_to_mail", fields=("mail_at",), condition=Q(mail_at__isnull=False)
            ),
            models.Index(
                name="notification_to_push", fields=("push_at",), condition=Q(push_at__isnull=False)
            ),
        )


class NotificationChoices(models.Model):
    """How a person wants to be told. Who has no row has chosen nothing: mail at once, no sound, no push."""

    person = models.OneToOneField(
        Person, models.PROTECT, primary_key=True, related_name="notification_choices"
    )
    level = models.CharField(max_length=10, choices=Level.choices, default=Level.ALL)
    time_zone = models.CharField(max_length=64, default="UTC")
    quiet_from = models.TimeField(null=True)  # both or none
    quiet_until = models.TimeField(null=True)
    urgent_in_quiet = models.BooleanField(default=False)
    digest = models.CharField(max_length=10, choices=Digest.choices, default=Digest.AT_ONCE)
    digest_at = models.TimeField(null=True)  # of the daily one
    has_mail = models.BooleanField(default=True)
    has_push = models.BooleanField(default=False)  # since the person asked for it in some browser
    has_sound = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="notification_quiet_hours_whole",
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
            ),
            models.CheckConstraint(
                name="notification_daily_has_a_time",
                condition=~Q(digest=Digest.DAILY) | Q(digest_at__isnull=False),
            ),
            models.CheckConstraint(name="notification_level_known", condition=Q(level__in=Level.values)),
        )


class NotificationLevel(models.Model):
    """What a member has chosen for one thing, where it is not what he or she has chosen for all."""

    membership = models.ForeignKey(Membership, models.PROTECT, related_name="notification_levels")
    about = models.CharField(max_length=ABOUT_MOST)
    level = models.CharField(max_length=10, choices=Level.choices)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="notification_level_once", fields=("membership", "about")),
        )


class PushSubscription(models.Model):
    """A browser that wants to be woken. It belongs to a sign-in; what is sent to it is empty."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sign_in = models.ForeignKey(SignIn, models.PROTECT, related_name="push_subscriptions")
    endpoint_index = models.CharField(max_length=64, unique=True)
    endpoint_sealed = models.BinaryField()  # `push.endpoint`
    renewed_at = models.DateTimeField()  # the person was signed in in this browser then
    due_at = models.DateTimeField(null=True)  # to be woken then
    is_urgent = models.BooleanField(default=False)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = (models.Index(name="push_due", fields=("due_at",), condition=Q(due_at__isnull=False)),)
