"""Messages are taken once, in order, whole or not at all; the server never has a word of them."""

import base64
import json

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.actions.messages import append_messages
from messaging.models import ThreadItem
from messaging.protocol import AppendedMessages, AppendMessages
from messaging.queries import expand_items
from messaging.sealed.encoding import encode, sha256
from messaging.sealed.receipt import check_receipt
from messaging.server_key import server_key
from network.actions.sign_ins import end_sign_in
from network.errors import SignedOut
from network.frames import parse_json
from network.policy import Actor
from network.realtime import authority_audience
from tests.factories import Offices, Workplace, call, code_of, request_device, to_text
from tests.personas import Cast

CANARY = "Zanzibar-Quetzal-4711"


@pytest.fixture
def thread(offices: Offices) -> str:
    """Give a thread of A and B, read to its end by an officer on each side."""
    thread = offices.officer_a.open_thread(offices.officer_b)
    offices.officer_b.read(thread)
    return thread


def body_of(*messages: dict[str, str]) -> AppendMessages:
    return AppendMessages.model_validate({"messages": list(messages)})


def error_of(workplace: Workplace, message: dict[str, str]) -> str:
    (result,) = workplace.append(message)
    return str(result["error"]["code"])


def changed(message: dict[str, str], at: int = -1, part: str = "item") -> dict[str, str]:
    data = bytearray(base64.b64decode(message[part]))
    data[at] ^= 1
    return {**message, part: to_text(bytes(data))}


def test_a_message_gets_a_receipt_that_can_be_verified(offices: Offices, thread: str) -> None:
    message = offices.officer_a.seal(thread, "Signed for.")
    (result,) = offices.officer_a.append(message)
    row = ThreadItem.objects.get(thread_id=thread, seq=result["seq"])
    check_receipt(
        "network.example/s1",
        server_key().key.public,
        base64.b64decode(result["receipt"]),
        thread=bytes.fromhex(thread),
        seq=3,
        item=sha256(base64.b64decode(message["item"])),
        transcript=bytes.fromhex(row.transcript),
    )
    assert (row.kind, row.counter, row.urgency, row.due) == ("note", 1, 0, None)


def test_urgency_and_date_wanted_are_kept_as_the_header_says_them(offices: Offices, thread: str) -> None:
    message = offices.officer_a.seal(thread, "Hurry.", urgency=2, due=1_800_000_000, reason="Custody ends.")
    (result,) = offices.officer_a.append(message)
    row = ThreadItem.objects.get(thread_id=thread, seq=result["seq"])
    assert (row.urgency, row.due) == (2, 1_800_000_000)
    assert b"Custody" not in bytes(row.item) + bytes(row.ciphertext or b"")


def test_the_same_bytes_are_answered_as_the_first_time_for_ever(offices: Offices, thread: str) -> None:
    message = offices.officer_a.seal(thread, "Once.")
    (first,) = offices.officer_a.append(message)
    assert offices.officer_a.append(message, message) == [first, first]
    offices.officer_a.read(thread)
    offices.officer_b.send(thread, "Something in between.")
    offices.officer_b.post(f"/threads/{thread}/entries", offices.officer_b.refresh_form(thread))
    assert offices.officer_a.append(message) == [first]
    assert ThreadItem.objects.filter(thread_id=thread, type="message").count() == 3


def test_an_id_used_again_for_other_bytes_is_refused(offices: Offices, thread: str) -> None:
    message = offices.officer_a.seal(thread, "Once.")
    offices.officer_a.append(message)
    assert error_of(offices.officer_a, changed(message)) == "id-reused"
    assert error_of(offices.officer_a, changed(message, part="ciphertext")) == "id-reused"


def test_one_bad_message_never_fails_its_neighbours(offices: Offices, thread: str, cast: Cast) -> None:
    other = offices.officer_a.open_thread(offices.officer_b)
    good = offices.officer_a.seal(thread, "First.")
    from_b = offices.officer_b.seal(thread, "From the other side.")
    elsewhere = offices.officer_a.seal(other, "Elsewhere.")
    outcomes = append_messages(
        [
            (cast.officer_a.actor, body_of(changed(good), good, {"item": "gA==", "ciphertext": ""})),
            (cast.officer_b.actor, body_of(from_b)),
            (cast.officer_c.actor, body_of(good)),
            (cast.officer_a.actor, body_of(elsewhere, good)),
        ]
    )
    codes = [
        [result.error.code if hasattr(result, "error") else result.seq for result in outcome.results]
        for outcome in outcomes
        if isinstance(outcome, AppendedMessages)
    ]
    assert codes == [["bad-signature", 3, "bad-statement"], [4], ["not-found"], [3, 3]]
    offices.supervisor_a.read(thread)


