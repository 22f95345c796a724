"""People of an authority: the list, one person, and what is done about his or her standing."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from network import access
from network.actions import delegations, hand_over, memberships
from network.addresses import parse_address
from network.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Sentence
from network.guard import MemberRequest, guarded
from network.limits import spend
from network.models import Authority, AuthorityKind, Role, SuspensionReason
from network.notices import say
from network.permissions import Permission
from network.policy import DELEGATION_LASTS, can, is_privileged
from network.queries import people
from network.queries.invitations import list_open_invitations


@require_safe
@guarded(Permission.PERSON_LIST)
def people_page(http_request: MemberRequest) -> HttpResponse:
    """Show the people of the own authority, or to the secretariat the administrators of another."""
    actor, asked = http_request.actor, http_request.GET
    authority_id = _id(asked["authority"]) if asked.get("authority") else actor.authority_id
    is_own = authority_id == actor.authority_id
    if not is_own:
        spend("search", actor.sign_in_id.hex)
    show, words = asked.get("show", ""), asked.get("words", "")[:100]
    authority = Authority.objects.filter(id=authority_id).first()
    if authority is None:
        raise NotFound
    page = people.list_people(
        actor, authority_id=authority_id, show=show, words=words, after=asked.get("after", "")
    )
    context = {
        "page": page,
        "show": show,
        "words": words,
        "standings": [people.Standing.IN_FORCE, people.Standing.SUSPENDED, people.Standing.ENDED],
        "authority": authority,
        "is_own": is_own,
        "has_codes": actor.authority_kind not in {AuthorityKind.SECRETARIAT, AuthorityKind.MISSION},
        "invitations": list_open_invitations(actor)
        if is_own and can(actor, Permission.INVITATION_SEND)
        else None,
        "may": {right.name.lower() for right in Permission if can(actor, right)},
    }
    return render(http_request, "network/people.html", context)


@require_POST
@guarded(Permission.MEMBERSHIP_SUSPEND, limit="search")
def find_person(http_request: MemberRequest) -> HttpResponse:
    """Lead to the page of the person with exactly this mail address."""
    address = parse_address(http_request.POST.get("address", ""))
    found = people.find_membership_by_address(http_request.actor, address)
    return HttpResponseRedirect(f"/people/{found}/")


@require_safe
@guarded(Permission.PERSON_LIST)
def person_page(http_request: MemberRequest, membership_uuid: uuid.UUID) -> HttpResponse:
    """Show one person and what may be done."""
    return _person(http_request, membership_uuid)


def _person(
    http_request: MemberRequest, membership_id: uuid.UUID, problem: Refusal | None = None
) -> HttpResponse:
    """Show one person; after a refused act with why, and with what was filled in."""
    today = timezone.now().date()
    posted = http_request.POST
    facts = people.read_person(http_request.actor, membership_id)
    is_change = problem is not None and "office" in posted
    context = {
        "facts": facts,
        "person": facts.person,
        "problem": problem,
        "roles": set(posted.getlist("roles")) if is_change else {role.value for role in facts.roles},
        "office": posted.get("office", "") if is_change else facts.person.office,
        "privileged": [role for role in facts.possible_roles if is_privileged({role})],
        "reasons": SuspensionReason,
        "today": today.isoformat(),
        "last_day": (today + DELEGATION_LASTS - timedelta(days=1)).isoformat(),
    }
    return render(http_request, "network/person.html", context, status=problem.status if problem else 200)


def _done(
    http_request: MemberRequest, membership_id: uuid.UUID, act: Callable[[], object], sentence: Sentence
) -> HttpResponse:
    """Carry an act out and show the person again, with what was done or why it was not."""
    try:
        act()
    except (Conflict, Forbidden, Invalid) as refusal:
        return _person(http_request, membership_id, refusal)
    say(http_request, sentence)
    return HttpResponseRedirect(f"/people/{membership_id}/")


@require_POST
@guarded(Permission.MEMBERSHIP_SUSPEND, limit="api-write", fresh=True)
def suspend(http_request: MemberRequest, membership_uuid: uuid.UUID) -> HttpResponse:
    """Suspend somebody."""

    def act() -> None:
        reason = http_request.POST.get("reason", "")
        if reason not in SuspensionReason.values:
            raise Invalid("reason-needed", _("Choose a reason; it stands in the audit record."))
        memberships.suspend_membership(
            http_request.actor, membership_id=membership_uuid, reason=SuspensionReason(reason)
        )

    said = _("Suspended. What was signed in is closed. You can restore the person at any time.")
    return _done(http_request, membership_uuid, act, said)


@require_POST
@guarded(Permission.MEMBERSHIP_SUSPEND, limit="api-write", fresh=True)
def restore(http_request: MemberRequest, membership_uuid: uuid.UUID) -> HttpResponse:
    """Restore somebody who was suspended."""
    actor = http_request.actor
    return _done(
        http_request,
        membership_uuid,
        lambda: memberships.restore_membership(actor, membership_id=membership_uuid),
        _("Restored. The person can sign in again."),
    )


@require_POST
@guarded(Permission.MEMBERSHIP_CHANGE, limit="api-write", fresh=True)
def change(http_request: MemberRequest, membership_uuid: uuid.UUID) -> HttpResponse:
    """Change somebody's roles and office."""

    def act() -> None:
        memberships.change_membership(
            http_request.actor,
            membership_id=membership_uuid,
            roles=_roles(http_request),
            office=http_request.POST.get("office", ""),
        )

    said = _("Changed. With other roles the person has to sign in again.")
    return _done(http_request, membership_uuid, act, said)


