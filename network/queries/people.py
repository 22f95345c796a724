"""What pages about the people of an authority show, limited to what the actor may know, 100 rows at most."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Max, Q, QuerySet, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import access
from network.access import standing
from network.errors import Invalid, NotFound
from network.field_encryption import index_field, open_field
from network.models import (
    SECRETARIAT_ROLES,
    Authority,
    AuthorityKind,
    Delegation,
    Membership,
    Role,
    SuspensionReason,
)
from network.permissions import Permission
from network.policy import (
    ATTESTATION_LASTS,
    ATTESTATION_REMINDERS,
    WITHOUT_ADMINISTRATOR,
    Actor,
    can,
    can_hand_over,
    can_hold,
    can_know_membership,
)

PEOPLE_AT_ONCE = 100


class Standing(TextChoices):
    """How a person stands at this moment."""

    IN_FORCE = "in-force", _("in force")
    SUSPENDED = "suspended", _("suspended")
    LAPSED = "lapsed", _("suspended: not attested in time")
    ENDED = "ended", _("ended")


@dataclass(frozen=True)
class ListedPerson:
    """One line of the list of people. Times are aware; `attested_at` is None before the first attestation."""

    membership_id: uuid.UUID
    name: str
    office: str
    role_names: list[str]
    authority_name: str
    standing: Standing
    from_at: datetime
    until_at: datetime | None
    attested_at: datetime | None
    attested_until_at: datetime
    is_attestation_due: bool
    seen_at: datetime | None  # the newest sign-in
    is_self: bool


@dataclass(frozen=True)
class PeoplePage:
    """At most 100 people by name, and the cursor of the next page."""

    people: list[ListedPerson]
    next: str


def standing_of(member: Membership, now: datetime) -> Standing:
    """Return how somebody stands: the strongest reason first."""
    if member.until_at and member.until_at <= now:
        return Standing.ENDED
    if member.suspended_at:
        return Standing.SUSPENDED
    if member.attested_until_at and member.attested_until_at <= now:
        return Standing.LAPSED
    return Standing.IN_FORCE


def _listed(actor: Actor, member: Membership) -> ListedPerson:
    now = timezone.now()
    # Whoever has no date yet counts as attested on joining.
    lasts = member.attested_until_at or member.from_at + ATTESTATION_LASTS
    attested_at = lasts - ATTESTATION_LASTS
    return ListedPerson(
        membership_id=member.id,
        name=member.person.name,
        office=member.office,
        role_names=[str(role.label) for role in sorted(member.role_set)],
        authority_name=member.authority.name,
        standing=standing_of(member, now),
        from_at=member.from_at,
        until_at=member.until_at,
        attested_at=attested_at if attested_at - member.from_at > timedelta(minutes=1) else None,
        attested_until_at=lasts,
        is_attestation_due=lasts - now <= ATTESTATION_LASTS - ATTESTATION_REMINDERS[0],
        seen_at=getattr(member, "seen_at", None),
        is_self=member.person_id == actor.person_id,
    )


def list_people(
    actor: Actor, *, authority_id: uuid.UUID | None = None, show: str = "", words: str = "", after: str = ""
) -> PeoplePage:
    """Return the people of the own authority, or for the secretariat an authority's administrators.

    `show` is a value of `Standing` (in force and suspended when empty). Raises `NotFound` and `Invalid`.
    """
    access.require(actor, Permission.PERSON_LIST)
    rows = _people_of(actor, authority_id or actor.authority_id)
    for word in words.split()[:5]:
        rows = rows.filter(Q(person__name__icontains=word) | Q(office__icontains=word))
    rows = rows.filter(_shown(show, timezone.now()))
    if after:
        name, member_id = _place_of(rows, after)
        rows = rows.filter(Q(person__name__gt=name) | Q(person__name=name, id__gt=member_id))
    joined = rows.select_related("person", "authority").annotate(seen_at=Max("sign_ins__started_at"))
    found = list(joined.order_by("person__name", "id")[: PEOPLE_AT_ONCE + 1])
    return PeoplePage(
        people=[_listed(actor, member) for member in found[:PEOPLE_AT_ONCE]],
        next=str(found[PEOPLE_AT_ONCE - 1].id) if len(found) > PEOPLE_AT_ONCE else "",
    )


def _people_of(actor: Actor, authority_id: uuid.UUID) -> QuerySet[Membership]:
    """Return whom the actor may know of an authority; nobody gets a list of all persons."""
    if authority_id == actor.authority_id:
        return Membership.objects.filter(authority_id=authority_id)
    if actor.authority_kind != AuthorityKind.SECRETARIAT:
        raise NotFound
    if Authority.objects.filter(id=authority_id, kind__in=WITHOUT_ADMINISTRATOR).exists():
        return Membership.objects.filter(authority_id=authority_id)
    return access.with_role(Role.ADMINISTRATOR).filter(authority_id=authority_id)


def _shown(show: str, now: datetime) -> Q:
    not_ended = Q(until_at__isnull=True) | Q(until_at__gt=now)
    lapsed = Q(attested_until_at__lte=now)
    if show == Standing.ENDED:
        return ~not_ended
    if show == Standing.SUSPENDED:
        return not_ended & (Q(suspended_at__isnull=False) | lapsed)
    if show == Standing.IN_FORCE:
        return standing(now)
    return not_ended


def _place_of(rows: QuerySet[Membership], after: str) -> tuple[str, uuid.UUID]:
    try:
        return rows.values_list("person__name", "id").get(id=uuid.UUID(after))
    except (ValueError, Membership.DoesNotExist) as error:
        raise Invalid("invalid-cursor") from error


def list_to_attest(actor: Actor) -> list[ListedPerson]:
    """Return at most 100 people the actor answers for, those whose attestation ends first at the top."""
    access.require(actor, Permission.MEMBERSHIP_ATTEST)
    joined = _to_attest(actor).select_related("person", "authority")
    ordered = joined.annotate(seen_at=Max("sign_ins__started_at")).order_by(
        F("attested_until_at").asc(nulls_last=True), "person__name", "id"
    )
    return [_listed(actor, member) for member in ordered[:PEOPLE_AT_ONCE]]


def count_attestations_due(actor: Actor) -> int:
    """Return how many of the people the actor answers for have to be attested by now."""
    access.require(actor, Permission.MEMBERSHIP_ATTEST)
    now, due_after = timezone.now(), ATTESTATION_REMINDERS[0]
    due = Q(attested_until_at__lte=now + ATTESTATION_LASTS - due_after)
    due |= Q(attested_until_at__isnull=True, from_at__lte=now - due_after)
    return _to_attest(actor).filter(due).count()


def _to_attest(actor: Actor) -> QuerySet[Membership]:
    theirs = Q(authority_id=actor.authority_id)
    if actor.authority_kind == AuthorityKind.SECRETARIAT:
        administrators = access.with_role(Role.ADMINISTRATOR).values("id")
        theirs = Q(id__in=administrators) | Q(authority__kind__in=WITHOUT_ADMINISTRATOR)
    rows = Membership.objects.filter(theirs, until_at__isnull=True)
    return rows.exclude(person_id=actor.person_id)


@dataclass(frozen=True)
class ListedDelegation:
    """Who lets whom act for him or her, and until when."""

    id: uuid.UUID
    grantor_name: str
    delegate_name: str
    role_names: list[str]
    from_at: datetime
    until_at: datetime
    may_end: bool


@dataclass(frozen=True)
class PersonFacts:
    """The page of one person: who it is, and what the actor may do about it."""

    person: ListedPerson
    roles: frozenset[Role]
    possible_roles: list[Role]
    address: str  # empty unless the actor keeps the accounts of the authority
    suspended_at: datetime | None
    suspended_for: str
    suspended_by_name: str
    successor_name: str
    delegations: list[ListedDelegation]
    own_roles: list[Role]  # of the actor, to lend
    may: frozenset[str]


def read_person(actor: Actor, membership_id: uuid.UUID) -> PersonFacts:
    """Return what the actor may know of somebody's standing; raises `NotFound`."""
    member = access.get_membership(actor, membership_id, to=Permission.PERSON_LIST)
    kind = AuthorityKind(member.authority.kind)
    is_keeper = member.authority_id == actor.authority_id and Role.ADMINISTRATOR in actor.roles
    by = member.suspended_by
    sealed = member.person.address_sealed
    return PersonFacts(
        person=_listed(actor, member),
        roles=member.role_set,
        possible_roles=[role for role in Role if can_hold({role}, kind)],
        address=open_field("person.address", bytes(sealed)) if is_keeper and sealed else "",
        suspended_at=member.suspended_at,
        suspended_for=str(SuspensionReason(member.suspended_for).label) if member.suspended_for else "",
        suspended_by_name=by.authority.name if by else "",
        successor_name=member.successor.person.name if member.successor else "",
        delegations=_delegations_of(actor, member),
        own_roles=sorted(actor.roles),
        may=acts_on(actor, member),
    )


