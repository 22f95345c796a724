"""Threads, their members, their items in order, and how far each member has come."""

from django.db import models
from django.db.models import F, Q

from messaging.models.keyring import ID, Device, Principal
from network.models import Membership


class ThreadKind(models.TextChoices):
    """What a thread is for; notes and ledgers are an authority's own."""

    CASE = "case"
    DIRECT = "direct"
    LEDGER = "ledger"
    NOTES = "notes"


SHARED_KINDS = (ThreadKind.CASE, ThreadKind.DIRECT)


class ThreadRole(models.TextChoices):
    """What a member is in a thread."""

    OBSERVER = "observer"
    PARTY = "party"
    PRACTITIONER = "practitioner"


class ItemType(models.TextChoices):
    """What stands in the sequence of a thread."""

    ENTRY = "entry"
    MESSAGE = "message"
    WITHDRAWAL = "withdrawal"


class Thread(models.Model):
    """A correspondence. `n` and `head` are its newest entry, `seq` and `transcript` its end.

    `link` is the thread that this one belongs to, by id; `owner` whose own thread it is. `is_left`: the
    newest entry is by one who left (T9), so another comes first. `stage` is where its case stands, "" before
    the first step.
    """

    id = models.CharField(primary_key=True, max_length=ID)
    kind = models.CharField(max_length=10, choices=ThreadKind.choices)
    link = models.CharField(max_length=ID, blank=True, default="")
    owner = models.ForeignKey(Principal, models.PROTECT, null=True, related_name="+")
    is_left = models.BooleanField(default=False)
    stage = models.CharField(max_length=20, blank=True, default="")
    n = models.PositiveBigIntegerField()
    head = models.CharField(max_length=ID)
    commit = models.CharField(max_length=ID)
    seq = models.PositiveBigIntegerField()
    transcript = models.CharField(max_length=ID)
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(name="thread_kind_known", condition=Q(kind__in=ThreadKind.values)),
            models.CheckConstraint(
                name="thread_owned_if_own",
                condition=Q(owner__isnull=True, kind__in=SHARED_KINDS)
                | Q(owner__isnull=False) & ~Q(kind__in=SHARED_KINDS),
            ),
            # One ledger for each principal, and one thread of notes for each of its threads (T3).
            models.UniqueConstraint(
                name="own_thread_once", fields=("owner", "kind", "link"), condition=Q(owner__isnull=False)
            ),
        )


class MembersNow(models.Manager["ThreadMember"]):
    """Who is in a thread. Who has left is found only by asking for it: `ThreadMember.ever`."""

    def get_queryset(self) -> models.QuerySet["ThreadMember"]:
        """Return the members whose place has not ended."""
        return super().get_queryset().filter(ended_seq__isnull=True)


class ThreadMember(models.Model):
    """A principal in a thread. `by_n` is the newest of its entries anything here was signed under.

    `ended_seq` is the entry by which it left: it goes on reading up to there and no further.
    """

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="members")
    principal = models.ForeignKey(Principal, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=12, choices=ThreadRole.choices)
    keyring_n = models.PositiveBigIntegerField()
    keyring_head = models.CharField(max_length=ID)
    mandate = models.CharField(max_length=ID, blank=True, default="")
    by_n = models.PositiveBigIntegerField(default=0)
    changed_at = models.DateTimeField()  # the thread's, repeated: a member's list is one index read
    ended_seq = models.PositiveBigIntegerField(null=True)

    objects = MembersNow()
    ever: models.Manager["ThreadMember"] = models.Manager()

    class Meta:
        constraints = (
            models.CheckConstraint(name="thread_member_role_known", condition=Q(role__in=ThreadRole.values)),
            models.UniqueConstraint(name="thread_member_once", fields=("thread", "principal")),
        )
        indexes = (models.Index(name="thread_member_list", fields=("principal", "-changed_at", "-thread")),)


class ThreadAct(models.Model):
    """A consent or mandate used in a thread (T3); `withdrawn_seq` is where a mandate was withdrawn."""

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="acts")
    hash = models.CharField(max_length=ID)
    type = models.CharField(max_length=10)
    statement = models.BinaryField()
    withdrawn_seq = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="thread_act_once", fields=("thread", "hash")),)