@require_POST
@guarded(Permission.MEMBERSHIP_END, limit="api-write", fresh=True)
def end(http_request: MemberRequest, membership_uuid: uuid.UUID) -> HttpResponse:
    """End somebody's work for the authority without a successor."""
    actor = http_request.actor
    return _done(
        http_request,
        membership_uuid,
        lambda: memberships.end_membership(actor, membership_id=membership_uuid),
        _("Ended. The account can do nothing more for this authority; its record stays."),
    )


@require_safe
@guarded(Permission.MEMBERSHIP_HAND_OVER)
def hand_over_page(http_request: MemberRequest, membership_uuid: uuid.UUID) -> HttpResponse:
    """Show what moves with a hand-over, and who could take over."""
    return _hand_over_page(http_request, membership_uuid)


def _hand_over_page(
    http_request: MemberRequest, membership_id: uuid.UUID, problem: Refusal | None = None
) -> HttpResponse:
    actor = http_request.actor
    leaver = access.get_membership(actor, membership_id, to=Permission.MEMBERSHIP_HAND_OVER)
    context = {
        "facts": people.read_person(actor, membership_id),
        "problem": problem,
        "successors": people.list_successors(actor, leaver),
        "chosen": http_request.POST.get("successor", ""),
        "moving": hand_over.what_moves(leaver),
    }
    return render(http_request, "network/hand_over.html", context, status=problem.status if problem else 200)


@require_POST
@guarded(Permission.MEMBERSHIP_HAND_OVER, limit="api-write", fresh=True)
def confirm_hand_over(http_request: MemberRequest, membership_uuid: uuid.UUID) -> HttpResponse:
    """Hand somebody's work over and end the account."""
    actor = http_request.actor
    access.get_membership(actor, membership_uuid, to=Permission.MEMBERSHIP_HAND_OVER)
    try:
        successor_id = _successor(http_request)
        hand_over.hand_over(actor, membership_id=membership_uuid, successor_id=successor_id)
    except (Conflict, Forbidden, Invalid) as refusal:
        return _hand_over_page(http_request, membership_uuid, refusal)
    say(http_request, _("Handed over. The old account can do nothing more; its record stays."))
    return HttpResponseRedirect(f"/people/{membership_uuid}/")


