"""The guard of sealed correspondence: turns an id into an object for an actor, or refuses."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging import policy
from messaging.models import (
    SHARED_KINDS,
    Assignment,
    Attachment,
    Device,
    DeviceStatus,
    Holder,
    Principal,
    PrincipalStatus,
    Report,
    Restore,
    Sponsoring,
    Thread,
    ThreadMember,
)
from messaging.permissions import Permission
from messaging.refusals import refusal
from messaging.wholeness import require_whole
from network.access import require_standing, standing
from network.errors import Forbidden, NotFound, SignedOut
from network.models import Membership
from network.policy import Actor, is_practising
from network.realtime import authority_audience, member_audience


@dataclass(frozen=True)
class SeenThread:
    """A thread the actor may see, with its members; `own` is the membership of the actor's authority."""

    thread: Thread
    members: tuple[ThreadMember, ...]
    own: ThreadMember

    @property
    def audiences(self) -> list[str]:
        """Return who hears of this thread."""
        return sorted({audience_of(member.principal) for member in self.members})

    @property
    def handler(self) -> Assignment | None:
        """Return who handles it for the own authority; read with the members, no query of its own."""
        return getattr(self.own, "assignment", None)


BINDING = frozenset(
    {
        Permission.KEYRING_WRITE,
        Permission.MANDATE_WITHDRAW,
        Permission.THREAD_EXTEND,
        Permission.THREAD_OPEN,
    }
)

SeenThreads = dict[str, dict[Holder, SeenThread]]
"""By thread, then by whose view it is: an actor's is at `policy.holder(actor)`."""


def audience_of(principal: Principal) -> str:
    """Return who hears of what concerns a principal: its authority, or the practitioner alone."""
    if principal.person_id is None:
        return authority_audience(principal.authority_id)
    return member_audience(principal.authority_id, principal.person_id)


def require(actor: Actor | None, permission: Permission) -> Actor:
    """Return the actor if it has the right; raises `SignedOut` or `Forbidden`."""
    if actor is None:
        raise SignedOut
    if not policy.can(actor, permission):
        raise Forbidden
    return actor


def stand(actor: Actor, permission: Permission) -> None:
    """Check inside the writing transaction that the actor still stands and has the right.

    What signs for a place or binds the server waits while the server does not have everything it had (L8).
    """
    require(actor, permission)
    if permission in BINDING:
        require_whole(writing=True)
    if actor.sign_in_id not in require_standing([actor]):
        raise SignedOut


def find_own_principal(actor: Actor) -> Principal | None:
    """Return the principal the actor acts for (the authority's, or the own), or None while there is none."""
    authority_id, person_id = policy.holder(actor)
    rows = Principal.objects.filter(authority_id=authority_id, status=PrincipalStatus.STANDING)
    own = rows.filter(person__isnull=True) if person_id is None else rows.filter(person_id=person_id)
    return own.first()


def get_own_principal(actor: Actor, *, to: Permission) -> Principal:
    """Return the principal of the actor's authority; raises `no-keyring` while there is none."""
    require(actor, to)
    principal = find_own_principal(actor)
    if principal is None:
        raise refusal("no-keyring")
    return principal


def get_principal(actor: Actor, principal_id: str, *, to: Permission) -> Principal:
    """Return any principal; every authority may seal to every other. Raises `NotFound`."""
    require(actor, to)
    joined = Principal.objects.select_related("authority__state")
    principal = joined.filter(id=principal_id).first()
    if principal is None:
        raise NotFound
    return principal


def get_keyring_to_write(actor: Actor, principal_id: str) -> Principal:
    """Return the actor's own principal if it is the one named.

    Raises `NotFound`, `Forbidden`; `keyring-waits` and `keyring-ended` where it is not in force (K12).
    """
    principal = get_principal(actor, principal_id, to=Permission.KEYRING_WRITE)
    if principal.holder != policy.holder(actor):
        raise Forbidden
    _require_force(principal)
    return principal


def _require_force(principal: Principal) -> None:
    """Check that a keyring neither waits to take the place of another nor has lost its own to one (K12)."""
    if principal.status == PrincipalStatus.WAITING:
        raise refusal("keyring-waits")
    if principal.status == PrincipalStatus.ENDED:
        raise refusal("keyring-ended")


def get_keyring_to_approve(actor: Actor, principal_id: str) -> Principal:
    """Return the own principal, or a practitioner's for whom the own authority answers.

    Raises `NotFound` or `Forbidden`.
    """
    principal = get_principal(actor, principal_id, to=Permission.KEYRING_WRITE)
    answers = Sponsoring.objects.filter(
        device__principal=principal, sponsor__authority_id=actor.authority_id, sponsor__person_id__isnull=True
    )
    if principal.holder == policy.holder(actor):
        _require_force(principal)
        return principal
    if not policy.can(actor, Permission.PRACTITIONER_SPONSOR) or not answers.exists():
        raise Forbidden
    return principal


def get_keyring_to_try(actor: Actor, principal_id: str) -> Principal:
    """Return the actor's own principal if it is the one named; raises `NotFound` or `Forbidden`."""
    principal = get_principal(actor, principal_id, to=Permission.KEYRING_TRY)
    if principal != find_own_principal(actor):
        raise Forbidden
    return principal


