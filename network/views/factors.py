"""The page "Sign-in and devices": what a person signs in with, where one is signed in, for whom one acts."""

import uuid

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from network import factors
from network.actions import factors as acts
from network.actions.sign_ins import act_for, end_other_sign_ins, end_own_sign_in
from network.errors import Invalid, NotFound, Refusal
from network.guard import MemberRequest, allows, guarded
from network.models import Person
from network.notices import say
from network.permissions import Permission
from network.policy import is_privileged
from network.queries import sign_ins as queries
from network.views.sign_ins import json_body, take_sign_in

ACCOUNT = "/account/"


@require_safe
@guarded(Permission.FACTOR_READ)
def account_page(http_request: MemberRequest) -> HttpResponse:
    """Show what the actor signs in with, and, unless a recovery code was used, everything else."""
    return _show(http_request)


def _show(http_request: MemberRequest, *, problem: Refusal | None = None) -> HttpResponse:
    actor = http_request.actor
    context: dict[str, object] = {
        "page": "account",
        "problem": problem,
        "passkeys": factors.list_passkeys(actor.person_id),
        "is_privileged": is_privileged(actor.roles),
    }
    if allows(actor, Permission.SIGN_IN_LIST):
        context |= {
            "sign_ins": queries.list_own_sign_ins(actor),
            "delegations": queries.list_delegations_held(actor),
            "recovery_left": factors.count_recovery_codes(actor.person_id),
            "may_use_codes": acts.may_use_codes(actor.person_id),
            "has_codes": factors.has_codes(actor.person_id),
        }
    return render(http_request, "network/account.html", context, status=problem.status if problem else 200)


@require_POST
@guarded(Permission.FACTOR_ADD, limit="api-write", fresh=True)
def new_passkey_options(http_request: MemberRequest) -> HttpResponse:
    """Give the browser what it needs to make a passkey."""
    person = Person.objects.get(id=http_request.actor.person_id)
    return JsonResponse(factors.begin_passkey(http_request, person))


@require_POST
@guarded(Permission.FACTOR_ADD, limit="api-write", fresh=True)
def add_passkey(http_request: MemberRequest) -> HttpResponse:
    """Store the passkey that was made. After a recovery code the way on is to sign in with it."""
    actor = http_request.actor
    body = json_body(http_request)
    person = Person.objects.get(id=actor.person_id)
    roles = {role for member in queries.list_standings(person.id) for role in member.role_set}
    new = factors.read_new_passkey(http_request, body.get("credential"), roles, person=person)
    fields = body.get("fields")
    name = fields.get("name") if isinstance(fields, dict) else ""
    acts.add_passkey(actor, new, name=str(name or ""))
    if actor.is_limited:
        http_request.session.flush()
        say(http_request, _("The passkey is stored. Sign in with it now."))
        return JsonResponse({"next": "/sign-in/"})
    say(http_request, _("The passkey is stored. From now on you can sign in with it."))
    return JsonResponse({"next": ACCOUNT})


@require_POST
@guarded(Permission.FACTOR_CHANGE, limit="api-write")
def rename_passkey(http_request: MemberRequest) -> HttpResponse:
    """Give a passkey another name."""
    name = http_request.POST.get("name", "")
    acts.rename_passkey(http_request.actor, passkey_id=_passkey_id(http_request), name=name)
    say(http_request, _("The name is changed."))
    return HttpResponseRedirect(ACCOUNT)


@require_POST
@guarded(Permission.FACTOR_REMOVE, limit="api-write", fresh=True)
def remove_passkey(http_request: MemberRequest) -> HttpResponse:
    """Remove a passkey; whatever is signed in with it ends."""
    try:
        acts.remove_passkey(http_request.actor, passkey_id=_passkey_id(http_request))
    except Refusal as refusal:
        return _show(http_request, problem=refusal)
    say(http_request, _("The passkey is removed; nobody can sign in with it any more."))
    return HttpResponseRedirect(ACCOUNT)


def _passkey_id(http_request: MemberRequest) -> int:
    found = http_request.POST.get("passkey", "")
    if not found.isdecimal() or len(found) > 18:
        raise NotFound
    return int(found)


