"""Practitioners on the server: who begins, who answers, what they see, and that either end is at once."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from messaging.models import Device, Principal, Sponsoring, ThreadItem
from messaging.sealed.errors import Refused
from messaging.sealed.practice import make_practitioner
from messaging.sealed.stage_rules import Step
from messaging.sealed.stages import DRAFT
from network.models import AuditEntry, Membership, Role
from tests.factories import (
    Offices,
    Workplace,
    admission_form,
    admit,
    ask_to_practise,
    begin_practice,
    call,
    code_of,
    end_practice,
    enlist,
    entry_form,
    genesis_form,
    now,
    open_direct,
    request_device,
    sponsor,
    to_text,
)
from tests.messaging.case_steps import sealed_step
from tests.personas import Cast, make_authority, make_persona
from tests.sealed.world import forge

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def prosecutor(offices: Offices, cast: Cast) -> Workplace:
    """Give A's prosecutor a keyring, for which A answers."""
    return begin_practice(offices.supervisor_a, cast.prosecutor_a)


def form(made: Any) -> dict[str, str]:
    return {"entry": to_text(made.entry), "envelopes": to_text(made.envelopes)}


def refused(workplace: Workplace, method: str, path: str, body: object = None) -> tuple[int, str]:
    return code_of(call(workplace.http, method, path, body))


def sent(workplace: Workplace, thread: str, text: str) -> str:
    """Return the code with which a message was refused, or an empty text."""
    (result,) = workplace.append(workplace.seal(thread, text))
    return str(result["error"]["code"]) if "error" in result else ""


def test_a_practitioner_has_a_principal_of_his_own_and_the_authority_keeps_its(
    offices: Offices, prosecutor: Workplace
) -> None:
    assert prosecutor.get("/session")["principal"] == prosecutor.principal
    assert prosecutor.get("/session")["device_roles"] == ["officer", "steward"]
    assert offices.officer_a.get("/session")["principal"] == offices.officer_a.principal
    (row,) = [one for one in prosecutor.get("/authorities")["authorities"] if one["state"] == "XAA"][:1]
    assert prosecutor.principal not in {row["principal"], None}
    acts = set(AuditEntry.objects.values_list("act", flat=True))
    assert {"device:request", "practitioner:sponsor", "keyring:create", "keyring:sponsor"} <= acts


def test_only_the_central_authority_of_the_own_state_can_answer(
    offices: Offices, cast: Cast, prosecutor: Workplace
) -> None:
    asking = ask_to_practise(make_persona("second_prosecutor", cast_authority(cast), Role.PRACTITIONER))
    made = offices.supervisor_b.mailbox.practice.sponsor(asking.mailbox.device.statement, at=now())
    path = f"/practitioners/{asking.mailbox.device.id.hex()}/sponsor"
    assert refused(offices.supervisor_b, "POST", path, {"statement": to_text(made)}) == (404, "not-found")
    assert offices.supervisor_b.get("/practitioners") == {"practitioners": []}
    assert len(offices.officer_a.get("/practitioners")["practitioners"]) == 2
    assert [row["device"] for row in asking.get("/practitioners")["practitioners"]] == [
        asking.mailbox.device.id.hex()
    ]
    own = offices.supervisor_a.mailbox.practice.sponsor(asking.mailbox.device.statement, at=now())
    # By whom it was signed counts, and who hands it in.
    assert refused(offices.officer_a, "POST", path, {"statement": to_text(own)}) == (403, "forbidden")
    assert refused(offices.supervisor_a, "POST", path, {"statement": to_text(made)}) == (422, "wrong-sponsor")
    short = offices.supervisor_a.mailbox.practice.sponsor(
        asking.mailbox.device.statement, at=now(), until=now() - 10
    )
    assert refused(offices.supervisor_a, "POST", path, {"statement": to_text(short)}) == (
        422,
        "sponsor-ended",
    )
    other = offices.supervisor_a.mailbox.practice.sponsor(prosecutor.mailbox.device.statement, at=now())
    assert refused(offices.supervisor_a, "POST", path, {"statement": to_text(other)}) == (
        422,
        "wrong-sponsor",
    )
    assert not Sponsoring.objects.filter(device_id=asking.mailbox.device.id.hex()).exists()