def get_keyring_to_accept(actor: Actor, principal_id: str) -> Principal:
    """Return the own principal, in whose ledger a supervisor accepts; raises `NotFound` or `Forbidden`."""
    principal = get_principal(actor, principal_id, to=Permission.KEYRING_ACCEPT)
    if principal != find_own_principal(actor):
        raise Forbidden
    return principal


def see_threads(
    actors: Collection[Actor], thread_ids: Collection[str], *, locked: bool = False
) -> SeenThreads:
    """Return, by thread and by authority, those of the threads the actors may see. Two queries.

    `locked` takes the rows in the order of their ids, so that two writers never wait for each other.
    """
    holders = {policy.holder(actor) for actor in actors}
    theirs = ThreadMember.objects.filter(_held_by(holders)).values("thread_id")
    rows = Thread.objects.filter(id__in=set(thread_ids)).filter(id__in=theirs).order_by("id")
    threads = {row.id: row for row in (rows.select_for_update() if locked else rows)}
    members: dict[str, list[ThreadMember]] = {thread_id: [] for thread_id in threads}
    joined = ThreadMember.objects.select_related("principal", "assignment")
    for member in joined.filter(thread_id__in=threads).order_by("principal_id"):
        members[member.thread_id].append(member)
    seen: SeenThreads = {}
    for thread_id, found in members.items():
        # K12: who acts for an authority acts by the keyring in force, in the threads that this one is in.
        own = {member.principal.holder: member for member in found if _is_in_force(member.principal)}
        seen[thread_id] = {
            holder: SeenThread(threads[thread_id], tuple(found), own[holder])
            for actor in actors
            if policy.can_see_thread(actor, own.keys())
            for holder in (policy.holder(actor),)
        }
    return seen


def _is_in_force(principal: Principal) -> bool:
    return principal.status == PrincipalStatus.STANDING


def _held_by(holders: Collection[Holder]) -> Q:
    """Return the condition that a member's principal is one of theirs."""
    authorities = {authority_id for authority_id, person_id in holders if person_id is None}
    found = Q(principal__authority_id__in=authorities, principal__person_id__isnull=True)
    for authority_id, person_id in holders:
        if person_id is None:
            continue
        found |= Q(principal__authority_id=authority_id, principal__person_id=person_id)
    return found


def get_thread(actor: Actor, thread_id: str, *, to: Permission, locked: bool = False) -> SeenThread:
    """Return a thread of the actor's authority; a missing and a foreign one are the same `NotFound`."""
    require(actor, to)
    seen = see_threads([actor], [thread_id], locked=locked).get(thread_id, {})
    if policy.holder(actor) not in seen:
        raise NotFound
    return seen[policy.holder(actor)]


def get_own_places(actor: Actor, thread_ids: Collection[str], *, to: Permission) -> dict[str, ThreadMember]:
    """Return the own principal's place in each of the threads, those it has left among them; by thread.

    Raises `NotFound` if it was never in one of them: a missing and a foreign thread are the same.
    """
    require(actor, to)
    rows = ThreadMember.ever.filter(principal=find_own_principal(actor), thread_id__in=set(thread_ids))
    places = {row.thread_id: row for row in rows.select_related("thread")}
    if len(places) != len(set(thread_ids)):
        raise NotFound
    return places


@dataclass(frozen=True)
class ReadableThread:
    """A thread the actor's authority may read up to `seq`; `former` is its place if it has left."""

    thread: Thread
    seq: int
    former: ThreadMember | None = None


def get_thread_to_read(actor: Actor, thread_id: str, *, to: Permission) -> ReadableThread:
    """Return a thread that the actor's authority is in, or has left: then as far as it was in it.

    A missing and a foreign thread are the same `NotFound`.
    """
    require(actor, to)
    holder = policy.holder(actor)
    if holder in (seen := see_threads([actor], [thread_id]).get(thread_id, {})):
        row = seen[holder].thread
        return ReadableThread(row, row.seq)
    places = ThreadMember.ever.filter(ended_seq__isnull=False).select_related("thread", "principal")
    own = places.filter(_held_by({holder}), thread_id=thread_id).first()
    if own is None or not policy.can_see_thread(actor, [own.principal.holder]):
        raise NotFound
    return ReadableThread(own.thread, own.ended_seq or 0, own)


def get_thread_to_hold(actor: Actor, thread_id: str) -> Thread:
    """Return a correspondence that the actor's authority is in, or has left, and keeps; raises `NotFound`."""
    thread = get_thread_to_read(actor, thread_id, to=Permission.HOLD_WRITE).thread
    if thread.kind not in SHARED_KINDS:
        raise NotFound
    return thread


def get_attachment(actor: Actor, thread_id: str, file_id: str) -> Attachment:
    """Return a file of a thread of the actor's authority; raises `NotFound`.

    One that belongs to no message yet is the sending authority's own: others cannot tell that it is there.
    """
    get_thread(actor, thread_id, to=Permission.ATTACHMENT_READ)
    rows = Attachment.objects.filter(thread_id=thread_id, file=file_id, ended_at__isnull=True)
    row = rows.select_related("principal").first()
    if row is None or (row.seq is None and row.principal.holder != policy.holder(actor)):
        raise NotFound
    return row


