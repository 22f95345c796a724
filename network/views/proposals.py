"""Acts that two persons do together: proposing them, looking at them, carrying them out."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from network import access
from network.actions import proposals
from network.actions.fingerprints import fingerprint_held, signing
from network.actions.proposals import ACTS, facts_of, propose
from network.actions.two_person_act import BadFacts
from network.errors import NotFound, Refusal, Sentence, SignedOut
from network.functions import FUNCTIONS
from network.guard import MemberRequest, guarded
from network.models import Proposal, ProposalStatus, Role
from network.notices import say
from network.permissions import Permission
from network.policy import may_decide
from network.proposal_facts import in_groups
from network.queries import proposals as queries
from network.views import proposal_forms as forms
from network.views.fields import Field, fill, typed

Fields = tuple[Field, ...]
_ABOUT_THE_ANSWER = frozenset({"fingerprint-differs", "not-signed"})


@require_safe
@guarded(Permission.PROPOSAL_LIST)
def list_proposals(http_request: MemberRequest) -> HttpResponse:
    """Show what waits for the actor, what the actor proposed, and what was decided."""
    actor = http_request.actor
    waiting, own = queries.list_open_proposals(actor)
    before = _place(http_request)
    ended, has_older = queries.list_ended_proposals(actor, before=before)
    context = {
        "for_you": [_line(row) for row in waiting],
        "own": [_line(row) for row in own],
        "ended": [_line(row) for row in ended],
        "older": ended[-1].id.hex if has_older else "",
        "is_first_page": before is None,
    }
    return render(http_request, "network/proposals.html", context)


def _place(http_request: MemberRequest) -> Proposal | None:
    wanted = http_request.GET.get("before", "")
    if not wanted:
        return None
    try:
        return access.get_proposal(http_request.actor, uuid.UUID(wanted), to=Permission.PROPOSAL_LIST)
    except ValueError as error:
        raise NotFound from error


def _line(row: Proposal) -> dict[str, object]:
    return {"row": row, "title": ACTS[row.act].title, "status": _status(row), **_about(row)}


def _status(row: Proposal) -> str:
    """Return how far it has come; what nobody decided in time is expired."""
    if row.status == ProposalStatus.OPEN and row.until_at <= timezone.now():
        return "expired"
    return row.status


def _about(row: Proposal) -> dict[str, Any]:
    """Return the facts, and the rows that they name."""
    facts = facts_of(row)
    about: dict[str, Any] = {"facts": facts}
    if authority := getattr(facts, "authority", None):
        about["authority"] = queries.find_authority(authority)
    if code := getattr(facts, "state_code", ""):
        about["state"] = queries.find_state(code)
    if membership := getattr(facts, "membership", None):
        about["member"] = queries.find_member(membership)
    if fingerprint := getattr(facts, "fingerprint", ""):
        about["digits"] = in_groups(fingerprint)
    about["roles"] = [Role(role) for role in getattr(facts, "roles", ())]
    about["functions"] = [
        {**line.model_dump(), "title": FUNCTIONS[line.code].title} for line in getattr(facts, "functions", ())
    ]
    return about


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.PROPOSAL_DECIDE)
def show_proposal(http_request: MemberRequest, proposal_uuid: uuid.UUID) -> HttpResponse:
    """Show what exactly will happen, and let it be carried out, declined or withdrawn."""
    if http_request.method == "POST":
        return _decide(http_request, proposal_uuid)
    return _show_proposal(http_request, proposal_uuid)


def _show_proposal(
    http_request: MemberRequest, proposal_id: uuid.UUID, refusal: Refusal | None = None
) -> HttpResponse:
    actor = http_request.actor
    row = access.get_proposal(actor, proposal_id, to=Permission.PROPOSAL_DECIDE)
    by = row.proposed_by
    can_decide = may_decide(
        actor, proposer=by.person_id, membership=by.id, credential=row.proposed_credential
    )
    needs_digits = row.act == Permission.FINGERPRINT_CONFIRM
    context = {
        **_line(row),
        "parts": f"network/proposals/{row.act.replace(':', '-')}.html",
        "is_own": by.person_id == actor.person_id,
        "can_decide": can_decide,
        "is_about_me": row.subject == actor.membership_id.hex,
        "needs_digits": needs_digits,
        "signing": signing(),
        "signs": signing() and needs_digits and can_decide and _status(row) == ProposalStatus.OPEN,
        "message": refusal.sentence if refusal else "",
        "answer": http_request.POST.get("answer", "")[:200],
        "answer_error": refusal.sentence if refusal and refusal.code in _ABOUT_THE_ANSWER else "",
    }
    status = refusal.status if refusal else 200
    return render(http_request, "network/proposal.html", context, status=status)


@require_POST
@guarded(Permission.PROPOSAL_DECIDE, limit="api-write", fresh=True)
def _decide(http_request: MemberRequest, proposal_id: uuid.UUID) -> HttpResponse:
    actor, posted = http_request.actor, http_request.POST
    try:
        match posted.get("decision", ""):
            case "carry-out":
                proposals.carry_out(actor, proposal_id=proposal_id, answer=forms.answer_of(posted))
                say(http_request, _("Carried out. It stands in the audit record with both your names."))
            case "decline":
                proposals.decline(actor, proposal_id=proposal_id)
                say(http_request, _("Declined. Nothing was changed."))
            case "withdraw":
                proposals.withdraw(actor, proposal_id=proposal_id)
                say(http_request, _("Withdrawn. Nothing was changed."))
            case _:
                return _show_proposal(http_request, proposal_id, Refusal())
    except (NotFound, SignedOut):
        raise
    except Refusal as refusal:
        return _show_proposal(http_request, proposal_id, refusal)
    return HttpResponseRedirect("/proposals/")


def _propose(
    http_request: MemberRequest, act: Permission, facts: Mapping[str, Any]
) -> tuple[HttpResponse | None, BadFacts | None]:
    """Return where it went on, or what is wrong with what was filled in."""
    try:
        proposal = propose(http_request.actor, act=act, facts=facts)
    except BadFacts as refusal:
        return None, refusal
    say(http_request, _("Proposed. Another person has 24 hours to carry it out."))
    return HttpResponseRedirect(f"/proposals/{proposal.id}/"), None


def _form(
    http_request: MemberRequest,
    template: str,
    fields: Fields,
    refusal: BadFacts | None = None,
    **context: object,
) -> HttpResponse:
    errors: Mapping[str, Sentence] = refusal.fields if refusal else {}
    more = {
        "form": fill(fields, typed(fields, http_request.POST), errors),
        "errors": errors,
        "message": refusal.sentence if refusal else "",
    }
    return render(http_request, template, {**more, **context}, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.AUTHORITY_OPEN)
def open_authority(http_request: MemberRequest) -> HttpResponse:
    """Show and take the form that proposes a new authority, with its State where that is new."""
    if http_request.method == "POST":
        return _open_authority(http_request)
    return _opening_form(http_request, None)


@require_POST
@guarded(Permission.AUTHORITY_OPEN, limit="api-write", fresh=True)
def _open_authority(http_request: MemberRequest) -> HttpResponse:
    values = typed(forms.OPENING, http_request.POST)
    facts = forms.opening_facts(values, http_request.POST)
    done, refusal = _propose(http_request, Permission.AUTHORITY_OPEN, facts)
    return done or _opening_form(http_request, refusal)


def _opening_form(http_request: MemberRequest, refusal: BadFacts | None) -> HttpResponse:
    return _form(
        http_request,
        "network/open_authority.html",
        forms.OPENING,
        refusal,
        groups=forms.function_groups(http_request.POST),
        others=forms.other_functions(http_request.POST),
        function_choices=forms.FUNCTION_CHOICES,
        has_functions_error=bool(refusal and "functions" in refusal.fields),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.FINGERPRINT_CONFIRM)
def confirm_fingerprint(http_request: MemberRequest, authority_uuid: uuid.UUID) -> HttpResponse:
    """Show and take the form that proposes to confirm the fingerprint of an authority's keys."""
    if http_request.method == "POST":
        return _confirm_fingerprint(http_request, authority_uuid)
    return _fingerprint_form(http_request, authority_uuid, None)


