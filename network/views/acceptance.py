"""Accepting an invitation: from the link in a mail to the first sign-in."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from network import access
from network.actions.acceptance import (
    Accepted,
    accept_as_known,
    accept_invitation,
    accept_with_codes,
    owner_of,
)
from network.actions.sign_ins import begin_sign_in, end_sign_in
from network.addresses import parse_address
from network.connections import connection_address
from network.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from network.factors import (
    begin_passkey,
    forget_secret,
    kept_secret,
    new_secret,
    picture_of_secret,
    read_new_passkey,
)
from network.field_encryption import open_field, seal_field
from network.guard import ActingRequest, MemberRequest, guarded
from network.models import Factor, Invitation, Person, Role
from network.notices import say
from network.permissions import Permission
from network.policy import can_use_codes, is_privileged
from network.views.sign_ins import describe_agent, json_body, take_sign_in

CODES_KEY = "invitation.codes"
CODES, WELCOME = "/invitation/codes/", "/welcome/"


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.INVITATION_ACCEPT)
def invitation_page(http_request: ActingRequest) -> HttpResponse:
    """Ask for the address the invitation was sent to, then show what it is for and how to accept."""
    if http_request.method == "POST":
        answer: HttpResponse = _open(http_request)
        return answer
    return render(http_request, "network/invitation.html")


@guarded(Permission.INVITATION_ACCEPT, limit="invitation-accept")
def _open(http_request: ActingRequest) -> HttpResponse:
    token, typed = http_request.POST.get("token", ""), http_request.POST.get("address", "").strip()
    try:
        address = parse_address(typed)
        invitation = access.get_invitation(token, address)
    except (Invalid, NotFound) as refusal:
        return _ask_again(http_request, refusal)
    except Conflict as refusal:
        return _show_over(http_request, refusal)
    return _show(http_request, invitation, token, address)


def _ask_again(http_request: HttpRequest, refusal: Refusal) -> HttpResponse:
    context = {
        "problem": refusal.sentence,
        "token": http_request.POST.get("token", "")[:100],
        "address": http_request.POST.get("address", "")[:300],
    }
    return render(http_request, "network/invitation.html", context, status=refusal.status)


def _show_over(http_request: HttpRequest, refusal: Refusal) -> HttpResponse:
    context = {"problem": refusal.sentence, "code": refusal.code}
    return render(http_request, "network/invitation_over.html", context, status=refusal.status)


def _show(http_request: ActingRequest, invitation: Invitation, token: str, address: str) -> HttpResponse:
    """Show what the invitation is for. Whoever has an account accepts with it, not with a new passkey."""
    actor, must_sign_in = http_request.actor, False
    try:
        owner_of(invitation)
    except Conflict:
        must_sign_in = True
    context = {
        "invitation": invitation,
        "token": token,
        "address": address,
        "role_names": [Role(role).label for role in invitation.roles],
        "is_privileged": is_privileged(_roles(invitation)),
        "must_sign_in": must_sign_in,
        "may_use_codes": not must_sign_in and _may_use_codes(invitation),
        "may_join": must_sign_in and actor is not None and not actor.is_limited,
    }
    return render(http_request, "network/invitation_accept.html", context)


def _may_use_codes(invitation: Invitation) -> bool:
    return can_use_codes([(_roles(invitation), invitation.authority.allows_codes)])


def _roles(invitation: Invitation) -> frozenset[Role]:
    return frozenset(map(Role, invitation.roles))


@require_POST
@guarded(Permission.INVITATION_ACCEPT, limit="invitation-accept")
def options(http_request: ActingRequest) -> HttpResponse:
    """Return what the browser needs to make a passkey for whoever is invited."""
    token, address, _name = _fields(json_body(http_request))
    invitation = access.get_invitation(token, address)
    person = owner_of(invitation) or Person(id=uuid.uuid4(), name=invitation.name)
    return JsonResponse(begin_passkey(http_request, person, takes_place=True))


@require_POST
@guarded(Permission.INVITATION_ACCEPT, limit="invitation-accept")
def accept(http_request: ActingRequest) -> HttpResponse:
    """Accept with the passkey that was just made; the person is signed in with it."""
    body = json_body(http_request)
    token, address, name = _fields(body)
    invitation = access.get_invitation(token, address)
    new = read_new_passkey(
        http_request, body.get("credential"), _roles(invitation), person=owner_of(invitation)
    )
    accepted = accept_invitation(token=token, address=address, new_passkey=new, passkey_name=name)
    _sign_in(http_request, accepted, Factor.PASSKEY, is_bound=new.is_bound)
    return JsonResponse({"next": CODES})


def _fields(body: dict[str, Any]) -> tuple[str, str, str]:
    """Return token, address and the passkey's name as a form sent them; raises `Invalid`."""
    fields = body.get("fields")
    if not isinstance(fields, dict):
        raise Invalid
    token, address, name = (fields.get(key, "") for key in ("token", "address", "name"))
    if not (isinstance(token, str) and isinstance(address, str) and isinstance(name, str)):
        raise Invalid
    return token, parse_address(address), name


