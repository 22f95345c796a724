"""Lists and facts for screens and the gateway, limited to what the actor may see, at most 100 rows a page."""

import base64
import math
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet

from messaging import access, policy
from messaging.access import audience_of
from messaging.confirmation_queries import confirms_of, secretariat_principal, successor_of
from messaging.models import (
    EVER_LISTED,
    Assignment,
    Card,
    Device,
    DeviceStatus,
    Escalation,
    ItemType,
    KeyringEntry,
    Principal,
    PrincipalStatus,
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
    EscalationStage,
    Handler,
    ItemBody,
    ItemPage,
    ItemTypeName,
    Keyring,
    KeyringEntryBody,
    KeyringStatus,
    ListedAuthority,
    Member,
    MemberProgress,
    ProgressMade,
    Status,
    ThreadAssigned,
    ThreadBody,
    ThreadPage,
    ToldAgain,
)
from messaging.retention_queries import Kept, keepings_of, kept_threads
from messaging.sealed.keys import fingerprint_digits
from messaging.sealed.statement import parse
from messaging.sealed.thread import read_entry
from messaging.server_key import server_key
from messaging.wholeness import require_whole
from network.errors import Invalid
from network.frames import Body
from network.models import Authority, DirectoryEntry
from network.policy import Actor, is_practising
from network.queries.directory import Desk, desks_of, names_of

TOLD_MOST = 20
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seconds(at: datetime) -> int:
    """Return whole unix seconds."""
    return int(at.timestamp())


def session_facts(actor: Actor) -> dict[str, Any]:
    """Return what a client needs to begin: the own principal, the server's key, the network's name."""
    principal = access.find_own_principal(actor)
    return {
        "principal": principal.id if principal else None,
        "secretariat": secretariat_principal(),
        "device_roles": sorted(policy.device_roles(actor.roles, practising=is_practising(actor.roles))),
        "server_key": base64.b64encode(server_key().key.public).decode("ascii"),
        "net": settings.ORIGIN_NAME,
    }


def kit_checked_at(actor: Actor) -> datetime | None:
    """Return when the recovery kit of the own authority was last made or tried; None while there is none."""
    principal = access.find_own_principal(actor)
    return (principal.kit_checked_at or principal.created_at) if principal else None


def fingerprint_of(authority_id: uuid.UUID) -> str | None:
    """Return the 60 digits of the keys that an authority's State gives notice of; None while there are none.

    Of one that begins anew they are those that wait to take the place of the lost ones (K12).
    """
    return fingerprints_of([authority_id], with_waiting=True).get(authority_id)


def fingerprints_of(
    authority_ids: Iterable[uuid.UUID], *, with_waiting: bool = False
) -> dict[uuid.UUID, str]:
    """Return the 60 digits by authority, for those that have keys; `with_waiting` as `fingerprint_of`."""
    rows = Principal.objects.filter(authority_id__in=list(authority_ids), person__isnull=True)
    found = [PrincipalStatus.STANDING, *([PrincipalStatus.WAITING] if with_waiting else [])]
    last = rows.filter(status__in=found).order_by("status")  # what waits comes last, and counts
    return {
        authority_id: fingerprint_digits(bytes.fromhex(principal)).replace(" ", "")
        for authority_id, principal in last.values_list("authority_id", "id")
    }


def list_authorities(actor: Actor) -> AuthorityList:
    """Return every authority with its functions and principal; as many as the treaty has parties.

    With what the directory shows this actor of each: languages it accepts, whether an office is open.
    """
    access.require(actor, Permission.AUTHORITY_LIST)
    principals = Principal.objects.filter(person__isnull=True).exclude(status=PrincipalStatus.ENDED)
    rows = Authority.objects.select_related("state", "entry").prefetch_related(
        "functions", Prefetch("principals", principals)
    )
    found = list(rows.order_by("state__name", "name", "id"))
    desks = desks_of(actor, [row.id for row in found])
    return AuthorityList(authorities=[_listed(row, desks.get(row.id)) for row in found])


