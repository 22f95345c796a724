"""Every rule that PROTOCOL.md gives the server, broken at its door by somebody who may write there.

Where another file of this folder breaks one in more ways, it has the rule's number in the names of its tests.
"""

import base64
from typing import Any

import pytest

from messaging.models import KeyringEntry, LogLeaf, Principal, ThreadItem
from messaging.sealed import keyring, thread
from messaging.sealed.client import Device, Mailbox, make_device
from messaging.sealed.device import make_device_statement, read_device
from messaging.sealed.encoding import decode, encode, sha256
from messaging.sealed.keyring import Author, Change, Held, MadeEntry
from messaging.sealed.keys import RecoveryKit
from messaging.sealed.sponsor import make_sponsor
from messaging.sealed.thread import Rekey
from network.models import Membership
from tests.factories import (
    Offices,
    Workplace,
    addition_form,
    call,
    change_form,
    code_of,
    keyring_form,
    now,
    person_of,
    request_device,
    to_text,
)
from tests.personas import Cast
from tests.sealed.world import forge, payload_of, sign_payload, signed_by, tampered

WEAK_KEY = bytes([1]) + bytes(31)
"""A public key of small order; WEAK_KEY + 32 zero bytes is a signature that holds for every text."""


@pytest.fixture
def opened(offices: Offices) -> str:
    """Give a thread of A and B, read to its end by an officer and a supervisor of A."""
    found = offices.officer_a.open_thread(offices.officer_b)
    for each in (offices.officer_b, offices.supervisor_a, offices.supervisor_b):
        each.read(found)
    return found


def raw(form: dict[str, Any], part: str = "item") -> bytes:
    return base64.b64decode(form[part])


def refused_message(desk: Workplace, form: dict[str, str], item: bytes) -> str:
    """Send a sealed message with another header; return the code of the refusal."""
    (result,) = desk.append({**form, "item": to_text(item)})
    return str(result["error"]["code"])


def forged_message(desk: Workplace, opened: str, **changes: Any) -> str:
    """Send a message whose header the device has signed with other fields; return the code."""
    form = desk.seal(opened, "Whatever it says.")
    return refused_message(desk, form, forge(raw(form), desk.mailbox.device, **changes))


def refused_entry(desk: Workplace, form: dict[str, Any], entry: bytes | None = None, **more: Any) -> str:
    """Send the next entry of the own keyring; return the code of the refusal."""
    body = {**form, **more, "entry": form["entry"] if entry is None else to_text(entry)}
    return code_of(call(desk.http, "POST", f"/keyrings/{desk.principal}/entries", body))[1]


def forged_entry(desk: Workplace, **changes: Any) -> str:
    """Send a rotation that the steward has signed with other fields; return the code."""
    desk.learn(desk.mailbox.principal)
    form = change_form(desk, desk.mailbox.stewardship.rotation())
    return refused_entry(desk, form, forge(raw(form, "entry"), desk.mailbox.device, **changes))


def refused_in_thread(desk: Workplace, opened: str, made: Any, **changes: Any) -> str:
    """Send an entry of a thread, signed with other fields where there are some; return the code."""
    entry = forge(made.entry, desk.mailbox.device, **changes) if changes else made.entry
    body = {"entry": to_text(entry), "envelopes": to_text(made.envelopes)}
    return code_of(call(desk.http, "POST", f"/threads/{opened}/entries", body))[1]


def refreshed(desk: Workplace, opened: str) -> Any:
    """An entry that re-keys the thread."""
    desk.refresh_form(opened)  # learns every keyring
    return desk.mailbox.refresh(bytes.fromhex(opened), at=now())


def changed(desk: Workplace, opened: str, reason: str, members: Any) -> MadeEntry:
    """An entry of the thread for these members, whatever others would say of it."""
    box = desk.mailbox
    found = box.threads[bytes.fromhex(opened)]
    state = found.state
    assert state is not None
    return thread.make_change(
        box.net,
        state,
        Rekey(reason, members, state.n, found.epochs[state.n]),
        keyrings={principal: ring.states[-1] for principal, ring in box.rings.items()},
        by=box.by(),
        author=box.device.id,
        key=box.device.signing_key,
        at=now(),
    )


# --- encoding


def test_e1_another_encoding_of_the_same_header(offices: Offices, opened: str) -> None:
    form = offices.officer_a.seal(opened, "Twice the same.")
    item = raw(form)
    assert item[0] == 0x84
    assert refused_message(offices.officer_a, form, b"\x98\x04" + item[1:]) == "bad-encoding"
    assert refused_message(offices.officer_a, form, item + b"\0") == "bad-encoding"


