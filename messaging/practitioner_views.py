"""The REST operations by which an authority answers for practitioners."""

from typing import Annotated

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from ninja import Path

from messaging.actions.practitioners import sponsor_practitioner
from messaging.permissions import Permission
from messaging.practitioner_protocol import PractitionerList, SponsorForm
from messaging.practitioner_queries import list_practitioners
from messaging.protocol import DevicePlace
from network.frames import Body
from network.guard import MemberRequest, guarded
from network.rest import GuardedRouter

router = GuardedRouter()

HexPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


def _json(body: Body) -> HttpResponse:
    return HttpResponse(body.model_dump_json(), content_type="application/json")


@router.get("/practitioners", response=PractitionerList)
@guarded(Permission.PRACTITIONER_LIST)
def practitioners(request: MemberRequest) -> HttpResponse:
    """List the practitioners of the own State, for who can answer for them; or the asking one alone."""
    return _json(list_practitioners(request.actor))


@router.post("/practitioners/{device}/sponsor", response=DevicePlace)
@guarded(Permission.PRACTITIONER_SPONSOR, limit="api-write", fresh=True)
def post_sponsor(request: MemberRequest, device: HexPath, form: SponsorForm) -> HttpResponse:
    """Answer for a practitioner whose device asks for it."""
    return _json(sponsor_practitioner(request.actor, device_id=device, statement=form.statement))


@require_GET
@guarded(Permission.PRACTITIONER_SPONSOR)
def practitioners_page(http_request: MemberRequest) -> HttpResponse:
    """Show who asks the own authority to answer, and for whom it does."""
    return render(http_request, "messaging/practitioners.html", {"actor": http_request.actor})