def get_own_attachment(actor: Actor, thread_id: str, file_id: str) -> Attachment:
    """Return a file of the actor's authority that no message has taken yet; raises `NotFound`."""
    require(actor, Permission.ATTACHMENT_WRITE)
    row = get_attachment(actor, thread_id, file_id)
    if row.seq is not None or row.principal.holder != policy.holder(actor):
        raise NotFound
    return row


def get_report(actor: Actor, report_id: uuid.UUID, *, to: Permission, locked: bool = False) -> Report:
    """Return a report for a moderator; raises `NotFound`."""
    require(actor, to)
    rows = Report.objects.select_related(
        "principal__authority__state", "membership__person", "closed_by__person"
    )
    report = (rows.select_for_update(of=("self",)) if locked else rows).filter(id=report_id).first()
    if report is None:
        raise NotFound
    return report


def get_handler(actor: Actor, membership_id: uuid.UUID) -> Membership:
    """Return a member of the own authority who may handle a thread, locked.

    Raises `NotFound`, and `Forbidden` for who may not give it to another, or to whom it cannot be given.
    """
    require(actor, Permission.THREAD_ASSIGN)
    rows = Membership.objects.select_for_update(of=("self",), no_key=True).select_related("person")
    member = rows.filter(standing(timezone.now()), id=membership_id, authority_id=actor.authority_id).first()
    if member is None:
        raise NotFound
    if not policy.can_assign_to(actor, member.id):
        raise Forbidden("only-supervisors", _("Only a supervisor gives a thread to somebody else."))
    if not policy.can_handle(member.role_set):
        raise Forbidden("cannot-handle", _("This person does not read correspondence."))
    return member


def get_device_request(actor: Actor, device_id: str, *, to: Permission) -> Device:
    """Return a waiting device of the actor's authority, locked; raises `NotFound`."""
    require(actor, to)
    rows = Device.objects.select_for_update().filter(status=DeviceStatus.REQUESTED, is_practitioners=False)
    device = rows.filter(id=device_id, authority_id=actor.authority_id).first()
    if device is None:
        raise NotFound
    return device


def practitioners_of(actor: Actor) -> Q:
    """Return the condition that a practitioner's device is the actor's own, or of his or her State.

    The central authority of a State sees who asks it for an answer, and for whom it could answer.
    """
    if is_practising(actor.roles):
        return Q(person_id=actor.person_id, authority_id=actor.authority_id)
    if not policy.can_sponsor(actor, actor.state_code):
        return Q(pk__in=[])
    return Q(authority__state_id=actor.state_code)


def get_practitioner(actor: Actor, device_id: str) -> Device:
    """Return the waiting first device of a practitioner of the actor's State, locked; raises `NotFound`."""
    require(actor, Permission.PRACTITIONER_SPONSOR)
    rows = Device.objects.select_for_update(of=("self",)).filter(
        practitioners_of(actor), is_practitioners=True, status=DeviceStatus.REQUESTED, principal__isnull=True
    )
    device = rows.filter(id=device_id).first()
    if device is None:
        raise NotFound
    return device


def get_own_devices(actors: Collection[Actor], device_ids: Collection[str]) -> dict[str, Device]:
    """Return those of the enrolled devices that belong to one of the actors, by id."""
    rows = Device.objects.filter(
        id__in=set(device_ids), person_id__in={actor.person_id for actor in actors}, ended_at__isnull=True
    )
    # K12: a device of keys that wait to take the place of others signs nothing yet.
    in_force = rows.filter(status=DeviceStatus.ENROLLED, principal__status=PrincipalStatus.STANDING)
    return {row.id: row for row in in_force}


def get_open_restore(actor: Actor, serial: int) -> Restore:
    """Return the restore that waits for signatures, locked; raises `NotFound`."""
    require(actor, Permission.RESTORE_SIGN)
    restore = Restore.objects.select_for_update().filter(serial=serial, finished_at=None).first()
    if restore is None:
        raise NotFound
    return restore


def get_signing_device(actor: Actor, device_id: str, known: Mapping[str, Device] | None = None) -> Device:
    """Return the enrolled device that signed, if it is the actor's for the authority he or she acts for.

    `known` are devices already read. Raises `Forbidden("foreign-device")`.
    """
    devices = get_own_devices([actor], [device_id]) if known is None else known
    device = devices.get(device_id)
    if device is None or not policy.can_sign_with(actor, device.person_id, device.holder):
        raise Forbidden("foreign-device", _("This was signed by a device that is not yours."))
    return device


def list_memberships_in_force(authority_id: uuid.UUID, person_ids: Collection[uuid.UUID]) -> list[Membership]:
    """Return the standing of these persons in the authority, as far as it is in force."""
    rows = Membership.objects.filter(authority_id=authority_id, person_id__in=person_ids)
    return list(rows.filter(standing(timezone.now())))
