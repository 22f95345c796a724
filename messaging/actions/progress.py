"""How far a thread has been delivered to a member, and opened by it."""

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from messaging import access
from messaging.access import SeenThread
from messaging.actions.notices import clear_thread
from messaging.models import Progress, ThreadItem
from messaging.permissions import Permission
from messaging.protocol import ProgressReference
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.receipt import check_opened
from messaging.sealed.statement import parse
from messaging.sealed_states import newest_keyrings, thread_state
from network.frames import Notice
from network.policy import Actor
from network.realtime import publish_on_commit

MADE = "messaging.progress.made"
CLOCK_SECONDS = 300  # how far a device may be ahead; counterparts show the time it says


@transaction.atomic(durable=True)
def confirm_delivery(actor: Actor, *, thread_id: str, seq: int) -> None:
    """Note that everything up to `seq` has reached a device of the actor; less than before changes nothing.

    Raises `NotFound`, and `beyond-the-end` for items that do not exist.
    """
    access.stand(actor, Permission.PROGRESS_WRITE)
    seen = access.get_thread(actor, thread_id, to=Permission.PROGRESS_WRITE)
    if seq > seen.thread.seq:
        raise refusal("beyond-the-end")
    behind = _own_progress(seen).filter(delivered_seq__lt=seq)
    if behind.update(delivered_seq=seq, delivered_at=timezone.now()):
        publish_on_commit(*_made(seen))


@transaction.atomic(durable=True)
def record_opened(actor: Actor, *, opened: bytes, thread_id: str = "") -> None:
    """Keep the newest signed statement of how far the actor's authority has opened a thread.

    `thread_id`, where given, must be the thread the statement names. Raises `NotFound`, `Forbidden`, and
    whatever rule of the protocol is broken.
    """
    access.stand(actor, Permission.PROGRESS_WRITE)
    with protocol_rules():
        statement = parse(settings.ORIGIN_NAME, opened, "opened")
        named = statement.fields.data("thread").hex()
    if statement.at > timezone.now().timestamp() + CLOCK_SECONDS:
        raise refusal("clock-ahead")
    seen = access.get_thread(actor, thread_id or named, to=Permission.PROGRESS_WRITE)
    if seen.thread.id != named:
        raise refusal("wrong-thread")
    access.get_signing_device(actor, statement.kid.hex())
    with protocol_rules():
        checked = check_opened(
            settings.ORIGIN_NAME,
            opened,
            thread_state(seen.thread, seen.members, []),
            newest_keyrings(member.principal for member in seen.members),
            transcript_at=lambda seq: _transcript_at(named, seq),
        )
    now = timezone.now()
    behind = _own_progress(seen).filter(opened_seq__lt=checked.seq)
    notices = clear_thread(actor, named)
    if behind.update(
        opened_seq=checked.seq,
        opened_at=now,
        opened=opened,
        delivered_seq=Greatest(F("delivered_seq"), checked.seq),
        delivered_at=now,
    ):
        notices += _made(seen)
    if notices:
        publish_on_commit(*notices)


def _own_progress(seen: SeenThread) -> QuerySet[Progress]:
    return Progress.objects.filter(thread=seen.thread, principal_id=seen.own.principal_id)


def _transcript_at(thread_id: str, seq: int) -> bytes | None:
    found = (
        ThreadItem.objects.filter(thread_id=thread_id, seq=seq).values_list("transcript", flat=True).first()
    )
    return bytes.fromhex(found) if found else None


def _made(seen: SeenThread) -> list[Notice]:
    place = ProgressReference(thread=seen.thread.id, principal=seen.own.principal_id)
    return [Notice(MADE, audience, place) for audience in seen.audiences]