def _listed(row: Authority, desk: Desk | None) -> ListedAuthority:
    held = {principal.status: principal for principal in row.principals.all()}
    principal, waiting = held.get(PrincipalStatus.STANDING), held.get(PrincipalStatus.WAITING)
    entry: DirectoryEntry | None = getattr(row, "entry", None) if desk else None
    names = names_of(row.state).all_names() if row.state else []
    return ListedAuthority(
        **_authority_facts(row).model_dump(),
        functions=sorted({function.code for function in row.functions.all()}),
        principal=principal.id if principal else None,
        keyring_n=principal.n if principal else None,
        waiting=waiting.id if waiting else None,
        names=[*names, *(entry.names.values() if entry else ())],
        languages=list(desk.languages) if desk else [],
        is_open=desk.is_open if desk else None,
        time_zone=desk.time_zone if desk and desk.is_open is not None else None,
    )


def _authority_facts(authority: Authority) -> AuthorityFacts:
    state = authority.state
    return AuthorityFacts(
        id=authority.id.hex,
        name=authority.name,
        state=authority.state_id,
        state_name=names_of(state).name() if state else None,
    )


def read_keyring(actor: Actor, principal_id: str, *, first: int) -> Keyring:
    """Return at most 100 entries from `first` on and the statements of the devices that they list first.

    Envelopes are given to the own authority only: nobody else can open them, and their number is enough.
    """
    principal = access.get_principal(actor, principal_id, to=Permission.KEYRING_READ)
    is_own = principal.holder == policy.holder(actor)
    rows = KeyringEntry.objects.filter(principal=principal, n__gte=first).order_by("n")[:PAGE_MOST]
    page = (first, first + PAGE_MOST - 1)
    devices = Device.objects.filter(principal=principal, status__in=EVER_LISTED, enrolled_n__range=page)
    confirms, note = confirms_of(principal)
    successor = successor_of(principal)
    return Keyring(
        principal=principal.id,
        status=cast(KeyringStatus, principal.status),
        successor=successor.id if successor else None,
        authority=_authority_facts(principal.authority),
        entries=[
            KeyringEntryBody(
                n=row.n, entry=bytes(row.entry), envelopes=bytes(row.envelopes) if is_own else None
            )
            for row in rows
        ],
        statements=[bytes(row.statement) for row in devices.order_by("enrolled_n", "id")],
        confirms=confirms,
        note=note,
    )


def list_device_requests(actor: Actor) -> DeviceRequestList:
    """Return the newest 100 requests: the own ones, and for who decides the waiting ones of the authority."""
    access.require(actor, Permission.DEVICE_LIST)
    shown = Q(person_id=actor.person_id)
    if policy.can_see_every_request(actor):
        shown |= Q(status=DeviceStatus.REQUESTED)
    rows = Device.objects.filter(
        shown, authority_id=actor.authority_id, is_practitioners=is_practising(actor.roles)
    ).order_by("-requested_at", "id")
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
    members = ThreadMember.objects.select_related(
        "principal__authority__state", "assignment__membership__person"
    ).order_by("principal_id")
    progress = _with_told(Progress.objects.order_by("principal_id"))
    return threads.prefetch_related(Prefetch("members", members), Prefetch("progress", progress))


def _thread_body(row: Thread) -> ThreadBody:
    return ThreadBody(
        thread=row.id,
        kind=row.kind,
        link=row.link or None,
        has_left=False,
        n=row.n,
        head=row.head,
        seq=row.seq,
        transcript=row.transcript,
        members=[
            Member(
                principal=member.principal_id,
                role=member.role,
                authority=_authority_facts(member.principal.authority),
                handler=_handler_of(member),
            )
            for member in row.members.all()
        ],
        opened_at=seconds(row.opened_at),
        changed_at=seconds(row.changed_at),
        progress=[MemberProgress(**_progress(progress)) for progress in row.progress.all()],
    )


def _former_body(row: Thread, place: ThreadMember) -> ThreadBody:
    """Return a thread as it was when the own authority left it; what came later is not told."""
    last = ThreadItem.objects.get(thread=row, seq=place.ended_seq or 0)
    entry = read_entry(settings.ORIGIN_NAME, bytes(last.item))
    roles = {member.principal.hex(): member.role for member in entry.members}
    principals = Principal.objects.filter(id__in=roles).select_related("authority__state").order_by("id")
    members = [
        Member(principal=one.id, role=roles[one.id], authority=_authority_facts(one.authority), handler=None)
        for one in principals
    ]
    return ThreadBody(
        thread=row.id,
        kind=row.kind,
        link=row.link or None,
        has_left=True,
        n=entry.n,
        head=last.item_hash,
        seq=last.seq,
        transcript=last.transcript,
        members=members,
        opened_at=seconds(row.opened_at),
        changed_at=seconds(last.received_at),
        progress=[],
    )


