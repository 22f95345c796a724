"""What follows from an entry of a keyring: devices come and go, roles change, who lost one is out."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from messaging import access, policy
from messaging.actions.key_notices import tell_of_entry
from messaging.actions.notices import resolve_devices
from messaging.models import Device, DeviceStatus, KeyringProposal, Principal
from messaging.refusals import refusal
from messaging.sealed.device import DeviceStatement
from messaging.sealed.encoding import sha256
from messaging.sealed.keyring import KeyringEntry, KeyringState, ListedDevice
from messaging.sealed.statement import parse, type_of
from network import audit
from network.actions.standing import end_sign_ins, lock_people
from network.errors import Forbidden
from network.frames import Notice
from network.models import Membership, Role
from network.policy import Actor


def check_names(actor: Actor, device: DeviceStatement) -> None:
    """Check that a device says of its person what the network says; raises `statement-differs`."""
    said = (device.person, device.name, device.office)
    if said != (actor.person_id.hex, actor.person_name, actor.office):
        raise refusal("statement-differs")


def check_roles(
    roles: Collection[Role], devices: Iterable[ListedDevice], *, practising: bool = False
) -> None:
    """Check that no device has a role that its person does not have; raises `Forbidden`."""
    for device in devices:
        if not policy.device_roles(roles, practising=practising).issuperset(device.roles):
            raise Forbidden("role-not-held", _("A device cannot have a role that its person does not have."))


def _may_be(device: Device, member: Membership) -> frozenset[str]:
    return policy.device_roles(member.role_set, practising=device.is_practitioners)


@dataclass(frozen=True)
class Extension:
    """An entry that was accepted, with the states before and after; `statements` are those it came with."""

    principal: Principal
    before: KeyringState
    after: KeyringState
    entry: KeyringEntry
    statements: Mapping[bytes, DeviceStatement]

    @property
    def reason(self) -> str:
        """Return why the entry was made."""
        return self.entry.reason

    def check_author(self, actor: Actor) -> None:
        """Check that the actor signed with a device of his or her own, or takes over for a device of it."""
        if self.reason != "recover":
            access.get_signing_device(actor, self.entry.statement.kid.hex())
            return
        for device in self.statements.values():
            check_names(actor, device)
        check_roles(actor.roles, self.after.devices, practising=self._is_practitioners)

    @property
    def _is_practitioners(self) -> bool:
        return self.principal.person_id is not None

    def practitioners(self) -> list[Principal]:
        """Return those for whom the authority answers otherwise than before (K9)."""
        changed = set(self.before.sponsored) ^ set(self.after.sponsored)
        return list(Principal.objects.filter(id__in={principal.hex() for principal, _ in changed}))

    def lock(self, actor: Actor) -> None:
        """Lock the accounts of whoever loses a device: what they have signed in ends with it."""
        if self._dropped:
            lock_people({actor.authority_id}, self._memberships(actor), actor)

    def carry_out(self, actor: Actor, now: datetime) -> tuple[list[Notice], list[uuid.UUID]]:
        """Change the rows that the entry speaks of; returns whom to tell, and the sign-ins that ended."""
        self._check_approvers(actor)
        if self.reason == "recover":
            added = let_in(
                actor, principal=self.principal, devices=self.statements.values(), now=now, n=self.after.n
            )
        else:
            added = self._enrol(actor)
        self._check_changed_roles(actor)
        removed = self._remove(actor, now)
        KeyringProposal.objects.filter(principal=self.principal).delete()
        persons = {device.person_id for device in [*added, *removed]}
        told = resolve_devices([device.id for device in added])
        told += tell_of_entry(actor, principal=self.principal, reason=self.reason, person_ids=persons)
        self._record(actor, added, removed)
        ended = end_sign_ins(self._memberships(actor), keep=actor.sign_in_id) if removed else []
        return told, ended

    @property
    def _dropped(self) -> list[str]:
        listed = {device.id for device in self.after.devices}
        return [device.id.hex() for device in self.before.devices if device.id not in listed]

    def _memberships(self, actor: Actor) -> set[uuid.UUID]:
        """Return the standings under which a device is lost."""
        persons = Device.objects.filter(id__in=self._dropped).values("person_id")
        rows = Membership.objects.filter(authority_id=actor.authority_id, person_id__in=persons)
        return set(rows.values_list("id", flat=True))

    def _check_approvers(self, actor: Actor) -> None:
        """Whoever approved still stands (K6); the recovery key is nobody's."""
        given = [act for act in self.entry.acts if type_of(act) == "approval"]
        approvals = [parse(settings.ORIGIN_NAME, act, "approval") for act in given]
        ids = {approval.kid.hex() for approval in approvals if approval.fields.any("by") is not None}
        for device in Device.objects.filter(id__in=ids):
            standing = access.list_memberships_in_force(device.authority_id, [device.person_id])
            if not any("steward" in _may_be(device, each) for each in standing):
                raise refusal("standing-ended")

    def _enrol(self, actor: Actor) -> list[Device]:
        """Mark the requests that this entry fulfils; raises when one was not asked for, or may not be."""
        before = {device.id for device in self.before.devices}
        added = [device for device in self.after.devices if device.id not in before]
        known = Device.objects.select_for_update().filter(
            id__in=[device.id.hex() for device in added],
            authority_id=actor.authority_id,
            is_practitioners=self._is_practitioners,
        )
        devices = {device.id: device for device in known.order_by("id")}
        waiting = [devices.get(listed.id.hex()) for listed in added]
        requested = [device for device in waiting if device and device.status == DeviceStatus.REQUESTED]
        if len(requested) != len(added):
            raise refusal("device-not-requested")
        self._check_held(
            actor, {listed: device.person_id for listed, device in zip(added, requested, strict=True)}
        )
        Device.objects.filter(id__in=[device.id for device in requested]).update(
            status=DeviceStatus.ENROLLED, enrolled_n=self.after.n, principal=self.principal
        )
        return requested

    def _check_changed_roles(self, actor: Actor) -> None:
        before = {device.id: device.roles for device in self.before.devices}
        changed = [
            device for device in self.after.devices if before.get(device.id, device.roles) != device.roles
        ]
        rows = Device.objects.filter(id__in=[device.id.hex() for device in changed])
        persons = dict(rows.values_list("id", "person_id"))
        self._check_held(actor, {device: persons[device.id.hex()] for device in changed})

    def _changed(self) -> list[ListedDevice]:
        """Return the devices that were there and have other roles."""
        before = {device.id: device.roles for device in self.before.devices}
        return [row for row in self.after.devices if before.get(row.id, row.roles) != row.roles]

    def _check_held(self, actor: Actor, devices: Mapping[ListedDevice, uuid.UUID]) -> None:
        """Check that the persons of these devices stand, and have the roles."""
        members = access.list_memberships_in_force(actor.authority_id, set(devices.values()))
        roles = {member.person_id: member.role_set for member in members}
        for listed, person_id in devices.items():
            if person_id not in roles:
                raise refusal("standing-ended")
            check_roles(roles[person_id], [listed], practising=self._is_practitioners)
            if self.principal.person_id not in {None, person_id}:
                raise refusal("statement-differs")

    def _remove(self, actor: Actor, now: datetime) -> list[Device]:
        rows = Device.objects.filter(id__in=self._dropped, authority_id=actor.authority_id)
        rows.update(status=DeviceStatus.REMOVED, ended_at=now)
        return list(rows)

    def _record(self, actor: Actor, added: Collection[Device], removed: Collection[Device]) -> None:
        n = self.after.n
        if self.reason not in {"add", "remove", "role"}:
            audit.record(actor, f"keyring:{self.reason}", self.principal.id, n=n)
        for device in added:
            audit.record(actor, "device:enrol", device.id, n=n)
        for device in removed:
            audit.record(actor, "device:remove", device.id, n=n)
        if self.reason == "role":
            for listed in self._changed():
                audit.record(actor, "device:role", listed.id.hex(), n=n)


