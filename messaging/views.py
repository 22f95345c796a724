"""HTTP in, HTTP out: the REST operations of sealed correspondence, and the pages that hold its client."""

from typing import Annotated

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from ninja import Path, Query

from messaging import access, queries
from messaging.actions.devices import decline_device, request_device
from messaging.actions.drafts import delete_draft, save_draft
from messaging.actions.keyrings import create_keyring, extend_keyring
from messaging.actions.messages import append_own_messages
from messaging.actions.progress import confirm_delivery, record_opened
from messaging.actions.threads import extend_thread, open_thread
from messaging.permissions import Permission
from messaging.protocol import (
    PAGE_MOST,
    AppendedMessages,
    AppendMessages,
    AuthorityList,
    DeliveredForm,
    DeviceForm,
    DevicePlace,
    DeviceRequestList,
    DraftBody,
    ItemPage,
    KeptDraft,
    Keyring,
    KeyringEntryForm,
    KeyringPlace,
    OpenedThread,
    RecordOpened,
    StoredMessage,
    ThreadBody,
    ThreadEntryForm,
    ThreadForm,
    ThreadPage,
)
from network.frames import Body, Nothing
from network.guard import MemberRequest, guarded
from network.rest import GuardedRouter

router = GuardedRouter()

HexPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
DraftKey = Annotated[str, Path(pattern=r"^([0-9a-f]{64}|new)$")]
Place = Annotated[int, Query(ge=0, lt=2**53)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MOST)]


def _json(body: Body) -> HttpResponse:
    """Return a body as JSON; django-ninja's own encoder knows no bytes."""
    return HttpResponse(body.model_dump_json(), content_type="application/json")


@router.get("/authorities", response=AuthorityList)
@guarded(Permission.AUTHORITY_LIST)
def authorities(request: MemberRequest) -> HttpResponse:
    """List every authority and the principal it can be written to as."""
    return _json(queries.list_authorities(request.actor))


@router.post("/keyrings", response=KeyringPlace)
@guarded(Permission.KEYRING_WRITE, limit="api-write")
def post_keyring(request: MemberRequest, form: KeyringEntryForm) -> HttpResponse:
    """Create the keyring of the own authority."""
    place = create_keyring(
        request.actor, entry=form.entry, envelopes=form.envelopes, statements=form.statements
    )
    return _json(place)


@router.post("/keyrings/{principal}/entries", response=KeyringPlace)
@guarded(Permission.KEYRING_WRITE, limit="api-write")
def post_keyring_entry(request: MemberRequest, principal: HexPath, form: KeyringEntryForm) -> HttpResponse:
    """Extend the keyring of the own authority."""
    place = extend_keyring(
        request.actor,
        principal_id=principal,
        entry=form.entry,
        envelopes=form.envelopes,
        statements=form.statements,
    )
    return _json(place)


@router.get("/keyrings/{principal}", response=Keyring)
@guarded(Permission.KEYRING_READ)
def keyring(
    request: MemberRequest, principal: HexPath, first: Annotated[int, Query(alias="from", ge=0, lt=2**53)] = 0
) -> HttpResponse:
    """Read a keyring from an entry on."""
    return _json(queries.read_keyring(request.actor, principal, first=first))


@router.get("/devices/requests", response=DeviceRequestList)
@guarded(Permission.DEVICE_LIST)
def device_requests(request: MemberRequest) -> HttpResponse:
    """List the devices that asked to be listed."""
    return _json(queries.list_device_requests(request.actor))


@router.post("/devices/requests", response=DevicePlace)
@guarded(Permission.DEVICE_REQUEST, limit="api-write")
def post_device_request(request: MemberRequest, form: DeviceForm) -> HttpResponse:
    """Ask that the own device be listed."""
    return _json(request_device(request.actor, statement=form.statement))


@router.post("/devices/requests/{device}/decline", response=Nothing)
@guarded(Permission.DEVICE_DECLINE, limit="api-write")
def post_device_decline(request: MemberRequest, device: HexPath) -> HttpResponse:
    """Decline a waiting device."""
    decline_device(request.actor, device_id=device)
    return _json(Nothing())


@router.get("/threads", response=ThreadPage)
@guarded(Permission.THREAD_LIST)
def threads(
    request: MemberRequest,
    before: Annotated[str, Query(max_length=100)] = "",
    limit: Limit = 50,
) -> HttpResponse:
    """List the own authority's threads, the newest change first."""
    return _json(queries.list_threads(request.actor, before=before, limit=limit))


