"""Who may do what to whose standing: as personas, through the pages."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from network.models import AuditEntry, Authority, Delegation, Membership, OutgoingMail, Role, SignIn
from network.policy import ATTESTATION_LASTS
from tests.personas import Cast, Persona, address_of, make_persona

REFUSED = {403, 404}


def post(persona: Persona, path: str, **fields: object) -> HttpResponse:
    return persona.client().post(path, fields)  # type: ignore[return-value]


def person(persona: Persona, act: str = "") -> str:
    assert persona.membership
    return f"/people/{persona.membership.id}/{act}"


def row_of(persona: Persona) -> Membership:
    assert persona.membership
    return Membership.objects.get(id=persona.membership.id)


def counts(persona: Persona) -> bool:
    return persona.client().get("/api/session").status_code == 200


def acts_on(persona: Persona) -> list[str]:
    entries = AuditEntry.objects.filter(subject=row_of(persona).id.hex).order_by("n")
    return [entry.act for entry in entries if entry.act.startswith("membership:")]


def said(response: HttpResponseBase) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def mails() -> list[str]:
    return list(OutgoingMail.objects.order_by("written_at").values_list("kind", flat=True))


@pytest.fixture
def second_administrator_a(cast: Cast) -> Persona:
    """Give a second administrator of A."""
    return make_persona("second_administrator_a", row_of(cast.officer_a).authority, Role.ADMINISTRATOR)


# Looking


@pytest.mark.parametrize("name", ["administrator_a", "supervisor_a", "auditor_a"])
def test_whoever_keeps_or_checks_accounts_sees_colleagues_only(cast: Cast, name: str) -> None:
    page = said(cast.everybody()[name].client().get("/people/"))
    assert "Officer A" in page
    assert "Officer B" not in page
    assert "Former Officer A" not in page
    assert "Former Officer A" in said(cast.everybody()[name].client().get("/people/?show=ended"))


def test_administrator_a_finds_colleagues_by_name_and_state(cast: Cast) -> None:
    page = said(cast.administrator_a.client().get("/people/?words=duty"))
    assert "Duty Officer A" in page
    assert "Liaison A" not in page
    assert "Suspended Officer A" in said(cast.administrator_a.client().get("/people/?show=suspended"))
    assert "Nobody found" in said(cast.administrator_a.client().get("/people/?words=nobody-of-this-name"))


def test_a_long_list_has_pages_and_each_person_once(cast: Cast) -> None:
    authority = row_of(cast.officer_a).authority
    for n in range(101):
        make_persona(f"officer_{n:03}", authority, Role.OFFICER)
    client = cast.administrator_a.client()
    first = client.get("/people/").context["page"]
    second = client.get(f"/people/?after={first.next}").context["page"]
    ids = [each.membership_id for each in [*first.people, *second.people]]
    assert len(first.people) == 100
    assert second.next == ""
    assert len(ids) == len(set(ids)) == Membership.objects.filter(authority=authority, until_at=None).count()


@pytest.mark.parametrize("name", ["directory_officer", "moderator", "security_officer"])
def test_secretariat_sees_administrators_of_an_authority_and_nobody_else(cast: Cast, name: str) -> None:
    persona = cast.everybody()[name]
    page = said(persona.client().get(f"/people/?authority={row_of(cast.officer_a).authority_id}"))
    assert "Administrator A" in page
    assert "Supervisor A" not in page
    own = said(persona.client().get("/people/"))
    assert "Second Directory Officer" in own
    assert "Administrator A" not in own


def test_foreign_and_unknown_people_are_the_same(cast: Cast) -> None:
    client = cast.administrator_b.client()
    foreign = client.get(person(cast.officer_a))
    unknown = client.get(f"/people/{UUID(int=7)}/")
    assert foreign.status_code == unknown.status_code == 404
    assert len(foreign.content) == len(unknown.content)
    assert client.get(f"/people/?authority={row_of(cast.officer_a).authority_id}").status_code == 404


def test_directory_officer_cannot_open_an_officer_but_an_administrator(cast: Cast) -> None:
    assert cast.directory_officer.client().get(person(cast.officer_a)).status_code == 404
    assert cast.directory_officer.client().get(person(cast.administrator_a)).status_code == 200


def test_only_who_keeps_the_accounts_sees_a_mail_address(cast: Cast) -> None:
    address = address_of("officer_a")
    assert address in said(cast.administrator_a.client().get(person(cast.officer_a)))
    for other in (cast.supervisor_a, cast.auditor_a, cast.security_officer):
        assert address not in said(other.client().get(person(cast.officer_a)))


def test_security_officer_finds_an_account_by_its_exact_address_only(cast: Cast) -> None:
    found = post(cast.security_officer, "/people/find/", address=address_of("officer_a"))
    assert found.headers["location"] == person(cast.officer_a)
    assert post(cast.security_officer, "/people/find/", address="officer.a@").status_code == 422
    unknown = post(cast.security_officer, "/people/find/", address="nobody@authority.example")
    foreign = post(cast.administrator_b, "/people/find/", address=address_of("officer_a"))
    assert (unknown.status_code, foreign.status_code) == (404, 404)


def test_lookups_of_the_secretariat_are_few(cast: Cast) -> None:
    codes = {
        post(cast.security_officer, "/people/find/", address="nobody@authority.example").status_code
        for _ in range(40)
    }
    assert 429 in codes


# Suspending and restoring


def test_administrator_a_can_suspend_and_restore(cast: Cast) -> None:
    done = post(cast.administrator_a, person(cast.officer_a, "suspend/"), reason="absent")
    assert done.status_code == 302
    assert not counts(cast.officer_a)
    page = said(cast.administrator_a.client().get(person(cast.officer_a)))
    assert "Away from the post" in page
    assert "Restore the account" in page
    assert post(cast.administrator_a, person(cast.officer_a, "restore/")).status_code == 302
    # The old sign-in does not come back to life.
    assert not counts(cast.officer_a)
    assert row_of(cast.officer_a).suspended_at is None
    assert acts_on(cast.officer_a) == ["membership:suspend", "membership:restore"]
    assert mails()[-2:] == ["account-ended", "account-restored"]


def test_suspending_needs_a_reason_and_happens_once(cast: Cast) -> None:
    assert post(cast.administrator_a, person(cast.officer_a, "suspend/")).status_code == 422
    assert counts(cast.officer_a)
    post(cast.administrator_a, person(cast.officer_a, "suspend/"), reason="absent")
    again = post(cast.administrator_a, person(cast.officer_a, "suspend/"), reason="absent")
    assert again.status_code == 409
    assert "suspended already" in said(again)
    assert acts_on(cast.officer_a) == ["membership:suspend"]


def test_only_the_secretariat_restores_whom_it_suspended(cast: Cast) -> None:
    assert post(cast.security_officer, person(cast.officer_a, "suspend/"), reason="misuse").status_code == 302
    assert post(cast.administrator_a, person(cast.officer_a, "restore/")).status_code == 403
    assert row_of(cast.officer_a).suspended_at
    assert post(cast.security_officer, person(cast.officer_a, "restore/")).status_code == 302
    concerned = AuditEntry.objects.get(act="membership:suspend").concerns
    assert concerned == [row_of(cast.officer_a).authority_id.hex]


@pytest.mark.parametrize(
    "act", ["suspend/", "restore/", "change/", "end/", "hand-over/confirm/", "delegate/"]
)
@pytest.mark.parametrize(
    "name", ["administrator_b", "officer_a", "auditor_a", "moderator", "directory_officer"]
)
def test_nobody_else_can(cast: Cast, name: str, act: str) -> None:
    before = row_of(cast.duty_officer_a).__dict__
    fields = {"reason": "absent", "roles": "officer", "office": "X", "from": "2030-01-01"}
    response = post(cast.everybody()[name], person(cast.duty_officer_a, act), **fields)
    assert response.status_code in REFUSED
    assert {**row_of(cast.duty_officer_a).__dict__, "_state": None} == {**before, "_state": None}
    assert acts_on(cast.duty_officer_a) == []


@pytest.mark.parametrize("act", ["suspend/", "change/", "end/"])
def test_administrator_a_cannot_act_on_the_own_account(
    cast: Cast, second_administrator_a: Persona, act: str
) -> None:
    fields = {"reason": "absent", "roles": "officer", "office": "X"}
    response = post(cast.administrator_a, person(cast.administrator_a, act), **fields)
    assert response.status_code == 403
    assert "own account" in said(response)
    assert counts(cast.administrator_a)


def test_whoever_acts_for_somebody_cannot_act_on_him(cast: Cast) -> None:
    delegate = make_persona("acting_a", row_of(cast.officer_a).authority, Role.OFFICER)
    lend(cast.administrator_a, delegate)
    assert post(delegate, person(cast.administrator_a, "suspend/"), reason="absent").status_code == 403
    assert post(delegate, person(cast.officer_a, "suspend/"), reason="absent").status_code == 302


def lend(grantor: Persona, delegate: Persona, *, days: int = 5) -> Delegation:
    lent = Delegation.objects.create(
        grantor=row_of(grantor),
        delegate=row_of(delegate),
        roles=row_of(grantor).roles,
        from_at=timezone.now() - timedelta(days=1),
        until_at=timezone.now() + timedelta(days=days),
    )
    SignIn.objects.filter(id__in=[delegate.sign_in_id]).update(acting_for=lent)
    return lent


# An authority always keeps an administrator


def test_the_last_administrator_cannot_be_ended_by_the_security_officer(cast: Cast) -> None:
    response = post(cast.security_officer, person(cast.administrator_a, "end/"))
    assert response.status_code == 409
    assert "only administrator" in said(response)
    assert counts(cast.administrator_a)


def test_security_officer_can_suspend_even_the_last_administrator(cast: Cast) -> None:
    assert (
        post(cast.security_officer, person(cast.administrator_a, "suspend/"), reason="misuse").status_code
        == 302
    )
    assert not counts(cast.administrator_a)
    assert post(cast.security_officer, person(cast.administrator_a, "end/")).status_code == 409


def test_security_officer_cannot_restore_whom_an_authority_suspended(cast: Cast) -> None:
    post(cast.administrator_a, person(cast.officer_a, "suspend/"), reason="misuse")
    assert post(cast.security_officer, person(cast.officer_a, "restore/")).status_code in REFUSED
    assert row_of(cast.officer_a).suspended_at


def test_secretariat_is_told_of_an_unknown_authority_that_it_is_not_there(cast: Cast) -> None:
    assert cast.moderator.client().get(f"/people/?authority={uuid4()}").status_code == 404


@pytest.mark.parametrize("act", ["suspend/", "change/", "end/"])
def test_one_of_two_administrators_can_go_but_not_both(
    cast: Cast, second_administrator_a: Persona, act: str
) -> None:
    fields = {"reason": "absent", "roles": "officer", "office": "X"}
    assert post(cast.administrator_a, person(second_administrator_a, act), **fields).status_code == 302
    assert post(second_administrator_a, person(cast.administrator_a, act), **fields).status_code != 200
    assert counts(cast.administrator_a)


def test_a_suspended_or_unattested_administrator_does_not_count_as_one(
    cast: Cast, second_administrator_a: Persona
) -> None:
    Membership.objects.filter(id=row_of(second_administrator_a).id).update(attested_until_at=timezone.now())
    assert post(cast.security_officer, person(cast.administrator_a, "end/")).status_code == 409


# Changing


def test_administrator_a_can_change_roles_and_the_person_signs_in_anew(cast: Cast) -> None:
    done = post(
        cast.administrator_a,
        person(cast.officer_a, "change/"),
        roles=["officer", "supervisor"],
        office=" Cabinet ",
    )
    assert done.status_code == 302
    member = row_of(cast.officer_a)
    assert (member.roles, member.office) == (["officer", "supervisor"], "Cabinet")
    assert not counts(cast.officer_a)
    assert acts_on(cast.officer_a) == ["membership:change"]
    assert mails()[-1] == "account-changed"


def test_another_office_alone_signs_nobody_out(cast: Cast) -> None:
    post(cast.administrator_a, person(cast.officer_a, "change/"), roles=["officer"], office="Registry")
    assert counts(cast.officer_a)
    assert row_of(cast.officer_a).office == "Registry"


@pytest.mark.parametrize(
    ("roles", "office"),
    [([], "X"), (["coordinator"], "X"), (["king"], "X"), (["officer"], " "), (["officer"], "x" * 201)],
)
def test_impossible_roles_and_offices_change_nothing(cast: Cast, roles: list[str], office: str) -> None:
    response = post(cast.administrator_a, person(cast.officer_a, "change/"), roles=roles, office=office)
    assert response.status_code == 422
    assert "Nothing was changed" in said(response)
    assert row_of(cast.officer_a).roles == ["officer"]


@pytest.mark.parametrize("role", ["security-officer", "directory-officer"])
def test_administrator_a_cannot_give_a_role_of_the_secretariat(cast: Cast, role: str) -> None:
    response = post(cast.administrator_a, person(cast.officer_a, "change/"), roles=[role], office="X")
    assert response.status_code == 422
    assert row_of(cast.officer_a).roles == ["officer"]


def test_a_dangerous_act_asks_for_a_recent_proof(cast: Cast) -> None:
    hour_ago = timezone.now() - timedelta(hours=1)
    SignIn.objects.filter(id__in=[cast.administrator_a.sign_in_id]).update(proved_at=hour_ago)
    for act in ("suspend/", "restore/", "change/", "end/", "hand-over/confirm/", "delegate/"):
        post(
            cast.administrator_a, person(cast.officer_a, act), reason="absent", roles=["officer"], office="X"
        )
    post(cast.administrator_a, "/people/attest/confirm/", membership=str(row_of(cast.officer_a).id))
    post(cast.administrator_a, "/authority/settings/", allows_codes="yes")
    assert acts_on(cast.officer_a) == []
    assert not Authority.objects.filter(allows_codes=True).exists()


# Ending


def test_administrator_a_can_end_an_account(cast: Cast) -> None:
    assert post(cast.administrator_a, person(cast.officer_a, "end/")).status_code == 302
    assert not counts(cast.officer_a)
    page = said(cast.administrator_a.client().get(person(cast.officer_a)))
    assert "can do nothing more" in page
    assert "Suspend the account" not in page
    again = post(cast.administrator_a, person(cast.officer_a, "end/"))
    assert again.status_code == 409
    assert acts_on(cast.officer_a) == ["membership:end"]


def test_security_officer_can_end_any_account(cast: Cast) -> None:
    assert post(cast.security_officer, person(cast.officer_b, "end/")).status_code == 302
    assert not counts(cast.officer_b)


@pytest.mark.parametrize("day", ["9999-12-31", "x", ""])
def test_a_day_that_cannot_be_is_asked_for_again(cast: Cast, day: str) -> None:
    lending = {"roles": "supervisor", "from": day, "until": day}
    refused = post(cast.supervisor_a, person(cast.officer_a, "delegate/"), **lending)
    assert refused.status_code == 422


# Attesting


def test_administrator_a_attests_several_at_once_and_not_himself(cast: Cast) -> None:
    chosen = [str(row_of(each).id) for each in (cast.officer_a, cast.unattested_officer_a)]
    page = said(cast.administrator_a.client().get("/people/attest/"))
    assert all(each in page for each in chosen)
    assert str(row_of(cast.administrator_a).id) not in page
    assert post(cast.administrator_a, "/people/attest/confirm/", membership=chosen).status_code == 302
    until_at = row_of(cast.officer_a).attested_until_at
    assert until_at
    assert timedelta() <= timezone.now() + ATTESTATION_LASTS - until_at < timedelta(minutes=1)
    assert acts_on(cast.unattested_officer_a)[-1] == "membership:attest"
    # Whoever lapsed counts again from now on.
    assert counts(cast.unattested_officer_a)
    own = str(row_of(cast.administrator_a).id)
    refused = post(cast.administrator_a, "/people/attest/confirm/", membership=[chosen[0], own])
    assert refused.status_code == 403


def test_administrator_a_attests_a_hundred_at_once(cast: Cast) -> None:
    authority = row_of(cast.officer_a).authority
    many = [make_persona(f"officer_{n:03}", authority, Role.OFFICER) for n in range(100)]
    chosen = [str(row_of(each).id) for each in many]
    assert post(cast.administrator_a, "/people/attest/confirm/", membership=chosen).status_code == 302
    assert row_of(many[-1]).attested_until_at


def test_attesting_is_all_or_nothing(cast: Cast) -> None:
    chosen = [str(row_of(each).id) for each in (cast.officer_a, cast.officer_b)]
    assert post(cast.administrator_a, "/people/attest/confirm/", membership=chosen).status_code == 404
    ended = [str(row_of(each).id) for each in (cast.officer_a, cast.former_officer_a)]
    assert post(cast.administrator_a, "/people/attest/confirm/", membership=ended).status_code == 409
    assert post(cast.administrator_a, "/people/attest/confirm/").status_code == 422
    assert row_of(cast.officer_a).attested_until_at is None


def test_directory_officer_attests_administrators_and_who_has_none(cast: Cast) -> None:
    page = said(cast.directory_officer.client().get("/people/attest/"))
    for yes in (cast.administrator_a, cast.focal_point_a, cast.second_directory_officer):
        assert str(row_of(yes).id) in page
        form = {"membership": str(row_of(yes).id)}
        assert post(cast.directory_officer, "/people/attest/confirm/", **form).status_code == 302
    for no in (cast.officer_a, cast.supervisor_b):
        assert str(row_of(no).id) not in page
        form = {"membership": str(row_of(no).id)}
        assert post(cast.directory_officer, "/people/attest/confirm/", **form).status_code == 404


def test_whoever_is_not_attested_in_time_does_not_count(cast: Cast) -> None:
    post(cast.administrator_a, "/people/attest/confirm/", membership=str(row_of(cast.officer_a).id))
    assert counts(cast.officer_a)
    Membership.objects.filter(id=row_of(cast.officer_a).id).update(attested_until_at=timezone.now())
    assert not counts(cast.officer_a)


# Settings


def test_administrator_a_allows_codes_and_takes_it_back(cast: Cast) -> None:
    authority_id = row_of(cast.officer_a).authority_id
    assert post(cast.administrator_a, "/authority/settings/", allows_codes="yes").status_code == 302
    assert Authority.objects.get(id=authority_id).allows_codes
    SignIn.objects.filter(id__in=[cast.officer_a.sign_in_id]).update(factor="code")
    assert post(cast.administrator_a, "/authority/settings/").status_code == 302
    assert not counts(cast.officer_a)
    assert counts(cast.liaison_a)
    assert AuditEntry.objects.filter(act="authority:set").count() == 2


def test_supervisor_a_cannot_change_settings(cast: Cast) -> None:
    assert post(cast.supervisor_a, "/authority/settings/", allows_codes="yes").status_code == 403
