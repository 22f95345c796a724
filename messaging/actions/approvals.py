"""Changes of a keyring that wait for a second person: put forward, approved, taken back (rule K6)."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging import access, policy
from messaging.access import audience_of
from messaging.actions.key_notices import resolve_approval, tell_of_approval
from messaging.models import KeyringApproval, KeyringProposal, Principal
from messaging.permissions import Permission
from messaging.practitioner_queries import sponsors_of
from messaging.protocol import ApprovalPlace, ApprovalsChanged
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.approval import LONGEST, Approval, read_approval
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Change, KeyringState
from messaging.sealed.keyring_acts import check_sponsor_approval, check_steward_approval
from messaging.sealed_states import StoredKeyrings, keyring_state
from network import audit
from network.errors import Forbidden, TooMany
from network.frames import Notice
from network.policy import Actor
from network.realtime import authority_audience, publish_on_commit

CHANGED = "messaging.approval.changed"
WAITING_MOST = 20  # changes of one keyring


def propose_change(
    actor: Actor, *, principal_id: str, change: bytes, approval: bytes | None
) -> ApprovalPlace:
    """Put a change of the own keyring forward, or approve one that waits; the same again changes nothing.

    Raises `NotFound`, `Forbidden`, `TooMany`, and whatever rule of the protocol is broken.
    """
    principal = access.get_keyring_to_approve(actor, principal_id)
    now, before = timezone.now(), keyring_state(principal)
    with protocol_rules():
        named = Change.decode(change).hash(settings.ORIGIN_NAME, before.principal, before.head)
        read = None if approval is None else _read(before, named, approval, now)
    if read is None and principal.holder != policy.holder(actor):
        raise Forbidden
    if read is not None:
        access.get_signing_device(actor, read.statement.kid.hex())
    return _store(actor, principal, named.hex(), change, read, now)


def _read(before: KeyringState, named: bytes, raw: bytes, now: datetime) -> Approval:
    read = read_approval(settings.ORIGIN_NAME, raw)
    if before.sponsor is None:
        check_steward_approval(settings.ORIGIN_NAME, before, read, named)
    else:
        check_sponsor_approval(settings.ORIGIN_NAME, before, read, named, StoredKeyrings({}))
    if not read.counts_at(int(now.timestamp())):  # K6
        raise Refused("K6", "expired-approval", "an approval holds for a day at most")
    return read


@transaction.atomic(durable=True)
def _store(
    actor: Actor, principal: Principal, change_id: str, change: bytes, read: Approval | None, now: datetime
) -> ApprovalPlace:
    access.stand(actor, Permission.KEYRING_WRITE)
    place = ApprovalPlace(principal=principal.id, change=change_id)
    locked = Principal.objects.select_for_update(no_key=True).filter(id=principal.id, head=principal.head)
    if not locked.exists():
        raise refusal("stale-epoch")
    waiting = KeyringProposal.objects.filter(principal=principal, prev=principal.head)
    proposal = waiting.filter(id=change_id).first()
    if proposal and read is None:
        return place
    is_new = proposal is None
    if proposal is None:
        if waiting.count() >= WAITING_MOST:
            raise TooMany("too-many-requests", _("Too many changes wait already. Decide about those first."))
        proposal = KeyringProposal.objects.create(
            id=change_id,
            principal=principal,
            prev=principal.head,
            change=change,
            proposed_by_id=actor.membership_id,
            proposed_at=now,
            until_at=now + timedelta(seconds=LONGEST),
        )
    if read is not None:
        until = datetime.fromtimestamp(read.until, UTC)
        device, raw = read.statement.kid.hex(), read.statement.raw
        KeyringApproval.objects.update_or_create(
            proposal=proposal, device_id=device, defaults={"approval": raw, "until_at": until}
        )
    audit.record(actor, "approval:ask" if is_new else "approval:give", change_id)
    told = tell_of_approval(actor, principal=principal) if is_new else []
    publish_on_commit(*_notices(principal), *told)
    return place


@transaction.atomic(durable=True)
def withdraw_change(actor: Actor, *, principal_id: str, change_id: str) -> None:
    """Take a waiting change of the own keyring back; raises `NotFound`, `Forbidden`, `Conflict`."""
    principal = access.get_keyring_to_write(actor, principal_id)
    access.stand(actor, Permission.KEYRING_WRITE)
    waiting = KeyringProposal.objects.filter(principal=principal)
    if not waiting.filter(id=change_id).delete()[0]:
        raise refusal("no-proposal")
    audit.record(actor, "approval:withdraw", change_id)
    told = [] if waiting.exists() else resolve_approval(principal.id)
    publish_on_commit(*_notices(principal), *told)


def _notices(principal: Principal) -> list[Notice]:
    audiences = {audience_of(principal), *map(authority_audience, sponsors_of(principal))}
    changed = ApprovalsChanged(principal=principal.id)
    return [Notice(CHANGED, audience, changed) for audience in sorted(audiences)]
