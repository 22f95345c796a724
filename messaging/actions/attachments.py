"""Files beside messages: begun, stored chunk by chunk, taken with their message; given up or cleared away."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils import timezone

from messaging import access
from messaging.chunks.errors import StoreFailed
from messaging.chunks.store import chunk_name, chunk_store
from messaging.models import Attachment, AttachmentChunk, Principal
from messaging.permissions import Permission
from messaging.protocol import AttachmentState
from messaging.refusals import refusal
from messaging.sealed.attachment import (
    FILE_LIMIT,
    TAG,
    FileHeader,
    chunk_count,
    padded_size,
    root_of,
    sealed_size,
)
from messaging.sealed.encoding import sha256
from messaging.sealed.message import Message
from network import audit
from network.errors import NotFound, Unavailable
from network.policy import Actor

KEPT_FOR = timedelta(days=3)  # a file that no message has taken, after its last chunk
BEGUN_MOST = 50  # files of an authority that no message has taken yet


def begin_attachment(actor: Actor, *, thread_id: str, file_id: str, size: int) -> AttachmentState:
    """Make room for a file of this padded size; begun before, it answers which chunks are missing.

    Raises `NotFound`; `Invalid` for a size that no file has; `Conflict` for another file of this id, or while
    the authority has no room.
    """
    access.get_thread(actor, thread_id, to=Permission.ATTACHMENT_WRITE)
    if not 0 < size <= FILE_LIMIT or padded_size(size) != size:
        raise refusal("wrong-files")
    try:
        return _begin(actor, thread_id, file_id, size)
    except IntegrityError:  # begun at the same moment, by a retry
        return _begin(actor, thread_id, file_id, size)


@transaction.atomic(durable=True)
def _begin(actor: Actor, thread_id: str, file_id: str, size: int) -> AttachmentState:
    access.stand(actor, Permission.ATTACHMENT_WRITE)
    own = access.get_thread(actor, thread_id, to=Permission.ATTACHMENT_WRITE).own.principal
    row = Attachment.objects.filter(thread_id=thread_id, file=file_id).first()
    if row is None:
        _check_room(own, size)
        now = timezone.now()
        row = Attachment.objects.create(
            thread_id=thread_id,
            file=file_id,
            principal=own,
            size=size,
            chunks=chunk_count(size),
            begun_at=now,
            changed_at=now,
        )
        audit.record(actor, "attachment:begin", thread_id, size=size)
    if (row.principal_id, row.size, row.seq, row.ended_at) != (own.id, size, None, None):
        raise refusal("attachment-differs")
    return state_of(row)


def _check_room(own: Principal, size: int) -> None:
    """Raise unless the authority has room for one more; its row is locked, so that only one is let in."""
    Principal.objects.select_for_update(no_key=True).get(id=own.id)
    rows = Attachment.objects.filter(principal=own)
    used = rows.aggregate(total=Sum(F("size") + F("chunks") * TAG))["total"] or 0
    is_full = used + size + chunk_count(size) * TAG > settings.ATTACHMENT_BYTES
    if is_full or rows.filter(seq__isnull=True).count() >= BEGUN_MOST:
        raise refusal("no-room")


def state_of(row: Attachment) -> AttachmentState:
    """Return what is stored of a file and what is missing; the hashes once nothing is."""
    hashes = dict(row.stored.values_list("index", "hash"))
    missing = [index for index in range(row.chunks) if index not in hashes]
    whole = b"".join(bytes.fromhex(hashes[index]) for index in range(row.chunks)) if not missing else None
    return AttachmentState(
        file=row.file, size=row.size, chunks=row.chunks, missing=missing, hashes=whole, seq=row.seq
    )


def store_chunk(actor: Actor, *, thread_id: str, file_id: str, index: int, data: bytes) -> None:
    """Store one sealed chunk: the bytes first, then the note of them. The same bytes again change nothing.

    Raises `NotFound`; `Invalid("wrong-chunk")` for a size that is not this chunk's; `Conflict` for other
    bytes than before; `Unavailable` while the store does not answer.
    """
    row = access.get_own_attachment(actor, thread_id, file_id)
    if index >= row.chunks or len(data) != sealed_size(row.size, index):
        raise refusal("wrong-chunk")
    found = sha256(data).hex()
    before = row.stored.filter(index=index).first()
    if before is None:
        name = chunk_name(thread_id, file_id, index)
        _put(name, data)
        before = _note_chunk(actor, row, index, found)
    if before.hash != found:
        raise refusal("attachment-differs")


def _put(name: str, data: bytes) -> None:
    try:
        chunk_store().put(name, data)
    except StoreFailed as error:
        raise Unavailable from error


@transaction.atomic(durable=True)
def _note_chunk(actor: Actor, row: Attachment, index: int, found: str) -> AttachmentChunk:
    access.stand(actor, Permission.ATTACHMENT_WRITE)
    here = Attachment.objects.filter(id=row.id, seq__isnull=True, ended_at__isnull=True)
    if not here.update(changed_at=timezone.now()):
        raise NotFound
    note, _ = AttachmentChunk.objects.get_or_create(
        attachment_id=row.id, index=index, defaults={"hash": found}
    )
    return note


def cancel_attachment(actor: Actor, *, thread_id: str, file_id: str) -> None:
    """Give up a file that no message has taken; raises `NotFound`."""
    row = access.get_own_attachment(actor, thread_id, file_id)
    _end(actor, row)
    remove_ended([row.id])


@transaction.atomic(durable=True)
def _end(actor: Actor, row: Attachment) -> None:
    access.stand(actor, Permission.ATTACHMENT_WRITE)
    rows = Attachment.objects.filter(id=row.id, seq__isnull=True)
    if not rows.update(ended_at=timezone.now()):
        raise NotFound
    audit.record(actor, "attachment:cancel", row.thread_id, size=row.size)


def clear_attachments() -> None:
    """Remove files that no message has taken in time, and those given up. Several processes may do this."""
    late = Attachment.objects.filter(
        seq__isnull=True, ended_at__isnull=True, changed_at__lt=timezone.now() - KEPT_FOR
    )
    with transaction.atomic(durable=True):
        late.update(ended_at=timezone.now())
    remove_ended(Attachment.objects.filter(ended_at__isnull=False).values_list("id", flat=True))


def remove_ended(ids: Iterable[int]) -> None:
    """Remove the chunks of files that have ended, then their rows; what fails is tried again later."""
    for row in Attachment.objects.filter(id__in=list(ids), ended_at__isnull=False):
        try:
            for index in range(row.chunks):
                chunk_store().remove(chunk_name(row.thread_id, row.file, index))
        except StoreFailed:
            continue
        with transaction.atomic(durable=True):
            AttachmentChunk.objects.filter(attachment_id=row.id).delete()
            Attachment.objects.filter(id=row.id).delete()


# --- with a message


Place = tuple[str, str]  # thread, file


@dataclass
class FilesAtHand:
    """The files that messages of a batch name, locked; a message takes those that are whole and its own."""

    rows: dict[Place, Attachment] = field(default_factory=dict)
    hashes: Mapping[int, list[bytes]] = field(default_factory=dict)
    taken: list[Attachment] = field(default_factory=list)

    @classmethod
    def read(cls, messages: Collection[Message]) -> "FilesAtHand":
        """Read and lock what the messages name; nothing is asked where they name no file."""
        wanted = {(one.thread.hex(), file.id.hex()) for one in messages for file in one.files}
        if not wanted:
            return cls()
        rows = Attachment.objects.select_for_update().filter(
            thread_id__in={thread for thread, _ in wanted}, file__in={file for _, file in wanted}
        )
        found = {(row.thread_id, row.file): row for row in rows.order_by("id")}
        hashes: dict[int, list[bytes]] = {row.id: [] for row in found.values()}
        stored = AttachmentChunk.objects.filter(attachment_id__in=hashes).order_by("attachment_id", "index")
        for attachment_id, value in stored.values_list("attachment_id", "hash"):
            hashes[attachment_id].append(bytes.fromhex(value))
        return cls(found, hashes)

    def take(self, message: Message, seq: int) -> None:
        """Let a message that was accepted at this place have its files, all or none.

        Raises `Conflict("attachment-missing")` unless each is stored whole, is the one that the header says,
        of the same authority, and in no other message.
        """
        rows = [self._find(message, file) for file in message.files]
        for row in rows:
            row.seq = seq
        self.taken.extend(rows)

    def _find(self, message: Message, file: FileHeader) -> Attachment:
        row = self.rows.get((message.thread.hex(), file.id.hex()))
        if row is None or row.seq is not None or row.ended_at is not None:
            raise refusal("attachment-missing")
        if row.principal_id != message.by.principal.hex() or row.size != file.size:
            raise refusal("attachment-missing")
        hashes: Sequence[bytes] = self.hashes[row.id]
        if len(hashes) != row.chunks or root_of(settings.ORIGIN_NAME, hashes) != file.root:
            raise refusal("attachment-missing")
        return row

    def write(self) -> None:
        """Store which message each file belongs to."""
        if self.taken:
            Attachment.objects.bulk_update(self.taken, ["seq"])