def test_an_actor_who_no_longer_stands_fails_alone(offices: Offices, thread: str, cast: Cast) -> None:
    gone, there = cast.officer_a.actor, cast.officer_b.actor
    message, from_b = offices.officer_a.seal(thread, "Late."), offices.officer_b.seal(thread, "In time.")
    end_sign_in(gone)
    outcomes = append_messages([(gone, body_of(message)), (there, body_of(from_b))])
    assert isinstance(outcomes[0], SignedOut)
    assert isinstance(outcomes[1], AppendedMessages)
    assert ThreadItem.objects.filter(thread_id=thread).count() == 3


def test_two_messages_sealed_one_after_the_other_arrive_in_one_command(offices: Offices, thread: str) -> None:
    first = offices.officer_a.seal(thread, "One.")
    offices.officer_a.append(first)
    offices.officer_a.read(thread)
    second = offices.officer_a.seal(thread, "Two.")
    results = offices.officer_a.append(first, second)
    assert [result["seq"] for result in results] == [3, 4]


def test_a_message_of_an_old_epoch_is_stale(offices: Offices, thread: str) -> None:
    message = offices.officer_a.seal(thread, "Of epoch 0.")
    answer = offices.officer_b.post(f"/threads/{thread}/entries", offices.officer_b.refresh_form(thread))
    assert answer["seq"] == 3
    assert error_of(offices.officer_a, message) == "stale-epoch"
    offices.officer_a.mailbox.mark_refused(bytes.fromhex(thread))
    assert offices.officer_a.send(thread, "Sealed anew.")["seq"] == 4


def test_a_message_under_an_old_keyring_is_stale(offices: Offices, thread: str, cast: Cast) -> None:
    message = offices.officer_a.seal(thread, "Under entry 1.")
    asking = request_device(cast.officer_a, offices.supervisor_a.mailbox.principal)
    offices.supervisor_a.learn(offices.supervisor_a.mailbox.principal)
    made = offices.supervisor_a.mailbox.make_addition([(asking.mailbox.device.statement, ("officer",))], at=1)
    form = {
        "entry": to_text(made.entry),
        "envelopes": to_text(made.envelopes),
        "statements": [to_text(statement) for statement in made.statements],
    }
    offices.supervisor_a.post(f"/keyrings/{offices.supervisor_a.principal}/entries", form)
    assert error_of(offices.officer_a, message) == "stale-author-keyring"
    offices.officer_a.mailbox.mark_refused(bytes.fromhex(thread))
    offices.officer_a.learn(offices.officer_a.mailbox.principal)
    assert offices.officer_a.send(thread, "Under entry 2.")["seq"] == 3


def test_counters_without_gap(offices: Offices, thread: str) -> None:
    offices.officer_a.seal(thread, "Never sent.")
    offices.officer_a.mailbox.signed[bytes.fromhex(thread)].pending = None
    message = offices.officer_a.seal(thread, "Out of turn.")
    assert error_of(offices.officer_a, message) == "counter-gap"


def test_a_message_of_a_colleague_or_an_unlisted_device_is_refused(
    offices: Offices, thread: str, cast: Cast
) -> None:
    message = offices.officer_a.seal(thread, "Mine.")
    offices.supervisor_a.learn(offices.supervisor_a.mailbox.principal)
    assert error_of(offices.supervisor_a, message) == "foreign-device"
    assert error_of(offices.officer_b, message) == "foreign-device"
    assert ThreadItem.objects.filter(thread_id=thread).count() == 2


def test_acknowledgements_are_messages_with_their_kind(offices: Offices, thread: str) -> None:
    applied = offices.officer_b.mailbox.threads[bytes.fromhex(thread)].applied
    assert applied[1].message
    message = offices.officer_b.acknowledge(thread, applied[1].message.id, 2)
    (result,) = offices.officer_b.append(message)
    assert ThreadItem.objects.get(thread_id=thread, seq=result["seq"]).kind == "acknowledgement"


@pytest.mark.parametrize("size", [0, 1, 511, 513, 1023])
def test_a_ciphertext_of_another_size_is_refused(offices: Offices, thread: str, size: int) -> None:
    message = {**offices.officer_a.seal(thread, "Padded."), "ciphertext": to_text(bytes(size))}
    assert error_of(offices.officer_a, message) == "bad-size"


