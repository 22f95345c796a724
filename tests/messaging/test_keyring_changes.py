"""A keyring changes: devices are removed, roles change, secrets and kit are renewed, somebody must agree."""

import base64
from typing import Any

import pytest
from django.conf import settings

from messaging.models import Device, DeviceStatus, KeyringProposal, Principal
from messaging.sealed.client import Mailbox, make_keyring
from messaging.sealed.counterparts import is_unconfirmed
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Change
from messaging.sealed.keys import RecoveryKit
from messaging.sealed.recovery import Recovery, try_kit
from network.actions.memberships import end_membership
from network.models import AuditEntry, Membership, SignIn
from tests.factories import (
    Offices,
    Workplace,
    addition_form,
    call,
    change_form,
    change_keyring,
    code_of,
    create_keyring,
    enrol,
    entry_form,
    keyring_form,
    now,
    on_wire,
    person_of,
    request_device,
    to_text,
)
from tests.personas import Cast


@pytest.fixture(name="offices")
def _offices(offices: Offices) -> Offices:
    """The supervisor knows of the officer's device."""
    offices.supervisor_a.learn(offices.supervisor_a.mailbox.principal)
    return offices


def path(workplace: Workplace) -> str:
    return f"/keyrings/{workplace.principal}/entries"


def remove(steward: Workplace, *removed: Workplace) -> dict[str, Any]:
    change = steward.mailbox.stewardship.removal([each.mailbox.device.id for each in removed])
    return change_keyring(steward, change)


def second_steward(supervisor: Workplace, cast: Cast) -> Workplace:
    """A second person becomes a steward while one stands alone."""
    made = create_device(supervisor, cast)
    supervisor.post(path(supervisor), addition_form(supervisor, made, roles=("steward",)))
    for each in (supervisor, made):
        each.learn(each.mailbox.principal)
    return made


def create_device(supervisor: Workplace, cast: Cast) -> Workplace:
    """The officer of authority A has become a second supervisor."""
    Membership.objects.filter(id=cast.officer_a.actor.membership_id).update(roles=["officer", "supervisor"])
    return request_device(cast.officer_a, supervisor.mailbox.principal)


def test_a_removed_device_opens_nothing_sealed_afterwards(offices: Offices) -> None:
    officer_a, officer_b = offices.officer_a, offices.officer_b
    thread = officer_a.open_thread(officer_b)
    officer_b.read(thread)
    old = officer_a.mailbox
    remove(offices.supervisor_a, officer_a)
    (result,) = officer_b.append(officer_b.seal(thread, "sealed before it was known"))
    assert result["error"]["code"] == "stale-epoch"
    officer_b.mailbox.mark_refused(bytes.fromhex(thread))
    officer_b.post(f"/threads/{thread}/entries", officer_b.refresh_form(thread))
    officer_b.send(thread, "Only for who is left.")
    seen = len(old.threads[bytes.fromhex(thread)].applied)
    items = offices.supervisor_a.get(f"/threads/{thread}/items?after={seen}")
    assert offices.supervisor_a.read(thread)[-1].plaintext is not None
    keyring = offices.supervisor_a.get(f"/keyrings/{officer_a.principal}?from=2")
    thief = Workplace(officer_a.persona, offices.supervisor_a.http, old)
    thief.learn(old.principal)
    applied = [thief.apply(row) for row in items["items"]]
    assert keyring["entries"][0]["n"] == 2
    assert [row.plaintext for row in applied if row.message] == [None]
    assert not old.is_listed()
    with pytest.raises(Refused, match="not-verified"):
        old.seal(bytes.fromhex(thread), applied[-1].plaintext, at=now())  # type: ignore[arg-type]


