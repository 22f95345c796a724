"""An authority's keyring: who may create it, who may be added, and what others may see of it."""

import base64
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from messaging.models import Device, DeviceStatus, KeyringEntry, Principal
from messaging.sealed.client import make_device
from network.actions.memberships import end_membership
from network.models import EventRecord
from tests.factories import (
    Offices,
    Workplace,
    addition_form,
    answer,
    call,
    code_of,
    create_keyring,
    enrol,
    keyring_form,
    now,
    person_of,
    request_device,
    to_text,
)
from tests.personas import Cast


def waiting(workplace: Workplace) -> list[dict[str, Any]]:
    rows = workplace.get("/devices/requests")["requests"]
    return [row for row in rows if row["status"] == "requested"]


def test_supervisor_a_creates_the_keyring_and_everybody_sees_its_principal(cast: Cast) -> None:
    device, body = keyring_form(cast.supervisor_a)
    client = cast.supervisor_a.client()
    assert answer(call(client, "GET", "/session"))["principal"] is None
    place = answer(call(client, "POST", "/keyrings", body))
    assert place["principal"] == device.principal.hex()
    assert place["n"] == 0
    assert answer(call(client, "GET", "/session"))["principal"] == place["principal"]
    listed = answer(call(cast.officer_c.client(), "GET", "/authorities"))["authorities"]
    by_state = {row["state"]: row for row in listed if row["functions"]}
    assert by_state["XAA"]["principal"] == place["principal"]
    assert by_state["XAA"]["keyring_n"] == 0
    assert by_state["XAA"]["functions"] == ["MLA"]
    assert by_state["XBB"]["principal"] is None
    assert by_state["XAA"]["names"] == [by_state["XAA"]["state_name"]]
    assert (by_state["XAA"]["languages"], by_state["XAA"]["is_open"]) == ([], None)
    assert "Secretariat of the Convention" in {row["name"] for row in listed if row["state"] is None}


def test_a_keyring_sent_again_with_the_same_bytes_is_answered_the_same(cast: Cast) -> None:
    _, body = keyring_form(cast.supervisor_a)
    client = cast.supervisor_a.client()
    assert call(client, "POST", "/keyrings", body).content == call(client, "POST", "/keyrings", body).content
    assert KeyringEntry.objects.count() == 1
    _, other = keyring_form(cast.supervisor_a)
    assert code_of(call(client, "POST", "/keyrings", other)) == (409, "keyring-exists")


@pytest.mark.parametrize(
    ("name", "status"),
    [("officer_a", 403), ("moderator", 403), ("directory_officer", 422), ("signed_out", 401)],
)
def test_nobody_else_creates_a_keyring(cast: Cast, name: str, status: int) -> None:
    _, body = keyring_form(cast.supervisor_a)
    assert call(cast.everybody()[name].client(), "POST", "/keyrings", body).status_code == status
    assert not Principal.objects.exists()


def test_administrator_a_creates_a_keyring_for_a_steward_device_only(cast: Cast) -> None:
    client = cast.administrator_a.client()
    _, reading = keyring_form(cast.administrator_a)
    assert code_of(call(client, "POST", "/keyrings", reading)) == (403, "role-not-held")
    _, keeping = keyring_form(cast.administrator_a, roles=("steward",))
    answer(call(client, "POST", "/keyrings", keeping))


def test_supervisor_a_cannot_create_a_keyring_in_the_name_of_somebody_else(cast: Cast) -> None:
    for other in (cast.supervisor_b, cast.administrator_a):
        _, body = keyring_form(other)
        response = call(cast.supervisor_a.client(), "POST", "/keyrings", body)
        assert code_of(response) == (422, "statement-differs")


def test_a_keyring_of_a_secretariat_or_with_altered_bytes_is_refused(cast: Cast) -> None:
    client = cast.supervisor_a.client()
    _, body = keyring_form(cast.supervisor_a)
    entry = bytearray(base64.b64decode(body["entry"]))
    entry[-1] ^= 1
    altered = {**body, "entry": to_text(bytes(entry))}
    assert code_of(call(client, "POST", "/keyrings", altered)) == (422, "bad-signature")
    assert code_of(call(client, "POST", "/keyrings", {**body, "statements": []})) == (
        422,
        "missing-statement",
    )
    assert code_of(call(client, "POST", "/keyrings", {**body, "envelopes": "gA=="})) == (
        422,
        "wrong-recipients",
    )
    assert not Principal.objects.exists()


