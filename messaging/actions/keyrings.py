"""Creating and extending the keyring of the own authority."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging import access, policy
from messaging.models import Device, DeviceStatus, KeyringEntry, KeyringValue, Principal, PrincipalKind
from messaging.permissions import Permission
from messaging.protocol import KeyringPlace
from messaging.queries import audiences_near
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.device import DeviceStatement, read_device
from messaging.sealed.encoding import sha256
from messaging.sealed.keyring import KeyringState, ListedDevice, accept_entry
from messaging.sealed.statement import parse
from messaging.sealed_states import keyring_state
from network import audit
from network.errors import Forbidden, Refusal
from network.frames import Notice
from network.models import Role
from network.policy import Actor
from network.realtime import publish_on_commit

GREW = "messaging.keyring.grew"


def create_keyring(
    actor: Actor, *, entry: bytes, envelopes: bytes, statements: Sequence[bytes]
) -> KeyringPlace:
    """Create the keyring of an authority that has none; repeated with the same bytes it answers the same.

    Raises `Forbidden`, `Conflict("keyring-exists")`, and whatever rule of the protocol is broken.
    """
    access.require(actor, Permission.KEYRING_WRITE)
    with protocol_rules():
        state = accept_entry(settings.ORIGIN_NAME, None, entry, statements, envelopes)
        devices = _read_listed(state, statements)
    if state.kind != PrincipalKind.AUTHORITY:
        raise refusal("wrong-kind")
    for device in devices:
        check_names(actor, device)
    _check_roles(actor.role, state.devices)
    try:
        return _store_genesis(actor, state, devices, entry, envelopes)
    except IntegrityError as error:
        raise _why_not(state) from error


def extend_keyring(
    actor: Actor, *, principal_id: str, entry: bytes, envelopes: bytes, statements: Sequence[bytes]
) -> KeyringPlace:
    """Add devices to the own keyring; repeated with the same bytes it answers the same.

    Raises `NotFound`, `Forbidden`, `Conflict("stale-epoch")`, and whatever rule of the protocol is broken.
    """
    principal = access.get_keyring_to_write(actor, principal_id)
    if found := _found_entry(principal.id, entry):
        return found
    with protocol_rules():
        state = accept_entry(settings.ORIGIN_NAME, keyring_state(principal), entry, statements, envelopes)
        author = parse(settings.ORIGIN_NAME, entry, "keyring").kid.hex()
    access.get_signing_device(actor, author)
    try:
        return _store_addition(actor, principal, state, entry, envelopes)
    except IntegrityError as error:
        raise _why_not(state) from error


def check_names(actor: Actor, device: DeviceStatement) -> None:
    """Check that a device says of its person what the network says; raises `statement-differs`."""
    said = (device.person, device.name, device.office)
    if said != (actor.person_id.hex, actor.person_name, actor.office):
        raise refusal("statement-differs")


def _check_roles(role: Role, devices: Iterable[ListedDevice]) -> None:
    for device in devices:
        if not policy.can_device_hold(role, device.roles):
            raise Forbidden("role-not-held", _("A device cannot have a role that its person does not have."))


def _read_listed(state: KeyringState, statements: Sequence[bytes]) -> list[DeviceStatement]:
    listed = {device.id for device in state.devices}
    unique = {sha256(raw): raw for raw in statements}
    return [read_device(settings.ORIGIN_NAME, raw) for key, raw in unique.items() if key in listed]


@transaction.atomic(durable=True)
def _store_genesis(
    actor: Actor, state: KeyringState, devices: Sequence[DeviceStatement], entry: bytes, envelopes: bytes
) -> KeyringPlace:
    access.stand(actor, Permission.KEYRING_WRITE)
    if found := _found_entry(state.principal.hex(), entry, authority_id=actor.authority_id):
        return found
    now = timezone.now()
    principal = Principal.objects.create(
        id=state.principal.hex(),
        authority_id=actor.authority_id,
        kind=state.kind,
        n=state.n,
        head=state.head.hex(),
        created_at=now,
    )
    Device.objects.bulk_create([_enrolled(actor, principal, device, now) for device in devices])
    _store_entry(principal, state, entry, envelopes, now)
    audit.record(actor, "keyring:create", principal.id, devices=len(devices))
    return _tell(principal)


@transaction.atomic(durable=True)
def _store_addition(
    actor: Actor, principal: Principal, state: KeyringState, entry: bytes, envelopes: bytes
) -> KeyringPlace:
    access.stand(actor, Permission.KEYRING_WRITE)
    before = Principal.objects.filter(id=principal.id, n=principal.n, head=principal.head)
    # K1: one entry for each n; whoever comes second changes no row.
    if not before.update(n=state.n, head=state.head.hex()):
        raise refusal("stale-epoch")
    added = _enrol(actor, principal, state)
    principal.n, principal.head = state.n, state.head.hex()
    _store_entry(principal, state, entry, envelopes, timezone.now())
    for device in added:
        audit.record(actor, "device:enrol", device.id, n=state.n)
    return _tell(principal)


def _enrol(actor: Actor, principal: Principal, state: KeyringState) -> list[Device]:
    """Mark the requests that this entry fulfils; raises when one was not asked for, or may not be granted."""
    ids = [device.id.hex() for device in state.devices]
    known = Device.objects.select_for_update().filter(id__in=ids, authority_id=actor.authority_id)
    devices = {device.id: device for device in known.order_by("id")}
    added = [
        listed
        for listed in state.devices
        if listed.id.hex() not in devices or devices[listed.id.hex()].status != DeviceStatus.ENROLLED
    ]
    waiting = [devices.get(listed.id.hex()) for listed in added]
    requested = [device for device in waiting if device and device.status == DeviceStatus.REQUESTED]
    if len(requested) != len(added):
        raise refusal("device-not-requested")
    members = access.list_memberships_in_force(actor.authority_id, {device.person_id for device in requested})
    roles = {member.person_id: Role(member.role) for member in members}
    for listed, device in zip(added, requested, strict=True):
        if device.person_id not in roles:
            raise refusal("standing-ended")
        _check_roles(roles[device.person_id], [listed])
    Device.objects.filter(id__in=[device.id for device in requested]).update(
        status=DeviceStatus.ENROLLED, enrolled_n=state.n, principal=principal
    )
    return requested


def _enrolled(actor: Actor, principal: Principal, device: DeviceStatement, now: datetime) -> Device:
    return Device(
        id=device.id.hex(),
        principal=principal,
        authority_id=actor.authority_id,
        person_id=actor.person_id,
        statement=device.raw,
        signing_key=device.sig.hex(),
        kem_key_hash=sha256(device.kem).hex(),
        status=DeviceStatus.ENROLLED,
        requested_at=now,
        enrolled_n=0,
    )


def _store_entry(
    principal: Principal, state: KeyringState, entry: bytes, envelopes: bytes, now: datetime
) -> None:
    KeyringEntry.objects.create(
        principal=principal,
        n=state.n,
        head=state.head.hex(),
        entry=entry,
        envelopes=envelopes,
        mailbox=state.mailbox,
        floor=state.floor,
        had_two_stewards=state.had_two_stewards,
        created_at=now,
    )
    # K5: `used` holds what this entry brought, because the state before was rebuilt without any.
    KeyringValue.objects.bulk_create(
        [KeyringValue(hash=_value_hash(value), principal=principal) for value in sorted(state.used)]
    )


def _value_hash(value: bytes) -> str:
    return sha256(value).hex()


def _tell(principal: Principal) -> KeyringPlace:
    """Tell the own authority and all that share a thread with it; their next message needs the new entry."""
    place = KeyringPlace(principal=principal.id, n=principal.n, head=principal.head)
    audiences = audiences_near(principal.id, principal.authority_id)
    publish_on_commit(*[Notice(GREW, audience, place) for audience in audiences])
    return place


def _found_entry(
    principal_id: str, entry: bytes, *, authority_id: uuid.UUID | None = None
) -> KeyringPlace | None:
    """Return the answer to an entry that is stored already, byte for byte."""
    rows = KeyringEntry.objects.filter(principal_id=principal_id, head=sha256(entry).hex())
    if authority_id:
        rows = rows.filter(principal__authority_id=authority_id)
    row = rows.first()
    return KeyringPlace(principal=row.principal_id, n=row.n, head=row.head) if row else None


def _why_not(state: KeyringState) -> Refusal:
    """Return why a unique constraint refused the rows."""
    if KeyringValue.objects.filter(hash__in=[_value_hash(value) for value in state.used]).exists():
        return refusal("reused-key")
    keys = {device.sig.hex() for device in state.devices}
    if state.n == 0 and Device.objects.filter(signing_key__in=keys).exists():
        return refusal("reused-key")
    if state.n == 0:
        return refusal("keyring-exists")
    return refusal("stale-epoch")
