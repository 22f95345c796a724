"""Creating and extending the keyring of the own authority."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging import access, policy
from messaging.actions.key_notices import NEW_KIT, tell_of_new_start
from messaging.actions.keyring_extension import Extension, check_names, check_roles, let_in
from messaging.actions.log import append_leaf
from messaging.actions.notices import resolve_devices
from messaging.actions.practitioners import check_sponsor
from messaging.actions.succession import predecessor_of, status_of
from messaging.models import Device, Holder, KeyringEntry, KeyringValue, Principal, PrincipalStatus
from messaging.permissions import Permission
from messaging.practitioner_queries import sponsors_of
from messaging.protocol import KeyringPlace
from messaging.queries import audiences_near
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.device import DeviceStatement, read_device
from messaging.sealed.encoding import sha256
from messaging.sealed.keyring import KeyringState, accept_entry, read_entry
from messaging.sealed_states import StoredKeyrings, keyring_state
from network import audit
from network.errors import Refusal
from network.frames import Notice
from network.policy import Actor, is_practising
from network.realtime import authority_audience, publish_on_commit, revoke_on_commit

GREW = "messaging.keyring.grew"


def create_keyring(
    actor: Actor, *, entry: bytes, envelopes: bytes, statements: Sequence[bytes]
) -> KeyringPlace:
    """Create the keyring of an authority that has none; repeated with the same bytes it answers the same.

    One that names the own keyring in force as the one it follows waits until it is confirmed (K12). Raises
    `Forbidden`, `Conflict("keyring-exists")`, and whatever rule of the protocol is broken.
    """
    access.require(actor, Permission.KEYRING_WRITE)
    with protocol_rules():
        state = accept_entry(
            settings.ORIGIN_NAME, None, entry, statements, envelopes, keyrings=StoredKeyrings({}), now=_now()
        )
        devices = _read_listed(state, statements)
    if state.kind != policy.keyring_kind(actor):
        raise refusal("wrong-kind")
    for device in devices:
        check_names(actor, device)
    check_roles(actor.roles, state.devices, practising=is_practising(actor.roles))
    check_sponsor(actor, state)
    before = predecessor_of(state)
    try:
        return _store_genesis(actor, state, devices, (entry, envelopes), before)
    except IntegrityError as error:
        raise _why_not(state) from error


def extend_keyring(
    actor: Actor, *, principal_id: str, entry: bytes, envelopes: bytes, statements: Sequence[bytes]
) -> KeyringPlace:
    """Write the next entry of the own keyring; repeated with the same bytes it answers the same.

    Raises `NotFound`, `Forbidden`, `Conflict("stale-epoch")`, and whatever rule of the protocol is broken.
    """
    principal = access.get_keyring_to_write(actor, principal_id)
    if found := _found_entry(principal.id, entry):
        return found
    now, before = timezone.now(), keyring_state(principal)
    with protocol_rules():
        after = accept_entry(
            settings.ORIGIN_NAME,
            before,
            entry,
            statements,
            envelopes,
            keyrings=StoredKeyrings({}),
            now=int(now.timestamp()),
        )
        read = read_entry(settings.ORIGIN_NAME, entry)
        devices = _read_listed(after, statements)
    extension = Extension(principal, before, after, read, {device.id: device for device in devices})
    extension.check_author(actor)
    try:
        return _store_extension(actor, extension, envelopes, now)
    except IntegrityError as error:
        raise _why_not(after) from error


def _now() -> int:
    return int(timezone.now().timestamp())


def _read_listed(state: KeyringState, statements: Sequence[bytes]) -> list[DeviceStatement]:
    listed = {device.id for device in state.devices}
    unique = {sha256(raw): raw for raw in statements}
    return [read_device(settings.ORIGIN_NAME, raw) for key, raw in unique.items() if key in listed]


@transaction.atomic(durable=True)
def _store_genesis(
    actor: Actor,
    state: KeyringState,
    devices: Sequence[DeviceStatement],
    sent: tuple[bytes, bytes],
    before: Principal | None,
) -> KeyringPlace:
    access.stand(actor, Permission.KEYRING_WRITE)
    entry, envelopes = sent
    if found := _found_entry(state.principal.hex(), entry, of=policy.holder(actor)):
        return found
    now = timezone.now()
    status = status_of(actor, before)
    principal = Principal.objects.create(
        id=state.principal.hex(),
        authority_id=actor.authority_id,
        person_id=policy.holder(actor)[1],
        kind=state.kind,
        status=status,
        succeeds=before,
        n=state.n,
        head=state.head.hex(),
        created_at=now,
        kit_checked_at=now if state.recovery else None,
    )
    let_in(actor, principal=principal, devices=devices, now=now, n=0)
    told = resolve_devices([device.id.hex() for device in devices])
    store_keyring_entry(principal, state, entry, envelopes, now)
    if status == PrincipalStatus.WAITING:
        told += tell_of_new_start(actor)
    act = "keyring:begin-anew" if status == PrincipalStatus.WAITING else "keyring:create"
    audit.record(actor, act, principal.id, devices=len(devices))
    return _tell(principal, told)


@transaction.atomic(durable=True)
def _store_extension(actor: Actor, extension: Extension, envelopes: bytes, now: datetime) -> KeyringPlace:
    """Write an entry, and let everything that follows from it happen with it."""
    principal, state = extension.principal, extension.after
    extension.lock(actor)
    access.stand(actor, Permission.KEYRING_WRITE)
    before = Principal.objects.filter(id=principal.id, n=principal.n, head=principal.head)
    # K1: one entry for each n; whoever comes second changes no row.
    if not before.update(n=state.n, head=state.head.hex()):
        raise refusal("stale-epoch")
    if extension.reason in NEW_KIT:
        Principal.objects.filter(id=principal.id).update(kit_checked_at=now)
    told, ended = extension.carry_out(actor, now)
    principal.n, principal.head = state.n, state.head.hex()
    store_keyring_entry(principal, state, extension.entry.statement.raw, envelopes, now)
    revoke_on_commit(ended)
    return _tell(principal, told, extension.practitioners())


def store_keyring_entry(
    principal: Principal, state: KeyringState, entry: bytes, envelopes: bytes, now: datetime
) -> None:
    """Store an accepted entry, what of it is never used again (K5), and its leaf in the log."""
    KeyringEntry.objects.create(
        principal=principal,
        n=state.n,
        head=state.head.hex(),
        entry=entry,
        envelopes=envelopes,
        mailbox=state.mailbox,
        floor=state.floor,
        had_two_stewards=state.had_two_stewards,
        only_recovery=state.only_recovery,
        unconfirmed_n=state.unconfirmed,
        created_at=now,
    )
    # K5: `used` holds what this entry brought, because the state before was rebuilt without any.
    KeyringValue.objects.bulk_create(
        [KeyringValue(hash=_value_hash(value), principal=principal) for value in sorted(state.used)]
    )
    append_leaf("keyring", state.principal, state.n, state.head)


def _value_hash(value: bytes) -> str:
    return sha256(value).hex()


def _tell(
    principal: Principal, told: Sequence[Notice] = (), practitioners: Iterable[Principal] = ()
) -> KeyringPlace:
    """Tell the own side and all that share a thread with it; their next message needs the new entry.

    `practitioners`: for whom it answers otherwise than before. Who answers for a practitioner hears too.
    """
    place = KeyringPlace(principal=principal.id, n=principal.n, head=principal.head)
    audiences = audiences_near(principal).union(*(audiences_near(each) for each in practitioners))
    if principal.person_id is not None:
        audiences |= {authority_audience(authority_id) for authority_id in sponsors_of(principal)}
    publish_on_commit(*[Notice(GREW, audience, place) for audience in sorted(audiences)], *told)
    return place


def _found_entry(principal_id: str, entry: bytes, *, of: Holder | None = None) -> KeyringPlace | None:
    """Return the answer to an entry that is stored already, byte for byte."""
    rows = KeyringEntry.objects.filter(principal_id=principal_id, head=sha256(entry).hex())
    row = rows.select_related("principal").first()
    if row and of and row.principal.holder != of:
        return None
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