@require_POST
@guarded(Permission.FINGERPRINT_CONFIRM, limit="api-write", fresh=True)
def _confirm_fingerprint(http_request: MemberRequest, authority_id: uuid.UUID) -> HttpResponse:
    access.get_authority_to_confirm(http_request.actor, authority_id)
    values = typed(forms.FINGERPRINT, http_request.POST)
    facts = {**values, **forms.signed_of(http_request.POST), "authority": str(authority_id)}
    done, refusal = _propose(http_request, Permission.FINGERPRINT_CONFIRM, facts)
    return done or _fingerprint_form(http_request, authority_id, refusal)


def _fingerprint_form(
    http_request: MemberRequest, authority_id: uuid.UUID, refusal: BadFacts | None
) -> HttpResponse:
    authority = access.get_authority_to_confirm(http_request.actor, authority_id)
    return _form(
        http_request,
        "network/fingerprint.html",
        forms.FINGERPRINT,
        refusal,
        authority=authority,
        has_keys=fingerprint_held(authority.id) is not None,
        signing=signing(),
        confirmed=in_groups(authority.root_fingerprint),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.SECRETARIAT_ROLE_GRANT)
def grant_role(http_request: MemberRequest) -> HttpResponse:
    """Show and take the form that proposes roles of the secretariat."""
    if http_request.method == "POST":
        return _grant_role(http_request)
    return _role_form(http_request, None)


@require_POST
@guarded(Permission.SECRETARIAT_ROLE_GRANT, limit="api-write", fresh=True)
def _grant_role(http_request: MemberRequest) -> HttpResponse:
    values = typed(forms.INVITED, http_request.POST)
    facts = forms.role_facts(values, http_request.POST)
    done, refusal = _propose(http_request, Permission.SECRETARIAT_ROLE_GRANT, facts)
    return done or _role_form(http_request, refusal)


def _role_form(http_request: MemberRequest, refusal: BadFacts | None) -> HttpResponse:
    return _form(
        http_request,
        "network/secretariat_roles.html",
        forms.INVITED,
        refusal,
        members=queries.list_secretariat_members(),
        chosen=http_request.POST.get("membership", http_request.GET.get("membership", "")),
        role_choices=forms.ROLES,
        chosen_roles=http_request.POST.getlist("roles"),
        has_roles_error=bool(refusal and "roles" in refusal.fields),
        has_member_error=bool(refusal and "membership" in refusal.fields),
    )
