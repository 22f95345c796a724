"""The REST face: what is not live, entering the same actions as the socket."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from messaging.approval_views import router as approval_router
from messaging.attachment_views import router as attachment_router
from messaging.card_views import router as card_router
from messaging.confirmation_views import router as confirmation_router
from messaging.log_views import router as log_router
from messaging.practitioner_views import router as practitioner_router
from messaging.queries import session_facts
from messaging.report_views import router as report_router
from messaging.restore_views import router as restore_router
from messaging.views import router as messaging_router
from network.errors import Invalid, Refusal, TooLarge
from network.frames import parse_json
from network.guard import MemberRequest, guarded
from network.middleware import refused
from network.permissions import Permission
from network.project.session import SessionAuthority, SessionBody, SessionMembership, SessionPerson
from network.protocol import PROTOCOL_VERSION
from network.queries import events
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


@router.get("/session", response=SessionBody)
@guarded(Permission.SESSION_READ)
def session(request: MemberRequest) -> HttpResponse:
    """Say who is signed in, for which authority, and where the audiences stand."""
    actor = request.actor
    cursors = events.cursors_of(events.audiences_of(actor))
    body = SessionBody(
        protocol=PROTOCOL_VERSION,
        server_time=int(timezone.now().timestamp()),
        person=SessionPerson(id=actor.person_id.hex, name=actor.person_name, office=actor.office),
        membership=SessionMembership(id=actor.membership_id.hex, roles=sorted(actor.roles)),
        authority=SessionAuthority(
            id=actor.authority_id.hex,
            name=actor.authority_name,
            kind=actor.authority_kind.value,
            state=actor.state_code,
            state_name=actor.state_in_words,
        ),
        cursors={audience: newest for audience, (_, newest) in cursors.items()},
        **session_facts(actor),
    )
    return HttpResponse(body.model_dump_json(), content_type="application/json")


ROUTERS = (
    router,
    messaging_router,
    approval_router,
    attachment_router,
    card_router,
    confirmation_router,
    log_router,
    practitioner_router,
    report_router,
    restore_router,
)
for each in ROUTERS:
    api.add_router("", each)
