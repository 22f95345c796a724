"""Keys that take the place of lost ones: they wait until the secretariat has confirmed them (K12)."""

from collections.abc import Iterable

from django.utils import timezone

from messaging import policy
from messaging.actions.key_notices import tell_of_succession
from messaging.models import Device, DeviceStatus, KeyringProposal, Principal, PrincipalStatus
from messaging.refusals import refusal
from messaging.sealed.keyring import KeyringState
from network import audit
from network.frames import Notice
from network.policy import Actor


def predecessor_of(state: KeyringState) -> Principal | None:
    """Return the principal that a new keyring names as the one it follows; raises `wrong-succession`."""
    if state.succeeds is None:
        return None
    before = Principal.objects.filter(id=state.succeeds.hex()).first()
    if before is None:  # K12
        raise refusal("wrong-succession")
    return before


def status_of(actor: Actor, before: Principal | None) -> PrincipalStatus:
    """Return how a new keyring begins: it waits where it follows the one in force of the same authority.

    Of several that wait the newest counts, others are given up. Inside the transaction that stores it.
    """
    holder = policy.holder(actor)
    if before is None or before.holder != holder or before.status != PrincipalStatus.STANDING:
        return PrincipalStatus.STANDING
    waiting = Principal.objects.filter(authority_id=actor.authority_id, status=PrincipalStatus.WAITING)
    _end(list(waiting.order_by("id")))
    return PrincipalStatus.WAITING


def take_place(actor: Actor, principal: Principal) -> list[Notice]:
    """Put confirmed keys in force in the place of those that they follow, whose devices end (K12).

    Does nothing for keys that do not wait. Inside the transaction of the confirmation; returns whom to tell.
    """
    if principal.status != PrincipalStatus.WAITING or principal.succeeds is None:
        return []
    before = principal.succeeds
    _end([before])
    Device.objects.filter(
        authority_id=principal.authority_id, status=DeviceStatus.REQUESTED, is_practitioners=False
    ).update(status=DeviceStatus.DECLINED, ended_at=timezone.now())
    KeyringProposal.objects.filter(principal=before).delete()
    Principal.objects.filter(id=principal.id).update(status=PrincipalStatus.STANDING)
    principal.status = PrincipalStatus.STANDING
    audit.record(actor, "keyring:succeed", principal.id, concerns=[principal.authority_id])
    return tell_of_succession(principal, before)


def _end(principals: Iterable[Principal]) -> None:
    for principal in principals:
        Principal.objects.filter(id=principal.id).update(status=PrincipalStatus.ENDED)
        listed = Device.objects.filter(principal=principal, status=DeviceStatus.ENROLLED)
        listed.update(status=DeviceStatus.REMOVED, ended_at=timezone.now())


def require_in_force(principals: Iterable[Principal]) -> None:
    """Check that nobody's keys among these have ended: what is sealed to them, nobody could read (K12)."""
    if any(principal.status == PrincipalStatus.ENDED for principal in principals):
        raise refusal("succeeded")
