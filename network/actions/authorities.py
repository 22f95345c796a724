"""Opening an authority from its State's notification, and confirming the fingerprint of its keys."""

from base64 import b64decode
from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import audit
from network.actions.directory import begin_entry
from network.actions.fingerprints import Signed, fingerprint_held, signing
from network.actions.invitations import issue_invitation
from network.actions.two_person_act import Answer, BadFacts, TwoPersonAct
from network.addresses import parse_address
from network.errors import Conflict, Invalid
from network.frames import Notice
from network.models import Authority, AuthorityKind, Function, Role, State
from network.permissions import Permission
from network.policy import Actor
from network.proposal_facts import (
    BLIND_SIZE,
    STATEMENT_MOST,
    ConfirmFingerprint,
    OpenAuthority,
    digits_of,
)

_UNSIGNED = _(
    "This has to be signed by your own device, on this page: let this browser in under Devices first. "
    "Nothing was confirmed yet."
)


def _check_date(notified_on: date) -> None:
    """Refuse a date that has come nowhere on earth."""
    if notified_on > timezone.now().date() + timedelta(days=1):
        raise BadFacts(notified_on=_("This date has not come yet."))


def _check_opening(facts: OpenAuthority) -> None:
    try:
        parse_address(facts.address)
    except Invalid as error:
        raise BadFacts(address=error.sentence) from error
    state = State.objects.filter(code=facts.state_code).first()
    if state and state.name != facts.state_name:
        sentence = _("This State is here already under the name “%(name)s”; write it so.")
        raise BadFacts(state_name=sentence % {"name": state.name})
    _check_date(facts.notified_on)
    if state and Authority.objects.filter(state=state, name=facts.name).exists():
        raise BadFacts(name=_("This State has an authority of this name already."))


def _state_of_opening(facts: OpenAuthority) -> list[object]:
    """The State's name, or that it is not here, and which authorities it has."""
    state = State.objects.select_for_update().filter(code=facts.state_code).first()
    rows = Authority.objects.select_for_update().filter(state_id=facts.state_code).order_by("id")
    return [state.name if state else None, *([row.id.hex, row.name, row.kind] for row in rows)]


def _open(actor: Actor, facts: OpenAuthority, answer: Answer) -> list[Notice]:
    state, is_new = State.objects.get_or_create(code=facts.state_code, defaults={"name": facts.state_name})
    authority = Authority.objects.create(
        state=state,
        kind=facts.kind,
        name=facts.name,
        notification=facts.notification,
        notified_on=facts.notified_on,
    )
    if AuthorityKind(facts.kind) != AuthorityKind.MISSION:
        begin_entry(authority)
    Function.objects.bulk_create(
        Function(
            authority=authority,
            code=row.code,
            instrument=row.instrument,
            article=row.article,
            valid_from=facts.notified_on,
        )
        for row in facts.functions
    )
    audit.record(
        actor,
        Permission.AUTHORITY_OPEN,
        authority.id.hex,
        concerns=[authority.id],
        state=facts.state_code,
        state_is_new=is_new,
        functions=len(facts.functions),
    )
    issue_invitation(
        actor,
        authority=authority,
        address=facts.address,
        name=facts.person,
        office=facts.office,
        roles=[first_role(AuthorityKind(facts.kind))],
        language=facts.language,
    )
    return []


def first_role(kind: AuthorityKind) -> Role:
    """Return what the first person of an authority is: a mission has no accounts to keep."""
    return Role.FOCAL_POINT if kind == AuthorityKind.MISSION else Role.ADMINISTRATOR


OPEN_AUTHORITY = TwoPersonAct(
    permission=Permission.AUTHORITY_OPEN,
    title=_("Open an authority"),
    facts=OpenAuthority,
    subject_of=lambda facts: facts.state_code,
    concerns_of=lambda facts: (),
    state_of=_state_of_opening,
    carry_out=_open,
    check=_check_opening,
    sealed=("address",),
)


def _check_fingerprint(facts: ConfirmFingerprint) -> None:
    held = fingerprint_held(facts.authority)
    if held is None:
        raise BadFacts(
            fingerprint=_("This authority has not made its keys yet, so there is nothing to confirm.")
        )
    if held != facts.fingerprint:
        raise BadFacts(
            fingerprint=_(
                "These are not the digits of the keys this server holds for the authority. Compare them with "
                "the note once more. If the note says so, do not go on: telephone the authority and tell the "
                "security officer, for somebody may have put other keys in their place."
            )
        )
    if signing() and not (facts.statement and facts.blind):
        raise BadFacts(fingerprint=_UNSIGNED)
    _check_date(facts.notified_on)


def _state_of_fingerprint(facts: ConfirmFingerprint) -> list[object]:
    row = Authority.objects.select_for_update().filter(id=facts.authority).first()
    known = [row.root_fingerprint, row.root_notification, row.name, row.state_id] if row else []
    signed = how.state_of(facts.authority) if (how := signing()) else []
    return [facts.authority.hex, *known, fingerprint_held(facts.authority), *signed]


def _begin_fingerprint(actor: Actor, facts: ConfirmFingerprint) -> None:
    """Only what a device of the first officer has signed is put before the second."""
    if how := signing():
        how.check(actor, facts, Signed(facts.statement, facts.blind))


def _signed_by_second(answer: Answer) -> Signed:
    """Return what the second officer's device has signed; raises `Invalid`."""
    try:
        statement, blind = (b64decode(answer[name], validate=True) for name in ("statement", "blind"))
    except (KeyError, ValueError) as error:
        raise Invalid("not-signed", _UNSIGNED) from error
    if not statement or len(statement) > STATEMENT_MOST or len(blind) != BLIND_SIZE:
        raise Invalid("not-signed", _UNSIGNED)
    return Signed(statement, blind)


def _confirm_fingerprint(actor: Actor, facts: ConfirmFingerprint, answer: Answer) -> None:
    """The second officer reads the note too; clicking is not reading. What was read is signed."""
    try:
        is_same = digits_of(answer.get("digits", "")) == facts.fingerprint
    except ValueError:
        is_same = False
    if not is_same:
        raise Invalid(
            "fingerprint-differs",
            _("These are not the digits that were proposed. Type all 12 groups from the State’s note."),
        )
    if how := signing():
        how.check(actor, facts, _signed_by_second(answer))


def _keep_fingerprint(actor: Actor, facts: ConfirmFingerprint, answer: Answer) -> list[Notice]:
    told: list[Notice] = []
    if how := signing():
        told = how.keep(actor, facts, Signed(facts.statement, facts.blind), _signed_by_second(answer))
    kept = Authority.objects.filter(id=facts.authority).update(
        root_fingerprint=facts.fingerprint,
        root_notification=facts.notification,
        root_notified_on=facts.notified_on,
        root_confirmed_at=timezone.now(),
    )
    if not kept:
        raise Conflict
    audit.record(actor, Permission.FINGERPRINT_CONFIRM, facts.authority.hex, concerns=[facts.authority])
    return told


CONFIRM_FINGERPRINT = TwoPersonAct(
    permission=Permission.FINGERPRINT_CONFIRM,
    title=_("Confirm the fingerprint of an authority"),
    facts=ConfirmFingerprint,
    subject_of=lambda facts: facts.authority.hex,
    concerns_of=lambda facts: (facts.authority,),
    state_of=_state_of_fingerprint,
    carry_out=_keep_fingerprint,
    check=_check_fingerprint,
    begin=_begin_fingerprint,
    confirm=_confirm_fingerprint,
)