def _handler_of(member: ThreadMember) -> Handler | None:
    assignment: Assignment | None = getattr(member, "assignment", None)
    return handler_body(assignment) if assignment else None


def handler_body(assignment: Assignment) -> Handler:
    """Return who handles a thread as its members see it; the membership and person are read with it."""
    member = assignment.membership
    return Handler(
        person=member.person_id.hex,
        name=member.person.name,
        office=member.office,
        since=seconds(assignment.since_at),
    )


def _with_told(rows: QuerySet[Progress]) -> QuerySet[Progress]:
    return rows.prefetch_related(Prefetch("told", Escalation.objects.order_by("at", "seq")))


def _progress(row: Progress) -> dict[str, Any]:
    return {
        "principal": row.principal_id,
        "delivered_seq": row.delivered_seq,
        "opened_seq": row.opened_seq,
        "opened": bytes(row.opened) if row.opened else None,
        "told": [
            ToldAgain(seq=one.seq, stage=cast(EscalationStage, one.stage), at=seconds(one.at))
            for one in list(row.told.all())[-TOLD_MOST:]
        ],
    }


def list_threads(
    actor: Actor, *, before: str = "", limit: int = PAGE_MOST, own: bool = False, kept: str = ""
) -> ThreadPage:
    """Return a page of the own authority's threads, the newest change first; with those it has left.

    `own`: what it writes for itself instead, notes and the ledger. `kept`: only those kept in this way, as
    `Kept` has it. `before` is the `next` of the page before;
    raises `Invalid("invalid-cursor")` for anything else.
    """
    access.require(actor, Permission.THREAD_LIST)
    require_whole(writing=False)
    limit = max(1, min(limit, PAGE_MOST))
    principal = access.find_own_principal(actor)
    places = ThreadMember.ever.filter(principal=principal) if principal else ThreadMember.ever.none()
    places = places.filter(thread__owner__isnull=not own)
    places = places.filter(thread_id__in=kept_threads(actor, Kept(kept))) if kept else places
    places = after_cursor(places, before)
    found = list(places.order_by("-changed_at", "-thread_id")[: limit + 1])
    rows = _with_members(Thread.objects.all()).in_bulk([place.thread_id for place in found[:limit]])
    last = found[limit - 1] if len(found) > limit else None
    beside = _beside(actor, principal, rows)
    return ThreadPage(
        threads=[_as_seen(rows[place.thread_id], place, beside) for place in found[:limit]],
        next=cursor_of(last.thread_id, last.changed_at) if last else None,
    )


def cards_of(principal: Principal | None, thread_ids: Iterable[str]) -> dict[str, bytes]:
    """Return the cards of a principal by thread, in one query."""
    if principal is None:
        return {}
    rows = Card.objects.filter(principal=principal, thread_id__in=set(thread_ids))
    return {thread: bytes(sealed) for thread, sealed in rows.values_list("thread_id", "sealed")}


Beside = dict[str, dict[str, Any]]


def _beside(actor: Actor, principal: Principal | None, thread_ids: Iterable[str]) -> Beside:
    """Return by thread what only the own authority sees of it: its card, and how it keeps it."""
    ids = set(thread_ids)
    cards, kept = cards_of(principal, ids), keepings_of(actor, ids)
    return {
        each: {"card": cards.get(each), "kept": kept[each].facts() if each in kept else None} for each in ids
    }


def _as_seen(row: Thread, place: ThreadMember, beside: Beside) -> ThreadBody:
    seen = _thread_body(row) if place.ended_seq is None else _former_body(row, place)
    return seen.model_copy(update=beside[row.id])


def after_cursor(places: QuerySet[ThreadMember], before: str) -> QuerySet[ThreadMember]:
    """Return those of the places that come after a cursor; raises `Invalid("invalid-cursor")`."""
    if not before:
        return places
    at, thread_id = _from_cursor(before)
    return places.filter(Q(changed_at__lt=at) | Q(changed_at=at, thread_id__lt=thread_id))


