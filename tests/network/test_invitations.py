"""An account comes from an invitation and from nothing else: who invites whom, and how one is accepted."""

import base64
import importlib
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.urls import clear_url_caches
from django.utils import timezone

import network.urls.invitations
from network.actions.invitations import invite
from network.errors import Invalid, Refusal
from network.factors import count_passkeys
from network.field_encryption import index_field
from network.models import (
    AuditEntry,
    AuthorityKind,
    EventRecord,
    Invitation,
    Membership,
    OutgoingMail,
    Person,
    Role,
    SignIn,
)
from network.queries.invitations import list_open_invitations
from tests.network.invited import (
    ADDRESS,
    SYNCED,
    accept,
    begin,
    browser,
    code_of,
    finish,
    invited,
    newest,
    token_of_newest_mail,
)
from tests.network.test_addresses import HOSTILE
from tests.personas import Cast, Persona, address_of, fill_buckets, make_authority, make_persona

FACTS = {"name": "New Officer", "office": "Division 1", "language": "en", "address": ADDRESS}


def refusal_of(actor: Persona, **facts: Any) -> str:
    """Return the code with which an invitation is refused; nothing may have been written."""
    wanted = {**FACTS, "authority_id": actor.actor.authority_id, "roles": [Role.OFFICER], **facts}
    with pytest.raises(Refusal) as refusal:
        invite(actor.actor, **wanted)
    assert not Invitation.objects.exists()
    assert not OutgoingMail.objects.filter(kind="invitation").exists()
    return refusal.value.code


def form(**changed: Any) -> dict[str, Any]:
    """Return the fields of the page that invites."""
    person = {"person": "New Officer", "office": "Division 1", "address": ADDRESS, "language": "fr"}
    return {**person, "roles": ["officer"], **changed}


# Inviting


def test_an_administrator_can_invite_into_the_own_authority(cast: Cast) -> None:
    client = cast.administrator_a.client()
    response = client.post("/people/invite/", form(roles=["officer", "auditor"]))
    assert (response.status_code, response.headers["location"]) == (302, "/people/")
    invitation = newest()
    assert invitation.authority_id == cast.administrator_a.actor.authority_id
    assert invitation.roles == ["auditor", "officer"]
    assert invitation.sponsor == cast.administrator_a.membership
    assert invitation.until_at - invitation.sent_at == timedelta(hours=72)
    assert OutgoingMail.objects.get(kind="invitation").language == "fr"
    entry = AuditEntry.objects.get(act="invitation:send")
    assert (entry.subject, entry.facts["roles"]) == (invitation.id.hex, "auditor officer")


def test_nobody_can_be_invited_at_a_hostile_address(cast: Cast) -> None:
    client = cast.administrator_a.client()
    for address in HOSTILE:
        fill_buckets()
        if address.strip() == "officer@gouv.fr":
            continue  # what a browser's own field takes away around an address, the page takes away too
        response = client.post("/people/invite/", form(address=address))
        assert response.status_code == 422, ascii(address)
        assert "name@ministry.example" in response.content.decode()
    assert not Invitation.objects.exists()


def test_an_administrator_cannot_invite_into_another_authority(cast: Cast) -> None:
    other = cast.administrator_b.actor.authority_id
    assert refusal_of(cast.administrator_a, authority_id=other) == "not-found"
    body = form(authority=str(other))
    assert cast.administrator_a.client().post("/people/invite/", body).status_code == 404
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("role", [Role.DIRECTORY_OFFICER, Role.MODERATOR, Role.SECURITY_OFFICER])
def test_nobody_can_give_a_role_of_the_secretariat_by_an_invitation(cast: Cast, role: Role) -> None:
    assert refusal_of(cast.administrator_a, roles=[role]) == "two-persons"
    own = cast.directory_officer.actor.authority_id
    assert refusal_of(cast.directory_officer, roles=[role], authority_id=own) == "two-persons"


@pytest.mark.parametrize("role", [Role.FOCAL_POINT, Role.COORDINATOR, Role.OBSERVER])
def test_roles_that_this_kind_of_authority_has_not_are_refused(cast: Cast, role: Role) -> None:
    assert refusal_of(cast.administrator_a, roles=[Role.OFFICER, role]) == "roles-not-possible"
    assert refusal_of(cast.administrator_a, roles=[]) == "roles-not-possible"
    body = form(roles=["officer", "king"])
    assert cast.administrator_a.client().post("/people/invite/", body).status_code == 422


@pytest.mark.parametrize(
    "changed", [{"name": " "}, {"office": ""}, {"name": "x" * 201}, {"name": "a\u202eb"}]
)
def test_a_name_and_an_office_are_needed(cast: Cast, changed: dict[str, str]) -> None:
    assert refusal_of(cast.administrator_a, **changed) == "name-and-office-needed"
    assert refusal_of(cast.administrator_a, language="tlh") == "unknown-language"