def test_who_loses_a_device_is_out_at_once_and_the_steward_stays(offices: Offices) -> None:
    sign_in = offices.officer_a.persona.actor.sign_in_id
    remove(offices.supervisor_a, offices.officer_a)
    row = Device.objects.get(id=offices.officer_a.mailbox.device.id.hex())
    assert (row.status, row.ended_at is not None) == (DeviceStatus.REMOVED, True)
    assert SignIn.objects.get(id=sign_in).ended_at is not None
    assert SignIn.objects.get(id=offices.supervisor_a.persona.actor.sign_in_id).ended_at is None
    assert call(offices.officer_a.http, "GET", "/threads").status_code == 401
    assert AuditEntry.objects.filter(act="device:remove", subject=row.id).exists()
    read = offices.supervisor_c.get(f"/keyrings/{offices.supervisor_a.principal}")
    assert len(read["statements"]) == 2  # of every device ever listed
    later = offices.supervisor_c.get(f"/keyrings/{offices.supervisor_a.principal}?from=2")
    assert [row["n"] for row in later["entries"]] == [2]  # the removal lists nobody for the first time
    assert later["statements"] == []


def test_a_removed_device_does_not_come_back(offices: Offices) -> None:
    remove(offices.supervisor_a, offices.officer_a)
    gone = offices.officer_a.mailbox.device.statement
    stewardship = offices.supervisor_a.mailbox.stewardship
    with pytest.raises(Refused, match="reused-key"):
        offices.supervisor_a.mailbox.make_addition([(gone, ["officer"])], at=now())
    assert stewardship.need(stewardship.rotation()) == "none"


def test_strangers_change_no_keyring(offices: Offices, cast: Cast) -> None:
    steward = offices.supervisor_a
    form = change_form(steward, steward.mailbox.stewardship.rotation())
    assert code_of(call(offices.supervisor_b.http, "POST", path(steward), form)) == (403, "forbidden")
    assert code_of(call(offices.officer_a.http, "POST", path(steward), form)) == (403, "forbidden")
    assert code_of(call(cast.administrator_a.client(), "POST", path(steward), form)) == (
        403,
        "foreign-device",
    )
    assert Principal.objects.get(id=steward.principal).n == 1


def test_a_device_gets_no_role_that_its_person_does_not_have(offices: Offices) -> None:
    steward, officer = offices.supervisor_a, offices.officer_a
    change = steward.mailbox.stewardship.roles({officer.mailbox.device.id: ["officer", "supervisor"]})
    assert code_of(call(steward.http, "POST", path(steward), change_form(steward, change))) == (
        403,
        "role-not-held",
    )


