"""Keyring entries that devices hand back after a restore: those that the log names, and no others (L8)."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from messaging import access, policy
from messaging.actions.keyrings import GREW, store_keyring_entry
from messaging.actions.log import has_leaf, lock_log
from messaging.models import Device, DeviceStatus, Principal, Restore
from messaging.permissions import Permission
from messaging.protocol import KeyringPlace
from messaging.queries import audiences_near
from messaging.refusals import protocol_rules, refusal
from messaging.restore_protocol import ReturnedEntry
from messaging.sealed.device import read_device
from messaging.sealed.encoding import sha256
from messaging.sealed.keyring import KeyringState, accept_entry, read_entry
from messaging.sealed_states import StoredKeyrings, keyring_state
from network import audit
from network.errors import Forbidden
from network.frames import Notice
from network.models import Person
from network.policy import Actor
from network.realtime import publish_on_commit


@transaction.atomic(durable=True)
def take_back_entries(
    actor: Actor, *, principal_id: str, entries: Sequence[ReturnedEntry], statements: Sequence[bytes]
) -> KeyringPlace:
    """Put entries of the own keyring back at the places where the log has them; returns the newest.

    Raises `NotFound`, `Forbidden`; `no-restore` where none was announced; `not-logged` for what the log does
    not name; `person-lost` while somebody's account is missing; and whatever rule is broken.
    """
    access.stand(actor, Permission.KEYRING_RETURN)
    principal = access.get_principal(actor, principal_id, to=Permission.KEYRING_RETURN)
    if principal.holder != policy.holder(actor):
        raise Forbidden
    if not Restore.objects.filter(announced_at__isnull=False).exists():
        raise refusal("no-restore")
    lock_log()
    principal.refresh_from_db()
    before = principal.n
    for returned in entries:
        _put_back(actor, principal, returned, statements)
    place = KeyringPlace(principal=principal.id, n=principal.n, head=principal.head)
    if principal.n > before:
        audit.record(actor, "keyring:return", principal.id, n=principal.n, items=principal.n - before)
        publish_on_commit(*[Notice(GREW, audience, place) for audience in sorted(audiences_near(principal))])
    return place


def _put_back(
    actor: Actor, principal: Principal, returned: ReturnedEntry, statements: Sequence[bytes]
) -> None:
    net = settings.ORIGIN_NAME
    with protocol_rules():
        n = read_entry(net, returned.entry).n
    if n <= principal.n:
        return
    if not has_leaf("keyring", bytes.fromhex(principal.id), n, sha256(returned.entry)):
        raise refusal("not-logged")
    before = keyring_state(principal)
    with protocol_rules():
        after = accept_entry(
            net, before, returned.entry, statements, returned.envelopes, keyrings=StoredKeyrings({})
        )
    now = timezone.now()
    _let_in_again(actor, principal, before, after, statements, now)
    principal.n, principal.head = after.n, after.head.hex()
    principal.save(update_fields=["n", "head"])
    store_keyring_entry(principal, after, returned.entry, returned.envelopes, now)


def _let_in_again(
    actor: Actor,
    principal: Principal,
    before: KeyringState,
    after: KeyringState,
    statements: Sequence[bytes],
    now: datetime,
) -> None:
    """Enrol again the devices that this entry lists, and end those that it drops."""
    listed = {device.id for device in after.devices}
    dropped = [device.id.hex() for device in before.devices if device.id not in listed]
    Device.objects.filter(id__in=dropped).update(status=DeviceStatus.REMOVED, ended_at=now)
    known = {bytes.fromhex(found) for found in Device.objects.values_list("id", flat=True)}
    Device.objects.filter(
        id__in=[device.hex() for device in listed & known], status=DeviceStatus.REQUESTED
    ).update(status=DeviceStatus.ENROLLED, enrolled_n=after.n, principal=principal)
    by_hash = {sha256(raw): raw for raw in statements}
    for device_id in sorted(listed - known):
        with protocol_rules():
            device = read_device(settings.ORIGIN_NAME, by_hash[device_id])
        person = Person.objects.filter(id=uuid.UUID(device.person)).first()
        if person is None:
            raise refusal("person-lost")
        Device.objects.create(
            id=device_id.hex(),
            principal=principal,
            authority_id=actor.authority_id,
            person=person,
            statement=device.raw,
            signing_key=device.sig.hex(),
            kem_key_hash=sha256(device.kem).hex(),
            status=DeviceStatus.ENROLLED,
            is_practitioners=principal.person_id is not None,
            requested_at=now,
            enrolled_n=after.n,
        )