def test_a_directory_officer_can_invite_only_the_first_administrator(cast: Cast) -> None:
    officer, has_one = cast.directory_officer, cast.administrator_a.actor.authority_id
    assert refusal_of(officer, authority_id=has_one, roles=[Role.ADMINISTRATOR]) == "has-administrator"
    without = make_authority("XDD", "Ministry of Justice of State D").id
    assert refusal_of(officer, authority_id=without, roles=[Role.OFFICER]) == "first-role-only"
    both = [Role.ADMINISTRATOR, Role.OFFICER]
    assert refusal_of(officer, authority_id=without, roles=both) == "first-role-only"
    assert officer.client().get(f"/people/invite/?authority={without}").status_code == 200
    invite(officer.actor, **FACTS, authority_id=without, roles=[Role.ADMINISTRATOR])
    assert AuditEntry.objects.get(act="invitation:send").concerns == [without.hex]


@pytest.mark.parametrize("change", ["suspended_at", "attested_until_at"])
def test_nobody_can_put_somebody_in_the_place_of_an_administrator_who_was_stopped(
    cast: Cast, change: str
) -> None:
    assert cast.administrator_a.membership
    Membership.objects.filter(id=cast.administrator_a.membership.id).update(**{change: timezone.now()})
    theirs = cast.administrator_a.membership.authority_id
    refused = refusal_of(cast.directory_officer, authority_id=theirs, roles=[Role.ADMINISTRATOR])
    assert refused == "has-administrator"


@pytest.mark.parametrize("change", ["suspended_at", "until_at"])
def test_an_invitation_ends_with_the_standing_of_who_sent_it(cast: Cast, change: str) -> None:
    token = invited(cast.administrator_a)
    options = begin(browser(), token)
    assert options.status_code == 200
    assert cast.administrator_a.membership
    Membership.objects.filter(id=cast.administrator_a.membership.id).update(**{change: timezone.now()})
    assert code_of(accept(browser(), token)) == (409, "invitation-withdrawn")
    assert not Person.objects.filter(address_index=index_field("person.address", ADDRESS)).exists()


def test_a_directory_officer_can_invite_the_focal_point_of_a_mission(cast: Cast) -> None:
    mission = make_authority("XBB", "Permanent Mission of State B", AuthorityKind.MISSION)
    invite(cast.directory_officer.actor, **FACTS, authority_id=mission.id, roles=[Role.FOCAL_POINT])
    assert newest().authority == mission


def test_a_member_is_not_invited_twice(cast: Cast) -> None:
    assert refusal_of(cast.administrator_a, address=address_of("officer_a")) == "already-member"


def test_a_newer_invitation_takes_the_place_of_an_older_one(cast: Cast) -> None:
    old = invited(cast.administrator_a)
    new = invited(cast.administrator_a, Role.AUDITOR)
    assert code_of(begin(browser(), old)) == (409, "invitation-withdrawn")
    assert begin(browser(), new).status_code == 200


def test_invitations_are_limited_for_each_authority(cast: Cast) -> None:
    for number in range(50):
        invited(cast.administrator_a, address=f"officer{number}@authority.example")
    with pytest.raises(Refusal) as refusal:
        invited(cast.administrator_a, address="one.more@authority.example")
    assert refusal.value.code == "too-many"
    invited(cast.administrator_b)
    assert Invitation.objects.count() == 51


def test_an_administrator_can_withdraw_and_send_again(cast: Cast) -> None:
    client, token = cast.administrator_a.client(), invited(cast.administrator_a)
    first = newest()
    assert client.post(f"/people/invitations/{first.id}/resend/").status_code == 302
    again = token_of_newest_mail()
    assert code_of(begin(browser(), token)) == (409, "invitation-withdrawn")
    assert begin(browser(), again).status_code == 200
    assert client.post(f"/people/invitations/{newest().id}/withdraw/").status_code == 302
    assert code_of(begin(browser(), again)) == (409, "invitation-withdrawn")
    assert client.post(f"/people/invitations/{newest().id}/withdraw/").status_code in {400, 409}


def test_an_administrator_of_another_authority_can_do_nothing_to_it(cast: Cast) -> None:
    token, invitation = invited(cast.administrator_a), newest()
    client = cast.administrator_b.client()
    for act in ("withdraw", "resend"):
        assert client.post(f"/people/invitations/{invitation.id}/{act}/").status_code == 404
    assert begin(browser(), token).status_code == 200


# Accepting