def test_e2_a_signature_a_suite_a_type_or_a_network_that_is_not_the_one(
    offices: Offices, opened: str
) -> None:
    form = offices.officer_a.seal(opened, "Whatever it says.")
    assert refused_message(offices.officer_a, form, tampered(raw(form))) == "bad-signature"
    device = offices.officer_a.mailbox.device
    codes = {
        refused_message(offices.officer_a, form, forge(raw(form), device, **change))
        for change in ({"suite": 0}, {"t": "opened"}, {"net": "another.example"}, {"more": 1})
    }
    assert codes == {"unknown-suite", "wrong-type", "wrong-network", "bad-statement"}


def test_e3_what_is_hashed_and_kept_are_the_bytes_as_sent(offices: Offices, opened: str) -> None:
    form = offices.officer_a.seal(opened, "As sent.")
    (result,) = offices.officer_a.append(form)
    row = ThreadItem.objects.get(thread_id=opened, seq=result["seq"])
    assert bytes(row.item) == raw(form)
    receipt: Any = decode(base64.b64decode(result["receipt"]))
    payload: Any = decode(receipt[2])
    assert payload["item"] == sha256(raw(form))


def test_e4_a_signature_in_the_context_of_another_network(offices: Offices, opened: str) -> None:
    form, device = offices.officer_a.seal(opened, "Whatever."), offices.officer_a.mailbox.device
    item = sign_payload(payload_of(raw(form)), device.signing_key, device.id, aad_net="another.example")
    assert refused_message(offices.officer_a, form, item) == "bad-signature"


def test_e7_a_device_with_a_key_of_small_order(offices: Offices, cast: Cast) -> None:
    box, person = offices.supervisor_a.mailbox, person_of(cast.officer_a)
    other = make_device(box.net, box.principal, person, at=now())
    statement = make_device_statement(
        box.net,
        principal=box.principal,
        salt=None,
        person=person.person,
        name=person.name,
        office=person.office,
        signing_key=other.signing_key,
        kem_public=other.kem_key.public,
        at=now(),
    )
    parts = decode(statement)
    assert isinstance(parts, list)
    weak = encode([*parts[:2], encode(payload_of(statement) | {"sig": WEAK_KEY}), WEAK_KEY + bytes(32)])
    body = {"statement": to_text(weak), "roles": ["officer"]}
    response = call(offices.officer_a.http, "POST", "/devices/requests", body)
    assert code_of(response)[1] == "weak-signing-key"


# --- keyrings


def test_k1_an_entry_that_is_not_the_next(offices: Offices) -> None:
    desk = offices.supervisor_a
    assert forged_entry(desk, n=1) == "stale-epoch"
    assert forged_entry(desk, n=3) == "missing-entry"
    assert forged_entry(desk, prev=bytes(32)) == "wrong-predecessor"


def test_k2_an_entry_by_a_device_that_is_no_steward(offices: Offices, cast: Cast) -> None:
    Membership.objects.filter(id=cast.officer_a.actor.membership_id).update(roles=["officer", "supervisor"])
    desk, officer = offices.supervisor_a, offices.officer_a
    desk.learn(desk.mailbox.principal)
    form = change_form(desk, desk.mailbox.stewardship.rotation())
    entry = signed_by(officer.mailbox.device, raw(form, "entry"))
    assert refused_entry(officer, form, entry) == "not-a-steward"


def test_k3_a_list_out_of_order_and_a_change_that_the_reason_does_not_name(offices: Offices) -> None:
    desk = offices.supervisor_a
    desk.learn(desk.mailbox.principal)
    rows = [[device.id, list(device.roles)] for device in desk.mailbox.stewardship.state.devices]
    assert forged_entry(desk, devices=rows[::-1]) == "not-sorted"
    mere = [[device, ["steward"]] for device, _ in rows]
    assert forged_entry(desk, devices=mere) == "unexpected-change"


def test_k4_envelopes_for_others_and_a_floor_that_is_not_raised(offices: Offices) -> None:
    desk = offices.supervisor_a
    assert forged_entry(desk, floor=0) == "wrong-floor"
    form = change_form(desk, desk.mailbox.stewardship.rotation())
    rows = decode(raw(form, "envelopes"))
    assert isinstance(rows, list)
    assert refused_entry(desk, form, envelopes=to_text(encode(rows[1:]))) == "wrong-recipients"


def test_k5_a_mailbox_that_was_used_before(offices: Offices) -> None:
    desk = offices.supervisor_a
    assert forged_entry(desk, mailbox=offices.officer_b.mailbox.stewardship.state.mailbox) == "reused-key"


