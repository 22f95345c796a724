"""HTTP in, HTTP out: files beside messages, chunk by chunk. What crosses here is sealed."""

from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Path

from messaging import access
from messaging.actions.attachments import begin_attachment, cancel_attachment, state_of, store_chunk
from messaging.attachment_queries import read_chunk
from messaging.permissions import Permission
from messaging.protocol import AttachmentForm, AttachmentState
from messaging.views import HexPath
from network.frames import Body, Nothing
from network.guard import MemberRequest, guarded
from network.limits import CHUNK_BODY_BYTES
from network.rest import GuardedRouter

router = GuardedRouter()

FilePath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Index = Annotated[int, Path(ge=0, lt=10_000)]
BINARY = "application/octet-stream"
BYTES: dict[str, Any] = {BINARY: {"schema": {"type": "string", "format": "binary"}}}
CHUNK_HEADERS = {
    # A name of its own for whoever saves it; never shown, never run, never read as something else.
    "Content-Disposition": "attachment",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Content-Encoding": "identity",  # sealed bytes do not get smaller: the compression leaves them alone
}


def _json(body: Body) -> HttpResponse:
    return HttpResponse(body.model_dump_json(), content_type="application/json")


@router.post("/threads/{thread}/attachments", response=AttachmentState)
@guarded(Permission.ATTACHMENT_WRITE, limit="attachment-begin")
def post_attachment(request: MemberRequest, thread: HexPath, form: AttachmentForm) -> HttpResponse:
    """Begin a file, or go on with it."""
    return _json(begin_attachment(request.actor, thread_id=thread, file_id=form.file, size=form.size))


@router.get("/threads/{thread}/attachments/{file}", response=AttachmentState)
@guarded(Permission.ATTACHMENT_READ)
def attachment(request: MemberRequest, thread: HexPath, file: FilePath) -> HttpResponse:
    """Read what is stored of a file."""
    return _json(state_of(access.get_attachment(request.actor, thread, file)))


@router.delete("/threads/{thread}/attachments/{file}", response=Nothing)
@guarded(Permission.ATTACHMENT_WRITE, limit="api-write")
def remove_attachment(request: MemberRequest, thread: HexPath, file: FilePath) -> HttpResponse:
    """Give up a file that no message has taken."""
    cancel_attachment(request.actor, thread_id=thread, file_id=file)
    return _json(Nothing())


@router.put(
    "/threads/{thread}/attachments/{file}/chunks/{index}",
    response=Nothing,
    openapi_extra={"requestBody": {"required": True, "content": BYTES}},
)
@guarded(Permission.ATTACHMENT_WRITE, limit="attachment-write")
def put_chunk(request: MemberRequest, thread: HexPath, file: FilePath, index: Index) -> HttpResponse:
    """Store one sealed chunk of a file."""
    data = request.read(CHUNK_BODY_BYTES + 1)
    store_chunk(request.actor, thread_id=thread, file_id=file, index=index, data=data)
    return _json(Nothing())


@router.get(
    "/threads/{thread}/attachments/{file}/chunks/{index}",
    openapi_extra={"responses": {200: {"description": "OK", "content": BYTES}}},
)
@guarded(Permission.ATTACHMENT_READ, limit="attachment-read")
def chunk(request: MemberRequest, thread: HexPath, file: FilePath, index: Index) -> HttpResponse:
    """Fetch one sealed chunk of a file."""
    data = read_chunk(request.actor, thread_id=thread, file_id=file, index=index)
    return HttpResponse(data, content_type=BINARY, headers=CHUNK_HEADERS)