def test_officer_a_asks_and_supervisor_a_adds_the_device(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    officer = request_device(cast.officer_a, supervisor.mailbox.principal)
    (request,) = waiting(supervisor)
    assert request["device"] == officer.mailbox.device.id.hex()
    assert (request["name"], request["status"]) == ("Officer A", "requested")
    place = supervisor.post(f"/keyrings/{supervisor.principal}/entries", addition_form(supervisor, officer))
    assert place["n"] == 1
    officer.learn(officer.mailbox.principal)
    assert officer.mailbox.is_listed()
    (fulfilled,) = officer.get("/devices/requests")["requests"]
    assert fulfilled["status"] == "enrolled"
    assert waiting(supervisor) == []
    heard = EventRecord.objects.filter(name__startswith="messaging.")
    names = list(heard.order_by("seq").values_list("name", flat=True))
    assert names == ["messaging.keyring.grew", "messaging.device.requested", "messaging.keyring.grew"]


def test_a_request_is_idempotent_and_seen_by_the_own_authority_only(cast: Cast) -> None:
    supervisor, other = create_keyring(cast.supervisor_a), create_keyring(cast.supervisor_b)
    officer = request_device(cast.officer_a, supervisor.mailbox.principal)
    body = {"statement": to_text(officer.mailbox.device.statement)}
    assert officer.post("/devices/requests", body) == {"device": officer.mailbox.device.id.hex()}
    assert Device.objects.filter(status=DeviceStatus.REQUESTED).count() == 1
    assert waiting(other) == []
    decline = f"/devices/requests/{officer.mailbox.device.id.hex()}/decline"
    assert code_of(call(other.http, "POST", decline)) == (404, "not-found")
    assert code_of(call(officer.http, "POST", decline)) == (403, "forbidden")


def test_a_declined_device_cannot_be_added(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    officer = request_device(cast.officer_a, supervisor.mailbox.principal)
    form = addition_form(supervisor, officer)
    path = f"/devices/requests/{officer.mailbox.device.id.hex()}/decline"
    assert supervisor.post(path, None) == {}
    assert code_of(call(supervisor.http, "POST", path)) == (404, "not-found")
    response = call(supervisor.http, "POST", f"/keyrings/{supervisor.principal}/entries", form)
    assert code_of(response) == (422, "device-not-requested")
    (request,) = officer.get("/devices/requests")["requests"]
    assert request["status"] == "declined"
    assert KeyringEntry.objects.count() == 1


def test_a_device_nobody_asked_for_cannot_be_added(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    officer = request_device(cast.officer_a, supervisor.mailbox.principal)
    Device.objects.filter(status=DeviceStatus.REQUESTED).delete()
    form = addition_form(supervisor, officer)
    response = call(supervisor.http, "POST", f"/keyrings/{supervisor.principal}/entries", form)
    assert code_of(response) == (422, "device-not-requested")


def test_a_device_gets_no_role_its_person_does_not_have(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    officer = request_device(cast.officer_a, supervisor.mailbox.principal)
    form = addition_form(supervisor, officer, roles=("officer", "steward"))
    response = call(supervisor.http, "POST", f"/keyrings/{supervisor.principal}/entries", form)
    assert code_of(response) == (403, "role-not-held")


def test_the_device_of_a_former_officer_cannot_be_added(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    officer = request_device(cast.officer_a, supervisor.mailbox.principal)
    assert cast.officer_a.membership
    end_membership(None, membership_id=cast.officer_a.membership.id)
    form = addition_form(supervisor, officer)
    response = call(supervisor.http, "POST", f"/keyrings/{supervisor.principal}/entries", form)
    assert code_of(response) == (422, "standing-ended")


def test_supervisor_b_cannot_extend_the_keyring_of_a(cast: Cast) -> None:
    supervisor, other = create_keyring(cast.supervisor_a), create_keyring(cast.supervisor_b)
    officer = request_device(cast.officer_a, supervisor.mailbox.principal)
    form = addition_form(supervisor, officer)
    path = f"/keyrings/{supervisor.principal}/entries"
    assert code_of(call(other.http, "POST", path, form)) == (403, "forbidden")
    assert code_of(call(cast.officer_a.client(), "POST", path, form)) == (403, "forbidden")
    assert code_of(call(cast.administrator_a.client(), "POST", path, form)) == (403, "foreign-device")
    assert code_of(call(supervisor.http, "POST", f"/keyrings/{'ab' * 32}/entries", form)) == (
        404,
        "not-found",
    )


def test_an_entry_sent_again_is_answered_the_same_and_another_one_for_its_place_is_stale(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    officer = request_device(cast.officer_a, supervisor.mailbox.principal)
    path = f"/keyrings/{supervisor.principal}/entries"
    form, other = addition_form(supervisor, officer), addition_form(supervisor, officer)
    assert supervisor.post(path, form) == supervisor.post(path, form)
    assert code_of(call(supervisor.http, "POST", path, other)) == (409, "stale-epoch")


def test_other_authorities_read_a_keyring_without_envelopes(offices: Offices) -> None:
    path = f"/keyrings/{offices.supervisor_a.principal}"
    own = offices.officer_a.get(path)
    foreign = offices.supervisor_c.get(path)
    assert [row["n"] for row in own["entries"]] == [0, 1]
    assert all(row["envelopes"] for row in own["entries"])
    assert [row["envelopes"] for row in foreign["entries"]] == [None, None]
    assert [row["entry"] for row in foreign["entries"]] == [row["entry"] for row in own["entries"]]
    assert foreign["statements"] == own["statements"]
    assert len(own["statements"]) == 2
    assert foreign["authority"]["state"] == "XAA"
    assert [row["n"] for row in foreign["entries"][1:]] == [
        row["n"] for row in offices.supervisor_c.get(f"{path}?from=1")["entries"]
    ]
    assert offices.supervisor_c.get(f"{path}?from=2")["entries"] == []
    missing = call(offices.supervisor_c.http, "GET", f"/keyrings/{'ab' * 32}")
    assert code_of(missing) == (404, "not-found")


def test_a_device_of_another_authority_or_with_used_keys_cannot_ask(cast: Cast) -> None:
    supervisor, other = create_keyring(cast.supervisor_a), create_keyring(cast.supervisor_b)
    foreign = make_device(settings.ORIGIN_NAME, other.mailbox.principal, person_of(cast.officer_a), at=now())
    client = cast.officer_a.client()
    body = {"statement": to_text(foreign.statement)}
    assert code_of(call(client, "POST", "/devices/requests", body)) == (422, "wrong-principal")
    named = make_device(
        settings.ORIGIN_NAME, supervisor.mailbox.principal, person_of(cast.supervisor_a), at=now()
    )
    body = {"statement": to_text(named.statement)}
    assert code_of(call(client, "POST", "/devices/requests", body)) == (422, "statement-differs")
    genesis = {"statement": to_text(supervisor.mailbox.device.statement)}
    assert code_of(call(supervisor.http, "POST", "/devices/requests", genesis)) == (422, "wrong-principal")
    assert code_of(call(cast.officer_c.client(), "POST", "/devices/requests", body)) == (409, "no-keyring")


def test_one_person_can_have_ten_waiting_requests_and_no_more(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    for _ in range(9):
        request_device(cast.officer_a, supervisor.mailbox.principal)
    officer = request_device(cast.officer_a, supervisor.mailbox.principal)
    device = make_device(
        settings.ORIGIN_NAME, supervisor.mailbox.principal, person_of(cast.officer_a), at=now()
    )
    body = {"statement": to_text(device.statement)}
    assert code_of(call(officer.http, "POST", "/devices/requests", body)) == (429, "too-many-requests")


def test_a_supervisor_device_needs_no_approval_while_one_person_stands_alone(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    second = request_device(cast.supervisor_a, supervisor.mailbox.principal)
    form = addition_form(supervisor, second, roles=("officer", "steward", "supervisor"))
    supervisor.post(f"/keyrings/{supervisor.principal}/entries", form)
    enrol(supervisor, cast.officer_a)
    assert Principal.objects.get().n == 2


def test_a_write_without_the_csrf_token_is_refused(cast: Cast) -> None:
    _, body = keyring_form(cast.supervisor_a)
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    client.cookies[settings.SESSION_COOKIE_NAME] = cast.supervisor_a.session_cookie()
    assert call(client, "POST", "/keyrings", body).status_code == 403
    assert not Principal.objects.exists()


def test_pages_are_shown_to_whom_they_are_for(cast: Cast) -> None:
    client = cast.officer_a.client()
    for page in ("/threads/", "/threads/new/", "/devices/"):
        assert client.get(page).status_code == 200, page
    assert cast.administrator_a.client().get("/threads/").status_code == 403
    assert cast.administrator_a.client().get("/devices/").status_code == 200
    assert cast.signed_out.client().get("/threads/").status_code == 302