def cast_authority(cast: Cast) -> Any:
    """Return the prosecution service of State A, which is no central authority."""
    membership = cast.prosecutor_a.membership
    assert membership
    return make_authority("XAA", "Prosecution Service of State A", kind="competent")  # type: ignore[arg-type]


def test_nobody_begins_without_the_statement_that_was_handed_in(offices: Offices, cast: Cast) -> None:
    asking = ask_to_practise(cast.prosecutor_a)
    unseen = offices.supervisor_a.mailbox.practice.sponsor(asking.mailbox.device.statement, at=now())
    _, body = genesis_form(asking, unseen)
    assert refused(asking, "POST", "/keyrings", body) == (422, "wrong-sponsor")
    statement = sponsor(offices.supervisor_a, asking)
    _, body = genesis_form(asking, statement)
    # It is the practitioner's: nobody else makes a keyring of it, and an authority none of this kind.
    assert refused(offices.supervisor_c, "POST", "/keyrings", body) == (422, "wrong-kind")
    assert not Principal.objects.filter(kind="practitioner").exists()
    first = asking.post("/keyrings", body)
    assert asking.post("/keyrings", body) == first
    again = make_practitioner(asking.mailbox.net, asking.mailbox.device, statement, at=now())
    assert refused(asking, "POST", "/keyrings", entry_form(again.made)) == (422, "reused-key")


def test_a_practitioner_makes_no_keyring_of_the_authority(offices: Offices, cast: Cast) -> None:
    asking = request_forged(cast, offices)
    assert asking == (422, "wrong-principal")
    assert not Device.objects.filter(person_id=cast.prosecutor_a.actor.person_id).exists()


def request_forged(cast: Cast, offices: Offices) -> tuple[int, str]:
    """Let the prosecutor ask to be let in to the authority's own keys."""
    with pytest.raises(AssertionError):
        request_device(cast.prosecutor_a, offices.officer_a.mailbox.principal)
    device = Workplace.of(cast.prosecutor_a, offices.officer_a.mailbox.device)
    body = {"statement": to_text(offices.officer_a.mailbox.device.statement), "roles": []}
    return refused(device, "POST", "/devices/requests", body)


def test_a_practitioner_is_admitted_writes_and_is_out_with_the_withdrawal(
    offices: Offices, prosecutor: Workplace
) -> None:
    a, b = offices.supervisor_a, offices.supervisor_b
    thread = open_direct(a, b)
    assert refused(prosecutor, "GET", f"/threads/{thread}/items") == (404, "not-found")
    of = admit(a, b, thread, prosecutor)
    assert sent(prosecutor, thread, "Written directly.") == ""
    b.read(thread)
    prosecutor.read(thread)
    late = prosecutor.seal(thread, "Sealed before, sent after.")
    raw = b.mailbox.membership.withdrawal(bytes.fromhex(thread), of, at=now())
    b.post(f"/threads/{thread}/withdrawals", {"withdrawal": to_text(raw)})
    (result,) = prosecutor.append(late)
    assert result["error"]["code"] == "stale-epoch"
    a.read(thread)
    stored = a.post(f"/threads/{thread}/entries", a.refresh_form(thread))
    assert refused(prosecutor, "POST", f"/threads/{thread}/delivered", {"seq": 1}) == (404, "not-found")
    page = prosecutor.get(f"/threads/{thread}/items")
    assert page["seq"] == stored["seq"]
    a.read(thread)
    a.send(thread, "Without the prosecutor.")
    assert prosecutor.get(f"/threads/{thread}/items")["seq"] == stored["seq"]
    assert ThreadItem.objects.filter(thread_id=thread).count() > stored["seq"]


