"""Who is in a thread after an entry: rows of those who come, and the end of those who go."""

from collections.abc import Sequence

from messaging.access import audience_of
from messaging.actions.writing import APPENDED, Writing
from messaging.models import Assignment, Principal, Progress, ThreadAct, ThreadMember
from messaging.protocol import ItemReference
from messaging.sealed.encoding import sha256
from messaging.sealed.statement import type_of
from messaging.sealed.thread import Member, ThreadEntry, ThreadState
from network.frames import Notice

USED = ("consent", "mandate")


def change_members(writing: Writing, state: ThreadState, entry: ThreadEntry) -> list[Notice]:
    """Store who comes and who goes by an accepted entry, and the statements it has used up (T3).

    The writing tells those who are members afterwards; what is returned tells those who have gone.
    """
    used = [act for act in entry.acts if type_of(act) in USED]
    ThreadAct.objects.bulk_create(
        [
            ThreadAct(thread=writing.row, hash=sha256(act).hex(), type=type_of(act), statement=act)
            for act in used
        ]
    )
    kept = {member.principal.hex() for member in state.members}
    gone = [row for row in writing.members if row.principal_id not in kept]
    here = {row.principal_id for row in writing.members}
    came = _begin(writing, [member for member in state.members if member.principal.hex() not in here])
    _end(gone, state.seq)
    rows = [*(row for row in writing.members if row.principal_id in kept), *came]
    writing.members = sorted(rows, key=lambda row: row.principal_id)
    place = ItemReference(thread=writing.row.id, seq=state.seq)
    return [Notice(APPENDED, audience_of(row.principal), place) for row in gone]


def _end(gone: Sequence[ThreadMember], seq: int) -> None:
    ids = [row.id for row in gone]
    Assignment.objects.filter(member_id__in=ids).delete()
    ThreadMember.objects.filter(id__in=ids).update(ended_seq=seq)


def _begin(writing: Writing, came: Sequence[Member]) -> list[ThreadMember]:
    """Store newcomers; one that was here before takes its old place again."""
    ids = [member.principal.hex() for member in came]
    principals = Principal.objects.in_bulk(ids)
    before = {row.principal_id: row for row in ThreadMember.ever.filter(thread=writing.row)}
    rows = []
    for member in came:
        principal = principals[member.principal.hex()]
        row = before.get(principal.id) or ThreadMember(thread=writing.row, principal=principal)
        row.principal = principal
        row.role, row.mandate = member.role, member.mandate.hex() if member.mandate else ""
        row.keyring_n, row.keyring_head = member.keyring_n, member.keyring_head.hex()
        row.ended_seq, row.changed_at = None, writing.now
        row.save()
        Progress.objects.get_or_create(thread=writing.row, principal=principal)
        rows.append(row)
    return rows
