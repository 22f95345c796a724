"""The page on which a counterpart's fingerprint is compared; the browser verifies what it shows."""

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from messaging.permissions import Permission
from network.errors import NotFound
from network.guard import MemberRequest, guarded
from network.models import Authority


@require_GET
@guarded(Permission.THREAD_LIST)
def counterpart_page(http_request: MemberRequest, authority_uuid: uuid.UUID) -> HttpResponse:
    """Show what compares and accepts the keys of an authority."""
    authority = (
        Authority.objects.select_related("state").filter(id=authority_uuid, state__isnull=False).first()
    )
    if authority is None:
        raise NotFound
    context = {"actor": http_request.actor, "authority": authority}
    return render(http_request, "messaging/counterpart.html", context)
