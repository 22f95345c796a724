"""Pages that join the apps."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from messaging.permissions import Permission as Messaging
from messaging.queries import fingerprint_of
from network.errors import NotFound
from network.guard import ActingRequest, MemberRequest, allows, guarded
from network.permissions import Permission
from network.policy import Actor
from network.project import console, onboarding
from network.project.start import Wanted, correspondence_of, places_of, tasks_of
from network.proposal_facts import in_groups
from network.queries.proposals import proposals_waiting_for

SEARCH_MOST = 100


@require_safe
@guarded(Permission.PUBLIC_READ)
def start(http_request: ActingRequest) -> HttpResponse:
    """Show what waits for the actor; first lead along the guided path. Anybody else sees what this is."""
    actor = http_request.actor
    if actor is None:
        return render(http_request, "network/front.html")
    if actor.is_limited:
        return HttpResponseRedirect("/account/")
    steps = [step for step in onboarding.steps_of(actor) if not step.is_done]
    if any(step.is_needed for step in steps):
        return HttpResponseRedirect("/welcome/")
    beside = {"can_open": allows(actor, Messaging.THREAD_OPEN), "steps_left": len(steps)}
    return render(http_request, "network/start.html", _waiting(actor, http_request) | beside)


@require_safe
@guarded(Permission.WELCOME_READ)
def start_now(http_request: MemberRequest) -> HttpResponse:
    """Return the living part of the start page as it is now; its script asks when something happened."""
    return render(http_request, "network/start_now.html", _waiting(http_request.actor, http_request))


def _waiting(actor: Actor, http_request: HttpRequest) -> dict[str, object]:
    wanted = Wanted.of(http_request.GET.dict())
    reads = allows(actor, Messaging.THREAD_LIST)
    return {
        "wanted": wanted,
        "reads": reads,
        "tasks": tasks_of(actor),
        "places": [] if reads else places_of(actor),
    } | (correspondence_of(actor, wanted) if reads else {})


@require_safe
@guarded(Permission.WELCOME_READ)
def welcome(http_request: MemberRequest) -> HttpResponse:
    """Show what comes next for this person in this authority."""
    steps = onboarding.steps_of(http_request.actor)
    context = {
        "steps": steps,
        "next_step": onboarding.next_step(steps),
        "done": sum(step.is_done for step in steps),
    }
    return render(http_request, "network/welcome.html", context)


@require_safe
@guarded(Messaging.KEYRING_READ)
def fingerprint_note(http_request: MemberRequest) -> HttpResponse:
    """Show the fingerprint of the own authority's keys, to be printed for the State's note."""
    if http_request.actor.state_code is None:
        raise NotFound  # no State sends a note about the keys of the secretariat
    digits = fingerprint_of(http_request.actor.authority_id)
    return render(http_request, "network/note.html", {"digits": in_groups(digits) if digits else ""})


@require_safe
@guarded(Permission.STATE_LIST)
def list_states(http_request: MemberRequest) -> HttpResponse:
    """Show the secretariat how far each authority has come."""
    actor = http_request.actor
    search = http_request.GET.get("search", "").strip()[:SEARCH_MOST]
    page = console.list_authorities(search=search, after=http_request.GET.get("after", "")[:36])
    decides = allows(actor, Permission.PROPOSAL_DECIDE)
    context = {
        "page": page,
        "search": search,
        "can_open": allows(actor, Permission.AUTHORITY_OPEN),
        "can_confirm": allows(actor, Permission.FINGERPRINT_CONFIRM),
        "can_grant": allows(actor, Permission.SECRETARIAT_ROLE_GRANT),
        "proposals_waiting": proposals_waiting_for(actor)[:100].count() if decides else 0,
    }
    return render(http_request, "network/states.html", context)
