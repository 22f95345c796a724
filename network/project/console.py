"""What the secretariat sees of authorities: how far each has come, and no person but administrators."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from messaging.queries import fingerprints_of
from network.access import standing, with_role
from network.errors import NotFound
from network.functions import FUNCTIONS
from network.models import Authority, AuthorityKind, Function, Invitation, Membership, Role

AUTHORITIES_AT_ONCE = 50


@dataclass(frozen=True)
class Line:
    """One authority. `keys` is "none", "unconfirmed", "confirmed" or "differ"."""

    authority: Authority
    functions: list[dict[str, object]]
    administrators: list[Membership]
    invitation: str  # "", "open" or "expired", while nobody is enrolled
    keys: str


@dataclass(frozen=True)
class Page:
    """A page of the list; `after` begins the next one."""

    lines: list[Line]
    after: uuid.UUID | None


def list_authorities(*, search: str = "", after: str = "") -> Page:
    """Return authorities of States by State and name, at most 50; raises `NotFound` for an unknown place."""
    rows = Authority.objects.select_related("state").filter(state__isnull=False)
    if search:
        named = Q(state__name__icontains=search) | Q(name__icontains=search)
        rows = rows.filter(named | Q(state_id=search.upper()))
    if after:
        rows = rows.filter(_behind(after))
    found = list(rows.order_by("state_id", "name", "id")[: AUTHORITIES_AT_ONCE + 1])
    page = found[:AUTHORITIES_AT_ONCE]
    return Page(_lines(page), page[-1].id if len(found) > AUTHORITIES_AT_ONCE else None)


def _behind(after: str) -> Q:
    try:
        last = Authority.objects.get(id=uuid.UUID(after), state__isnull=False)
    except (ValueError, Authority.DoesNotExist) as error:
        raise NotFound from error
    same_state = Q(state_id=last.state_id)
    same_name = same_state & Q(name=last.name)
    return Q(state_id__gt=last.state_id) | same_state & Q(name__gt=last.name) | same_name & Q(id__gt=last.id)


def _lines(authorities: list[Authority]) -> list[Line]:
    ids = [authority.id for authority in authorities]
    functions: dict[uuid.UUID, list[dict[str, object]]] = defaultdict(list)
    for row in Function.objects.filter(authority_id__in=ids).order_by("code", "instrument", "article"):
        listed = FUNCTIONS.get(row.code)
        functions[row.authority_id].append({"row": row, "title": listed.title if listed else row.code})
    administrators = _administrators(ids)
    invitations = _invitations(ids)
    held = fingerprints_of(ids, with_waiting=True)
    return [
        Line(
            row,
            functions[row.id],
            administrators[row.id],
            "" if administrators[row.id] else invitations.get(row.id, ""),
            _keys(row.root_fingerprint, held.get(row.id, "")),
        )
        for row in authorities
    ]


def _administrators(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Membership]]:
    """Return by authority who keeps its accounts now; a mission has a focal point instead."""
    of_authorities = with_role(Role.ADMINISTRATOR).filter(authority_id__in=ids)
    focal = with_role(Role.FOCAL_POINT).filter(authority_id__in=ids, authority__kind=AuthorityKind.MISSION)
    found: dict[uuid.UUID, list[Membership]] = defaultdict(list)
    for rows in (of_authorities, focal):
        for member in rows.filter(standing(timezone.now())).select_related("person").order_by("person__name"):
            found[member.authority_id].append(member)
    return found


def _invitations(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return by authority whether an invitation that nobody used yet is open or has expired."""
    rows = Invitation.objects.filter(authority_id__in=ids, used_at=None, withdrawn_at=None)
    now, found = timezone.now(), dict[uuid.UUID, str]()
    for authority_id, until_at in rows.order_by("until_at").values_list("authority_id", "until_at"):
        found[authority_id] = "open" if until_at > now else "expired"
    return found


def _keys(confirmed: str, held: str) -> str:
    if not confirmed:
        return "unconfirmed" if held else "none"
    return "confirmed" if confirmed == held else "differ"


@dataclass(frozen=True)
class ToSettle:
    """How many authorities have nobody who keeps their accounts, and how many have keys not as confirmed."""

    without_administrator: int
    unconfirmed: int
    differ: int


def count_to_settle() -> ToSettle:
    """Return what is open with authorities; three queries and one look at each that has keys."""
    rows = Authority.objects.filter(state__isnull=False)
    now = timezone.now()
    kept = with_role(Role.ADMINISTRATOR).filter(standing(now)).values("authority_id")
    focal = with_role(Role.FOCAL_POINT).filter(standing(now), authority__kind=AuthorityKind.MISSION)
    invited = Invitation.objects.filter(used_at=None, withdrawn_at=None, until_at__gt=now).values(
        "authority_id"
    )
    nobody = rows.exclude(id__in=kept).exclude(id__in=focal.values("authority_id")).exclude(id__in=invited)
    with_keys = rows.filter(principals__isnull=False, principals__person__isnull=True)
    confirmed = dict(with_keys.values_list("id", "root_fingerprint"))
    held = fingerprints_of(confirmed, with_waiting=True)
    states = [_keys(known, held.get(authority_id, "")) for authority_id, known in confirmed.items()]
    return ToSettle(nobody.count(), states.count("unconfirmed"), states.count("differ"))