def test_a_practitioner_neither_sees_nor_takes_the_steps_of_a_case(
    offices: Offices, prosecutor: Workplace
) -> None:
    a, b = offices.supervisor_a, offices.supervisor_b
    direct = open_direct(a, b)
    admit(a, b, direct, prosecutor)
    offices.officer_a.learn(a.mailbox.principal)
    case = offices.officer_a.open_thread(offices.officer_b, "The case of the two authorities.")
    for page in ("step", "draft"):
        assert prosecutor.http.get(f"/threads/{case}/{page}/").status_code == 404
        assert offices.officer_a.http.get(f"/threads/{case}/{page}/").status_code == 200
    # To begin a request takes the right to open a correspondence, which no practitioner has.
    assert prosecutor.http.get(f"/threads/{direct}/formal/").status_code == 403
    assert a.http.get(f"/threads/{direct}/formal/").status_code == 200
    # In direct contact nobody takes a step: neither the own client nor the server takes it.
    step = Step("assistance", DRAFT, 0)
    for desk in (prosecutor, a):
        desk.read(direct)
        with pytest.raises(Refused, match="M10 not-a-case"):
            sealed_step(desk, direct, step)
        form = desk.seal(direct, "Whatever it says.")
        fields = {"kind": "stage", "stage": step.as_map(), "due": None, "urgency": 0}
        item = to_text(forge(base64.b64decode(form["item"]), desk.mailbox.device, **fields))
        (result,) = desk.append({**form, "item": item})
        assert result["error"]["code"] == "not-a-case"


def test_nobody_writes_while_a_sponsor_has_ended_until_the_practitioner_is_dropped(
    offices: Offices, prosecutor: Workplace
) -> None:
    a, b = offices.supervisor_a, offices.supervisor_b
    thread = open_direct(a, b)
    admit(a, b, thread, prosecutor)
    from_prosecutor, from_b = prosecutor.seal(thread, "Too late."), b.seal(thread, "Too early.")
    end_practice(a, prosecutor.mailbox.principal)
    for workplace, sealed in ((prosecutor, from_prosecutor), (b, from_b)):
        (result,) = workplace.append(sealed)
        assert result["error"]["code"] == "stale-epoch"
    b.mailbox.mark_refused(bytes.fromhex(thread))
    b.learn(a.mailbox.principal)
    b.post(f"/threads/{thread}/entries", b.refresh_form(thread))
    b.read(thread)
    assert sent(b, thread, "Without the prosecutor.") == ""


def test_whom_nobody_answers_for_is_not_admitted(offices: Offices, prosecutor: Workplace) -> None:
    a, b = offices.supervisor_a, offices.supervisor_b
    thread, principal = open_direct(a, b), prosecutor.mailbox.principal
    listed = a.mailbox.stewardship.state.sponsored
    end_practice(a, principal)
    b.learn(a.mailbox.principal)
    for workplace in (a, b):  # both believe that the sponsor still answers, or would not make it
        ring = workplace.mailbox.rings[a.mailbox.principal]
        ring.states[-1] = replace(ring.states[-1], sponsored=listed)
    _, body = admission_form(a, b, thread, prosecutor)
    assert refused(a, "POST", f"/threads/{thread}/entries", body) == (422, "sponsor-ended")
    assert "practitioner" not in {row["role"] for row in a.get(f"/threads/{thread}")["members"]}


def test_a_practitioner_sees_nothing_of_the_authority_and_the_authority_nothing_of_the_practitioner(
    offices: Offices, cast: Cast, prosecutor: Workplace
) -> None:
    a, b = offices.supervisor_a, offices.supervisor_b
    offices.officer_a.learn(a.mailbox.principal)
    own = offices.officer_a.open_thread(offices.officer_b, "Not for practitioners.")
    thread = open_direct(b, a)
    admit(a, b, thread, prosecutor)
    assert [row["thread"] for row in prosecutor.get("/threads")["threads"]] == [thread]
    for path in (f"/threads/{own}", f"/threads/{own}/items", f"/drafts/{own}"):
        assert refused(prosecutor, "GET", path) == (404, "not-found")
    for method, path in (
        ("POST", "/threads"),
        ("POST", f"/threads/{thread}/handler"),
        ("POST", f"/threads/{thread}/withdrawals"),
        ("POST", f"/practitioners/{prosecutor.mailbox.device.id.hex()}/sponsor"),
    ):
        assert refused(prosecutor, method, path, {})[0] == 403, path
    assert prosecutor.http.get(f"/threads/{own}/").status_code == 404
    assert prosecutor.http.get("/threads/new/").status_code == 403
    # The keyring's envelopes are for its own devices alone, in either direction.
    for reader, principal in ((prosecutor, a.principal), (a, prosecutor.principal)):
        rows = reader.get(f"/keyrings/{principal}")["entries"]
        assert {row["envelopes"] for row in rows} == {None}
    # Colleagues of the same authority do not let the further device in, nor write the keyring.
    second = request_device(cast.prosecutor_a, prosecutor.mailbox.principal)
    device = second.mailbox.device.id.hex()
    assert device not in {row["device"] for row in a.get("/devices/requests")["requests"]}
    assert refused(a, "POST", f"/devices/requests/{device}/decline", {}) == (404, "not-found")
    assert refused(a, "POST", f"/keyrings/{prosecutor.principal}/entries", form_of(a))[0] in {403, 422}
    assert refused(prosecutor, "POST", f"/keyrings/{a.principal}/entries", form_of(a))[0] in {403, 422}