@pytest.mark.parametrize(
    "item",
    [
        b"",
        b"\xff",
        bytes(300),
        b"\x84\x40\xa0\x40\x40",
        # An indefinite length, a float, a longer-than-needed integer, a tag: none of them is E1.
        b"\x9f\xff",
        b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00",
        b"\x18\x01",
        b"\xd2\x84\x40\xa0\x40\x40",
        encode(["", {}, b"", b""]),
    ],
)
def test_items_that_are_not_e1_are_refused(offices: Offices, thread: str, item: bytes) -> None:
    message = {**offices.officer_a.seal(thread, "Damaged."), "item": to_text(item)}
    assert error_of(offices.officer_a, message) in {"bad-encoding", "bad-statement"}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"messages": []},
        {"messages": {}},
        {"messages": [{}]},
        {"messages": [{"item": "AA==", "ciphertext": "AA==", "more": 1}]},
        {"messages": [{"item": 1, "ciphertext": "AA=="}]},
        {"messages": [{"item": "A", "ciphertext": "AA=="}]},
        {"messages": [{"item": "AA==\n", "ciphertext": "AA=="}]},
        {"messages": [{"item": "__==", "ciphertext": "AA=="}]},
        {"messages": [{"item": None, "ciphertext": "AA=="}]},
        {"messages": [{"item": to_text(bytes(4097)), "ciphertext": "AA=="}]},
        {"messages": [{"item": "AA==", "ciphertext": to_text(bytes(40961))}]},
        {"messages": [{"item": "AA==", "ciphertext": "AA=="}] * 17},
        {"messages": "AA==", "more": True},
    ],
)
def test_malformed_bodies_are_refused(cast: Cast, body: object) -> None:
    response = call(cast.officer_a.client(), "POST", "/messages", body)
    assert response.status_code == 422, response.content
    assert set(parse_json(response.content)) == {"error"}


@pytest.mark.parametrize("raw", [b"{", b'{"messages":[],"messages":[]}', b"\xff", b"[" * 40, b"NaN"])
def test_bodies_that_are_not_json_are_refused(cast: Cast, raw: bytes) -> None:
    response = call(cast.officer_a.client(), "POST", "/messages", raw=raw)
    assert code_of(response) == (422, "malformed-frame")


def test_a_body_larger_than_512_kib_is_refused(cast: Cast) -> None:
    big = json.dumps({"messages": [{"item": "AA==", "ciphertext": "A" * (600 * 1024)}]}).encode()
    response = call(cast.officer_a.client(), "POST", "/messages", raw=big)
    assert code_of(response) == (413, "too-large")


@pytest.mark.parametrize("path", ["/threads/ab", "/threads/" + "AB" * 32, "/drafts/old", "/threads?limit=0"])
def test_ids_and_limits_have_one_form(cast: Cast, path: str) -> None:
    assert call(cast.officer_a.client(), "GET", path).status_code in {404, 422}


def test_the_server_has_no_word_of_what_was_written(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, f"The matter of {CANARY}.")
    offices.officer_b.send(thread, f"Concerning {CANARY}: yes.")
    offices.officer_a.http.put(
        "/api/drafts/new", json.dumps({"sealed": to_text(b"sealed by the client")}), "application/json"
    )
    written = [str(row) for model in apps.get_models() for row in model._default_manager.values()]
    everything = " ".join(written)
    for form in (CANARY, CANARY.encode().hex(), base64.b64encode(CANARY.encode()).decode().rstrip("=")[:-2]):
        assert form not in everything
    # The search itself works: an authority's name is there.
    assert "Ministry of Justice of State A" in everything


def queries_of(batch: list[tuple[Actor, AppendMessages]]) -> int:
    with CaptureQueriesContext(connection) as context:
        append_messages(batch)
    return len(context.captured_queries)


def test_a_batch_needs_no_more_queries_than_one_message(offices: Offices, thread: str, cast: Cast) -> None:
    a, b = cast.officer_a.actor, cast.officer_b.actor
    one = queries_of([(b, body_of(offices.officer_b.seal(thread, "One.")))])
    offices.officer_a.read(thread)
    offices.officer_b.read(thread)
    from_a, from_b = offices.officer_a.seal(thread, "From A."), offices.officer_b.seal(thread, "From B.")
    assert queries_of([(a, body_of(from_a)), (b, body_of(from_b))]) <= one


def test_events_are_expanded_for_members_only(offices: Offices, thread: str, cast: Cast) -> None:
    payloads = [{"thread": thread, "seq": seq} for seq in (1, 2, 9)]
    for_a = expand_items(authority_audience(cast.officer_a.actor.authority_id), payloads)
    for_c = expand_items(authority_audience(cast.officer_c.actor.authority_id), payloads)
    rows = offices.officer_a.get(f"/threads/{thread}/items")["items"]
    assert [body.model_dump(mode="json") for body in for_a if body] == rows
    assert for_a[2] is None
    assert for_c == [None, None, None]
