"""Accepting as somebody who is known, who lost every way in, or who has no device for passkeys."""

import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.test import Client
from django.utils import timezone

from network.actions.invitations import readmit
from network.actions.sign_ins import begin_sign_in
from network.errors import Conflict, Forbidden, NotFound
from network.factors import count_passkeys
from network.models import AuditEntry, Authority, Factor, Invitation, Membership, Role, SignIn
from tests.network.invited import (
    ADDRESS,
    accept,
    begin,
    browser,
    code_of,
    invited,
    newest,
    token_of_newest_mail,
)
from tests.passkeys import enrol
from tests.personas import Cast, Persona, address_of

# People who are known


def join(client: Client, token: str, address: str) -> Any:
    return client.post("/invitation/join/", {"token": token, "address": address})


def test_an_invitation_gives_no_second_way_into_somebodys_account(cast: Cast) -> None:
    address = address_of("officer_b")
    token = invited(cast.administrator_a, address=address)
    assert code_of(begin(browser(), token, address)) == (409, "sign-in-first")
    page = browser().post("/invitation/", {"token": token, "address": address})
    assert "Sign in to it in this browser" in page.content.decode()


def test_a_known_person_accepts_signed_in_with_the_own_passkey(cast: Cast) -> None:
    address = address_of("officer_b")
    token = invited(cast.administrator_a, address=address)
    assert (
        cast.officer_c.client().post("/invitation/join/", {"token": token, "address": address}).status_code
        == 403
    )
    assert join(browser(), token, address).headers["location"] == "/sign-in/"
    assert join(cast.officer_b.client(), token, address).headers["location"] == "/welcome/"
    assert cast.officer_b.membership
    standings = Membership.objects.filter(person=cast.officer_b.membership.person)
    assert {standing.authority_id for standing in standings} == {
        cast.officer_b.actor.authority_id,
        cast.administrator_a.actor.authority_id,
    }
    assert join(cast.officer_b.client(), token, address).status_code in {400, 409}


def test_who_has_left_comes_back_with_nothing_of_before(cast: Cast) -> None:
    address = address_of("former_officer_a")
    token = invited(cast.administrator_b, address=address)
    assert cast.former_officer_a.membership
    assert accept(browser(), token, address).status_code == 200
    person = cast.former_officer_a.membership.person
    assert Membership.objects.filter(person=person, until_at=None).get().authority_id == newest().authority_id


def readmitted(cast: Cast, persona: Persona) -> str:
    assert persona.membership
    by = cast.administrator_a.client()
    assert by.post(f"/people/{persona.membership.id}/readmit/").status_code == 302
    return token_of_newest_mail()


def test_who_lost_everything_gets_a_new_passkey_and_the_old_ways_end(cast: Cast) -> None:
    officer, address = cast.officer_a, address_of("officer_a")
    assert officer.membership
    accept(browser(), readmitted(cast, officer), address)
    first = SignIn.objects.get(membership=officer.membership, ended_at=None)
    assert count_passkeys(officer.membership.person_id) == 1
    assert officer.sign_in_id
    assert SignIn.objects.get(id=officer.sign_in_id).ended_at is not None
    client = browser()
    assert accept(client, readmitted(cast, officer), address).status_code == 200
    first.refresh_from_db()
    assert first.ended_at is not None
    assert count_passkeys(officer.membership.person_id) == 1
    assert client.get("/threads/").status_code == 200


def test_a_readmission_suspends_what_the_person_is_elsewhere(cast: Cast) -> None:
    officer = cast.officer_a
    assert officer.membership
    elsewhere = Membership.objects.create(
        person=officer.membership.person,
        authority_id=cast.administrator_b.actor.authority_id,
        roles=["supervisor"],
        office="Other",
        from_at=timezone.now() - timedelta(days=1),
    )
    accept(browser(), readmitted(cast, officer), address_of("officer_a"))
    elsewhere.refresh_from_db()
    assert elsewhere.suspended_at is not None
    entry = AuditEntry.objects.get(act="membership:suspend")
    assert entry.concerns == [elsewhere.authority_id.hex]


def test_an_administrator_cannot_readmit_somebody_of_another_authority(cast: Cast) -> None:
    for persona in (
        cast.officer_b,
        cast.former_officer_a,
        cast.suspended_officer_a,
        cast.unattested_officer_a,
    ):
        assert persona.membership
        with pytest.raises((NotFound, Conflict)):
            readmit(cast.administrator_a.actor, membership_id=persona.membership.id)
    assert not Invitation.objects.exists()


def test_a_directory_officer_can_readmit_an_administrator_and_nobody_else(cast: Cast) -> None:
    assert cast.administrator_a.membership
    assert cast.officer_a.membership
    readmit(cast.directory_officer.actor, membership_id=cast.administrator_a.membership.id)
    with pytest.raises(NotFound):
        readmit(cast.directory_officer.actor, membership_id=cast.officer_a.membership.id)
    with pytest.raises(Forbidden):
        readmit(cast.moderator.actor, membership_id=cast.administrator_a.membership.id)