def cursor_of(thread_id: str, at: datetime) -> str:
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
    require_whole(writing=False)
    seen = access.get_thread_to_read(actor, thread_id, to=Permission.THREAD_READ)
    beside = _beside(actor, access.find_own_principal(actor), [thread_id])[thread_id]
    if seen.former is not None:
        return _former_body(seen.thread, seen.former).model_copy(update=beside)
    row = _with_members(Thread.objects.all()).get(id=thread_id)
    return _thread_body(row).model_copy(update=beside)


def list_items(
    actor: Actor, thread_id: str, *, after: int = 0, limit: int = PAGE_MOST, entries: bool = False
) -> ItemPage:
    """Return at most 100 items of a thread after a sequence, in order; of one it has left, up to there.

    `entries`: only those of its chain.
    """
    require_whole(writing=False)
    seen = access.get_thread_to_read(actor, thread_id, to=Permission.THREAD_READ)
    rows = ThreadItem.objects.filter(thread_id=thread_id, seq__gt=after, seq__lte=seen.seq).order_by("seq")
    rows = rows.filter(type=ItemType.ENTRY) if entries else rows
    found = rows[: max(1, min(limit, PAGE_MOST))]
    return ItemPage(items=[_item_body(row) for row in found], seq=seen.seq)


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
    """Return those of the threads whose members include the authority, or practitioner, of this audience."""
    members = ThreadMember.objects.filter(thread_id__in=set(thread_ids)).select_related("principal")
    return {row.thread_id for row in members if audience_of(row.principal) == audience}


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
    """Return the items that stored events speak of, for an authority that is a member, or was one then."""
    wanted = [(payload["thread"], payload["seq"]) for payload in payloads]
    reach = _reach_of(audience, {thread_id for thread_id, _ in wanted})
    heard = [key for key in wanted if key[1] <= reach.get(key[0], 0)]
    rows = ThreadItem.objects.filter(_one_of(heard, "seq"))
    found = {(row.thread_id, row.seq): _item_body(row) for row in rows}
    return [found.get(key) for key in wanted]


def _reach_of(audience: str, thread_ids: Iterable[str]) -> dict[str, float]:
    """Return how far the authority of this audience hears of these threads: to the end, or where it left."""
    reach: dict[str, float] = {}
    for row in ThreadMember.ever.filter(thread_id__in=set(thread_ids)).select_related("principal"):
        if audience_of(row.principal) == audience:
            end = math.inf if row.ended_seq is None else row.ended_seq
            # K12: lost keys and those that took their place are of one authority, which hears on.
            reach[row.thread_id] = max(end, reach.get(row.thread_id, 0))
    return reach


def expand_progress(audience: str, payloads: Sequence[dict[str, Any]]) -> list[Body | None]:
    """Return the newest progress that stored events speak of, for an authority that is a member."""
    wanted = [(payload["thread"], payload["principal"]) for payload in payloads]
    heard = _threads_heard(audience, (thread_id for thread_id, _ in wanted))
    here = _one_of((key for key in wanted if key[0] in heard), "principal_id")
    rows = _with_told(Progress.objects.filter(here))
    found = {
        (row.thread_id, row.principal_id): ProgressMade(thread=row.thread_id, **_progress(row))
        for row in rows
    }
    return [found.get(key) for key in wanted]


def expand_assignments(audience: str, payloads: Sequence[dict[str, Any]]) -> list[Body | None]:
    """Return who handles the threads that stored events speak of now, for an authority that is a member."""
    wanted = [(payload["thread"], payload["principal"]) for payload in payloads]
    heard = _threads_heard(audience, (thread_id for thread_id, _ in wanted))
    here = _one_of((key for key in wanted if key[0] in heard), "principal_id")
    rows = ThreadMember.objects.filter(here).select_related("assignment__membership__person")
    found = {
        (row.thread_id, row.principal_id): ThreadAssigned(
            thread=row.thread_id, principal=row.principal_id, handler=_handler_of(row)
        )
        for row in rows
    }
    return [found.get(key) for key in wanted]


def audiences_near(principal: Principal) -> set[str]:
    """Return who hears of a principal and of all that share a thread with it."""
    threads = ThreadMember.objects.filter(principal=principal).values("thread_id")
    near = Principal.objects.filter(memberships__thread_id__in=threads, memberships__ended_seq__isnull=True)
    return {audience_of(each) for each in (principal, *near.distinct())}