def let_in(
    actor: Actor, *, principal: Principal, devices: Iterable[DeviceStatement], now: datetime, n: int
) -> list[Device]:
    """Store devices of the actor's that stand in entry `n` at once; one that has asked before is let in."""
    statements = {device.id.hex(): device for device in devices}
    waiting = Device.objects.select_for_update().filter(
        id__in=statements, person_id=actor.person_id, status=DeviceStatus.REQUESTED
    )
    known = {device.id for device in waiting.order_by("id")}
    waiting.update(status=DeviceStatus.ENROLLED, enrolled_n=n, principal=principal)
    Device.objects.bulk_create(
        [
            _enrolled(actor, principal, device, now, n)
            for device_id, device in statements.items()
            if device_id not in known
        ]
    )
    return list(Device.objects.filter(id__in=statements))


def _enrolled(actor: Actor, principal: Principal, device: DeviceStatement, now: datetime, n: int) -> Device:
    return Device(
        id=device.id.hex(),
        principal=principal,
        authority_id=actor.authority_id,
        person_id=actor.person_id,
        statement=device.raw,
        signing_key=device.sig.hex(),
        kem_key_hash=sha256(device.kem).hex(),
        status=DeviceStatus.ENROLLED,
        is_practitioners=principal.person_id is not None,
        requested_at=now,
        enrolled_n=n,
    )
