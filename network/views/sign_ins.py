"""Signing in and out, and choosing for which authority one acts."""

import re
import time
import uuid
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from network import factors
from network.actions.sign_ins import (
    accept_code,
    accept_passkey,
    accept_recovery_code,
    begin_sign_in,
    end_sign_in,
)
from network.connections import connection_address
from network.errors import Invalid, NotFound, SignInFailed
from network.failed_sign_ins import note_failure
from network.field_encryption import index_field
from network.frames import parse_json
from network.guard import ActingRequest, MemberRequest, guarded
from network.limits import spend
from network.middleware import SIGN_IN_KEY
from network.models import Factor, Membership, SignIn
from network.permissions import Permission
from network.queries import sign_ins as queries

PROVEN_KEY = "proven"
PROVEN_SECONDS = 300
ADDRESS_MOST = 254
BROWSERS = (
    ("Edge", "Edg/"),
    ("Opera", "OPR/"),
    ("Firefox", "Firefox/"),
    ("Chrome", "Chrome/"),
    ("Safari", "Safari/"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class Proven:
    """Who has just been proven, by what; for a few minutes, until an authority is chosen."""

    person: str
    factor: str
    credential: str
    is_bound: bool


@require_safe
@guarded(Permission.PUBLIC_READ)
def sign_in_page(http_request: ActingRequest) -> HttpResponse:
    """Show the ways to sign in; in the development profile also whom one may try."""
    return _show(http_request)


def _show(http_request: HttpRequest, *, failed: str = "") -> HttpResponse:
    states = queries.list_persons_to_try() if settings.PROFILE != "production" else []
    context = {
        "page": "sign-in",
        "states": states,
        "next": next_of(http_request),
        "failed": failed,
        "problem": SignInFailed.default_sentence,
        "address": http_request.POST.get("address", "")[:ADDRESS_MOST],
    }
    return render(http_request, "network/sign_in.html", context, status=403 if failed else 200)


@require_POST
@guarded(Permission.SIGN_IN_BEGIN, limit="api-write")
def passkey_options(http_request: ActingRequest) -> HttpResponse:
    """Give a challenge that any passkey of this site may answer."""
    return JsonResponse(factors.begin_proof(http_request))


@require_POST
@guarded(Permission.SIGN_IN_BEGIN, limit="api-write")
def sign_in_with_passkey(http_request: ActingRequest) -> HttpResponse:
    """Let in whoever's passkey answered the challenge of this session."""
    body = json_body(http_request)
    proof = factors.read_proof(http_request, body.get("credential"))
    accept_passkey(proof)
    proven = Proven(proof.person_id.hex, Factor.PASSKEY.value, str(proof.passkey_id), proof.is_bound)
    fields = body.get("fields") or {}
    wanted = str(fields.get("membership")) if isinstance(fields, dict) else None
    place = fields.get("next") if isinstance(fields, dict) else None
    return JsonResponse({"next": _enter(http_request, proven, safe_path(place), wanted=wanted)})


@require_POST
@guarded(Permission.SIGN_IN_BEGIN, limit="sign-in")
def sign_in_with_code(http_request: ActingRequest) -> HttpResponse:
    """Let in by mail address, password and one-time code; whatever is wrong, the answer is the same."""
    address = _address(http_request)
    try:
        person = queries.find_person(address)
        password = http_request.POST.get("password", "")[:1024]
        proof = factors.read_password_and_code(person, password, http_request.POST.get("code", "")[:40])
        proven = Proven(proof.person_id.hex, Factor.CODE.value, str(proof.codes_id), is_bound=False)
        accept_code(proof)
        return HttpResponseRedirect(_enter(http_request, proven, next_of(http_request)))
    except SignInFailed:
        note_failure(address)
        return _show(http_request, failed="code")


@require_POST
@guarded(Permission.SIGN_IN_BEGIN, limit="sign-in")
def sign_in_with_recovery_code(http_request: ActingRequest) -> HttpResponse:
    """Let in by mail address and recovery code, to add a passkey and for nothing else."""
    address = _address(http_request, limit="recovery")
    try:
        person = queries.find_person(address)
        nobody = Proven(uuid.UUID(int=0).hex, Factor.RECOVERY_CODE.value, "", is_bound=False)
        proven = Proven(person.id.hex, nobody.factor, "", is_bound=False) if person else nobody
        standings = _standings(proven)
        accept_recovery_code(person if standings else None, code=http_request.POST.get("code", ""))
        _enter(http_request, proven, "/account/", wanted=str(standings[0].id))
        return HttpResponseRedirect("/account/")
    except SignInFailed:
        note_failure(address)
        return _show(http_request, failed="recovery")


def _address(http_request: HttpRequest, *, limit: str = "sign-in-code") -> str:
    """Return the typed mail address, its bucket taken from; the network address has one of its own."""
    address = http_request.POST.get("address", "").strip()[:ADDRESS_MOST]
    spend(limit, index_field("limit.address", address.lower()))
    return address


def _standings(proven: Proven) -> list[Membership]:
    """Return for whom the person may act, proven in this way; the same questions for nobody.

    Nobody, where the passkey or app was removed since.
    """
    if proven.credential and not factors.has_factor(uuid.UUID(proven.person), proven.credential):
        return []
    return queries.list_standings(uuid.UUID(proven.person), by_code=proven.factor == Factor.CODE)


def _enter(http_request: ActingRequest, proven: Proven, place: str, *, wanted: object = None) -> str:
    """Begin a sign-in where it is clear for which authority, else keep who was proven; returns where to go.

    Raises `SignInFailed` for whoever has no standing.
    """
    standings = {str(member.id): member for member in _standings(proven)}
    if not standings:
        raise SignInFailed
    if len(standings) > 1 and wanted not in standings:
        _leave(http_request)
        http_request.session[PROVEN_KEY] = {**asdict(proven), "at": time.time()}
        return f"/sign-in/for/?next={quote(place)}"
    member = standings[str(wanted)] if wanted in standings else next(iter(standings.values()))
    sign_in = begin_sign_in(
        membership_id=member.id,
        factor=Factor(proven.factor),
        credential=proven.credential,
        is_bound=proven.is_bound,
        address=connection_address(http_request),
        agent=describe_agent(http_request.headers.get("User-Agent", "")),
    )
    _leave(http_request)
    take_sign_in(http_request, sign_in)
    return place


def _leave(http_request: ActingRequest) -> None:
    """End what this browser was signed in as, and begin a session with a new key: no fixation."""
    if http_request.actor:
        end_sign_in(http_request.actor)  # its open pages must not go on as somebody else
    http_request.session.flush()
    rotate_token(http_request)


def take_sign_in(http_request: HttpRequest, sign_in: SignIn) -> None:
    """Let this browser's session stand for the sign-in, under a new key."""
    http_request.session.cycle_key()
    http_request.session[SIGN_IN_KEY] = sign_in.id.hex


@require_safe
@guarded(Permission.PUBLIC_READ)
def choose_page(http_request: ActingRequest) -> HttpResponse:
    """Show for which authorities the person who was just proven may act."""
    proven = _proven(http_request)
    if proven is None:
        return HttpResponseRedirect("/sign-in/")
    context = {"standings": _standings(proven), "next": next_of(http_request)}
    return render(http_request, "network/choose_authority.html", context)


@require_POST
@guarded(Permission.SIGN_IN_BEGIN, limit="api-write")
def choose(http_request: ActingRequest) -> HttpResponse:
    """Act for one of them."""
    proven = _proven(http_request)
    if proven is None:
        return HttpResponseRedirect("/sign-in/")
    wanted = http_request.POST.get("membership", "")
    if wanted not in {str(member.id) for member in _standings(proven)}:
        raise NotFound
    return HttpResponseRedirect(_enter(http_request, proven, next_of(http_request), wanted=wanted))


def _proven(http_request: HttpRequest) -> Proven | None:
    kept = dict(http_request.session.get(PROVEN_KEY) or {})
    if not kept or not 0 <= time.time() - kept.pop("at") <= PROVEN_SECONDS:
        return None
    return Proven(**kept)


@require_POST
@guarded(Permission.SIGN_IN_BEGIN, limit="api-write")  # nothing to guess: it goes on without Redis
def sign_in_as(http_request: ActingRequest) -> HttpResponse:
    """Sign in as a demo person without proof. The route exists in the development profile only."""
    try:
        membership_id = uuid.UUID(http_request.POST.get("membership", ""))
    except ValueError as error:
        raise Invalid from error
    address = connection_address(http_request)
    agent = describe_agent(http_request.headers.get("User-Agent", ""))
    sign_in = begin_sign_in(membership_id=membership_id, address=address, agent=agent)
    _leave(http_request)
    take_sign_in(http_request, sign_in)
    return HttpResponseRedirect(next_of(http_request))


@require_POST
@guarded(Permission.SIGN_IN_END, limit="api-write")
def sign_out(http_request: MemberRequest) -> HttpResponse:
    """End this sign-in; its open sockets close."""
    end_sign_in(http_request.actor)
    http_request.session.flush()
    return HttpResponseRedirect("/sign-in/")


def describe_agent(header: str) -> str:
    """Return browser and system in words, like "Firefox on Windows": what it calls itself, no proof."""
    browser = next((name for name, sign in BROWSERS if sign in header), "")
    system = next((name for name, sign in SYSTEMS if sign in header), "")
    if browser and system:
        return f"{browser} on {system}"
    first = re.match(r"[A-Za-z0-9._-]{1,40}", header)
    return browser or system or (first[0] if first else "")


def json_body(http_request: HttpRequest) -> dict[str, Any]:
    """Return the body of a request made by `passkey.js`; raises `Invalid`."""
    body = parse_json(http_request.body)
    if not isinstance(body, dict):
        raise Invalid("invalid-body")
    return body


def next_of(http_request: HttpRequest) -> str:
    """Return where to go on: a path of this site, whatever was asked for."""
    return safe_path(http_request.POST.get("next") or http_request.GET.get("next"))


def safe_path(wanted: object) -> str:
    """Return a path of this site if it is one, else the start page."""
    if isinstance(wanted, str) and wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return "/"
