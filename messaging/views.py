"""HTTP in, HTTP out: the REST operations of sealed correspondence, and the pages that hold its client."""

import uuid
from typing import Annotated

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from ninja import Path, Query

from messaging import access, queries
from messaging.actions.accepts import note_accept
from messaging.actions.assignments import assign_thread
from messaging.actions.devices import decline_device, request_device
from messaging.actions.drafts import delete_draft, save_draft
from messaging.actions.keyrings import create_keyring, extend_keyring
from messaging.actions.kits import note_tried_kit
from messaging.actions.messages import append_own_messages
from messaging.actions.progress import confirm_delivery, record_opened
from messaging.actions.threads import extend_thread, open_thread, withdraw_mandate
from messaging.desk_protocol import AuthorityDesk
from messaging.desk_queries import read_desk
from messaging.draft_queries import read_draft
from messaging.letters import LETTERS, letters_in
from messaging.models import ThreadKind
from messaging.permissions import Permission
from messaging.protocol import (
    PAGE_MOST,
    AppendedMessages,
    AppendMessages,
    AssignmentForm,
    AuthorityList,
    DeliveredForm,
    DeviceForm,
    DevicePlace,
    DeviceRequestList,
    DraftBody,
    Handler,
    ItemPage,
    KeptDraft,
    Keyring,
    KeyringEntryForm,
    KeyringPlace,
    LetterTexts,
    OpenedThread,
    RecordOpened,
    StoredMessage,
    ThreadBody,
    ThreadEntryForm,
    ThreadForm,
    ThreadPage,
    TriedKit,
    WithdrawalForm,
)
from messaging.retention_queries import Kept, count_kept, keepings_of
from messaging.sealed.stages import FACTS, GROUNDS, REQUEST_FACTS
from messaging.stage_words import (
    CLOSING_NAMES,
    FACT_NAMES,
    GROUND_NAMES,
    MARK_CHOICES,
    OVERRIDE_NAMES,
    REQUEST_HINTS,
    STAGE_NAMES,
    STEP_REFUSALS,
    VARIANT_NAMES,
)
from network.frames import Body, Nothing
from network.guard import MemberRequest, allows, guarded
from network.models import AuthorityKind
from network.policy import is_practising
from network.rest import GuardedRouter

router = GuardedRouter()

HexPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
ShortHexPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
DraftKey = Annotated[str, Path(pattern=r"^((step-)?[0-9a-f]{64}|new)$")]
# Messages say their language in two letters; the catalog of Chinese has a longer name.
LETTER_LANGUAGES = {code[:2]: code for code, _ in settings.LANGUAGES}
LetterLanguage = Annotated[str, Path(pattern=f"^({'|'.join(LETTER_LANGUAGES)})$")]
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


@router.get("/authorities/{authority}/desk", response=AuthorityDesk)
@guarded(Permission.AUTHORITY_LIST)
def desk(request: MemberRequest, authority: ShortHexPath) -> HttpResponse:
    """Read whether an authority's office is open now, and whom to telephone when it is not."""
    return _json(read_desk(request.actor, uuid.UUID(authority)))


@router.post("/keyrings", response=KeyringPlace)
@guarded(Permission.KEYRING_WRITE, limit="api-write", fresh=True)
def post_keyring(request: MemberRequest, form: KeyringEntryForm) -> HttpResponse:
    """Create the keyring of the own authority."""
    place = create_keyring(
        request.actor, entry=form.entry, envelopes=form.envelopes, statements=form.statements
    )
    return _json(place)


@router.post("/keyrings/{principal}/entries", response=KeyringPlace)
@guarded(Permission.KEYRING_WRITE, limit="api-write", fresh=True)
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


@router.post("/keyrings/{principal}/drill", response=Nothing)
@guarded(Permission.KEYRING_TRY, limit="api-write")
def post_drill(request: MemberRequest, principal: HexPath, form: TriedKit) -> HttpResponse:
    """Note that the recovery kit of the own authority was tried in the client, and opens its keys."""
    note_tried_kit(request.actor, principal_id=principal, n=form.n)
    return _json(Nothing())


