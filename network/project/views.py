"""Pages that join the apps."""

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from messaging.permissions import Permission as Messaging
from network.guard import ActingRequest, allows, guarded
from network.permissions import Permission
from network.policy import Actor


@require_safe
@guarded(Permission.PUBLIC_READ)
def start(http_request: ActingRequest) -> HttpResponse:
    """Lead to where the actor's work is, or to the sign-in page."""
    return HttpResponseRedirect(_place_of_work(http_request.actor))


def _place_of_work(actor: Actor | None) -> str:
    if actor is None:
        return "/sign-in/"
    if allows(actor, Messaging.THREAD_LIST):
        return "/threads/"
    if allows(actor, Messaging.DEVICE_LIST):
        return "/devices/"
    return "/what-the-server-sees/"