@require_POST
@guarded(Permission.INVITATION_ACCEPT, limit="invitation-accept")
def password(http_request: ActingRequest) -> HttpResponse:
    """Show the secret for one-time codes, then accept with a password and the first code."""
    token, address = _posted(http_request)
    invitation = access.get_invitation(token, address)
    owner_of(invitation)
    if not _may_use_codes(invitation):
        raise Forbidden("codes-not-allowed")
    secret = kept_secret(http_request)
    if "password" not in http_request.POST or secret is None:
        return _show_password(http_request, new_secret(http_request))
    chosen, again = (http_request.POST.get(name, "") for name in ("password", "password-again"))
    if chosen != again:
        refusal = Invalid("not-the-same", _("The two passwords are not the same."))
        return _show_password(http_request, secret, refusal)
    try:
        code = http_request.POST.get("code", "")[:40]
        accepted = accept_with_codes(token=token, address=address, password=chosen, secret=secret, code=code)
    except Invalid as refusal:
        return _show_password(http_request, secret, refusal)
    forget_secret(http_request)
    _sign_in(http_request, accepted, Factor.CODE)
    return HttpResponseRedirect(CODES)


def _show_password(http_request: ActingRequest, secret: str, problem: Refusal | None = None) -> HttpResponse:
    token, address = _posted(http_request)
    context = {"token": token, "address": address, "secret": secret, "problem": problem}
    status = problem.status if problem else 200
    return render(http_request, "network/invitation_password.html", context, status=status)


@require_safe
@guarded(Permission.INVITATION_ACCEPT)
def picture(http_request: ActingRequest) -> HttpResponse:
    """Give the picture of the secret that waits in this session, for an app to photograph."""
    secret = kept_secret(http_request)
    if secret is None:
        raise NotFound
    return HttpResponse(picture_of_secret(secret), content_type="image/svg+xml")


def _posted(http_request: HttpRequest) -> tuple[str, str]:
    """Return token and address of a form; raises `Invalid`."""
    posted = http_request.POST
    return posted.get("token", ""), parse_address(posted.get("address", "").strip())


def _sign_in(
    http_request: ActingRequest, accepted: Accepted, factor: Factor, *, is_bound: bool = True
) -> None:
    """Sign in with the new factor, and keep the recovery codes, encrypted, until they are on paper."""
    if http_request.actor:
        end_sign_in(http_request.actor)  # its open pages must not go on as somebody else
    sign_in = begin_sign_in(
        membership_id=accepted.membership_id,
        factor=factor,
        credential=str(accepted.factor_id),
        is_bound=is_bound,
        address=connection_address(http_request),
        agent=describe_agent(http_request.headers.get("User-Agent", "")),
    )
    http_request.session.flush()
    take_sign_in(http_request, sign_in)
    codes = "\n".join(accepted.recovery_codes)
    http_request.session[CODES_KEY] = seal_field("invitation.recovery-codes", codes).hex()


@require_POST
@guarded(Permission.INVITATION_ACCEPT, limit="invitation-accept")
def join(http_request: ActingRequest) -> HttpResponse:
    """Accept as somebody who has an account already and is signed in to it."""
    if http_request.actor is None:
        return HttpResponseRedirect("/sign-in/")
    token, address = _posted(http_request)
    accept_as_known(http_request.actor, token=token, address=address)
    say(http_request, _("Accepted. Sign in again to choose for which authority you act."))
    return HttpResponseRedirect(WELCOME)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.FACTOR_CHANGE)
def codes_page(http_request: MemberRequest) -> HttpResponse:
    """Show the new recovery codes until the person says that they are kept; never again after that."""
    kept = http_request.session.get(CODES_KEY)
    is_answered = http_request.method == "POST" and http_request.POST.get("kept") == "yes"
    if is_answered:
        http_request.session.pop(CODES_KEY, None)
    if kept is None or is_answered:
        return HttpResponseRedirect(WELCOME)
    codes = open_field("invitation.recovery-codes", bytes.fromhex(kept)).splitlines()
    return render(http_request, "network/invitation_codes.html", {"codes": codes})