@require_POST
@guarded(Permission.DELEGATION_GRANT, limit="api-write", fresh=True)
def delegate(http_request: MemberRequest, membership_uuid: uuid.UUID) -> HttpResponse:
    """Let a colleague act for the actor."""

    def act() -> None:
        delegations.grant_delegation(
            http_request.actor,
            delegate_id=membership_uuid,
            roles=_roles(http_request),
            from_at=_day(http_request, "from"),
            until_at=_day(http_request, "until") + timedelta(days=1),
        )

    said = _("Your colleague can act for you in this time. Each act says so.")
    return _done(http_request, membership_uuid, act, said)


@require_POST
@guarded(Permission.DELEGATION_END, limit="api-write")
def end_delegation(http_request: MemberRequest, delegation_uuid: uuid.UUID) -> HttpResponse:
    """End a delegation."""
    found = access.get_delegation(http_request.actor, delegation_uuid)
    return _done(
        http_request,
        found.delegate_id,
        lambda: delegations.end_delegation(http_request.actor, delegation_id=delegation_uuid),
        _("The delegation has ended."),
    )


@require_safe
@guarded(Permission.MEMBERSHIP_ATTEST)
def attest_page(http_request: MemberRequest) -> HttpResponse:
    """Show whom the actor answers for, and until when they are attested."""
    return _attest_page(http_request)


def _attest_page(http_request: MemberRequest, problem: Refusal | None = None) -> HttpResponse:
    context = {
        "people": people.list_to_attest(http_request.actor),
        "problem": problem,
        "chosen": set(http_request.POST.getlist("membership")),
        "is_secretariat": http_request.actor.authority_kind == AuthorityKind.SECRETARIAT,
    }
    return render(http_request, "network/attest.html", context, status=problem.status if problem else 200)


@require_POST
@guarded(Permission.MEMBERSHIP_ATTEST, limit="api-write", fresh=True)
def attest(http_request: MemberRequest) -> HttpResponse:
    """Say of the chosen people that they still work where they do."""
    try:
        chosen = [_id(each) for each in http_request.POST.getlist("membership")[:200]]
        memberships.attest_memberships(http_request.actor, membership_ids=chosen)
    except (Conflict, Forbidden, Invalid) as refusal:
        return _attest_page(http_request, refusal)
    say(http_request, _("Attested for the next six months."))
    return HttpResponseRedirect("/people/attest/")


@require_POST
@guarded(Permission.AUTHORITY_SET, limit="api-write", fresh=True)
def set_authority(http_request: MemberRequest) -> HttpResponse:
    """Change the settings of the own authority."""
    is_allowed = http_request.POST.get("allows_codes") == "yes"
    memberships.set_codes_allowed(http_request.actor, is_allowed=is_allowed)
    say(http_request, _("The settings of your authority are saved."))
    return HttpResponseRedirect("/people/")


def _successor(http_request: MemberRequest) -> uuid.UUID:
    chosen = http_request.POST.get("successor", "")
    if not chosen:
        raise Invalid("choose-successor", _("Choose who takes over."))
    return _id(chosen)


def _id(text: str) -> uuid.UUID:
    """Return an id from a form; what is none names nothing."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise NotFound from error


def _roles(http_request: MemberRequest) -> set[Role]:
    chosen = set(http_request.POST.getlist("roles"))
    if not chosen <= set(Role.values):
        raise Invalid("roles-not-possible", _("A member of this authority cannot have these roles."))
    return {Role(value) for value in chosen}


def _day(http_request: MemberRequest, name: str) -> datetime:
    """Return the beginning of a day in UTC; raises `Invalid`."""
    try:
        day = datetime.strptime(http_request.POST.get(name, ""), "%Y-%m-%d").replace(tzinfo=UTC)
        datetime.combine(day, time(), UTC) + timedelta(days=1)  # the last day has one after it
    except (ValueError, OverflowError) as error:
        raise Invalid("day-needed", _("Choose the first and the last day.")) from error
    return datetime.combine(day, time(), UTC)