def test_k6_a_supervisor_made_by_one_of_two_stewards_alone(offices: Offices, cast: Cast) -> None:
    Membership.objects.filter(id=cast.officer_a.actor.membership_id).update(roles=["officer", "supervisor"])
    desk = offices.supervisor_a
    second = request_device(cast.officer_a, desk.mailbox.principal)
    desk.post(f"/keyrings/{desk.principal}/entries", addition_form(desk, second, roles=("steward",)))
    desk.learn(desk.mailbox.principal)
    third = request_device(cast.officer_a, desk.mailbox.principal)
    made = next_entry(desk.mailbox, keyring.addition(state_of(desk), [(third.mailbox.device.id, ALL)]), third)
    statements = [to_text(third.mailbox.device.statement)]
    assert refused_entry(desk, entry_body(made), statements=statements) == "approval-needed"


ALL = ("officer", "steward", "supervisor")


def state_of(desk: Workplace) -> keyring.KeyringState:
    return desk.mailbox.stewardship.state


def next_entry(
    box: Mailbox, change: Change, *added: Workplace, signer: Device | RecoveryKit | None = None
) -> MadeEntry:
    """The next entry of a steward's keyring, whatever others would say of it."""
    ring, author = box.rings[box.principal], signer or box.device
    state = ring.states[-1]
    return keyring.make_entry(
        box.net,
        state,
        change,
        Author(author.id, author.signing_key, now()),
        Held(state.n, ring.secrets[state.n]),
        [read_device(box.net, one.mailbox.device.statement) for one in added],
    )


def entry_body(made: MadeEntry) -> dict[str, Any]:
    return {"entry": to_text(made.entry), "envelopes": to_text(made.envelopes), "statements": []}


def test_k9_a_practitioner_for_whom_no_supervisor_answers(offices: Offices) -> None:
    desk, officer = offices.supervisor_a, offices.officer_a
    desk.learn(desk.mailbox.principal)
    statement = make_sponsor(
        desk.mailbox.net,
        by=desk.mailbox.by(),
        person="somebody",
        office="Prosecution Service",
        device=bytes(32),
        begins=now(),
        until=now() + 86_400,
        author=officer.mailbox.device.id,
        key=officer.mailbox.device.signing_key,
        at=now(),
    )
    made = next_entry(desk.mailbox, keyring.sponsoring(state_of(desk), {bytes(32): statement}))
    assert refused_entry(desk, entry_body(made)) == "wrong-sponsor"


def test_k11_a_recovery_that_keeps_the_devices(offices: Offices) -> None:
    desk, kit = offices.supervisor_a, RecoveryKit.generate(offices.supervisor_a.mailbox.net)
    desk.learn(desk.mailbox.principal)
    rows = [(device.id, device.roles) for device in state_of(desk).devices]
    change = keyring.recovery_by_kit(state_of(desk), rows, kit.public)
    assert refused_entry(desk, entry_body(next_entry(desk.mailbox, change))) == "unexpected-change"


def test_k12_a_keyring_that_succeeds_one_nobody_knows(cast: Cast) -> None:
    device, form = keyring_form(cast.supervisor_a)
    entry = forge(raw(form, "entry"), device, succeeds=bytes(32))
    body = {**form, "entry": to_text(entry)}
    assert code_of(call(cast.supervisor_a.client(), "POST", "/keyrings", body))[1] in {
        "wrong-principal",
        "wrong-succession",
    }
    assert not Principal.objects.exists()


def test_l2_every_entry_of_every_keyring_has_its_line_in_the_log(offices: Offices) -> None:
    del offices
    hashes = {sha256(bytes(row.entry)) for row in KeyringEntry.objects.all()}
    leaves: list[Any] = [decode(bytes(row.leaf)) for row in LogLeaf.objects.order_by("position")]
    assert {leaf[5] for leaf in leaves if leaf[2] == "keyring"} == hashes


# --- threads


def test_t1_an_entry_that_does_not_follow_the_end(offices: Offices, opened: str) -> None:
    desk = offices.officer_a
    made = refreshed(desk, opened)
    assert refused_in_thread(desk, opened, made, n=2) == "missing-entry"
    assert refused_in_thread(desk, opened, made, prev=bytes(32)) == "wrong-predecessor"
    after = {"seq": 1, "hash": bytes(32)}
    assert refused_in_thread(desk, opened, made, after=after) == "stale-transcript"


def test_t2_an_entry_that_changes_more_than_its_reason_says(offices: Offices, opened: str) -> None:
    desk = offices.supervisor_a
    refreshed(desk, opened)
    state = desk.mailbox.threads[bytes.fromhex(opened)].state
    assert state is not None
    own = [member for member in state.members if member.principal == desk.mailbox.principal]
    assert refused_in_thread(desk, opened, changed(desk, opened, "refresh", own)) in {
        "unexpected-change",
        "expelled-party",
    }
    by = {**payload_of(refreshed(desk, opened).entry)["by"], "head": bytes(32)}
    assert refused_in_thread(desk, opened, refreshed(desk, opened), by=by) == "stale-author-keyring"


