"""Lists and facts for screens and the gateway, limited to what the actor may see, at most 100 rows a page."""

import base64
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet

from messaging import access, policy
from messaging.models import (
    Device,
    DeviceStatus,
    Draft,
    KeyringEntry,
    Principal,
    Progress,
    Thread,
    ThreadItem,
    ThreadMember,
)
from messaging.permissions import Permission
from messaging.protocol import (
    PAGE_MOST,
    AuthorityFacts,
    AuthorityList,
    DeviceRequest,
    DeviceRequestList,
    ItemBody,
    ItemPage,
    ItemTypeName,
    KeptDraft,
    Keyring,
    KeyringEntryBody,
    ListedAuthority,
    Member,
    MemberProgress,
    ProgressMade,
    Status,
    ThreadBody,
    ThreadPage,
)
from messaging.sealed.statement import parse
from messaging.server_key import server_key
from network.errors import Invalid
from network.frames import Body
from network.models import Authority
from network.policy import Actor
from network.realtime import authority_audience

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seconds(at: datetime) -> int:
    """Return whole unix seconds."""
    return int(at.timestamp())


def session_facts(actor: Actor) -> dict[str, Any]:
    """Return what a client needs to begin: the own principal, the server's key, the network's name."""
    principal = access.find_own_principal(actor)
    return {
        "principal": principal.id if principal else None,
        "server_key": base64.b64encode(server_key().key.public).decode("ascii"),
        "net": settings.ORIGIN_NAME,
    }


def list_authorities(actor: Actor) -> AuthorityList:
    """Return every authority with its functions and principal; as many as the treaty has parties."""
    access.require(actor, Permission.AUTHORITY_LIST)
    rows = Authority.objects.select_related("state", "principal").prefetch_related("functions")
    return AuthorityList(authorities=[_listed(row) for row in rows.order_by("state__name", "name", "id")])


def _listed(row: Authority) -> ListedAuthority:
    principal: Principal | None = getattr(row, "principal", None)
    return ListedAuthority(
        **_authority_facts(row).model_dump(),
        functions=sorted({function.code for function in row.functions.all()}),
        principal=principal.id if principal else None,
        keyring_n=principal.n if principal else None,
    )


def _authority_facts(authority: Authority) -> AuthorityFacts:
    state = authority.state
    return AuthorityFacts(
        id=authority.id.hex,
        name=authority.name,
        state=authority.state_id,
        state_name=state.name if state else None,
    )


def read_keyring(actor: Actor, principal_id: str, *, first: int) -> Keyring:
    """Return at most 100 entries from `first` on and the statements of every device ever listed.

    Envelopes are given to the own authority only: nobody else can open them, and their number is enough.
    """
    principal = access.get_principal(actor, principal_id, to=Permission.KEYRING_READ)
    is_own = principal.authority_id == actor.authority_id
    rows = KeyringEntry.objects.filter(principal=principal, n__gte=first).order_by("n")[:PAGE_MOST]
    devices = Device.objects.filter(principal=principal, status=DeviceStatus.ENROLLED)
    return Keyring(
        principal=principal.id,
        authority=_authority_facts(principal.authority),
        entries=[
            KeyringEntryBody(
                n=row.n, entry=bytes(row.entry), envelopes=bytes(row.envelopes) if is_own else None
            )
            for row in rows
        ],
        statements=[bytes(row.statement) for row in devices.order_by("enrolled_n", "id")],
    )


def list_device_requests(actor: Actor) -> DeviceRequestList:
    """Return the newest 100 requests: the own ones, and for who decides the waiting ones of the authority."""
    access.require(actor, Permission.DEVICE_LIST)
    shown = Q(person_id=actor.person_id)
    if policy.can_see_every_request(actor):
        shown |= Q(status=DeviceStatus.REQUESTED)
    rows = Device.objects.filter(shown, authority_id=actor.authority_id).order_by("-requested_at", "id")
    return DeviceRequestList(requests=[_request(row) for row in rows[:PAGE_MOST]])


def _request(row: Device) -> DeviceRequest:
    statement = parse(settings.ORIGIN_NAME, bytes(row.statement), "device")
    return DeviceRequest(
        device=row.id,
        statement=statement.raw,
        person=row.person_id.hex,
        name=statement.fields.text("name", 200),
        office=statement.fields.text("office", 200),
        requested_at=seconds(row.requested_at),
        status=cast(Status, row.status),
    )


def _with_members(threads: QuerySet[Thread]) -> QuerySet[Thread]:
    members = ThreadMember.objects.select_related("principal__authority__state").order_by("principal_id")
    progress = Progress.objects.order_by("principal_id")
    return threads.prefetch_related(Prefetch("members", members), Prefetch("progress", progress))


def _thread_body(row: Thread) -> ThreadBody:
    return ThreadBody(
        thread=row.id,
        kind=row.kind,
        n=row.n,
        head=row.head,
        seq=row.seq,
        transcript=row.transcript,
        members=[
            Member(
                principal=member.principal_id,
                role=member.role,
                authority=_authority_facts(member.principal.authority),
            )
            for member in row.members.all()
        ],
        opened_at=seconds(row.opened_at),
        changed_at=seconds(row.changed_at),
        progress=[MemberProgress(**_progress(progress)) for progress in row.progress.all()],
    )


def _progress(row: Progress) -> dict[str, Any]:
    return {
        "principal": row.principal_id,
        "delivered_seq": row.delivered_seq,
        "opened_seq": row.opened_seq,
        "opened": bytes(row.opened) if row.opened else None,
    }