class Assignment(models.Model):
    """Who handles a thread for one of its members: a person of that authority. Beside the sealed thread, not
    part of it: the server knows it, and tells all members.
    """

    member = models.OneToOneField(ThreadMember, models.PROTECT, primary_key=True, related_name="assignment")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="assignments")
    since_at = models.DateTimeField()


class ThreadDevice(models.Model):
    """The last message accepted from a device in a thread: its counter, hash and place."""

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="thread_devices")
    device = models.ForeignKey(Device, models.PROTECT, related_name="+")
    counter = models.PositiveBigIntegerField()
    item_hash = models.CharField(max_length=ID)
    seq = models.PositiveBigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(name="thread_device_once", fields=("thread", "device")),)


class ThreadItem(models.Model):
    """An entry or a message, stored as it was sent. The columns repeat what its signed header says."""

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="items")
    seq = models.PositiveBigIntegerField()
    type = models.CharField(max_length=10, choices=ItemType.choices)
    item_hash = models.CharField(max_length=ID)
    item = models.BinaryField()
    ciphertext = models.BinaryField(null=True)
    envelopes = models.BinaryField(null=True)
    transcript = models.CharField(max_length=ID)
    receipt = models.BinaryField()
    received_at = models.DateTimeField()
    principal = models.ForeignKey(Principal, models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, models.PROTECT, related_name="+")
    message_id = models.CharField(max_length=32, blank=True, default="")
    counter = models.PositiveBigIntegerField(null=True)
    kind = models.CharField(max_length=20, blank=True, default="")
    stage = models.CharField(max_length=20, blank=True, default="")
    urgency = models.PositiveSmallIntegerField(default=0)
    due = models.PositiveBigIntegerField(null=True)  # unix seconds
    reminded = models.PositiveSmallIntegerField(default=0)  # how often of that date

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="thread_item_shape",
                condition=Q(
                    type=ItemType.ENTRY, envelopes__isnull=False, ciphertext__isnull=True, message_id=""
                )
                | Q(
                    type=ItemType.WITHDRAWAL,
                    envelopes__isnull=True,
                    ciphertext__isnull=True,
                    message_id="",
                )
                | (
                    Q(type=ItemType.MESSAGE, envelopes__isnull=True, ciphertext__isnull=False)
                    & Q(counter__isnull=False)
                    & ~Q(message_id="")
                ),
            ),
            models.UniqueConstraint(name="thread_item_once", fields=("thread", "seq")),
            # M2: an id is new for ever in its thread.
            models.UniqueConstraint(
                name="message_once", fields=("thread", "message_id"), condition=~Q(message_id="")
            ),
            # M4: a device counts its messages in a thread.
            models.UniqueConstraint(name="message_counter_once", fields=("thread", "device", "counter")),
        )
        # The clocks ask for what is due or urgent, in a table that is nearly all neither.
        indexes = (
            models.Index(name="thread_item_due", fields=("due",), condition=Q(due__isnull=False)),
            models.Index(name="thread_item_urgent", fields=("received_at",), condition=Q(urgency__gt=0)),
        )


class Progress(models.Model):
    """How far the items of a thread have been delivered to a member, and opened by it (signed)."""

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="progress")
    principal = models.ForeignKey(Principal, models.PROTECT, related_name="+")
    delivered_seq = models.PositiveBigIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    opened_seq = models.PositiveBigIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    opened = models.BinaryField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="progress_once", fields=("thread", "principal")),
            models.CheckConstraint(
                name="progress_opened_after_delivered", condition=Q(opened_seq__lte=F("delivered_seq"))
            ),
        )


class Escalation(models.Model):
    """A member was told again of an urgent message that nobody there had taken up: which, and when."""

    progress = models.ForeignKey(Progress, models.PROTECT, related_name="told")
    seq = models.PositiveBigIntegerField()
    stage = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="escalation_once", fields=("progress", "seq", "stage")),)
