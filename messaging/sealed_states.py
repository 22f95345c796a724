"""Rebuilds the states of the sealed protocol from rows. Keyrings are kept in memory by their head."""

from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings

from messaging.models import Device, KeyringEntry, Principal, Thread, ThreadDevice, ThreadMember
from messaging.sealed.device import read_device
from messaging.sealed.keyring_entry import KeyringState, ListedDevice, NewestKeyrings, read_entry
from messaging.sealed.thread import DeviceProgress, Member, ThreadState

STATES_KEPT = 512  # about 75 kB each at 50 devices


def keyring_state(principal: Principal) -> KeyringState:
    """Return the keyring as it stands after the principal's newest entry."""
    return _keyring_state(principal.id, principal.n, principal.head)


def newest_keyrings(principals: Iterable[Principal]) -> NewestKeyrings:
    """Return the newest state of each principal."""
    return NewestKeyrings({bytes.fromhex(row.id): keyring_state(row) for row in principals})


@lru_cache(maxsize=STATES_KEPT)
def _keyring_state(principal_id: str, n: int, head: str) -> KeyringState:
    """Return the state that this head names. A head names one state for ever, so it may be kept."""
    net = settings.ORIGIN_NAME
    row = KeyringEntry.objects.get(principal_id=principal_id, n=n, head=head)
    entry = read_entry(net, bytes(row.entry))
    if entry.recovery is None:
        raise ValueError("a stored keyring has no recovery key")
    ids = [device_id.hex() for device_id, _ in entry.devices]
    devices = Device.objects.filter(id__in=ids).values_list("id", "statement")
    statements = {device_id: bytes(statement) for device_id, statement in devices}
    return KeyringState(
        principal=entry.principal,
        kind=entry.kind,
        n=n,
        head=bytes.fromhex(head),
        devices=tuple(_listed(net, roles, statements[device_id.hex()]) for device_id, roles in entry.devices),
        recovery=entry.recovery,
        mailbox=entry.mailbox,
        commit=entry.commit,
        floor=entry.floor,
        had_two_stewards=row.had_two_stewards,
    )


def _listed(net: str, roles: tuple[str, ...], statement: bytes) -> ListedDevice:
    device = read_device(net, statement)
    return ListedDevice(id=device.id, roles=roles, person=device.person, sig=device.sig, kem=device.kem)


def thread_state(
    row: Thread, members: Iterable[ThreadMember], devices: Iterable[ThreadDevice]
) -> ThreadState:
    """Return the thread as its rows have it; `devices` need only hold the senders at hand."""
    found = list(members)
    return ThreadState(
        thread=bytes.fromhex(row.id),
        kind=row.kind,
        n=row.n,
        head=bytes.fromhex(row.head),
        members=tuple(
            Member(
                bytes.fromhex(member.principal_id),
                member.keyring_n,
                bytes.fromhex(member.keyring_head),
                member.role,
            )
            for member in found
        ),
        commit=bytes.fromhex(row.commit),
        seq=row.seq,
        transcript=bytes.fromhex(row.transcript),
        by_n={bytes.fromhex(member.principal_id): member.by_n for member in found},
        devices={
            bytes.fromhex(device.device_id): DeviceProgress(
                device.counter, bytes.fromhex(device.item_hash), device.seq
            )
            for device in devices
        },
    )
