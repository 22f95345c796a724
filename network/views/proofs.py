"""Proving again who one is, before a dangerous act; and saying that one is still there."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from network import factors
from network.actions.sign_ins import prove_again, stay_awake
from network.context import seconds_left
from network.guard import MemberRequest, guarded
from network.limits import spend
from network.middleware import proof_page, wants_json
from network.permissions import Permission
from network.views.sign_ins import json_body, next_of, safe_path


@require_safe
@guarded(Permission.SIGN_IN_PROVE)
def again_page(http_request: MemberRequest) -> HttpResponse:
    """Ask for a proof, then go on to the page that asked for it."""
    return render(http_request, "network/prove.html", {"next": next_of(http_request)})


@require_POST
@guarded(Permission.SIGN_IN_PROVE, limit="api-write")
def again_options(http_request: MemberRequest) -> HttpResponse:
    """Give a challenge that a passkey of the actor may answer."""
    return JsonResponse(factors.begin_proof(http_request, http_request.actor.person_id))


@require_POST
@guarded(Permission.SIGN_IN_PROVE, limit="api-write")
def again_with_passkey(http_request: MemberRequest) -> HttpResponse:
    """Keep that a passkey of the actor has answered."""
    body = json_body(http_request)
    actor = http_request.actor
    prove_again(actor, factors.read_proof(http_request, body.get("credential"), actor.person_id))
    return _proven(http_request, body)


@require_POST
@guarded(Permission.SIGN_IN_PROVE, limit="api-write")
def again_with_code(http_request: MemberRequest) -> HttpResponse:
    """Keep that the actor has given a new one-time code; only for who signed in by code."""
    body = _fields(http_request)
    actor = http_request.actor
    spend("proof", actor.person_id.hex)
    prove_again(actor, factors.read_code(actor.person_id, str(body.get("code", ""))[:40]))
    return _proven(http_request, {"fields": body})


@require_POST
@guarded(Permission.SIGN_IN_PROVE, limit="api-write")
def again_as(http_request: MemberRequest) -> HttpResponse:
    """Go on without proof, for who signed in without: the route exists in the development profile only."""
    prove_again(http_request.actor)
    return _proven(http_request, {"fields": _fields(http_request)})


def _fields(http_request: HttpRequest) -> dict[str, Any]:
    if not wants_json(http_request):
        return http_request.POST.dict()
    fields = json_body(http_request).get("fields")
    return fields if isinstance(fields, dict) else {}


def _proven(http_request: MemberRequest, body: dict[str, Any]) -> HttpResponse:
    """Answer a proof: the session has a new key; a form that was carried along can now be sent."""
    http_request.session.cycle_key()
    fields = body.get("fields")
    place = safe_path(fields.get("next") if isinstance(fields, dict) else None)
    if wants_json(http_request):
        return JsonResponse({"next": place})
    if "carried-to" in http_request.POST:
        return proof_page(http_request, is_proven=True)
    return HttpResponseRedirect(place)


@require_POST
@guarded(Permission.SESSION_STAY, limit="session-stay")
def stay(http_request: MemberRequest) -> HttpResponse:
    """Move the end by inactivity, since somebody is there; answer with both ends, in seconds from now."""
    quiet = stay_awake(http_request.actor)
    return JsonResponse(seconds_left(http_request.actor, quiet))


@require_safe
@guarded(Permission.SESSION_STAY)
def ends(http_request: MemberRequest) -> HttpResponse:
    """Say when this sign-in ends, in seconds from now, without moving anything."""
    actor = http_request.actor
    return JsonResponse(seconds_left(actor, actor.quiet_until_at or actor.until_at))