def test_the_invited_can_accept_once_and_is_signed_in(cast: Cast) -> None:
    token, client = invited(cast.administrator_a), browser()
    answer = accept(client, token)
    assert (answer.status_code, answer.json()) == (200, {"next": "/invitation/codes/"})
    person = Person.objects.get(address_index=index_field("person.address", ADDRESS))
    member = Membership.objects.get(person=person)
    assert (person.name, member.office, member.roles) == ("New Officer", "Division 1", ["officer"])
    assert member.authority_id == cast.administrator_a.actor.authority_id
    assert member.attested_until_at is not None
    assert timedelta(days=200) < member.attested_until_at - timezone.now() < timedelta(days=220)
    assert count_passkeys(person.id) == 1
    assert client.get("/threads/").status_code == 200
    assert SignIn.objects.get(membership=member).factor == "passkey"
    entry = AuditEntry.objects.get(act="invitation:accept")
    assert entry.concerns == [member.authority_id.hex]
    told = EventRecord.objects.get(name="network.invitation.accepted")
    assert told.audience == f"authority:{member.authority_id.hex}"
    assert told.payload == {"invitation": newest().id.hex, "membership": member.id.hex}
    assert ADDRESS not in str(list(AuditEntry.objects.values()))
    assert code_of(begin(browser(), token)) == (409, "invitation-used")


def test_recovery_codes_are_shown_until_they_are_kept_and_never_after(cast: Cast) -> None:
    client = browser()
    accept(client, invited(cast.administrator_a))
    first = client.get("/invitation/codes/").content.decode()
    assert first.count('<li class="code">') == 10
    assert client.get("/invitation/codes/").content.decode().count('<li class="code">') == 10
    code = first.partition('<li class="code">')[2].partition("<")[0]
    assert code not in str(dict(client.session))
    assert client.post("/invitation/codes/", {}).status_code == 200
    assert client.post("/invitation/codes/", {"kept": "yes"}).headers["location"] == "/welcome/"
    assert client.get("/invitation/codes/").headers["location"] == "/welcome/"


def test_of_a_token_changed_in_any_byte_nothing_is_known(cast: Cast) -> None:
    token = invited(cast.administrator_a)
    raw = base64.urlsafe_b64decode(token)
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        fill_buckets()
        answer = begin(browser(), base64.urlsafe_b64encode(changed).decode())
        assert code_of(answer) == (404, "invitation-unknown"), place
    for odd in ("", "x", token[:-1], token + "A", token + "=", token.swapcase(), "é" * 64, "A" * 64):
        fill_buckets()
        assert code_of(begin(browser(), odd)) == (404, "invitation-unknown"), odd
    assert begin(browser(), token).status_code == 200


@pytest.mark.parametrize(
    "address", ["New.officer@authority.example", "new.officer@authority2.example", "other@authority.example"]
)
def test_the_link_alone_is_nothing_without_the_address(cast: Cast, address: str) -> None:
    assert code_of(begin(browser(), invited(cast.administrator_a), address)) == (404, "invitation-unknown")


def test_the_domain_may_be_typed_in_capitals(cast: Cast) -> None:
    assert begin(browser(), invited(cast.administrator_a), "new.officer@AUTHORITY.Example").status_code == 200


def test_unknown_and_foreign_look_the_same(cast: Cast) -> None:
    token = invited(cast.administrator_a)
    foreign = browser().post("/invitation/", {"token": token, "address": "other@authority.example"})
    unknown = browser().post("/invitation/", {"token": "A" * 64, "address": "other@authority.example"})
    assert foreign.status_code == unknown.status_code == 404
    shown = [
        page.content.decode().partition('role="alert"')[2].partition("</div>")[0]
        for page in (foreign, unknown)
    ]
    assert shown[0] == shown[1]
    assert "do not belong together" in shown[0]
    assert "Ministry" not in foreign.content.decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"until_at": timezone.now()}, "not"),
        ({"used_at": timezone.now()}, "used already"),
        ({"withdrawn_at": timezone.now()}, "was withdrawn"),
    ],
)
def test_an_invitation_that_is_over_says_what_to_do(
    cast: Cast, change: dict[str, Any], sentence: str
) -> None:
    token = invited(cast.administrator_a)
    Invitation.objects.update(**change)
    page = browser().post("/invitation/", {"token": token, "address": ADDRESS})
    assert page.status_code in {404, 409}
    assert sentence in page.content.decode()
    assert code_of(accept(browser(), token))[0] in {404, 409}
    assert not Person.objects.filter(name="New Officer").exists()


