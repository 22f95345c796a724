"""Passkeys: whoever holds one gets in, and nobody else by any trick with its messages."""

from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from messaging.sdk.passkey import PRESENT, SoftwarePasskey, from_text, to_text
from network.actions.sign_ins import act_for
from network.errors import SignedOut
from network.factors import CHALLENGE_KEY, CHALLENGE_SECONDS, list_passkeys
from network.models import AuditEntry, Factor, Membership, OutgoingMail, SignIn
from tests.passkeys import COPIED, browser, enrol, offered, own_address, post, prove, sign_in
from tests.personas import Cast


def assert_failed(answer: Any) -> None:
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "sign-in-failed"


def test_an_officer_can_sign_in_with_a_passkey_alone(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    client, answer = sign_in(passkey, next="/devices/")
    assert (answer.status_code, answer.json()) == (200, {"next": "/devices/"})
    found = SignIn.objects.latest("started_at")
    assert (found.membership, found.factor) == (cast.officer_a.membership, Factor.PASSKEY)
    assert found.credential.isdecimal()
    assert found.address_sealed
    assert client.get("/api/session").status_code == 200


def test_signing_in_begins_a_session_with_a_new_key(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    client = browser()
    post(client, "/sign-in/passkey/options/", {})
    before = client.cookies[settings.SESSION_COOKIE_NAME].value
    sign_in(passkey, client)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before


def test_an_answer_counts_once(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    client = browser()
    options = post(client, "/sign-in/passkey/options/", {}).json()
    body = {"credential": passkey.assertion(options), "fields": {}}
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert post(client, "/sign-in/passkey/", body).status_code == 200
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    assert_failed(post(client, "/sign-in/passkey/", body))
    assert_failed(post(browser(), "/sign-in/passkey/", body))


def test_a_challenge_counts_once_even_when_the_answer_was_wrong(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    client = browser()
    options = post(client, "/sign-in/passkey/options/", {}).json()
    assert_failed(post(client, "/sign-in/passkey/", {"credential": {}}))
    assert_failed(post(client, "/sign-in/passkey/", {"credential": passkey.assertion(options)}))


def test_a_challenge_is_stale_after_five_minutes(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    for seconds in (CHALLENGE_SECONDS + 1, -60):  # too old, and from a clock that was ahead
        client = browser()
        options = post(client, "/sign-in/passkey/options/", {}).json()
        session = client.session
        kept = session[CHALLENGE_KEY]
        session[CHALLENGE_KEY] = {**kept, "at": kept["at"] - seconds}
        session.save()
        assert_failed(post(client, "/sign-in/passkey/", {"credential": passkey.assertion(options)}))


def test_a_challenge_of_another_browser_or_purpose_is_refused(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    elsewhere = post(browser(), "/sign-in/passkey/options/", {}).json()
    client = browser()
    post(client, "/sign-in/passkey/options/", {})
    assert_failed(post(client, "/sign-in/passkey/", {"credential": passkey.assertion(elsewhere)}))
    client = cast.officer_a.client()
    to_make = post(client, "/account/passkeys/options/", {}).json()
    assert_failed(post(client, "/sign-in/passkey/", {"credential": passkey.assertion(to_make)}))
    to_prove = post(client, "/sign-in/again/options/", {}).json()
    assert_failed(post(client, "/sign-in/passkey/", {"credential": passkey.assertion(to_prove)}))


@pytest.mark.parametrize(
    "origin",
    [
        "https://localhost:8000",
        "http://localhost",
        "http://localhost:8001",
        "http://localhost.evil.test:8000",
        "http://evil.test",
        "http://a.localhost:8000",
        "null",
        "",
    ],
)
def test_an_answer_for_another_origin_is_refused(cast: Cast, origin: str) -> None:
    passkey = enrol(cast.officer_a)
    passkey.origin = origin
    assert_failed(sign_in(passkey)[1])


def test_an_answer_for_another_site_is_refused(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    passkey.site = "evil.test"
    assert_failed(sign_in(passkey)[1])


@pytest.mark.parametrize("flags", [PRESENT, 0x04, 0])
def test_an_answer_without_the_person_being_verified_and_present_is_refused(cast: Cast, flags: int) -> None:
    passkey = enrol(cast.officer_a)
    passkey.flags = flags
    assert_failed(sign_in(passkey)[1])


def test_a_key_whose_counter_does_not_move_on_is_refused(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    passkey.counter = 7
    assert sign_in(passkey)[1].status_code == 200
    for counter in (7, 6, 0, -1):
        passkey.counter = counter
        assert_failed(sign_in(passkey)[1])
    passkey.counter = 8
    assert sign_in(passkey)[1].status_code == 200


def test_a_key_that_does_not_count_can_be_used_again(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    for _ in range(2):
        passkey.counter = -1
        assert sign_in(passkey)[1].status_code == 200


def test_nobody_can_sign_in_with_the_key_of_another(cast: Cast) -> None:
    own, other = enrol(cast.officer_a), enrol(cast.officer_b)
    own.person = other.person
    assert_failed(sign_in(own)[1])
    own.id = other.id
    assert_failed(sign_in(own)[1])


def test_a_changed_answer_is_refused(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    for name in ("authenticatorData", "signature", "clientDataJSON", "userHandle"):
        client = browser()
        options = post(client, "/sign-in/passkey/options/", {}).json()
        credential = passkey.assertion(options)
        data = bytearray(from_text(credential["response"][name]))
        data[-1] ^= 1
        credential["response"][name] = to_text(bytes(data))
        assert_failed(post(client, "/sign-in/passkey/", {"credential": credential}))


@pytest.mark.parametrize(
    "credential",
    [
        None,
        [],
        "x",
        {},
        {"id": "AA", "rawId": "AA", "type": "public-key", "response": {}},
        {"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "e30"}},
        {
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {
                "clientDataJSON": "e30",
                "authenticatorData": "AA",
                "signature": "AA",
                "userHandle": "AA",
            },
        },
        {"id": 7, "rawId": 7, "type": 7, "response": 7},
    ],
)
def test_bytes_that_are_no_answer_are_refused(cast: Cast, credential: Any) -> None:
    for purpose in ("/sign-in/passkey/", "/account/passkeys/"):
        client = cast.officer_a.client()
        post(client, f"{purpose}options/", {})
        assert_failed(post(client, purpose, {"credential": credential, "fields": {"name": "Key"}}))


@pytest.mark.parametrize("change", ["until_at", "suspended_at", "attested_until_at"])
def test_whoever_has_no_standing_is_refused_like_a_stranger(cast: Cast, change: str) -> None:
    passkey = enrol(cast.officer_a)
    assert cast.officer_a.membership
    Membership.objects.filter(id=cast.officer_a.membership.id).update(**{change: timezone.now()})
    _, refused = sign_in(passkey)
    stranger = SoftwarePasskey.make(settings.SITE_ORIGIN, _options_of_nobody())
    _, unknown = sign_in(stranger)
    assert_failed(refused)
    assert (refused.status_code, refused.content) == (unknown.status_code, unknown.content)


def _options_of_nobody() -> dict[str, Any]:
    return {
        "publicKey": {
            "rp": {"id": "localhost"},
            "user": {"id": to_text(bytes(range(16)))},
            "pubKeyCredParams": [{"alg": -7}],
            "challenge": "",
        }
    }


# Passkeys that can be copied


@pytest.mark.parametrize(
    "name", ["supervisor_a", "administrator_a", "directory_officer", "moderator", "security_officer"]
)
def test_whoever_is_privileged_cannot_add_a_passkey_that_can_be_copied(cast: Cast, name: str) -> None:
    client = cast.everybody()[name].client()
    options = post(client, "/account/passkeys/options/", {}).json()
    passkey = SoftwarePasskey.make(settings.SITE_ORIGIN, options, flags=COPIED)
    answer = post(client, "/account/passkeys/", offered(passkey, options))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "passkey-not-bound")
    assert "security key" in answer.json()["error"]["message"]


def test_an_officer_with_such_a_passkey_cannot_use_it_after_becoming_supervisor(cast: Cast) -> None:
    passkey = enrol(cast.officer_a, flags=COPIED)
    assert sign_in(passkey)[1].status_code == 200
    membership = cast.officer_a.membership
    assert membership
    type(membership).objects.filter(id=membership.id).update(roles=["supervisor"])
    answer = sign_in(passkey)[1]
    assert answer.json()["error"]["code"] == "passkey-not-bound"
    # An answer that no longer says so is not believed: what was said at first counts.
    passkey.flags = 0x05
    assert sign_in(passkey)[1].json()["error"]["code"] == "passkey-not-bound"


# One's own passkeys


def test_adding_and_removing_is_told_by_mail_and_recorded(cast: Cast) -> None:
    first = enrol(cast.officer_a)
    client, _ = sign_in(first)
    second = enrol(cast.officer_a)
    found = SignIn.objects.exclude(credential__startswith="key").get(ended_at=None)
    listed = client.get("/account/").content.decode()
    assert listed.count("stays in one device") == 2
    last_id = AuditEntry.objects.filter(act="factor:add").latest("n").subject
    assert (
        client.post("/account/passkeys/rename/", {"passkey": last_id, "name": "Blue key"}).status_code == 302
    )
    assert "Blue key" in client.get("/account/").content.decode()
    assert client.post("/account/passkeys/remove/", {"passkey": last_id}).status_code == 302
    assert "nobody can sign in with it any more" in client.get("/account/").content.decode()
    assert_failed(sign_in(second)[1])
    assert SignIn.objects.get(id=found.id).ended_at is None
    acts = list(
        AuditEntry.objects.filter(act__startswith="factor:").order_by("n").values_list("act", flat=True)
    )
    assert acts == ["factor:add", "factor:add", "factor:rename", "factor:remove"]
    assert OutgoingMail.objects.count() >= 3


def test_an_officer_cannot_remove_the_last_passkey_or_the_one_in_use(cast: Cast) -> None:
    enrol(cast.officer_a)
    only = AuditEntry.objects.get(act="factor:add").subject
    refused = cast.officer_a.client().post("/account/passkeys/remove/", {"passkey": only})
    assert refused.status_code == 409
    assert b"your only passkey" in refused.content
    other = enrol(cast.officer_a)
    client, _ = sign_in(other)
    in_use = SignIn.objects.latest("started_at").credential
    assert client.post("/account/passkeys/remove/", {"passkey": in_use}).status_code == 409


def test_removing_a_passkey_ends_what_is_signed_in_with_it(cast: Cast) -> None:
    lost = enrol(cast.officer_a)
    thief, _ = sign_in(lost)
    enrol(cast.officer_a)
    lost_id = AuditEntry.objects.filter(act="factor:add").earliest("n").subject
    assert thief.get("/api/session").status_code == 200
    cast.officer_a.client().post("/account/passkeys/remove/", {"passkey": lost_id})
    assert thief.get("/api/session").status_code == 401


def test_one_passkey_cannot_serve_two_accounts(cast: Cast) -> None:
    passkey = enrol(cast.directory_officer)
    client = cast.second_directory_officer.client()
    options = post(client, "/account/passkeys/options/", {}).json()
    passkey.person = from_text(options["publicKey"]["user"]["id"])
    for spelled in (to_text(passkey.id), to_text(passkey.id) + "="):
        options = post(client, "/account/passkeys/options/", {}).json()
        body = offered(passkey, options)
        body["credential"] |= {"id": spelled, "rawId": spelled}
        assert_failed(post(client, "/account/passkeys/", body))
    assert cast.second_directory_officer.membership
    assert not list_passkeys(cast.second_directory_officer.membership.person_id)


def test_who_was_just_proven_cannot_go_on_with_a_passkey_that_was_removed(cast: Cast) -> None:
    stolen, kept = enrol(cast.officer_a), enrol(cast.officer_a)
    assert cast.officer_a.membership
    person_id = cast.officer_a.membership.person_id
    other = Membership.objects.create(
        person_id=person_id,
        authority_id=cast.officer_b.actor.authority_id,
        roles=["officer"],
        office="Other",
        from_at=timezone.now(),
    )
    thief, answer = sign_in(stolen)
    assert answer.json()["next"].startswith("/sign-in/for/")
    owner, _ = sign_in(kept, membership=str(other.id))
    wanted = list_passkeys(person_id)[0].id
    assert owner.post("/account/passkeys/remove/", {"passkey": wanted}).status_code == 302
    chosen = thief.post("/sign-in/for/choose/", {"membership": str(other.id)})
    assert chosen.status_code != 302
    assert thief.get("/api/session").status_code == 401


def test_a_sign_in_that_was_ended_meanwhile_is_not_continued_for_another(cast: Cast) -> None:
    actor = cast.delegate_a.actor
    SignIn.objects.filter(id=actor.sign_in_id).update(ended_at=timezone.now())
    with pytest.raises(SignedOut):
        act_for(actor, delegation_id=None)
    assert not SignIn.objects.filter(membership_id=actor.membership_id, ended_at=None).exists()


def test_an_odd_choice_of_authority_is_no_error_of_the_server(cast: Cast) -> None:
    passkey, client = enrol(cast.officer_a), browser()
    options = post(client, "/sign-in/passkey/options/", {}).json()
    body = {"credential": passkey.assertion(options), "fields": {"membership": ["x"]}}
    assert post(client, "/sign-in/passkey/", body).status_code == 200


@pytest.mark.parametrize("path", ["rename", "remove"])
def test_an_officer_cannot_touch_the_passkey_of_another(cast: Cast, path: str) -> None:
    enrol(cast.officer_b)
    others = AuditEntry.objects.get(act="factor:add").subject
    for value in (others, "0", "x", "9" * 30, ""):
        body = {"passkey": value, "name": "Mine"}
        assert cast.officer_a.client().post(f"/account/passkeys/{path}/", body).status_code == 404


def test_a_passkey_made_for_one_person_cannot_be_given_to_another(cast: Cast) -> None:
    client = cast.officer_a.client()
    options = post(client, "/account/passkeys/options/", {}).json()
    passkey = SoftwarePasskey.make(settings.SITE_ORIGIN, options)
    other = cast.officer_b.client()
    assert_failed(post(other, "/account/passkeys/", offered(passkey, options)))


@pytest.mark.parametrize("change", ["origin", "site", "flags", "challenge"])
def test_a_new_passkey_is_verified_as_strictly(cast: Cast, change: str) -> None:
    client = cast.officer_a.client()
    options = post(client, "/account/passkeys/options/", {}).json()
    passkey = SoftwarePasskey.make(settings.SITE_ORIGIN, options)
    match change:
        case "origin":
            passkey.origin = "http://evil.test"
        case "site":
            passkey.site = "evil.test"
        case "flags":
            passkey.flags = PRESENT
        case _:
            options = {"publicKey": {**options["publicKey"], "challenge": to_text(bytes(32))}}
    assert_failed(post(client, "/account/passkeys/", offered(passkey, options)))


# Sign-ins


def test_a_new_kind_of_browser_is_told_by_mail_once(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    OutgoingMail.objects.all().delete()
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    for _ in range(2):
        client = browser()
        client.defaults["HTTP_USER_AGENT"] = firefox
        sign_in(passkey, client)
    assert SignIn.objects.latest("started_at").agent == "Firefox on Windows"
    assert OutgoingMail.objects.count() == 1


def test_an_officer_sees_and_ends_own_sign_ins_only(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    elsewhere, _ = sign_in(passkey)
    other = SignIn.objects.latest("started_at")
    client = cast.officer_a.client()
    page = client.get("/account/").content.decode()
    assert "2001:db8:" in page
    assert "2001:db8::" not in cast.officer_b.client().get("/account/").content.decode()
    stranger = cast.officer_b.client().post("/account/sign-ins/end/", {"sign-in": other.id.hex})
    assert stranger.status_code == 404
    assert elsewhere.get("/api/session").status_code == 200
    client.post("/account/sign-ins/end/", {"sign-in": other.id.hex})
    assert elsewhere.get("/api/session").status_code == 401
    elsewhere, _ = sign_in(passkey)
    client.post("/account/sign-ins/end/", {"sign-in": "others"})
    assert elsewhere.get("/api/session").status_code == 401
    assert client.get("/api/session").status_code == 200


def test_a_stranger_cannot_lock_out_a_passkey(cast: Cast) -> None:
    passkey, address, stranger = enrol(cast.officer_a), own_address(cast.officer_a), browser()
    for _ in range(40):
        stranger.post("/sign-in/code/", {"address": address, "password": "x", "code": "1"})
        stranger.post("/sign-in/recovery/", {"address": address, "code": "1"})
    assert stranger.post("/sign-in/code/", {"address": address}).status_code == 429
    assert browser().post("/sign-in/code/", {"address": address}).status_code == 429
    assert sign_in(passkey)[1].status_code == 200
    assert sign_in(passkey, stranger)[1].status_code == 200
    assert prove(passkey, cast.officer_a.client()).status_code == 200