def test_two_stewards_need_each_other(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    other = second_steward(supervisor, cast)
    kit = RecoveryKit.generate(settings.ORIGIN_NAME)
    stewardship = supervisor.mailbox.stewardship
    change = stewardship.new_recovery_key(kit.public)
    assert stewardship.need(change) == "steward"
    with pytest.raises(Refused, match="approval-needed"):
        stewardship.make(change, at=now())
    place = propose(supervisor, change)
    (waiting,) = other.get(f"/keyrings/{other.principal}/approvals")["approvals"]
    assert (waiting["id"], waiting["approvals"]) == (place["change"], [])
    found = Change.decode(base64.b64decode(waiting["change"]))
    propose(other, found, other.mailbox.stewardship.approve(found, at=now()))
    (waiting,) = supervisor.get(f"/keyrings/{other.principal}/approvals")["approvals"]
    approvals = [base64.b64decode(text) for text in waiting["approvals"]]
    assert change_keyring(supervisor, change, approvals)["n"] == 2
    assert supervisor.get(f"/keyrings/{other.principal}/approvals")["approvals"] == []
    assert not KeyringProposal.objects.exists()


def propose(steward: Workplace, change: Change, approval: bytes | None = None) -> dict[str, Any]:
    body = {"change": to_text(change.encode()), "approval": approval and to_text(approval)}
    place: dict[str, Any] = steward.post(f"/keyrings/{steward.principal}/approvals", body)
    return place


def test_the_second_steward_completes_what_the_first_proposed(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    other = second_steward(supervisor, cast)
    change = supervisor.mailbox.stewardship.roles({supervisor.mailbox.device.id: ["officer", "steward"]})
    change = supervisor.mailbox.stewardship.roles({other.mailbox.device.id: ["steward", "supervisor"]})
    propose(supervisor, change, supervisor.mailbox.stewardship.approve(change, at=now()))
    (waiting,) = other.get(f"/keyrings/{other.principal}/approvals")["approvals"]
    approvals = [base64.b64decode(text) for text in waiting["approvals"]]
    assert change_keyring(other, change, approvals)["n"] == 2


def test_an_approval_of_who_has_left_counts_no_more(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    other = second_steward(supervisor, cast)
    change = supervisor.mailbox.stewardship.new_recovery_key(
        RecoveryKit.generate(settings.ORIGIN_NAME).public
    )
    approval = other.mailbox.stewardship.approve(change, at=now())
    end_membership(cast.administrator_a.actor, membership_id=other.persona.actor.membership_id)
    form = change_form(supervisor, change, [approval])
    assert code_of(call(supervisor.http, "POST", path(supervisor), form)) == (422, "standing-ended")


def test_an_approval_that_came_too_late_is_refused(cast: Cast) -> None:
    supervisor = create_keyring(cast.supervisor_a)
    other = second_steward(supervisor, cast)
    change = supervisor.mailbox.stewardship.new_recovery_key(
        RecoveryKit.generate(settings.ORIGIN_NAME).public
    )
    old = other.mailbox.stewardship.approve(change, at=now() - 90_000)
    made = supervisor.mailbox.stewardship.make(change, at=now() - 80_000, approvals=[old])
    form = entry_form(made)
    assert code_of(call(supervisor.http, "POST", path(supervisor), form)) == (422, "expired-approval")
    body = {"change": to_text(change.encode()), "approval": to_text(old)}
    refused = call(other.http, "POST", f"/keyrings/{other.principal}/approvals", body)
    assert code_of(refused) == (422, "expired-approval")


def test_strangers_and_officers_have_no_part_in_approvals(offices: Offices) -> None:
    steward, officer = offices.supervisor_a, offices.officer_a
    where = f"/keyrings/{steward.principal}/approvals"
    change = steward.mailbox.stewardship.rotation()
    body: dict[str, Any] = {"change": to_text(change.encode()), "approval": None}
    place = steward.post(where, body)
    for other in (officer, offices.supervisor_b):
        assert call(other.http, "GET", where).status_code == 403
        assert call(other.http, "POST", where, body).status_code == 403
        assert call(other.http, "POST", f"{where}/{place['change']}/withdraw", {}).status_code == 403
    own = steward.mailbox.stewardship.approve(change, at=now())
    stranger = body | {"approval": to_text(own), "change": to_text(b"\x00")}
    assert call(steward.http, "POST", where, stranger).status_code == 422
    other_change = steward.mailbox.stewardship.removal([officer.mailbox.device.id])
    wrong = {"change": to_text(other_change.encode()), "approval": to_text(own)}
    assert code_of(call(steward.http, "POST", where, wrong)) == (422, "wrong-approval")
    assert steward.post(f"{where}/{place['change']}/withdraw", {}) == {}
    assert code_of(call(steward.http, "POST", f"{where}/{place['change']}/withdraw", {})) == (
        409,
        "no-proposal",
    )


def everything(workplace: Workplace) -> tuple[list[tuple[bytes, bytes | None]], list[bytes]]:
    found = workplace.get(f"/keyrings/{workplace.principal}")
    entries: list[tuple[bytes, bytes | None]] = [
        (base64.b64decode(row["entry"]), base64.b64decode(row["envelopes"])) for row in found["entries"]
    ]
    return entries, [base64.b64decode(text) for text in found["statements"]]


def founded(cast: Cast) -> tuple[Workplace, RecoveryKit]:
    made = make_keyring(settings.ORIGIN_NAME, person_of(cast.supervisor_a), at=now())
    workplace = Workplace.of(cast.supervisor_a, made.device)
    workplace.post("/keyrings", entry_form_of(made))
    workplace.learn(workplace.mailbox.principal)
    return workplace, made.kit


def entry_form_of(made: Any) -> dict[str, Any]:
    return {
        "entry": to_text(made.entry),
        "envelopes": to_text(made.envelopes),
        "statements": [to_text(raw) for raw in made.statements],
    }


def accept(place: Workplace, whom: Mailbox) -> None:
    """Write into the ledger, opened for it, that a keyring that was taken over has been compared."""
    made = place.mailbox.membership.open_own("ledger", at=now())
    ledger, state = made.thread.hex(), place.mailbox.newest(whom.principal)
    form = {"entry": to_text(made.entry), "envelopes": to_text(made.envelopes), "messages": []}
    place.post("/threads", form)
    place.read(ledger)
    head = state.head if state else None
    said = place.mailbox.membership.accept("a", whom.principal, how="voice", at=now(), head=head)
    place.append(on_wire(place.mailbox.seal(made.thread, said, at=now())))
    place.read(ledger)


def test_the_kit_takes_over_when_every_device_is_lost_and_counterparts_see_it(cast: Cast) -> None:
    lost, kit = founded(cast)
    other = create_keyring(cast.supervisor_b)
    thread = lost.open_thread(other, "Written before everything was lost.")
    other.read(thread)
    entries, statements = everything(lost)
    assert try_kit(settings.ORIGIN_NAME, kit, entries, statements).newest is not None
    taken = Recovery.begin(
        settings.ORIGIN_NAME, kit, entries, statements,
        person=person_of(cast.supervisor_a), roles=["officer", "steward", "supervisor"], at=now(),
    )  # fmt: skip
    new = Workplace.of(cast.supervisor_a, taken.device)
    new.post(path(lost), entry_form(taken.make(at=now())))
    new.learn(new.mailbox.principal)
    texts = [row.plaintext.body.text for row in new.read(thread) if row.plaintext]  # type: ignore[union-attr]
    assert texts == ["Written before everything was lost."]
    other.learn(lost.mailbox.principal)
    assert is_unconfirmed(other.mailbox, lost.mailbox.principal, 1)
    with pytest.raises(Refused, match="K11 unconfirmed-recovery"):
        other.seal(thread, "To whom?")
    accept(other, lost.mailbox)
    assert not is_unconfirmed(other.mailbox, lost.mailbox.principal, 1)
    other.post(f"/threads/{thread}/entries", other.refresh_form(thread))
    other.send(thread, "We have compared.")
    assert new.read(thread)[-1].plaintext is not None
    assert not lost.mailbox.is_listed() or lost.mailbox.newest(lost.mailbox.principal).n == 0  # type: ignore[union-attr]
    assert AuditEntry.objects.filter(act="keyring:recover").exists()
    with pytest.raises(Refused, match="K11 other-kit"):
        try_kit(settings.ORIGIN_NAME, kit, *everything(new))


def test_a_recovery_that_a_steward_approves_is_confirmed(cast: Cast) -> None:
    lost, kit = founded(cast)
    entries, statements = everything(lost)
    taken = Recovery.begin(
        settings.ORIGIN_NAME, kit, entries, statements,
        person=person_of(cast.supervisor_a), roles=["officer", "steward", "supervisor"], at=now(),
    )  # fmt: skip
    approval = lost.mailbox.stewardship.approve(taken.change, at=now())
    new = Workplace.of(cast.supervisor_a, taken.device)
    new.post(path(lost), entry_form(taken.make(at=now(), approvals=[approval])))
    new.learn(new.mailbox.principal)
    state = new.mailbox.newest(new.mailbox.principal)
    assert state is not None
    assert state.unconfirmed is None
    sent = call(lost.http, "POST", path(lost), entry_form(taken.make(at=now())))
    assert code_of(sent) == (409, "stale-epoch")


def test_nobody_takes_over_for_somebody_else(cast: Cast) -> None:
    lost, kit = founded(cast)
    entries, statements = everything(lost)
    taken = Recovery.begin(
        settings.ORIGIN_NAME, kit, entries, statements,
        person=person_of(cast.officer_a), roles=["officer", "steward"], at=now(),
    )  # fmt: skip
    form = entry_form(taken.make(at=now()))
    assert code_of(call(lost.http, "POST", path(lost), form)) == (422, "statement-differs")
    wrong = RecoveryKit.generate(settings.ORIGIN_NAME)
    with pytest.raises(Refused, match="K11 other-kit"):
        try_kit(settings.ORIGIN_NAME, wrong, entries, statements)


def test_an_authority_without_keys_can_succeed_another_that_is_known(cast: Cast) -> None:
    before = create_keyring(cast.supervisor_a)
    _, unknown = keyring_form(cast.supervisor_b)
    assert call(cast.supervisor_b.client(), "POST", "/keyrings", unknown).status_code == 200
    assert before.mailbox.newest(before.mailbox.principal).succeeds is None  # type: ignore[union-attr]
    assert enrol(before, cast.officer_a).mailbox.is_listed()