def acts_on(actor: Actor, member: Membership) -> frozenset[str]:
    """Return the names of the acts that the page of a person offers; each is asked again when it is done."""
    now_standing = standing_of(member, timezone.now())
    if now_standing == Standing.ENDED or member.person_id == actor.person_id:
        return frozenset()
    kind = AuthorityKind(member.authority.kind)
    allowed = {
        name
        for name, right in ACTS.items()
        if can(actor, right) and can_know_membership(actor, right, member.authority_id, kind, member.role_set)
    }
    if not can_hand_over(actor, member.role_set):
        allowed.discard("hand-over")
    if now_standing != Standing.IN_FORCE:
        allowed -= {"delegate", "readmit"}
    if actor.acting_for:
        allowed.discard("delegate")
    if member.role_set & SECRETARIAT_ROLES:
        allowed -= {"change", "readmit"}
    allowed.discard("suspend" if member.suspended_at else "restore")
    return frozenset(allowed)


ACTS = {
    "attest": Permission.MEMBERSHIP_ATTEST,
    "change": Permission.MEMBERSHIP_CHANGE,
    "delegate": Permission.DELEGATION_GRANT,
    "end": Permission.MEMBERSHIP_END,
    "hand-over": Permission.MEMBERSHIP_HAND_OVER,
    "readmit": Permission.INVITATION_SEND,
    "restore": Permission.MEMBERSHIP_SUSPEND,
    "suspend": Permission.MEMBERSHIP_SUSPEND,
}