@router.post("/keyrings/{principal}/accepts", response=Nothing)
@guarded(Permission.KEYRING_ACCEPT, limit="api-write", fresh=True)
def post_accept(request: MemberRequest, principal: HexPath) -> HttpResponse:
    """Prove to be present before a counterpart's keys are accepted; whose they are stays sealed."""
    note_accept(request.actor, principal_id=principal)
    return _json(Nothing())


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
    own: Annotated[bool, Query()] = False,
    kept: Annotated[str, Query(pattern=f"^({'|'.join(Kept)})?$")] = "",
) -> HttpResponse:
    """List the own authority's threads, the newest change first; `own`: its notes and its ledger.

    `kept`: those whose case is closed, that are held, or whose time is over.
    """
    page = queries.list_threads(request.actor, before=before, limit=limit, own=own, kept=kept)
    return _json(page)


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
    request: MemberRequest,
    thread: HexPath,
    after: Place = 0,
    limit: Limit = PAGE_MOST,
    entries: Annotated[bool, Query()] = False,
) -> HttpResponse:
    """Read a thread's items in order; `entries`: those that say who is in it, and no other."""
    page = queries.list_items(request.actor, thread, after=after, limit=limit, entries=entries)
    return _json(page)


@router.post("/threads/{thread}/entries", response=StoredMessage)
@guarded(Permission.THREAD_EXTEND, limit="api-write")
def post_thread_entry(request: MemberRequest, thread: HexPath, form: ThreadEntryForm) -> HttpResponse:
    """Extend a thread's chain of entries."""
    stored = extend_thread(request.actor, thread_id=thread, entry=form.entry, envelopes=form.envelopes)
    return _json(stored)


@router.post("/threads/{thread}/withdrawals", response=StoredMessage)
@guarded(Permission.MANDATE_WITHDRAW, limit="api-write", fresh=True)
def post_withdrawal(request: MemberRequest, thread: HexPath, form: WithdrawalForm) -> HttpResponse:
    """Withdraw a mandate, for ever."""
    return _json(withdraw_mandate(request.actor, thread_id=thread, withdrawal=form.withdrawal))


@router.post("/messages", response=AppendedMessages)
@guarded(Permission.MESSAGE_APPEND, limit="message-append")
def post_messages(request: MemberRequest, form: AppendMessages) -> HttpResponse:
    """Append messages, as the socket command does."""
    return _json(append_own_messages(request.actor, body=form))


@router.post("/threads/{thread}/handler", response=Handler)
@guarded(Permission.THREAD_ASSIGN, limit="api-write")
def post_handler(request: MemberRequest, thread: HexPath, form: AssignmentForm) -> HttpResponse:
    """Say who handles a thread for the own authority."""
    membership_id = uuid.UUID(form.membership) if form.membership else None
    return _json(assign_thread(request.actor, thread_id=thread, membership_id=membership_id))


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


@router.get("/letters/{language}", response=LetterTexts)
@guarded(Permission.MESSAGE_APPEND)
def letters(request: MemberRequest, language: LetterLanguage) -> HttpResponse:
    """Read the model texts in a language that messages may be in."""
    return _json(LetterTexts(letters=letters_in(LETTER_LANGUAGES[language])))


@router.get("/drafts/{key}", response=KeptDraft)
@guarded(Permission.DRAFT_READ)
def draft(request: MemberRequest, key: DraftKey) -> HttpResponse:
    """Read the own draft."""
    return _json(read_draft(request.actor, key))


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
    actor, shown = http_request.actor, http_request.GET.get("kept", "")
    found = {
        "actor": actor,
        "stages": STAGE_NAMES,
        "kept": count_kept(actor) if allows(actor, Permission.RETENTION_READ) else {},
        "shown": shown if shown in set(Kept) else "",
    }
    return render(http_request, "messaging/threads.html", found)


@require_GET
@guarded(Permission.THREAD_OPEN)
def new_thread_page(http_request: MemberRequest) -> HttpResponse:
    """Show the form for a new thread."""
    found = {"actor": http_request.actor, "mark_choices": MARK_CHOICES}
    return render(http_request, "messaging/new_thread.html", found)


