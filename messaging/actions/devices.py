"""Asking that a device be listed, and declining it. Granting is an entry of the keyring."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging import access
from messaging.access import audience_of
from messaging.actions.keyring_extension import check_names
from messaging.actions.notices import resolve_devices, tell_of_device
from messaging.models import Device, DeviceStatus, Principal
from messaging.permissions import Permission
from messaging.practitioner_queries import possible_sponsors
from messaging.protocol import DevicePlace
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.device import DeviceStatement, read_device
from messaging.sealed.encoding import sha256
from network import audit
from network.errors import TooMany
from network.frames import Notice
from network.policy import Actor, is_practising
from network.realtime import authority_audience, publish_on_commit

REQUESTED = "messaging.device.requested"
DECLINED = "messaging.device.declined"
WAITING_MOST = 10  # requests of one person


def request_device(actor: Actor, *, statement: bytes) -> DevicePlace:
    """Ask that a device of the actor be listed; repeated with the same bytes it answers the same.

    Raises `Conflict("no-keyring")`, `Invalid`, `TooMany`, and whatever rule of the protocol is broken.
    """
    access.require(actor, Permission.DEVICE_REQUEST)
    principal = access.find_own_principal(actor)
    if principal is None and not is_practising(actor.roles):
        raise refusal("no-keyring")
    with protocol_rules():
        device = read_device(settings.ORIGIN_NAME, statement)
    if device.principal != (bytes.fromhex(principal.id) if principal else None):
        raise refusal("wrong-principal")
    check_names(actor, device)
    try:
        return _store_request(actor, device, principal)
    except IntegrityError as error:
        raise refusal("reused-key") from error


@transaction.atomic(durable=True)
def _store_request(actor: Actor, device: DeviceStatement, principal: Principal | None) -> DevicePlace:
    access.stand(actor, Permission.DEVICE_REQUEST)
    practises = is_practising(actor.roles)
    asked = possible_sponsors(actor) if practises and principal is None else {actor.authority_id}
    asked = set() if practises and principal else asked
    place = DevicePlace(device=device.id.hex())
    if Device.objects.filter(id=place.device, person_id=actor.person_id).exists():
        return place
    waiting = Device.objects.filter(person_id=actor.person_id, status=DeviceStatus.REQUESTED)
    if waiting.count() >= WAITING_MOST:
        raise TooMany("too-many-requests", _("Too many of your devices are waiting to be added already."))
    Device.objects.create(
        id=place.device,
        authority_id=actor.authority_id,
        person_id=actor.person_id,
        statement=device.raw,
        signing_key=device.sig.hex(),
        kem_key_hash=sha256(device.kem).hex(),
        status=DeviceStatus.REQUESTED,
        is_practitioners=practises,
        principal=principal if practises else None,
        requested_at=timezone.now(),
    )
    # Whose further device it is lets it in: of a practitioner, that is the first device of the same person.
    told = tell_of_device(actor, device_id=place.device, authorities=asked) if asked else []
    audit.record(actor, "device:request", place.device)
    audiences = {audience_of(principal)} if principal else set()
    audiences |= {authority_audience(authority_id) for authority_id in asked}
    publish_on_commit(*[Notice(REQUESTED, audience, place) for audience in sorted(audiences)], *told)
    return place


@transaction.atomic(durable=True)
def decline_device(actor: Actor, *, device_id: str) -> None:
    """Decline a waiting device of the own authority; raises `NotFound`."""
    access.stand(actor, Permission.DEVICE_DECLINE)
    device = access.get_device_request(actor, device_id, to=Permission.DEVICE_DECLINE)
    device.status = DeviceStatus.DECLINED
    device.ended_at = timezone.now()
    device.save(update_fields=["status", "ended_at"])
    told = resolve_devices([device.id])
    audit.record(actor, "device:decline", device.id)
    place = DevicePlace(device=device.id)
    publish_on_commit(Notice(DECLINED, authority_audience(actor.authority_id), place), *told)
