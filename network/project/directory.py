"""The directory's pages for everybody: States, one State, one authority, and what is known of keys."""

import uuid
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from messaging.permissions import Permission as Messaging
from messaging.queries import fingerprints_of
from network.connections import connection_network
from network.directory.names import languages_in_order
from network.functions import FUNCTIONS
from network.guard import ActingRequest, MemberRequest, allows, guarded
from network.limits import spend
from network.models import Authority
from network.permissions import Permission
from network.policy import NETWORK, PUBLIC, Actor, reader_of
from network.proposal_facts import in_groups
from network.queries import directory
from network.queries.directory import Filters
from network.queries.entries import ShownEntry, shown_entry

SEARCH_MOST = 100
CODE_MOST = 20


def filters_of(http_request: HttpRequest, actor: Actor | None) -> Filters:
    """Return what a reader looks for; what is no code of a list finds nothing."""

    def asked(name: str) -> str:
        # PostgreSQL takes no text with a zero in it.
        return http_request.GET.get(name, "").replace("\0", "\N{REPLACEMENT CHARACTER}").strip()

    return Filters(
        words=asked("search")[:SEARCH_MOST],
        function=asked("function")[:CODE_MOST],
        instrument=asked("instrument")[:CODE_MOST],
        language=asked("language")[:CODE_MOST],
        is_stale=bool(asked("stale")) and allows(actor, Permission.STATE_LIST),
    )


@require_safe
@guarded(Permission.DIRECTORY_READ)
def list_directory(http_request: ActingRequest) -> HttpResponse:
    """Show States with their authorities, or those that fit a search."""
    actor = http_request.actor
    reader, filters = reader_of(actor), filters_of(http_request, actor)
    if filters.is_any and actor is None:
        spend("directory-search", connection_network(http_request))
    page = directory.list_entries(reader, filters, after=http_request.GET.get("after", "")[:3])
    ids = [entry.authority.id for group in page.groups for entry in group.entries]
    context = {
        "page": page,
        "filters": filters,
        "functions": [(code, listed.title) for code, listed in FUNCTIONS.items()],
        "instruments": directory.instruments_shown(reader),
        "languages": languages_in_order(directory.languages_shown(reader)),
        "with_keys": set(fingerprints_of(ids)),
        "next_page": urlencode({**_as_query(filters), "after": page.after}) if page.after else "",
        "is_after": bool(http_request.GET.get("after")),
        "sees_stale": allows(actor, Permission.STATE_LIST),
        "edits": _edits(actor),
        "home": home_zone(actor),
    }
    return render(http_request, "network/directory/list.html", context)


def _as_query(filters: Filters) -> dict[str, str]:
    query = {
        "search": filters.words,
        "function": filters.function,
        "instrument": filters.instrument,
        "language": filters.language,
        "stale": "yes" if filters.is_stale else "",
    }
    return {name: value for name, value in query.items() if value}


def _edits(actor: Actor | None) -> bool:
    return allows(actor, Permission.DIRECTORY_EDIT) and directory.has_entry(actor)


def home_zone(actor: Actor | None) -> str:
    """Return the time zone of the reader's own office, in which times are shown too, if it is known."""
    return directory.zone_of(actor.authority_id) if actor and not actor.is_limited else ""


@require_safe
@guarded(Permission.DIRECTORY_READ)
def show_state(http_request: ActingRequest, state_code: str) -> HttpResponse:
    """Show one State with its authorities."""
    actor = http_request.actor
    page = directory.read_state(reader_of(actor), state_code, after=http_request.GET.get("after", "")[:36])
    if state_code != page.state.code:
        return HttpResponsePermanentRedirect(f"/directory/{page.state.code}/")
    context = {
        "page": page,
        "with_keys": set(fingerprints_of(entry.authority.id for entry in page.entries)),
        "home": home_zone(actor),
    }
    return render(http_request, "network/directory/state.html", context)


@require_safe
@guarded(Permission.DIRECTORY_READ)
def show_authority(http_request: ActingRequest, authority_uuid: uuid.UUID) -> HttpResponse:
    """Show one authority: for what, in which languages, when and how."""
    actor = http_request.actor
    reader = reader_of(actor)
    authority = directory.find_authority(reader, authority_uuid)
    context = _authority_context(actor, authority, shown_entry(reader, authority))
    return render(http_request, "network/directory/authority.html", context)


def _authority_context(actor: Actor | None, authority: Authority, entry: ShownEntry) -> dict[str, object]:
    digits = fingerprints_of([authority.id]).get(authority.id, "")
    is_own = actor is not None and actor.authority_id == authority.id
    return {
        "authority": authority,
        "entry": entry,
        "keys": keys_state(authority.root_fingerprint, digits),
        "digits": in_groups(digits) if digits else "",
        "is_own": is_own,
        "can_write": bool(digits) and not is_own and allows(actor, Messaging.THREAD_OPEN),
        "can_edit": is_own and allows(actor, Permission.DIRECTORY_EDIT),
        "common": directory.common_instruments(actor, authority.id),
        "home": home_zone(actor),
    }


def keys_state(confirmed: str, held: str) -> str:
    """Return "none", "unconfirmed", "confirmed" or "differ"."""
    if not confirmed:
        return "unconfirmed" if held else "none"
    return "confirmed" if confirmed == held else "differ"


@require_safe
@guarded(Permission.DIRECTORY_EDIT)
def preview_entry(http_request: MemberRequest) -> HttpResponse:
    """Show the own entry as everybody sees it, or as members of the network do."""
    is_network = http_request.GET.get("as") == "network"
    reader = NETWORK if is_network else PUBLIC
    authority = directory.find_own_authority(http_request.actor)
    is_shown = directory.is_shown(reader, authority)
    context = _authority_context(None, authority, shown_entry(reader, authority)) | {
        "is_network": is_network,
        "is_shown": is_shown,
    }
    return render(http_request, "network/directory/preview.html", context)