@router.post("/threads", response=OpenedThread)
@guarded(Permission.THREAD_OPEN, limit="api-write")
def post_thread(request: MemberRequest, form: ThreadForm) -> HttpResponse:
    """Open a thread."""
    opened = open_thread(request.actor, entry=form.entry, envelopes=form.envelopes, messages=form.messages)
    return _json(opened)


@router.get("/threads/{thread}", response=ThreadBody)
@guarded(Permission.THREAD_READ)
def thread(request: MemberRequest, thread: HexPath) -> HttpResponse:
    """Read what stands about a thread."""
    return _json(queries.read_thread(request.actor, thread))


@router.get("/threads/{thread}/items", response=ItemPage)
@guarded(Permission.THREAD_READ)
def items(
    request: MemberRequest, thread: HexPath, after: Place = 0, limit: Limit = PAGE_MOST
) -> HttpResponse:
    """Read a thread's items in order."""
    return _json(queries.list_items(request.actor, thread, after=after, limit=limit))


@router.post("/threads/{thread}/entries", response=StoredMessage)
@guarded(Permission.THREAD_EXTEND, limit="api-write")
def post_thread_entry(request: MemberRequest, thread: HexPath, form: ThreadEntryForm) -> HttpResponse:
    """Extend a thread's chain of entries."""
    stored = extend_thread(request.actor, thread_id=thread, entry=form.entry, envelopes=form.envelopes)
    return _json(stored)


@router.post("/messages", response=AppendedMessages)
@guarded(Permission.MESSAGE_APPEND, limit="message-append")
def post_messages(request: MemberRequest, form: AppendMessages) -> HttpResponse:
    """Append messages, as the socket command does."""
    return _json(append_own_messages(request.actor, body=form))


@router.post("/threads/{thread}/delivered", response=Nothing)
@guarded(Permission.PROGRESS_WRITE, limit="api-write")
def post_delivered(request: MemberRequest, thread: HexPath, form: DeliveredForm) -> HttpResponse:
    """Confirm that a thread has reached the own device."""
    confirm_delivery(request.actor, thread_id=thread, seq=form.seq)
    return _json(Nothing())


@router.post("/threads/{thread}/opened", response=Nothing)
@guarded(Permission.PROGRESS_WRITE, limit="api-write")
def post_opened(request: MemberRequest, thread: HexPath, form: RecordOpened) -> HttpResponse:
    """Record how far a thread was opened, signed by the device that did."""
    record_opened(request.actor, opened=form.opened, thread_id=thread)
    return _json(Nothing())


@router.get("/drafts/{key}", response=KeptDraft)
@guarded(Permission.DRAFT_READ)
def draft(request: MemberRequest, key: DraftKey) -> HttpResponse:
    """Read the own draft."""
    return _json(queries.read_draft(request.actor, key))


@router.put("/drafts/{key}", response=Nothing)
@guarded(Permission.DRAFT_WRITE, limit="draft-write")
def put_draft(request: MemberRequest, key: DraftKey, form: DraftBody) -> HttpResponse:
    """Keep the own draft."""
    save_draft(request.actor, key=key, sealed=form.sealed)
    return _json(Nothing())


@router.delete("/drafts/{key}", response=Nothing)
@guarded(Permission.DRAFT_WRITE, limit="draft-write")
def remove_draft(request: MemberRequest, key: DraftKey) -> HttpResponse:
    """Forget the own draft."""
    delete_draft(request.actor, key=key)
    return _json(Nothing())


# Pages: frames that hold the client. What they show is opened in the browser.


@require_GET
@guarded(Permission.THREAD_LIST)
def threads_page(http_request: MemberRequest) -> HttpResponse:
    """Show the list of threads."""
    return render(http_request, "messaging/threads.html", {"actor": http_request.actor})


@require_GET
@guarded(Permission.THREAD_OPEN)
def new_thread_page(http_request: MemberRequest) -> HttpResponse:
    """Show the form for a new thread."""
    return render(http_request, "messaging/new_thread.html", {"actor": http_request.actor})


@require_GET
@guarded(Permission.THREAD_READ)
def thread_page(http_request: MemberRequest, thread_id: str) -> HttpResponse:
    """Show a thread of the own authority."""
    access.get_thread(http_request.actor, thread_id, to=Permission.THREAD_READ)
    return render(http_request, "messaging/thread.html", {"actor": http_request.actor, "thread": thread_id})


@require_GET
@guarded(Permission.DEVICE_LIST)
def devices_page(http_request: MemberRequest) -> HttpResponse:
    """Show this device and those that wait."""
    return render(http_request, "messaging/devices.html", {"actor": http_request.actor})