def test_an_invitation_expires_after_72_hours(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    token, sent_at = invited(cast.administrator_a), newest().sent_at
    monkeypatch.setattr(timezone, "now", lambda: sent_at + timedelta(hours=71, minutes=59))
    assert begin(browser(), token).status_code == 200
    monkeypatch.setattr(timezone, "now", lambda: sent_at + timedelta(hours=72))
    assert code_of(begin(browser(), token)) == (409, "invitation-expired")


@pytest.mark.parametrize("change", [{"roles": ["administrator"]}, {"until_at": None}, {"authority": None}])
def test_a_row_that_was_changed_fits_no_link(cast: Cast, change: dict[str, Any]) -> None:
    token = invited(cast.administrator_a)
    known = {
        "until_at": newest().until_at + timedelta(days=300),
        "authority": cast.administrator_b.actor.authority_id,
    }
    name = next(iter(change))
    Invitation.objects.update(**{name: change[name] or known[name]})
    assert code_of(begin(browser(), token)) == (404, "invitation-unknown")


def test_a_domain_grants_nothing(cast: Cast) -> None:
    token = invited(cast.administrator_a)
    for address in (address_of("officer_a"), "anybody@authority.example"):
        assert code_of(begin(browser(), token, address)) == (404, "invitation-unknown")
    assert not Person.objects.filter(
        address_index=index_field("person.address", "anybody@authority.example")
    ).exists()


def test_a_privileged_role_needs_a_passkey_that_cannot_be_copied(cast: Cast) -> None:
    token = invited(cast.administrator_a, Role.SUPERVISOR)
    page = browser().post("/invitation/", {"token": token, "address": ADDRESS}).content.decode()
    assert "cannot be copied" in page
    assert code_of(accept(browser(), token, flags=SYNCED)) == (403, "passkey-not-bound")
    assert newest().used_at is None
    assert not Person.objects.filter(name="New Officer").exists()
    assert accept(browser(), token).status_code == 200


def test_an_officer_may_have_a_passkey_that_is_copied(cast: Cast) -> None:
    assert accept(browser(), invited(cast.administrator_a), flags=SYNCED).status_code == 200


def test_a_passkey_made_for_something_else_is_refused(cast: Cast) -> None:
    token, other = invited(cast.administrator_a), invited(cast.administrator_b, address="x@authority.example")
    client = browser()
    begin(client, token)
    odd: list[Any] = [None, {}, [], "x", {"id": 1, "rawId": "AA", "type": "public-key", "response": {}}]
    for credential in odd:
        begin(client, token)
        assert code_of(finish(client, token, credential)) == (403, "sign-in-failed")
    assert accept(client, other, "x@authority.example").status_code == 200
    assert newest().used_at or Invitation.objects.filter(used_at=None).count() == 1
    assert not Person.objects.filter(
        name="New Officer", address_index=index_field("person.address", ADDRESS)
    ).exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"fields": 1}', b'{"fields": {"token": 1}}', b"\xff"])
def test_what_no_page_sends_is_refused(cast: Cast, body: bytes) -> None:
    for path in ("/invitation/options/", "/invitation/accept/"):
        answer = browser().generic("POST", path, body, "application/json")
        assert answer.status_code in {404, 422}


def test_who_accepts_is_not_who_was_signed_in_before(cast: Cast) -> None:
    client = cast.officer_b.client()
    client.defaults["HTTP_ACCEPT"] = "application/json"
    assert accept(client, invited(cast.administrator_a)).status_code == 200
    assert cast.officer_b.sign_in_id
    assert SignIn.objects.get(id=cast.officer_b.sign_in_id).ended_at is not None


# The outbox


def test_the_outbox_is_a_page_of_the_development_profile_only(settings: LazySettings) -> None:
    module = network.urls.invitations
    assert "outbox" in {pattern.name for pattern in module.urlpatterns}
    settings.PROFILE = "production"
    try:
        assert "outbox" not in {pattern.name for pattern in importlib.reload(module).urlpatterns}
    finally:
        settings.PROFILE = "test"
        importlib.reload(module)
        clear_url_caches()


def test_invalid_is_said_in_words(cast: Cast) -> None:
    with pytest.raises(Invalid) as refusal:
        invite(
            cast.administrator_a.actor,
            **{**FACTS, "address": "x"},
            authority_id=cast.administrator_a.actor.authority_id,
            roles=[Role.OFFICER],
        )
    assert "name@ministry.example" in str(refusal.value.sentence)


def test_the_page_shows_who_invites_only_after_the_right_address(cast: Cast) -> None:
    token = invited(cast.administrator_a)
    before = browser().get("/invitation/").content.decode()
    assert "Ministry of Justice" not in before
    page = browser().post("/invitation/", {"token": token, "address": ADDRESS}).content.decode()
    assert "Ministry of Justice of State A" in page
    assert "Division 1" in page


def test_open_invitations_are_listed_for_who_may_send_them(cast: Cast) -> None:
    invited(cast.administrator_a)
    assert cast.administrator_a.membership
    own = cast.administrator_a.membership.authority
    second = make_persona("second_administrator_a", own, Role.ADMINISTRATOR)
    assert [row.address for row in list_open_invitations(second.actor)] == [ADDRESS]
    assert list_open_invitations(cast.administrator_b.actor) == []
    assert list_open_invitations(cast.directory_officer.actor) == []