def test_t3_a_third_authority_without_the_consent_of_both(offices: Offices, opened: str) -> None:
    desk = offices.supervisor_a
    desk.learn(offices.supervisor_c.mailbox.principal)
    refreshed(desk, opened)
    state = desk.mailbox.threads[bytes.fromhex(opened)].state
    assert state is not None
    newcomer = desk.mailbox.membership.newcomer(offices.supervisor_c.mailbox.principal, "observer")
    made = changed(desk, opened, "join", [*state.members, newcomer])
    assert refused_in_thread(desk, opened, made) == "consent-missing"


def test_t4_a_message_under_keys_of_before_a_removal(offices: Offices, opened: str) -> None:
    desk, officer_b = offices.supervisor_a, offices.officer_b
    desk.learn(desk.mailbox.principal)
    removal = desk.mailbox.stewardship.removal([offices.officer_a.mailbox.device.id])
    desk.post(f"/keyrings/{desk.principal}/entries", change_form(desk, removal))
    (result,) = officer_b.append(officer_b.seal(opened, "Sealed to who was removed."))
    assert result["error"]["code"] == "stale-epoch"


def test_t5_the_end_of_a_mandate_that_was_never_given(offices: Offices, opened: str) -> None:
    desk = offices.supervisor_a
    refreshed(desk, opened)
    box = desk.mailbox
    state = box.threads[bytes.fromhex(opened)].state
    assert state is not None
    fields = {
        "by": box.by().as_map(),
        "thread": state.thread,
        "of": bytes(32),
        "after": {"seq": state.seq, "hash": state.transcript},
        "t": "mandate-withdrawal",
        "v": 1,
        "suite": 1,
        "net": box.net,
        "at": now(),
    }
    item = sign_payload(fields, box.device.signing_key, box.device.id)
    response = call(desk.http, "POST", f"/threads/{opened}/withdrawals", {"withdrawal": to_text(item)})
    assert code_of(response)[1] == "unknown-mandate"


def test_t6_an_entry_that_leads_nowhere(offices: Offices, opened: str) -> None:
    desk = offices.officer_a
    assert refused_in_thread(desk, opened, refreshed(desk, opened), history=None) == "bad-history"


def test_t9_a_party_that_is_taken_out_by_the_other(offices: Offices, opened: str) -> None:
    desk = offices.supervisor_a
    refreshed(desk, opened)
    state = desk.mailbox.threads[bytes.fromhex(opened)].state
    assert state is not None
    own = [member for member in state.members if member.principal == desk.mailbox.principal]
    assert refused_in_thread(desk, opened, changed(desk, opened, "drop", own)) == "expelled-party"


def test_t10_somebody_in_the_place_of_another_whom_it_does_not_succeed(offices: Offices, opened: str) -> None:
    desk = offices.supervisor_a
    desk.learn(offices.supervisor_c.mailbox.principal)
    refreshed(desk, opened)
    state = desk.mailbox.threads[bytes.fromhex(opened)].state
    assert state is not None
    own = [member for member in state.members if member.principal == desk.mailbox.principal]
    newcomer = desk.mailbox.membership.newcomer(offices.supervisor_c.mailbox.principal, "party")
    made = changed(desk, opened, "succeed", [*own, newcomer])
    assert refused_in_thread(desk, opened, made) == "wrong-successor"


# --- messages


def test_m1_a_message_in_the_name_of_an_entry_that_is_not_the_newest(offices: Offices, opened: str) -> None:
    desk = offices.officer_a
    by = {**desk.mailbox.by().as_map(), "head": bytes(32)}
    assert forged_message(desk, opened, by=by) == "stale-author-keyring"


def test_m2_an_id_that_stands_in_the_thread(offices: Offices, opened: str) -> None:
    desk = offices.officer_a
    first = ThreadItem.objects.get(thread_id=opened, seq=2)
    assert forged_message(desk, opened, id=payload_of(bytes(first.item))["id"]) == "id-reused"


def test_m3_a_ciphertext_that_is_not_the_one_that_was_signed(offices: Offices, opened: str) -> None:
    desk = offices.officer_a
    assert forged_message(desk, opened, cipher=bytes(32)) == "wrong-cipher"


def test_m4_a_counter_that_leaps(offices: Offices, opened: str) -> None:
    assert forged_message(offices.officer_a, opened, counter=7) == "counter-gap"


def test_m7_a_message_after_another_transcript(offices: Offices, opened: str) -> None:
    after = {"seq": 2, "hash": bytes(32)}
    assert forged_message(offices.officer_a, opened, after=after) == "wrong-transcript"