@require_GET
@guarded(Permission.THREAD_READ)
def thread_page(http_request: MemberRequest, thread_id: str) -> HttpResponse:
    """Show a thread of the own authority."""
    seen = access.get_thread_to_read(http_request.actor, thread_id, to=Permission.THREAD_READ)
    found = {
        "is_direct": seen.thread.kind == ThreadKind.DIRECT,
        "may_ask_formally": allows(http_request.actor, Permission.THREAD_OPEN),
        "may_contact": allows(http_request.actor, Permission.MANDATE_WITHDRAW),
        "actor": http_request.actor,
        "thread": thread_id,
        "keeping": keepings_of(http_request.actor, [thread_id]).get(thread_id),
        "letters": LETTERS,
        "mark_choices": MARK_CHOICES,
        "stages": STAGE_NAMES,
        "closing": CLOSING_NAMES,
        "facts": FACT_NAMES,
        "grounds": GROUND_NAMES,
        "refusals": STEP_REFUSALS,
    }
    return render(http_request, "messaging/thread.html", found)


@require_GET
@guarded(Permission.MESSAGE_APPEND)
def step_page(http_request: MemberRequest, thread_id: str) -> HttpResponse:
    """Show what takes a step in the case of a thread."""
    access.get_thread_to_read(http_request.actor, thread_id, to=Permission.MESSAGE_APPEND)
    found = {
        "actor": http_request.actor,
        "thread": thread_id,
        "stages": STAGE_NAMES,
        "variants": VARIANT_NAMES,
        "closing": CLOSING_NAMES,
        "facts": FACT_NAMES,
        "grounds": {code: f"{GROUND_NAMES[code]} ({article})" for code, article in GROUNDS.items()},
        "overrides": OVERRIDE_NAMES,
        "refusals": STEP_REFUSALS,
    }
    return render(http_request, "messaging/step.html", found)


@require_GET
@guarded(Permission.MESSAGE_APPEND)
def draft_page(http_request: MemberRequest, thread_id: str) -> HttpResponse:
    """Show the drafts of a request that were shared in a thread, and what shares another version."""
    access.get_thread_to_read(http_request.actor, thread_id, to=Permission.MESSAGE_APPEND)
    found = {
        "actor": http_request.actor,
        "thread": thread_id,
        "stages": STAGE_NAMES,
        "variants": VARIANT_NAMES,
        "facts": FACT_NAMES,
        "refusals": STEP_REFUSALS,
        "parts": [
            {
                "code": code,
                "name": FACT_NAMES[code],
                "hint": REQUEST_HINTS.get(code),
                "most": FACTS[code].most,
            }
            for code in REQUEST_FACTS
        ],
    }
    return render(http_request, "messaging/draft.html", found)


@require_GET
@guarded(Permission.THREAD_OPEN)
def formal_page(http_request: MemberRequest, thread_id: str) -> HttpResponse:
    """Show what makes a draft request of something said in direct contact; no practitioner has the right."""
    access.get_thread_to_read(http_request.actor, thread_id, to=Permission.THREAD_OPEN)
    found = {"actor": http_request.actor, "thread": thread_id, "facts": FACT_NAMES, "stages": STAGE_NAMES}
    return render(http_request, "messaging/formal.html", found)


@require_GET
@guarded(Permission.MANDATE_WITHDRAW)
def contact_page(http_request: MemberRequest, thread_id: str) -> HttpResponse:
    """Show the mandates by which practitioners write directly, or offer to open a thread for them."""
    access.get_thread_to_read(http_request.actor, thread_id, to=Permission.MANDATE_WITHDRAW)
    return render(http_request, "messaging/contact.html", {"actor": http_request.actor, "thread": thread_id})


@require_GET
@guarded(Permission.THREAD_READ)
def parties_page(http_request: MemberRequest, thread_id: str) -> HttpResponse:
    """Show the authorities in a thread, whom they want to let in, and when they act together."""
    access.get_thread_to_read(http_request.actor, thread_id, to=Permission.THREAD_READ)
    return render(http_request, "messaging/parties.html", {"actor": http_request.actor, "thread": thread_id})


@require_GET
@guarded(Permission.DEVICE_LIST)
def devices_page(http_request: MemberRequest) -> HttpResponse:
    """Show this device and those that wait."""
    if is_practising(http_request.actor.roles):
        return render(http_request, "messaging/practice.html", {"actor": http_request.actor})
    actor = http_request.actor
    context = {
        "actor": actor,
        "kit_checked_at": queries.kit_checked_at(actor),
        "is_secretariat": actor.authority_kind == AuthorityKind.SECRETARIAT,
    }
    return render(http_request, "messaging/devices.html", context)
