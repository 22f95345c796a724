"""Whom sealed correspondence tells of what: that there is a message, never what it says.

Each function runs inside the transaction of what it tells of, and returns the notices published with it.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from messaging import access, policy
from messaging.actions.writing import Writing
from messaging.models import Device, Holder, ItemType, Report, ThreadItem, ThreadMember
from messaging.permissions import Permission
from messaging.policy import ROLES
from messaging.sealed.message import Acknowledgement
from network.access import members_in_force, members_in_force_by_id
from network.actions.notifications import URGENT, Told, clear, notify, resolve
from network.frames import Notice
from network.models import Authority, AuthorityKind, Membership, Role
from network.notification_kinds import Kind, Thing, about
from network.policy import Actor, is_practising

ACKNOWLEDGED = "acknowledged"
DATE_NEAR = "date-near"
DATE_OVER = "date-over"
DEVICE_WAITS = "device-waits"
MESSAGE = "message"
PRACTITIONER_ASKS = "practitioner-asks"
NOBODY_ANSWERS = "nobody-answers"
REPORTED = "reported"
REPORT_CLOSED = "report-closed"
RETENTION_OVER = "retention-over"
THREAD_GIVEN = "thread-given"
URGENT_MESSAGE = "urgent-message"
URGENT_WAITS = "urgent-waits"


def _describe_threads(actor: Actor, ids: Collection[str]) -> Mapping[str, str]:
    """Return with whom each thread is: the names of the other authorities, to a practitioner of all."""
    seen, holder = access.see_threads([actor], ids), policy.holder(actor)
    others = {
        thread_id: [member.principal.authority_id for member in found[holder].members]
        for thread_id, found in seen.items()
        if holder in found
    }
    wanted = {authority_id for found in others.values() for authority_id in found}
    names = dict(Authority.objects.filter(id__in=wanted).values_list("id", "name"))
    if not is_practising(actor.roles):
        names.pop(actor.authority_id, None)
    return {
        thread_id: ", ".join(dict.fromkeys(names[each] for each in found if each in names))
        for thread_id, found in others.items()
    }


def _describe_devices(actor: Actor, ids: Collection[str]) -> Mapping[str, str]:
    """Return whose each waiting device is."""
    rows = Device.objects.filter(
        access.practitioners_of(actor) & Q(is_practitioners=True)
        | Q(authority_id=actor.authority_id, is_practitioners=False),
        id__in=ids,
    )
    return dict(rows.values_list("id", "person__name"))


def _describe_reports(_actor: Actor, ids: Collection[str]) -> Mapping[str, str]:
    """Return the State that reports, by report."""
    rows = Report.objects.filter(id__in=list(ids)).values_list("id", "principal__authority__name")
    return {str(report_id): name for report_id, name in rows}


def _check_thread(actor: Actor, thread_id: str) -> object:
    return access.get_thread(actor, thread_id, to=Permission.THREAD_READ)


THINGS = (
    Thing("device", "/devices/", Permission.DEVICE_LIST, _describe_devices, is_cleared_by_page=False),
    Thing("own-report", "/threads/{}/report/", Permission.REPORT_SEND, _describe_threads, moves=True),
    Thing(
        "practitioner",
        "/practitioners/",
        Permission.PRACTITIONER_SPONSOR,
        _describe_devices,
        is_cleared_by_page=False,
    ),
    Thing("report", "/reports/{}/", Permission.REPORT_READ, _describe_reports),
    Thing("thread", "/threads/{}/", Permission.THREAD_READ, _describe_threads, _check_thread, moves=True),
)
KINDS = (
    Kind(ACKNOWLEDGED, "thread", _("A message was acknowledged")),
    Kind(DATE_NEAR, "thread", _("An answer of your authority is wanted soon")),
    Kind(DATE_OVER, "thread", _("The date by which an answer was wanted has passed")),
    Kind(DEVICE_WAITS, "device", _("A device waits for your approval")),
    Kind(MESSAGE, "thread", _("A new message")),
    Kind(
        NOBODY_ANSWERS,
        "thread",
        _("Nobody has acknowledged your urgent message yet: telephone the other authority"),
    ),
    Kind(PRACTITIONER_ASKS, "practitioner", _("A practitioner asks your authority to answer")),
    Kind(REPORTED, "report", _("Messages were reported")),
    Kind(REPORT_CLOSED, "own-report", _("The moderators have closed a report of your authority")),
    Kind(RETENTION_OVER, "thread", _("The time for which a closed case is kept is over")),
    Kind(THREAD_GIVEN, "thread", _("A correspondence was given to you")),
    Kind(URGENT_MESSAGE, "thread", _("An urgent message")),
    Kind(
        URGENT_WAITS, "thread", _("An urgent message waits, and nobody of your authority has acknowledged it")
    ),
)


def tell_of_messages(writings: Iterable[Writing]) -> list[Notice]:
    """Tell the other members of threads of what was just added: who handles it, or all who read.

    What is urgent goes to all who read and to the duty officers. Nobody is told of what colleagues wrote.
    """
    news = [
        (member, items)
        for writing in writings
        for member in writing.members
        if (items := [item for item in writing.items if _is_for(item, member)])
    ]
    if not news:
        return []
    people = _readers({member.principal.authority_id for member, _ in news})
    return notify(
        told
        for member, items in news
        for told in _told(member, items, people.get(member.principal.holder, []))
    )


def _readers(authorities: Collection[uuid.UUID]) -> Mapping[Holder, Sequence[Membership]]:
    """Return who reads what, and the duty officers; a practitioner alone reads what is his or hers."""
    wanted = ROLES[Permission.THREAD_READ] | {Role.DUTY_OFFICER, Role.PRACTITIONER}
    found: dict[Holder, list[Membership]] = {}
    for each in sorted(members_in_force(authorities, wanted), key=lambda each: (each.authority_id, each.id)):
        own = each.person_id if is_practising(each.role_set) else None
        found.setdefault((each.authority_id, own), []).append(each)
    return found


def _is_for(item: ThreadItem, member: ThreadMember) -> bool:
    return item.type == ItemType.MESSAGE and item.principal_id != member.principal_id


def _told(member: ThreadMember, items: Sequence[ThreadItem], people: Sequence[Membership]) -> Iterable[Told]:
    urgency = max(item.urgency for item in items)
    is_urgent = urgency >= URGENT
    kind = URGENT_MESSAGE if is_urgent else MESSAGE
    if all(item.kind == Acknowledgement.kind for item in items):
        kind = ACKNOWLEDGED
    for each in people if is_urgent else _handling(member, people):
        yield Told(kind, member.thread_id, each, urgency)


def _handling(member: ThreadMember, people: Sequence[Membership]) -> list[Membership]:
    """Return who handles the thread for a member, or all who read it where nobody does."""
    readers = [each for each in people if policy.can_handle(each.role_set) or is_practising(each.role_set)]
    handler = getattr(member, "assignment", None)
    return [each for each in readers if handler and each.id == handler.membership_id] or readers


def tell_of_date(item: ThreadItem, *, is_over: bool) -> list[Notice]:
    """Tell whom an item asks that its date comes near; that it has passed, whoever asked too."""
    members = ThreadMember.objects.filter(thread_id=item.thread_id).order_by("principal_id")
    members = members.select_related("principal", "assignment")
    told = [each for each in members if is_over or each.principal_id != item.principal_id]
    people = _readers({each.principal.authority_id for each in told})
    return notify(
        Told(DATE_OVER if is_over else DATE_NEAR, item.thread_id, each, item.urgency)
        for member in told
        for each in _handling(member, people.get(member.principal.holder, []))
    )


def tell_again(told: Collection[tuple[ThreadMember, int, bool]]) -> list[Notice]:
    """Tell members again of what is urgent: their duty officers and who handles it, lastly supervisors too.

    Each comes with the urgency and whether it is the last time.
    """
    people = _readers({member.principal.authority_id for member, _, _ in told})
    return notify(
        Told(URGENT_WAITS, member.thread_id, each, urgency, is_again=True)
        for member, urgency, is_last in told
        for each in _watching(member, people.get(member.principal.holder, []), with_supervisors=is_last)
    )


def _watching(
    member: ThreadMember, people: Sequence[Membership], *, with_supervisors: bool
) -> list[Membership]:
    handling = {each.id for each in _handling(member, people)}
    roles = {Role.DUTY_OFFICER, *({Role.SUPERVISOR} if with_supervisors else ())}
    return [each for each in people if each.id in handling or each.role_set & roles]


def tell_of_silence(authors: Collection[tuple[ThreadMember, int]]) -> list[Notice]:
    """Tell who handles it on the side that wrote something urgent, and is on duty there, of no answer."""
    people = _readers({member.principal.authority_id for member, _ in authors})
    return notify(
        Told(NOBODY_ANSWERS, member.thread_id, each, urgency, is_again=True)
        for member, urgency in authors
        for each in _watching(member, people.get(member.principal.holder, []), with_supervisors=False)
    )


def tell_of_retention(thread_id: str, authority_id: uuid.UUID) -> list[Notice]:
    """Tell who may hold cases that the time of one is over; all who read, where there is nobody."""
    holding = members_in_force([authority_id], ROLES[Permission.HOLD_WRITE])
    people = holding or members_in_force([authority_id], ROLES[Permission.RETENTION_READ])
    return notify(Told(RETENTION_OVER, thread_id, each) for each in people)


def tell_of_thread(actor: Actor | None, *, thread_ids: Iterable[str], member: Membership) -> list[Notice]:
    """Tell a member that threads are his or hers now; who takes one knows it."""
    if actor and actor.membership_id == member.id:
        return []
    return notify(Told(THREAD_GIVEN, thread_id, member) for thread_id in thread_ids)


def tell_of_device(actor: Actor, *, device_id: str, authorities: Collection[uuid.UUID]) -> list[Notice]:
    """Tell who may let devices in, or answer for a practitioner, but not who asks, that one waits."""
    is_practitioners = is_practising(actor.roles)
    right = Permission.PRACTITIONER_SPONSOR if is_practitioners else Permission.DEVICE_DECLINE
    kind = PRACTITIONER_ASKS if is_practitioners else DEVICE_WAITS
    stewards = members_in_force(authorities, ROLES[right])
    return notify(Told(kind, device_id, each) for each in stewards if each.person_id != actor.person_id)


def resolve_devices(device_ids: Iterable[str]) -> list[Notice]:
    """Let nobody be told of these devices any more: they are let in, or declined."""
    return resolve(
        [about(kind, device_id) for device_id in device_ids for kind in (DEVICE_WAITS, PRACTITIONER_ASKS)]
    )


def clear_thread(actor: Actor, thread_id: str) -> list[Notice]:
    """Note that the actor has opened a thread, on whichever device."""
    return clear(actor, about(MESSAGE, thread_id))


def tell_of_report(report_id: uuid.UUID) -> list[Notice]:
    """Tell the moderators of the secretariat that messages were reported."""
    kind = AuthorityKind.SECRETARIAT
    secretariats = Authority.objects.filter(kind=kind).values_list("id", flat=True)
    moderators = members_in_force(secretariats, {Role.MODERATOR})
    return notify(Told(REPORTED, str(report_id), each) for each in moderators)


def resolve_report(report_id: uuid.UUID) -> list[Notice]:
    """Let no moderator be told of this report any more."""
    return resolve([about(REPORTED, str(report_id))])


def tell_of_outcome(report: Report) -> list[Notice]:
    """Tell who reported messages that the moderators have decided; the supervisors, where he or she left."""
    people = members_in_force_by_id([report.membership_id])
    if not people and report.principal.person_id is None:  # what a practitioner reports is nobody else's
        people = members_in_force([report.principal.authority_id], {Role.SUPERVISOR})
    return notify(Told(REPORT_CLOSED, report.thread_id, each) for each in people)
