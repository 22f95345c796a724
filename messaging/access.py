"""The guard of sealed correspondence: turns an id into an object for an actor, or refuses."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging import policy
from messaging.models import Device, DeviceStatus, Principal, Thread, ThreadMember
from messaging.permissions import Permission
from messaging.refusals import refusal
from network.access import require_standing
from network.errors import Forbidden, NotFound, SignedOut
from network.models import Membership
from network.policy import Actor


@dataclass(frozen=True)
class SeenThread:
    """A thread the actor may see, with its members; `own` is the membership of the actor's authority."""

    thread: Thread
    members: tuple[ThreadMember, ...]
    own: ThreadMember

    @property
    def authority_ids(self) -> list[uuid.UUID]:
        """Return the authorities whose audiences hear of this thread."""
        return [member.principal.authority_id for member in self.members]


SeenThreads = dict[str, dict[uuid.UUID, SeenThread]]


def require(actor: Actor | None, permission: Permission) -> Actor:
    """Return the actor if it has the right; raises `SignedOut` or `Forbidden`."""
    if actor is None:
        raise SignedOut
    if not policy.can(actor, permission):
        raise Forbidden
    return actor


def stand(actor: Actor, permission: Permission) -> None:
    """Check inside the writing transaction that the actor still stands and has the right."""
    require(actor, permission)
    if actor.sign_in_id not in require_standing([actor]):
        raise SignedOut


def find_own_principal(actor: Actor) -> Principal | None:
    """Return the principal of the actor's authority, or None while it has no keyring."""
    return Principal.objects.filter(authority_id=actor.authority_id).first()


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
    """Return the actor's own principal if it is the one named; raises `NotFound` or `Forbidden`."""
    principal = get_principal(actor, principal_id, to=Permission.KEYRING_WRITE)
    if principal.authority_id != actor.authority_id:
        raise Forbidden
    return principal


def see_threads(
    actors: Collection[Actor], thread_ids: Collection[str], *, locked: bool = False
) -> SeenThreads:
    """Return, by thread and by authority, those of the threads the actors may see. Two queries.

    `locked` takes the rows in the order of their ids, so that two writers never wait for each other.
    """
    authority_ids = {actor.authority_id for actor in actors}
    theirs = ThreadMember.objects.filter(principal__authority_id__in=authority_ids).values("thread_id")
    rows = Thread.objects.filter(id__in=set(thread_ids)).filter(id__in=theirs).order_by("id")
    threads = {row.id: row for row in (rows.select_for_update() if locked else rows)}
    members: dict[str, list[ThreadMember]] = {thread_id: [] for thread_id in threads}
    joined = ThreadMember.objects.select_related("principal")
    for member in joined.filter(thread_id__in=threads).order_by("principal_id"):
        members[member.thread_id].append(member)
    seen: SeenThreads = {}
    for thread_id, found in members.items():
        own = {member.principal.authority_id: member for member in found}
        seen[thread_id] = {
            actor.authority_id: SeenThread(threads[thread_id], tuple(found), own[actor.authority_id])
            for actor in actors
            if policy.can_see_thread(actor, own.keys())
        }
    return seen


def get_thread(actor: Actor, thread_id: str, *, to: Permission, locked: bool = False) -> SeenThread:
    """Return a thread of the actor's authority; a missing and a foreign one are the same `NotFound`."""
    require(actor, to)
    seen = see_threads([actor], [thread_id], locked=locked).get(thread_id, {})
    if actor.authority_id not in seen:
        raise NotFound
    return seen[actor.authority_id]


def get_device_request(actor: Actor, device_id: str, *, to: Permission) -> Device:
    """Return a waiting device of the actor's authority, locked; raises `NotFound`."""
    require(actor, to)
    rows = Device.objects.select_for_update().filter(status=DeviceStatus.REQUESTED)
    device = rows.filter(id=device_id, authority_id=actor.authority_id).first()
    if device is None:
        raise NotFound
    return device


def get_own_devices(actors: Collection[Actor], device_ids: Collection[str]) -> dict[str, Device]:
    """Return those of the enrolled devices that belong to one of the actors, by id."""
    rows = Device.objects.filter(
        id__in=set(device_ids), person_id__in={actor.person_id for actor in actors}, ended_at__isnull=True
    )
    return {row.id: row for row in rows.filter(status=DeviceStatus.ENROLLED)}


def get_signing_device(actor: Actor, device_id: str, known: Mapping[str, Device] | None = None) -> Device:
    """Return the enrolled device that signed, if it is the actor's for the authority he or she acts for.

    `known` are devices already read. Raises `Forbidden("foreign-device")`.
    """
    devices = get_own_devices([actor], [device_id]) if known is None else known
    device = devices.get(device_id)
    if device is None or not policy.can_sign_with(actor, device.person_id, device.authority_id):
        raise Forbidden("foreign-device", _("This was signed by a device that is not yours."))
    return device


def list_memberships_in_force(authority_id: uuid.UUID, person_ids: Collection[uuid.UUID]) -> list[Membership]:
    """Return the standing of these persons in the authority, as far as it is in force."""
    now = timezone.now()
    rows = Membership.objects.filter(authority_id=authority_id, person_id__in=person_ids, from_at__lte=now)
    return list(rows.filter(Q(until_at__isnull=True) | Q(until_at__gt=now), person__is_active=True))