def list_threads(actor: Actor, *, before: str = "", limit: int = PAGE_MOST) -> ThreadPage:
    """Return a page of the own authority's threads, the newest change first.

    `before` is the `next` of the page before; raises `Invalid("invalid-cursor")` for anything else.
    """
    access.require(actor, Permission.THREAD_LIST)
    limit = max(1, min(limit, PAGE_MOST))
    own = access.find_own_principal(actor)
    places = ThreadMember.objects.filter(principal=own) if own else ThreadMember.objects.none()
    if before:
        at, thread_id = _from_cursor(before)
        places = places.filter(Q(changed_at__lt=at) | Q(changed_at=at, thread_id__lt=thread_id))
    found = list(
        places.order_by("-changed_at", "-thread_id").values_list("thread_id", "changed_at")[: limit + 1]
    )
    rows = _with_members(Thread.objects.all()).in_bulk([thread_id for thread_id, _ in found[:limit]])
    return ThreadPage(
        threads=[_thread_body(rows[thread_id]) for thread_id, _ in found[:limit]],
        next=_to_cursor(*found[limit - 1]) if len(found) > limit else None,
    )


def _to_cursor(thread_id: str, at: datetime) -> str:
    return f"{(at - EPOCH) // timedelta(microseconds=1)}.{thread_id}"


def _from_cursor(cursor: str) -> tuple[datetime, str]:
    microseconds, _, thread_id = cursor.partition(".")
    try:
        bytes.fromhex(thread_id)
        return EPOCH + timedelta(microseconds=int(microseconds)), thread_id
    except (ValueError, OverflowError) as error:
        raise Invalid("invalid-cursor") from error


def read_thread(actor: Actor, thread_id: str) -> ThreadBody:
    """Return one thread of the own authority; raises `NotFound`."""
    access.get_thread(actor, thread_id, to=Permission.THREAD_READ)
    return _thread_body(_with_members(Thread.objects.all()).get(id=thread_id))


def list_items(actor: Actor, thread_id: str, *, after: int = 0, limit: int = PAGE_MOST) -> ItemPage:
    """Return at most 100 items of a thread after a sequence, in order."""
    seen = access.get_thread(actor, thread_id, to=Permission.THREAD_READ)
    rows = ThreadItem.objects.filter(thread_id=thread_id, seq__gt=after).order_by("seq")
    found = rows[: max(1, min(limit, PAGE_MOST))]
    return ItemPage(items=[_item_body(row) for row in found], seq=seen.thread.seq)


def _item_body(row: ThreadItem) -> ItemBody:
    return ItemBody(
        thread=row.thread_id,
        seq=row.seq,
        type=cast(ItemTypeName, row.type),
        item=bytes(row.item),
        ciphertext=None if row.ciphertext is None else bytes(row.ciphertext),
        envelopes=None if row.envelopes is None else bytes(row.envelopes),
        receipt=bytes(row.receipt),
        received_at=seconds(row.received_at),
    )


def _threads_heard(audience: str, thread_ids: Iterable[str]) -> set[str]:
    """Return those of the threads whose members include the authority of this audience."""
    members = ThreadMember.objects.filter(thread_id__in=set(thread_ids))
    rows = members.values_list("thread_id", "principal__authority_id")
    return {thread_id for thread_id, authority_id in rows if authority_audience(authority_id) == audience}


def _one_of(keys: Iterable[tuple[str, Any]], second: str) -> Q:
    """Return the condition that (thread, `second`) is one of the keys, one part for each thread."""
    by_thread: dict[str, list[Any]] = {}
    for thread_id, value in keys:
        by_thread.setdefault(thread_id, []).append(value)
    condition = Q(pk__in=[])
    for thread_id, values in by_thread.items():
        condition |= Q(thread_id=thread_id, **{f"{second}__in": values})
    return condition


def expand_items(audience: str, payloads: Sequence[dict[str, Any]]) -> list[Body | None]:
    """Return the items that stored events speak of, for an authority that is a member; two queries."""
    wanted = [(payload["thread"], payload["seq"]) for payload in payloads]
    heard = _threads_heard(audience, (thread_id for thread_id, _ in wanted))
    rows = ThreadItem.objects.filter(_one_of((key for key in wanted if key[0] in heard), "seq"))
    found = {(row.thread_id, row.seq): _item_body(row) for row in rows}
    return [found.get(key) for key in wanted]


def expand_progress(audience: str, payloads: Sequence[dict[str, Any]]) -> list[Body | None]:
    """Return the newest progress that stored events speak of, for an authority that is a member."""
    wanted = [(payload["thread"], payload["principal"]) for payload in payloads]
    heard = _threads_heard(audience, (thread_id for thread_id, _ in wanted))
    rows = Progress.objects.filter(_one_of((key for key in wanted if key[0] in heard), "principal_id"))
    found = {
        (row.thread_id, row.principal_id): ProgressMade(thread=row.thread_id, **_progress(row))
        for row in rows
    }
    return [found.get(key) for key in wanted]


def read_draft(actor: Actor, key: str) -> KeptDraft:
    """Return the actor's own draft for a thread of the own authority, or a new one; raises `NotFound`."""
    access.require(actor, Permission.DRAFT_READ)
    if key != "new":
        access.get_thread(actor, key, to=Permission.DRAFT_READ)
    draft = Draft.objects.filter(membership_id=actor.membership_id, key=key).first()
    return KeptDraft(sealed=bytes(draft.sealed) if draft else None)


def audiences_near(principal_id: str, own_authority_id: uuid.UUID) -> list[str]:
    """Return the audiences of the authority and of all that share a thread with it."""
    threads = ThreadMember.objects.filter(principal_id=principal_id).values("thread_id")
    near = ThreadMember.objects.filter(thread_id__in=threads).values_list(
        "principal__authority_id", flat=True
    )
    return sorted({authority_audience(authority_id) for authority_id in {own_authority_id, *near.distinct()}})