@require_POST
@guarded(Permission.FACTOR_CHANGE, limit="api-write", fresh=True)
def renew_recovery_codes(http_request: MemberRequest) -> HttpResponse:
    """Make ten new recovery codes and show them once."""
    codes = acts.renew_recovery_codes(http_request.actor)
    return render(http_request, "network/recovery_codes.html", {"page": "account", "codes": codes})


@require_POST
@guarded(Permission.FACTOR_CHANGE, limit="api-write", fresh=True)
def begin_codes(http_request: MemberRequest) -> HttpResponse:
    """Make a secret for one-time codes, where the authority allows them."""
    if not acts.may_use_codes(http_request.actor.person_id):
        raise NotFound
    factors.new_secret(http_request)
    return HttpResponseRedirect("/account/codes/")


@require_safe
@guarded(Permission.FACTOR_CHANGE, fresh=True)
def codes_page(http_request: MemberRequest) -> HttpResponse:
    """Show the secret once more, to be photographed and confirmed with a password."""
    return _show_codes(http_request)


def _show_codes(http_request: MemberRequest, *, problem: Refusal | None = None) -> HttpResponse:
    secret = factors.kept_secret(http_request)
    if secret is None:
        return HttpResponseRedirect(ACCOUNT)
    context = {"page": "account", "secret": secret, "problem": problem}
    return render(http_request, "network/codes.html", context, status=problem.status if problem else 200)


@require_safe
@guarded(Permission.FACTOR_CHANGE, fresh=True)
def codes_picture(http_request: MemberRequest) -> HttpResponse:
    """Give the picture that an app photographs."""
    secret = factors.kept_secret(http_request)
    if secret is None:
        raise NotFound
    return HttpResponse(factors.picture_of_secret(secret), content_type="image/svg+xml")


@require_POST
@guarded(Permission.FACTOR_CHANGE, limit="api-write", fresh=True)
def turn_on_codes(http_request: MemberRequest) -> HttpResponse:
    """Set the password and confirm the app by its first code."""
    secret = factors.kept_secret(http_request)
    if secret is None:
        return HttpResponseRedirect(ACCOUNT)
    password, again = (http_request.POST.get(name, "") for name in ("password", "password-again"))
    if password != again:
        refusal = Invalid("not-the-same", _("The two passwords are not the same."))
        return _show_codes(http_request, problem=refusal)
    try:
        code = http_request.POST.get("code", "")[:40]
        acts.turn_on_codes(http_request.actor, password=password, secret=secret, code=code)
    except Invalid as refusal:
        return _show_codes(http_request, problem=refusal)
    factors.forget_secret(http_request)
    say(http_request, _("From now on you can also sign in with your password and a code of your app."))
    return HttpResponseRedirect(ACCOUNT)


@require_POST
@guarded(Permission.FACTOR_REMOVE, limit="api-write", fresh=True)
def turn_off_codes(http_request: MemberRequest) -> HttpResponse:
    """Forget password and app."""
    acts.turn_off_codes(http_request.actor)
    say(http_request, _("Password and codes are removed."))
    return HttpResponseRedirect(ACCOUNT)


@require_POST
@guarded(Permission.SIGN_IN_LIST, limit="api-write")
def end_sign_ins(http_request: MemberRequest) -> HttpResponse:
    """End one of the other open sign-ins of the actor, or all of them."""
    wanted = http_request.POST.get("sign-in", "")
    if wanted == "others":
        end_other_sign_ins(http_request.actor)
        say(http_request, _("You are signed out everywhere else."))
    else:
        end_own_sign_in(http_request.actor, sign_in_id=_uuid(wanted))
        say(http_request, _("That sign-in has ended."))
    return HttpResponseRedirect(ACCOUNT)


@require_POST
@guarded(Permission.DELEGATION_USE, limit="api-write", fresh=True)
def act_for_page(http_request: MemberRequest) -> HttpResponse:
    """Act with the roles somebody has lent, or (no delegation named) with one's own only."""
    wanted = http_request.POST.get("delegation", "")
    sign_in = act_for(http_request.actor, delegation_id=_uuid(wanted) if wanted else None)
    take_sign_in(http_request, sign_in)
    return HttpResponseRedirect("/" if wanted else ACCOUNT)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise NotFound from error