def form_of(workplace: Workplace) -> dict[str, Any]:
    """Return a rotation of the own keyring."""
    own = workplace.mailbox.stewardship
    return entry_form(own.make(own.rotation(), at=now()))


def test_a_further_device_comes_with_the_approval_of_the_sponsor_and_of_nobody_else(
    offices: Offices, cast: Cast, prosecutor: Workplace
) -> None:
    second = request_device(cast.prosecutor_a, prosecutor.mailbox.principal)
    statement = second.mailbox.device.statement
    change = prosecutor.mailbox.stewardship.addition([(second.mailbox.device.id, ("officer",))])
    path = f"/keyrings/{prosecutor.principal}/approvals"
    prosecutor.post(path, {"change": to_text(change.encode()), "approval": None})
    for stranger in (offices.supervisor_b, offices.officer_a):
        assert refused(stranger, "GET", path) == (403, "forbidden")
    (waiting,) = offices.supervisor_a.get(path)["approvals"]
    offices.supervisor_b.learn(offices.supervisor_a.mailbox.principal)
    offices.supervisor_b.learn(prosecutor.mailbox.principal)
    foreign = offices.supervisor_b.mailbox.practice.approve(prosecutor.mailbox.principal, change, at=now())
    body = {"change": waiting["change"], "approval": to_text(foreign)}
    assert refused(offices.supervisor_b, "POST", path, body) == (403, "forbidden")
    assert refused(offices.supervisor_a, "POST", path, body) == (422, "wrong-approval")
    own = offices.supervisor_a.mailbox.practice.approve(prosecutor.mailbox.principal, change, at=now())
    offices.supervisor_a.post(path, {"change": waiting["change"], "approval": to_text(own)})
    (given,) = prosecutor.get(path)["approvals"]
    assert given["approvals"] == [to_text(own)]
    made = prosecutor.mailbox.stewardship.make(change, at=now(), approvals=[own], statements=[statement])
    prosecutor.post(f"/keyrings/{prosecutor.principal}/entries", entry_form(made))
    second.learn(offices.supervisor_a.mailbox.principal)
    second.learn(prosecutor.mailbox.principal)
    assert second.mailbox.is_listed()


def test_who_becomes_an_officer_acts_for_the_authority_and_not_in_the_own_name(
    offices: Offices, cast: Cast, prosecutor: Workplace
) -> None:
    a, b = offices.supervisor_a, offices.supervisor_b
    thread = open_direct(a, b)
    admit(a, b, thread, prosecutor)
    sealed = prosecutor.seal(thread, "In the own name.")
    membership = cast.prosecutor_a.membership
    assert membership
    roles = sorted({*membership.roles, Role.ADMINISTRATOR})
    Membership.objects.filter(id=membership.id).update(roles=roles)
    # Administrators read no correspondence, whatever else they are.
    assert refused(prosecutor, "GET", f"/threads/{thread}/items") == (403, "forbidden")
    assert refused(prosecutor, "POST", "/messages", {"messages": [sealed]}) == (403, "forbidden")


def test_an_enlisted_practitioner_is_renewed_with_another_statement(
    offices: Offices, prosecutor: Workplace
) -> None:
    a = offices.supervisor_a
    renewed = a.mailbox.practice.sponsor(prosecutor.mailbox.device.statement, at=now())
    enlist(a, prosecutor.mailbox.principal, renewed)
    assert dict(a.mailbox.stewardship.state.sponsored) == {prosecutor.mailbox.principal: renewed}