def test_no_single_officer_of_the_secretariat_can_readmit_a_colleague(cast: Cast) -> None:
    for colleague in (cast.second_directory_officer, cast.security_officer, cast.moderator):
        assert colleague.membership
        page = cast.directory_officer.client().get(f"/people/{colleague.membership.id}/")
        assert b"readmit/" not in page.content
        with pytest.raises(Forbidden) as refusal:
            readmit(cast.directory_officer.actor, membership_id=colleague.membership.id)
        assert refusal.value.code == "two-persons"
    assert not Invitation.objects.exists()


def test_who_comes_back_can_use_the_same_device_again(cast: Cast) -> None:
    officer, address = cast.former_officer_a, address_of("former_officer_a")
    assert officer.membership
    Membership.objects.filter(id=officer.membership.id).update(until_at=None)
    sign_in = begin_sign_in(membership_id=officer.membership.id, factor=Factor.PASSKEY, credential="key")
    enrol(Persona("former_officer_a", officer.membership, sign_in.id))
    Membership.objects.filter(id=officer.membership.id).update(until_at=timezone.now())
    options = begin(browser(), invited(cast.administrator_b, address=address), address).json()
    assert not options["publicKey"].get("excludeCredentials")


def test_a_readmission_after_roles_have_changed_gives_nothing(cast: Cast) -> None:
    token = readmitted(cast, cast.officer_a)
    assert cast.officer_a.membership
    Membership.objects.filter(id=cast.officer_a.membership.id).update(roles=["supervisor"])
    assert code_of(accept(browser(), token, address_of("officer_a"))) == (409, "standing-changed")
    assert newest().used_at is None


# Password and codes, where an authority allows them


def set_up_codes(client: Client, token: str, **typed: str) -> Any:
    """Ask for a secret and answer with a password and the code of this moment, or what is given instead."""
    fields = {"token": token, "address": ADDRESS}
    page = client.post("/invitation/password/", fields)
    if page.status_code != 200:
        return page
    secret = page.context["secret"]
    code = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
    chosen = {"password": "four unrelated words here", "password-again": "four unrelated words here"}
    return client.post("/invitation/password/", {**fields, "code": code, **chosen, **typed})


def allow_codes(cast: Cast) -> None:
    Authority.objects.filter(id=cast.administrator_a.actor.authority_id).update(allows_codes=True)


def test_an_officer_can_accept_with_password_and_codes_where_that_is_allowed(cast: Cast) -> None:
    allow_codes(cast)
    token, client = invited(cast.administrator_a), browser()
    assert set_up_codes(client, token).headers["location"] == "/invitation/codes/"
    member = Membership.objects.get(person__name="New Officer")
    assert SignIn.objects.get(membership=member).factor == "code"
    assert client.get("/invitation/codes/").content.decode().count('<li class="code">') == 10
    assert client.get("/threads/").status_code == 200


@pytest.mark.parametrize(
    "typed",
    [
        {"code": "000000x"},
        {"password": "short", "password-again": "short"},
        {"password-again": "something else entirely"},
        {"password": "password1234", "password-again": "password1234"},
    ],
)
def test_a_wrong_code_or_a_weak_password_uses_up_nothing(cast: Cast, typed: dict[str, str]) -> None:
    allow_codes(cast)
    token, client = invited(cast.administrator_a), browser()
    page = set_up_codes(client, token, **typed)
    assert page.status_code == 422
    assert b'role="alert"' in page.content
    assert newest().used_at is None
    assert client.get("/invitation/picture.svg").headers["content-type"] == "image/svg+xml"
    assert set_up_codes(client, token).status_code == 302


def test_codes_are_refused_where_they_are_not_allowed_and_for_privileged_roles(cast: Cast) -> None:
    token = invited(cast.administrator_a)
    assert set_up_codes(browser(), token).status_code == 403
    allow_codes(cast)
    token = invited(cast.administrator_a, Role.OFFICER, Role.ADMINISTRATOR)
    assert set_up_codes(browser(), token).status_code == 403
    page = browser().post("/invitation/", {"token": token, "address": ADDRESS}).content.decode()
    assert "/invitation/password/" not in page
    assert browser().get("/invitation/picture.svg").status_code == 404


def test_the_token_goes_into_no_address_while_the_script_is_on_its_way(cast: Cast) -> None:
    token = invited(cast.administrator_a)
    page = browser().post("/invitation/", {"token": token, "address": ADDRESS}).content.decode()
    form = page.partition('data-passkey="create"')
    assert form[0].endswith('<form class="stack" method="post" action="/invitation/" ')
    assert '<button class="button primary" type="submit" disabled data-waits-for-script>' in form[2]