def _delegations_of(actor: Actor, member: Membership) -> list[ListedDelegation]:
    """Return what is lent by or to a colleague now or later; nothing about other authorities."""
    if member.authority_id != actor.authority_id:
        return []
    rows = Delegation.objects.select_related("grantor__person", "delegate__person")
    rows = rows.filter(Q(grantor=member) | Q(delegate=member), ended_at__isnull=True)
    is_keeper = Role.ADMINISTRATOR in actor.roles
    return [
        ListedDelegation(
            id=row.id,
            grantor_name=row.grantor.person.name,
            delegate_name=row.delegate.person.name,
            role_names=[str(Role(role).label) for role in row.roles],
            from_at=row.from_at,
            until_at=row.until_at,
            may_end=is_keeper or row.grantor_id == actor.membership_id,
        )
        for row in rows.filter(until_at__gt=timezone.now()).order_by("from_at", "id")[:PEOPLE_AT_ONCE]
    ]


def list_successors(actor: Actor, leaver: Membership) -> list[ListedPerson]:
    """Return who in force could take over from a colleague, by name."""
    access.require(actor, Permission.MEMBERSHIP_HAND_OVER)
    rows = Membership.objects.filter(standing(timezone.now()), authority_id=leaver.authority_id)
    rows = rows.exclude(id=leaver.id).select_related("person", "authority")
    return [_listed(actor, row) for row in rows.order_by("person__name", "id")[:PEOPLE_AT_ONCE]]


def find_membership_by_address(actor: Actor, address: str) -> uuid.UUID:
    """Return the standing in force or newest of the person with exactly this address; raises `NotFound`."""
    access.require(actor, Permission.MEMBERSHIP_SUSPEND)
    rows = Membership.objects.filter(person__address_index=index_field("person.address", address))
    for member in rows.select_related("authority").order_by(F("until_at").desc(nulls_first=True), "id")[:10]:
        kind = AuthorityKind(member.authority.kind)
        if can_know_membership(
            actor, Permission.MEMBERSHIP_SUSPEND, member.authority_id, kind, member.role_set
        ):
            return member.id
    raise NotFound
