"""Keeping what two persons of the secretariat have signed about the keys of an authority (K8, K11, L1)."""

import time
import uuid
from collections.abc import Mapping
from typing import Any, cast

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging import access
from messaging.actions.keyrings import GREW
from messaging.actions.log import append_leaf, lock_log
from messaging.actions.succession import take_place
from messaging.models import Confirmation, KeyringEntry, Principal, PrincipalKind, PrincipalStatus
from messaging.protocol import KeyringPlace
from messaging.queries import audiences_near
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.confirmation import confirm_leaf, document_of
from messaging.sealed.trust import Confirm, check_confirm, check_confirms
from messaging.sealed_states import StoredKeyrings, keyring_state
from network.access import get_authority_to_confirm
from network.actions.fingerprints import Signed, Signing
from network.actions.proposals import ACTS, carry_out, parse_facts, propose
from network.actions.two_person_act import BadFacts
from network.errors import Conflict, Invalid
from network.frames import Notice
from network.models import Proposal
from network.permissions import Permission
from network.policy import Actor
from network.proposal_facts import ConfirmFingerprint
from network.queries.proposals import own_open_proposals, proposals_waiting_for

CLOCK_SECONDS = 300


def confirm_keys(actor: Actor, *, facts: Mapping[str, Any]) -> Proposal:
    """Confirm the keys of an authority: the first of two officers proposes it, the second carries it out.

    `facts` are those of `ConfirmFingerprint` as JSON has them. Asked again by the same officer it answers as
    before. Raises `Forbidden`; `Invalid("bad-facts")` with the first sentence there is; `Conflict` with
    `other-notification` where a colleague has proposed it by another note; what `carry_out` raises.
    """
    get_authority_to_confirm(actor, uuid.UUID(str(facts["authority"])))
    try:
        parsed = parse_facts(ACTS[Permission.FINGERPRINT_CONFIRM], facts)
        return _confirm_keys(actor, cast(ConfirmFingerprint, parsed))
    except BadFacts as error:
        sentence = next((said for said in error.fields.values() if said), error.sentence)
        raise Invalid("bad-facts", sentence) from error


def _confirm_keys(actor: Actor, facts: ConfirmFingerprint) -> Proposal:
    act, said = Permission.FINGERPRINT_CONFIRM, facts.model_dump(mode="json")
    about = {"act": act, "subject": facts.authority.hex}
    waiting = proposals_waiting_for(actor).filter(**about).first()
    if waiting is None:
        own = own_open_proposals(actor).filter(**about).first()
        return own if own and _claim(own.facts) == _claim(said) else propose(actor, act=act, facts=said)
    if _claim(waiting.facts) != _claim(said):
        raise Conflict(
            "other-notification",
            _("A colleague has proposed this by another notification. Compare your papers first."),
        )
    answer = {"digits": facts.fingerprint, "statement": said["statement"], "blind": said["blind"]}
    return carry_out(actor, proposal_id=waiting.id, answer=answer)


def _claim(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    return facts["fingerprint"], facts["notification"], facts["notified_on"]


def _principal_of(authority_id: uuid.UUID) -> Principal | None:
    """Return whose fingerprint its State notifies: keys that wait to take a place, or those in force."""
    rows = Principal.objects.filter(authority_id=authority_id, kind=PrincipalKind.AUTHORITY)
    rows = rows.exclude(status=PrincipalStatus.ENDED).select_related("succeeds")
    return rows.order_by("-status").first()  # what waits comes last by its name


def _recovery_head(principal: Principal) -> bytes | None:
    """Return the entry of a recovery by the kit alone that stands unconfirmed (K11), or None."""
    since = keyring_state(principal).unconfirmed
    if since is None:
        return None
    return bytes.fromhex(KeyringEntry.objects.get(principal=principal, n=since).head)


def _state_of(authority_id: uuid.UUID) -> list[object]:
    """Return whose keys are confirmed, and of which recovery; what is locked here comes before the audit."""
    # An entry of a keyring takes its principal first, and then the log.
    rows = Principal.objects.select_for_update(no_key=True).filter(authority_id=authority_id)
    list(rows.filter(person__isnull=True).order_by("id"))
    lock_log()
    principal = _principal_of(authority_id)
    if principal is None:
        return []
    head = _recovery_head(principal)
    return [principal.id, head.hex() if head else None]


def _check_signed(actor: Actor, facts: ConfirmFingerprint, signed: Signed) -> None:
    """Check that a device of the actor's, which keeps the secretariat's keys, has signed just these facts.

    Raises `Forbidden("foreign-device")`, `confirm-differs`, `clock-ahead`, and whatever rule is broken.
    """
    with protocol_rules():
        confirm, _person = check_confirm(
            settings.ORIGIN_NAME, signed.statement, StoredKeyrings({}), reading=False
        )
    access.get_signing_device(actor, confirm.statement.kid.hex())
    if abs(confirm.statement.at - time.time()) > CLOCK_SECONDS:
        raise refusal("clock-ahead")
    _check_same(facts, signed, confirm)


def _check_same(facts: ConfirmFingerprint, signed: Signed, confirm: Confirm) -> None:
    principal = _principal_of(facts.authority)
    if principal is None:
        raise refusal("no-keyring")
    document = document_of(
        settings.ORIGIN_NAME, signed.blind, facts.notification, facts.notified_on.isoformat()
    )
    meant = (facts.authority.hex, bytes.fromhex(principal.id), _recovery_head(principal), document)
    if (confirm.authority, confirm.principal, confirm.head, confirm.document) != meant:  # K8 K11
        raise refusal("confirm-differs")


def _keep(actor: Actor, facts: ConfirmFingerprint, first: Signed, second: Signed) -> list[Notice]:
    """Keep both statements, write each into the log (L1), and tell who has to do with the authority.

    Raises `not-confirmed` and others.
    """
    principal = _principal_of(facts.authority)
    if principal is None:
        raise refusal("no-keyring")
    net, raws = settings.ORIGIN_NAME, [first.statement, second.statement]
    with protocol_rules():
        found = check_confirms(
            net, raws, StoredKeyrings({}), principal=bytes.fromhex(principal.id), reading=False
        )
    for signed, confirm in zip((first, second), found, strict=True):
        _check_same(facts, signed, confirm)
    Confirmation.objects.create(
        principal=principal,
        head=(found[0].head or b"").hex(),
        first=first.statement,
        first_blind=first.blind,
        second=second.statement,
        second_blind=second.blind,
        reference=facts.notification,
        notified_on=facts.notified_on,
        confirmed_at=timezone.now(),
    )
    for raw in raws:
        append_leaf("confirm", facts.authority.hex.encode(), 0, confirm_leaf(net, raw))
    told = take_place(actor, principal)
    place = KeyringPlace(principal=principal.id, n=principal.n, head=principal.head)
    near = [principal, *([principal.succeeds] if principal.succeeds else [])]
    audiences = set[str]().union(*(audiences_near(each) for each in near))
    return [*told, *(Notice(GREW, audience, place) for audience in sorted(audiences))]


SIGNING = Signing(
    state_of=_state_of,
    check=_check_signed,
    keep=_keep,
    head="messaging/_signing_head.html",
    part="messaging/_signing.html",
)
