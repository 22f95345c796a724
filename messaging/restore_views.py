"""HTTP in, HTTP out: who signs for a restore, and what devices hand back after it (L8)."""

from typing import Annotated

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from ninja import Path

from messaging.actions.restoring import sign_restore
from messaging.actions.returning import take_back_items
from messaging.actions.returning_keys import take_back_entries
from messaging.permissions import Permission
from messaging.protocol import KeyringPlace
from messaging.restore_protocol import (
    RestoreFacts,
    RestoreForm,
    RestoreList,
    ReturnedKeyring,
    ReturnedPlace,
    ReturnForm,
)
from messaging.restore_queries import list_restores, restore_facts
from network.frames import Body
from network.guard import MemberRequest, guarded
from network.rest import GuardedRouter

router = GuardedRouter()

HexPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
SerialPath = Annotated[int, Path(ge=0, lt=2**31)]


def _json(body: Body) -> HttpResponse:
    return HttpResponse(body.model_dump_json(), content_type="application/json")


@router.get("/restores", response=RestoreList)
@guarded(Permission.RESTORE_LIST)
def restores(request: MemberRequest) -> HttpResponse:
    """Say whether a restore has begun and is not over."""
    return _json(list_restores(request.actor))


@router.post("/restores/{serial}/signatures", response=RestoreFacts)
@guarded(Permission.RESTORE_SIGN, limit="api-write", fresh=True)
def post_signature(request: MemberRequest, serial: SerialPath, form: RestoreForm) -> HttpResponse:
    """Stand for a restore, as one of two directory officers."""
    return _json(restore_facts(sign_restore(request.actor, serial=serial, statement=form.statement)))


@router.post("/keyrings/{principal}/returned", response=KeyringPlace)
@guarded(Permission.KEYRING_RETURN, limit="api-write")
def post_returned_entries(request: MemberRequest, principal: HexPath, form: ReturnedKeyring) -> HttpResponse:
    """Hand back entries of the own keyring that the server has lost."""
    place = take_back_entries(
        request.actor, principal_id=principal, entries=form.entries, statements=form.statements
    )
    return _json(place)


@router.post("/threads/{thread}/returned", response=ReturnedPlace)
@guarded(Permission.THREAD_RETURN, limit="api-write")
def post_returned(request: MemberRequest, thread: HexPath, form: ReturnForm) -> HttpResponse:
    """Hand back items that the server has lost, with its own receipts."""
    return _json(take_back_items(request.actor, thread_id=thread, items=form.items))


@require_GET
@guarded(Permission.RESTORE_LIST)
def restores_page(http_request: MemberRequest) -> HttpResponse:
    """Show what directory officers sign for a restore of the network."""
    return render(http_request, "messaging/restores.html", {"actor": http_request.actor})
