"""The REST face: what is not live, entering the same actions as the socket."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from messaging.queries import session_facts
from messaging.views import router as messaging_router
from network import queries
from network.errors import Invalid, Refusal, TooLarge
from network.frames import parse_json
from network.guard import MemberRequest, guarded
from network.middleware import refused
from network.permissions import Permission
from network.protocol import PROTOCOL_VERSION
from network.rest import GuardedRouter


class StrictParser(Parser):
    """Reads bodies with the same strict JSON as the socket."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the parsed body; raises `Invalid`."""
        return parse_json(request.body)


api = NinjaAPI(
    title="Network of central authorities",
    version=str(PROTOCOL_VERSION),
    parser=StrictParser(),
    docs_url=None,
    openapi_url="",
)


@api.exception_handler(Refusal)
def on_refusal(http_request: HttpRequest, refusal: Any) -> HttpResponse:
    """Answer a refusal with its code and sentence."""
    return refused(http_request, refusal)


@api.exception_handler(ValidationError)
def on_invalid(http_request: HttpRequest, error: Any) -> HttpResponse:
    """Answer a body that does not have its shape."""
    return refused(http_request, Invalid("invalid-body"))


@api.exception_handler(HttpError)
def on_unreadable(http_request: HttpRequest, error: Any) -> HttpResponse:
    """Answer a body that the parser refused; the library hides the refusal in an error of its own."""
    cause = error.__cause__ or error.__context__
    return refused(http_request, cause if isinstance(cause, Refusal) else Invalid("malformed-frame"))


@api.exception_handler(RequestDataTooBig)
def on_too_large(http_request: HttpRequest, error: Any) -> HttpResponse:
    """Answer a body over the limit."""
    return refused(http_request, TooLarge())


router = GuardedRouter()


@router.get("/session")
@guarded(Permission.SESSION_READ)
def session(request: MemberRequest) -> dict[str, Any]:
    """Say who is signed in, for which authority, and where the audiences stand."""
    actor = request.actor
    cursors = queries.cursors_of(queries.audiences_of(actor))
    return {
        "protocol": PROTOCOL_VERSION,
        "net": settings.ORIGIN_NAME,
        "server_time": int(timezone.now().timestamp()),
        "person": {"id": actor.person_id.hex, "name": actor.person_name, "office": actor.office},
        "membership": {"id": actor.membership_id.hex, "role": actor.role.value},
        "authority": {
            "id": actor.authority_id.hex,
            "name": actor.authority_name,
            "kind": actor.authority_kind.value,
            "state": actor.state_code,
            "state_name": actor.state_name,
        },
        # Until the transparency log exists nobody has confirmed which keys belong to which authority.
        "unconfirmed": True,
        "cursors": {audience: newest for audience, (_, newest) in cursors.items()},
        **session_facts(actor),
    }


api.add_router("", router)
api.add_router("", messaging_router)
