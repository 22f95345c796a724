"""Rebuilds the states of the sealed protocol from rows. Keyrings are kept in memory by their head."""

from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings

from messaging.models import (
    Device,
    KeyringEntry,
    Principal,
    Thread,
    ThreadAct,
    ThreadDevice,
    ThreadMember,
)
from messaging.sealed.device import read_device
from messaging.sealed.keyring_entry import KeyringEntry as SealedEntry
from messaging.sealed.keyring_entry import KeyringState, ListedDevice, NewestKeyrings, read_entry
from messaging.sealed.mandate import MandateTerms, read_mandate
from messaging.sealed.sponsor import read_sponsor
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
    first = entry if n == 0 else _genesis(net, principal_id)
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
        only_recovery=row.only_recovery,
        unconfirmed=row.unconfirmed_n,
        succeeds=first.succeeds,
        sponsor=read_sponsor(net, first.sponsor) if first.sponsor else None,
        sponsored=entry.change.sponsored,
    )


def _genesis(net: str, principal_id: str) -> SealedEntry:
    return read_entry(net, bytes(KeyringEntry.objects.get(principal_id=principal_id, n=0).entry))


def _listed(net: str, roles: tuple[str, ...], statement: bytes) -> ListedDevice:
    device = read_device(net, statement)
    return ListedDevice(id=device.id, roles=roles, person=device.person, sig=device.sig, kem=device.kem)


def thread_state(
    row: Thread,
    members: Iterable[ThreadMember],
    devices: Iterable[ThreadDevice],
    acts: Iterable[ThreadAct] = (),
) -> ThreadState:
    """Return the thread as its rows have it.

    `devices` need only hold the senders at hand, `acts` only the mandates of members; an entry needs all.
    """
    found, used = list(members), list(acts)
    return ThreadState(
        thread=bytes.fromhex(row.id),
        kind=row.kind,
        n=row.n,
        head=bytes.fromhex(row.head),
        members=tuple(_member(member) for member in found),
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
        link=bytes.fromhex(row.link) or None,
        spent=frozenset(bytes.fromhex(act.hash) for act in used),
        mandates={bytes.fromhex(act.hash): _terms(act) for act in used if act.type == "mandate"},
        is_left=row.is_left,
    )


def _member(row: ThreadMember) -> Member:
    return Member(
        bytes.fromhex(row.principal_id),
        row.keyring_n,
        bytes.fromhex(row.keyring_head),
        row.role,
        bytes.fromhex(row.mandate) or None,
    )


def _terms(act: ThreadAct) -> MandateTerms:
    terms = read_mandate(settings.ORIGIN_NAME, bytes(act.statement)).known_terms
    return terms if act.withdrawn_seq is None else terms.withdrawn()


class StoredKeyrings(NewestKeyrings):
    """As `NewestKeyrings`, and of whoever signed a statement also the entry it was signed under."""

    def newest(self, principal: bytes) -> KeyringState | None:
        """Return the newest state of any principal, or None."""
        known = super().newest(principal)
        row = None if known else Principal.objects.filter(id=principal.hex()).first()
        return known or (keyring_state(row) if row else None)

    def at(self, principal: bytes, n: int) -> KeyringState | None:
        """Return the state after entry n, or None."""
        newest = self.newest(principal)
        if newest is None or newest.n == n:
            return newest
        row = KeyringEntry.objects.filter(principal_id=principal.hex(), n=n).first()
        return _keyring_state(row.principal_id, row.n, row.head) if row else None
