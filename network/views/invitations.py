"""Inviting people, what becomes of invitations, and the readable outbox of the development profile."""

import uuid

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from network import access
from network.actions.invitations import invite, readmit, resend_invitation, withdraw_invitation
from network.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Sentence
from network.guard import ActingRequest, MemberRequest, guarded
from network.models import SECRETARIAT_ROLES, Authority, AuthorityKind, Role
from network.notices import say
from network.outbox import list_mails
from network.permissions import Permission
from network.policy import can_hold, can_invite_into_another, is_privileged
from network.views.fields import fill, typed
from network.views.proposal_forms import INVITED

PEOPLE = "/people/"
# Which field has to be looked at again, by the code of the refusal.
FIELD_OF = {
    "invalid-address": "address",
    "already-member": "address",
    "unknown-language": "language",
    "roles-not-possible": "roles",
    "first-role-only": "roles",
}


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.INVITATION_SEND)
def invite_page(http_request: MemberRequest) -> HttpResponse:
    """Show the form, or send the invitation."""
    if http_request.method == "POST":
        answer: HttpResponse = _invite(http_request)
        return answer
    return _form(http_request, _authority(http_request))


@guarded(Permission.INVITATION_SEND, limit="api-write", fresh=True)
def _invite(http_request: MemberRequest) -> HttpResponse:
    authority, values = _authority(http_request), typed(INVITED, http_request.POST)
    try:
        invite(
            http_request.actor,
            authority_id=authority.id,
            address=values["address"],
            name=values["person"],
            office=values["office"],
            roles=_roles(http_request),
            language=values["language"],
        )
    except (Conflict, Forbidden, Invalid) as refusal:
        return _form(http_request, authority, refusal)
    say(http_request, _("The invitation is on its way. Its link works once, for 72 hours."))
    return HttpResponseRedirect(PEOPLE)


def _authority(http_request: MemberRequest) -> Authority:
    """Return the authority a form is about: the own one unless another is named; raises `NotFound`."""
    wanted = http_request.POST.get("authority") or http_request.GET.get("authority")
    try:
        wanted_id = uuid.UUID(wanted) if wanted else http_request.actor.authority_id
    except ValueError as error:
        raise NotFound from error
    return access.get_authority_to_see(http_request.actor, wanted_id)


def _roles(http_request: MemberRequest) -> list[Role]:
    wanted = http_request.POST.getlist("roles")
    if not set(wanted) <= set(Role.values):
        raise Invalid(
            "roles-not-possible", _("Choose at least one role, and only roles this authority can give.")
        )
    return [Role(role) for role in wanted]


def _possible_roles(http_request: MemberRequest, authority: Authority) -> list[Role]:
    kind = AuthorityKind(authority.kind)
    possible = [role for role in Role if role not in SECRETARIAT_ROLES and can_hold([role], kind)]
    if authority.id == http_request.actor.authority_id:
        return possible
    return [role for role in possible if can_invite_into_another([role], kind, has_administrator=False)]


def _form(http_request: MemberRequest, authority: Authority, problem: Refusal | None = None) -> HttpResponse:
    """Show the form, after a refusal with what was typed and what is wrong."""
    errors: dict[str, Sentence] = {}
    if problem:
        errors = {FIELD_OF.get(problem.code, ""): problem.sentence}
    values = typed(INVITED, http_request.POST)
    if not http_request.POST:
        values["language"] = get_language() or "en"
    roles = _possible_roles(http_request, authority)
    context = {
        "form": fill(INVITED, values, errors),
        "problem": problem,
        "marked": bool(problem and problem.code in FIELD_OF),
        "roles_problem": errors.get("roles", ""),
        "authority": authority,
        "is_own": authority.id == http_request.actor.authority_id,
        "roles": [{"role": role, "is_privileged": is_privileged([role])} for role in roles],
        "chosen": http_request.POST.getlist("roles") or [role.value for role in roles if len(roles) == 1],
    }
    return render(http_request, "network/invite.html", context, status=problem.status if problem else 200)


@require_POST
@guarded(Permission.INVITATION_WITHDRAW, limit="api-write")
def withdraw(http_request: MemberRequest, invitation_uuid: uuid.UUID) -> HttpResponse:
    """Take an invitation back."""
    withdraw_invitation(http_request.actor, invitation_id=invitation_uuid)
    say(http_request, _("Withdrawn. The link of this invitation does not work any more."))
    return HttpResponseRedirect(PEOPLE)


@require_POST
@guarded(Permission.INVITATION_SEND, limit="api-write", fresh=True)
def resend(http_request: MemberRequest, invitation_uuid: uuid.UUID) -> HttpResponse:
    """Send an invitation anew; the link sent before ends."""
    resend_invitation(http_request.actor, invitation_id=invitation_uuid)
    say(http_request, _("Sent again with a new link. The link sent before does not work any more."))
    return HttpResponseRedirect(PEOPLE)


@require_POST
@guarded(Permission.INVITATION_SEND, limit="api-write", fresh=True)
def readmit_person(http_request: MemberRequest, membership_uuid: uuid.UUID) -> HttpResponse:
    """Invite somebody who lost every way to sign in to make a new passkey."""
    readmit(http_request.actor, membership_id=membership_uuid)
    say(
        http_request,
        _("The invitation is on its way. When it is used, everything the person signed in with before ends."),
    )
    return HttpResponseRedirect(PEOPLE)


@require_safe
@guarded(Permission.OUTBOX_READ)
def outbox_page(http_request: ActingRequest) -> HttpResponse:
    """Show the mail that no server was there to take. The route exists in the development profile only."""
    return render(http_request, "network/outbox.html", {"mails": list_mails()})
