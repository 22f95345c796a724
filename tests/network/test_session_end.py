"""When a sign-in ends: left alone, after twelve hours, and what keeps it; seen by moving its row's times."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from network.models import AuditEntry, Delegation, SignIn
from tests.passkeys import COPIED, enrol, post, sign_in
from tests.personas import Cast, Persona

PRIVILEGED = ("supervisor_a", "administrator_a", "directory_officer", "moderator", "security_officer")
OTHERS = ("officer_a", "auditor_a", "observer", "focal_point_a")


def row_of(persona: Persona) -> SignIn:
    assert persona.sign_in_id
    return SignIn.objects.get(id=persona.sign_in_id)


def move(persona: Persona, **times: Any) -> None:
    assert persona.sign_in_id
    SignIn.objects.filter(id=persona.sign_in_id).update(**times)


def minutes_left(persona: Persona) -> float:
    quiet = row_of(persona).quiet_until_at
    assert quiet
    return (quiet - timezone.now()).total_seconds() / 60


@pytest.mark.parametrize(
    ("name", "minutes"), [*((name, 15) for name in PRIVILEGED), *((name, 30) for name in OTHERS)]
)
def test_a_sign_in_ends_when_left_alone_sooner_for_the_privileged(
    cast: Cast, name: str, minutes: int
) -> None:
    persona = cast.everybody()[name]
    assert minutes - 0.2 < minutes_left(persona) <= minutes
    move(persona, quiet_until_at=timezone.now() - timedelta(seconds=1))
    assert persona.client().get("/api/session").status_code == 401
    assert persona.client().get("/account/").headers["location"].startswith("/sign-in/?next=")


def test_a_sign_in_ends_after_twelve_hours_whatever_is_done(cast: Cast) -> None:
    row = row_of(cast.officer_a)
    assert row.until_at - row.started_at == timedelta(hours=12)
    move(cast.officer_a, until_at=timezone.now() - timedelta(seconds=1))
    post(cast.officer_a.client(), "/session/stay/", {})
    assert cast.officer_a.client().get("/api/session").status_code == 401


@pytest.mark.parametrize("path", ["/account/", "/what-the-server-sees/", "/threads/"])
def test_what_a_person_does_moves_the_end(cast: Cast, path: str) -> None:
    move(cast.officer_a, quiet_until_at=timezone.now() + timedelta(minutes=1))
    cast.officer_a.client().get(path)
    assert minutes_left(cast.officer_a) > 29


@pytest.mark.parametrize("path", ["/api/session", "/api/authorities", "/session/ends/", "/healthz"])
def test_what_a_program_asks_by_itself_does_not(cast: Cast, path: str) -> None:
    move(cast.officer_a, quiet_until_at=timezone.now() + timedelta(minutes=1))
    assert cast.officer_a.client().get(path).status_code == 200
    assert minutes_left(cast.officer_a) <= 1


def test_saying_that_one_is_there_moves_the_end_and_nothing_revives_what_has_ended(cast: Cast) -> None:
    move(cast.officer_a, quiet_until_at=timezone.now() + timedelta(minutes=1))
    answer = post(cast.officer_a.client(), "/session/stay/", {})
    assert 1795 <= answer.json()["quiet"] <= 1800
    assert 42000 < answer.json()["until"] <= 43200
    assert minutes_left(cast.officer_a) > 29
    move(cast.officer_a, quiet_until_at=timezone.now() - timedelta(seconds=1))
    assert post(cast.officer_a.client(), "/session/stay/", {}).status_code == 401
    assert minutes_left(cast.officer_a) < 0


def test_the_end_is_written_at_most_every_thirty_seconds(cast: Cast) -> None:
    client = cast.officer_a.client()
    client.get("/what-the-server-sees/")
    before = row_of(cast.officer_a).quiet_until_at
    client.get("/what-the-server-sees/")
    assert row_of(cast.officer_a).quiet_until_at == before


def test_the_warning_stands_on_every_page_of_who_is_signed_in(cast: Cast) -> None:
    page = cast.supervisor_a.client().get("/what-the-server-sees/").content
    assert b'data-quiet="900"' in page
    assert b"network/session.js" in page
    assert b"session-dialog" not in cast.signed_out.client().get("/what-the-server-sees/").content


# A fresh proof


def test_a_proof_is_fresh_for_five_minutes(cast: Cast) -> None:
    passkey = enrol(cast.officer_a)
    client, _ = sign_in(passkey)
    options = "/account/passkeys/options/"
    assert post(client, options, {}).status_code == 200
    SignIn.objects.update(proved_at=timezone.now() - timedelta(minutes=5, seconds=1))
    stale = post(client, options, {})
    assert (stale.status_code, stale.json()["error"]["code"]) == (403, "proof-needed")
    again = post(client, "/sign-in/again/options/", {}).json()
    before = client.cookies["session"].value
    body = {"credential": passkey.assertion(again), "fields": {"next": "/account/"}}
    assert post(client, "/sign-in/again/passkey/", body).json() == {"next": "/account/"}
    assert client.cookies["session"].value != before
    assert post(client, options, {}).status_code == 200
    assert AuditEntry.objects.filter(act="sign-in:prove").count() == 1


def test_only_ones_own_passkey_proves_again(cast: Cast) -> None:
    own, other = enrol(cast.officer_a), enrol(cast.officer_b)
    client, _ = sign_in(own)
    options = post(client, "/sign-in/again/options/", {}).json()
    answer = post(client, "/sign-in/again/passkey/", {"credential": other.assertion(options)})
    assert answer.json()["error"]["code"] == "sign-in-failed"
    to_sign_in = post(client, "/sign-in/passkey/options/", {}).json()
    answer = post(client, "/sign-in/again/passkey/", {"credential": own.assertion(to_sign_in)})
    assert answer.json()["error"]["code"] == "sign-in-failed"


def test_without_proof_nobody_proves_again_but_who_signed_in_so(cast: Cast) -> None:
    assert cast.officer_a.client().post("/sign-in/again/as/").status_code == 403


# Acting for a colleague


def lend(cast: Cast) -> Delegation:
    assert cast.officer_a.membership
    assert cast.supervisor_a.membership
    return Delegation.objects.create(
        grantor=cast.supervisor_a.membership,
        delegate=cast.officer_a.membership,
        roles=["supervisor"],
        from_at=timezone.now() - timedelta(days=1),
        until_at=timezone.now() + timedelta(days=1),
    )


def test_an_officer_can_act_for_a_colleague_and_stop(cast: Cast) -> None:
    lent = lend(cast)
    client, _ = sign_in(enrol(cast.officer_a))
    before = SignIn.objects.latest("started_at")
    assert "supervisor" not in client.get("/api/session").json()["membership"]["roles"]
    assert client.post("/account/act-for/", {"delegation": str(lent.id)}).status_code == 302
    assert "supervisor" in client.get("/api/session").json()["membership"]["roles"]
    assert "acting for <bdi>Supervisor A</bdi>" in client.get("/account/").content.decode()
    now = SignIn.objects.get(acting_for=lent)
    # Another sign-in, so that no open socket keeps the rights of the other; it lasts no longer.
    assert SignIn.objects.get(id=before.id).ended_at
    assert (now.until_at, now.started_at, now.credential) == (
        before.until_at,
        before.started_at,
        before.credential,
    )
    quiet = now.quiet_until_at
    assert quiet
    assert quiet - timezone.now() < timedelta(minutes=16)
    assert client.post("/account/act-for/", {}).status_code == 302
    assert "supervisor" not in client.get("/api/session").json()["membership"]["roles"]
    acts = AuditEntry.objects.filter(act__startswith="delegation:").order_by("n")
    assert [entry.act for entry in acts] == ["delegation:use", "delegation:leave"]
    assert acts[0].facts["acting_for"] == lent.grantor_id.hex


def test_acting_for_ends_with_the_delegation(cast: Cast) -> None:
    lent = lend(cast)
    client, _ = sign_in(enrol(cast.officer_a))
    client.post("/account/act-for/", {"delegation": str(lent.id)})
    Delegation.objects.filter(id=lent.id).update(ended_at=timezone.now())
    assert client.get("/api/session").status_code == 401


@pytest.mark.parametrize("name", ["officer_b", "supervisor_a", "editor_a"])
def test_nobody_else_can_use_a_delegation(cast: Cast, name: str) -> None:
    lent = lend(cast)
    for value in (str(lent.id), "x"):
        answer = cast.everybody()[name].client().post("/account/act-for/", {"delegation": value})
        assert answer.status_code == 404


def test_roles_of_the_privileged_are_not_used_with_a_passkey_that_can_be_copied(cast: Cast) -> None:
    lent = lend(cast)
    client, _ = sign_in(enrol(cast.officer_a, flags=COPIED))
    assert client.post("/account/act-for/", {"delegation": str(lent.id)}).status_code == 403
    assert not SignIn.objects.filter(acting_for=lent).exists()
