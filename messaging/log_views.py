"""The log of keys over HTTP: what members follow, everybody may read (C2SP tlog-tiles), and witnesses sign.

The public part needs no account: its labels are hidden by a key that only members have.
"""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from ninja import Query

from messaging.actions.log import take_cosignature
from messaging.bundle import manifest
from messaging.log_reading import read_checkpoint_now, read_log, read_tile
from messaging.permissions import Permission
from messaging.protocol import LogPage
from messaging.sealed.checkpoint import NOTE_LIMIT
from network.errors import Refusal
from network.guard import MemberRequest, guarded
from network.rest import GuardedRouter

router = GuardedRouter()
FOR_EVER = "public, max-age=31536000, immutable"
TEXT = "text/plain; charset=utf-8"


@router.get("/log", response=LogPage)
@guarded(Permission.LOG_FOLLOW)
def follow_log(
    request: MemberRequest, first: Annotated[int, Query(alias="from", ge=0, lt=2**53)] = 0
) -> HttpResponse:
    """Read the newest checkpoint of the log of keys, and its leaves from a number on."""
    return HttpResponse(read_log(first=first).model_dump_json(), content_type="application/json")


@require_GET
@guarded(Permission.LOG_READ)
def checkpoint(_http_request: HttpRequest) -> HttpResponse:
    """Give out the newest signed checkpoint."""
    return HttpResponse(read_checkpoint_now(), content_type=TEXT)


@require_GET
@guarded(Permission.LOG_READ)
def bundle(_http_request: HttpRequest) -> HttpResponse:
    """Give out the list of scripts whose hash stands in the log."""
    return HttpResponse(manifest(), content_type=TEXT)


@require_GET
@guarded(Permission.LOG_READ)
def tile(_http_request: HttpRequest, level: str, tile_path: str) -> HttpResponse:
    """Give out a tile of hashes, or a bundle of leaves."""
    found = read_tile(level, tile_path)
    response = HttpResponse(found.data, content_type="application/octet-stream")
    if found.is_full:
        response.headers["Cache-Control"] = FOR_EVER
    return response


# A witness has no session that a foreign page could ride on: what counts is its signature.
@csrf_exempt
@require_POST
@guarded(Permission.LOG_COSIGN, limit="log-cosign")
def cosignatures(http_request: HttpRequest) -> HttpResponse:
    """Take a witness's signature under a checkpoint."""
    try:
        take_cosignature(http_request.read(NOTE_LIMIT + 1).decode())
    except UnicodeDecodeError:
        return HttpResponse("bad-checkpoint", status=422, content_type=TEXT)
    except Refusal as refused:
        return HttpResponse(refused.code, status=refused.status, content_type=TEXT)
    return HttpResponse(status=204)
