"""Asking that a device be listed, and declining it. Granting is an entry of the keyring."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging import access
from messaging.actions.keyrings import check_names
from messaging.models import Device, DeviceStatus
from messaging.permissions import Permission
from messaging.protocol import DevicePlace
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.device import DeviceStatement, read_device
from messaging.sealed.encoding import sha256
from network import audit
from network.errors import TooMany
from network.frames import Notice
from network.policy import Actor
from network.realtime import authority_audience, publish_on_commit

REQUESTED = "messaging.device.requested"
DECLINED = "messaging.device.declined"
WAITING_MOST = 10  # requests of one person


def request_device(actor: Actor, *, statement: bytes) -> DevicePlace:
    """Ask that a device of the actor be listed; repeated with the same bytes it answers the same.

    Raises `Conflict("no-keyring")`, `Invalid`, `TooMany`, and whatever rule of the protocol is broken.
    """
    principal = access.get_own_principal(actor, to=Permission.DEVICE_REQUEST)
    with protocol_rules():
        device = read_device(settings.ORIGIN_NAME, statement)
    if device.principal != bytes.fromhex(principal.id):
        raise refusal("wrong-principal")
    check_names(actor, device)
    try:
        return _store_request(actor, device)
    except IntegrityError as error:
        raise refusal("reused-key") from error


@transaction.atomic(durable=True)
def _store_request(actor: Actor, device: DeviceStatement) -> DevicePlace:
    access.stand(actor, Permission.DEVICE_REQUEST)
    place = DevicePlace(device=device.id.hex())
    if Device.objects.filter(id=place.device, authority_id=actor.authority_id).exists():
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
        requested_at=timezone.now(),
    )
    audit.record(actor, "device:request", place.device)
    publish_on_commit(Notice(REQUESTED, authority_audience(actor.authority_id), place))
    return place


@transaction.atomic(durable=True)
def decline_device(actor: Actor, *, device_id: str) -> None:
    """Decline a waiting device of the own authority; raises `NotFound`."""
    access.stand(actor, Permission.DEVICE_DECLINE)
    device = access.get_device_request(actor, device_id, to=Permission.DEVICE_DECLINE)
    device.status = DeviceStatus.DECLINED
    device.ended_at = timezone.now()
    device.save(update_fields=["status", "ended_at"])
    audit.record(actor, "device:decline", device.id)
    place = DevicePlace(device=device.id)
    publish_on_commit(Notice(DECLINED, authority_audience(actor.authority_id), place))
