"""Two authorities write to each other; nobody else can know that they do."""

import base64
import time
from typing import Any, cast

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.models import Draft, Progress, Thread, ThreadItem
from messaging.sealed.client import Device
from messaging.sealed.encoding import decode
from messaging.sealed.message import Note
from messaging.sealed.statement import FIELDS, sign
from network.actions.memberships import end_membership
from network.audit import verify_chain
from network.models import AuditEntry, EventRecord
from tests.factories import Offices, Workplace, answer, call, code_of, now, to_text
from tests.personas import Cast


def texts(workplace: Workplace, thread: str) -> list[str]:
    workplace.read(thread)
    applied = workplace.mailbox.threads[bytes.fromhex(thread)].applied
    bodies = [item.plaintext.body for item in applied if item.plaintext]
    return [body.text for body in bodies if isinstance(body, Note)]


def test_officer_a_opens_a_thread_and_officer_b_reads_and_answers(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, "We ask for bank records.")
    offices.officer_b.send(thread, "We acknowledge your request.")
    expected = ["We ask for bank records.", "We acknowledge your request."]
    assert texts(offices.officer_a, thread) == expected
    assert texts(offices.officer_b, thread) == expected
    assert texts(offices.supervisor_a, thread) == expected


def test_officer_a_sees_the_thread_in_the_list_with_its_members_and_progress(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    page = offices.officer_a.get("/threads")
    assert page["next"] is None
    (row,) = page["threads"]
    assert row == offices.officer_b.get(f"/threads/{thread}")
    assert (row["thread"], row["kind"], row["n"], row["seq"]) == (thread, "case", 0, 2)
    assert {member["principal"] for member in row["members"]} == {
        offices.officer_a.principal,
        offices.officer_b.principal,
    }
    assert {member["authority"]["state"] for member in row["members"]} == {"XAA", "XBB"}
    assert [progress["opened_seq"] for progress in row["progress"]] == [0, 0]
    assert abs(row["opened_at"] - time.time()) < 60


def test_officer_a_sees_the_list_in_pages_the_newest_change_first(offices: Offices) -> None:
    opened = [offices.officer_a.open_thread(offices.officer_b, None) for _ in range(3)]
    offices.officer_a.send(opened[0], "Newest.")
    first = offices.officer_a.get("/threads?limit=2")
    second = offices.officer_a.get(f"/threads?limit=2&before={first['next']}")
    found = [row["thread"] for page in (first, second) for row in page["threads"]]
    assert found == [opened[0], opened[2], opened[1]]
    assert second["next"] is None


@pytest.mark.parametrize("cursor", ["x", "1", "-1.ab", "9" * 40, "1e3.ab", "%00", "1.%00"])
def test_officer_a_sees_no_page_for_a_made_up_cursor(offices: Offices, cursor: str) -> None:
    response = call(offices.officer_a.http, "GET", f"/threads?before={cursor}")
    assert response.status_code in {200, 422}
    assert response.status_code == 422 or answer(response)["threads"] == []


def test_a_thread_opened_again_with_the_same_bytes_is_answered_the_same(offices: Offices) -> None:
    offices.officer_a.learn(offices.officer_b.mailbox.principal)
    thread, body = offices.officer_a.thread_form([offices.officer_b.mailbox.principal], "Once.")
    first = offices.officer_a.post("/threads", body)
    assert offices.officer_a.post("/threads", body) == first
    assert first["thread"] == thread
    assert first["seq"] == 2
    assert Thread.objects.count() == 1
    without = {**body, "messages": []}
    assert offices.officer_a.post("/threads", without)["receipts"] == first["receipts"][:1]


def test_a_thread_whose_first_message_is_refused_is_not_opened(offices: Offices) -> None:
    _, body = offices.officer_a.thread_form([offices.officer_b.mailbox.principal], "Once.")
    body["messages"][0]["ciphertext"] = to_text(bytes(512))
    response = call(offices.officer_a.http, "POST", "/threads", body)
    assert code_of(response) == (422, "wrong-cipher")
    assert not Thread.objects.exists()
    assert not ThreadItem.objects.exists()


def test_a_thread_with_the_message_of_another_thread_is_refused(offices: Offices) -> None:
    _, body = offices.officer_a.thread_form([offices.officer_b.mailbox.principal], "One.")
    _, other = offices.officer_a.thread_form([offices.officer_b.mailbox.principal], "Two.")
    response = call(offices.officer_a.http, "POST", "/threads", {**body, "messages": other["messages"]})
    assert code_of(response) == (422, "wrong-thread")


def test_officer_a_cannot_open_a_thread_in_the_name_of_somebody_else(offices: Offices) -> None:
    _, body = offices.officer_a.thread_form([offices.officer_b.mailbox.principal], "Once.")
    for somebody in (offices.supervisor_a, offices.officer_b, offices.supervisor_c):
        response = call(somebody.http, "POST", "/threads", body)
        assert code_of(response) == (403, "foreign-device")
    assert not Thread.objects.exists()


def routes_of(thread: str, opened: str) -> list[tuple[str, str, object]]:
    return [
        ("GET", f"/threads/{thread}", None),
        ("GET", f"/threads/{thread}/items", None),
        ("POST", f"/threads/{thread}/delivered", {"seq": 1}),
        ("POST", f"/threads/{thread}/opened", {"opened": opened}),
        ("POST", f"/threads/{thread}/entries", {"entry": "AA==", "envelopes": "AA=="}),
        ("GET", f"/drafts/{thread}", None),
        ("PUT", f"/drafts/{thread}", {"sealed": "AAAA"}),
        ("PUT", f"/drafts/step-{thread}", {"sealed": "AAAA"}),
    ]


def test_officer_c_cannot_tell_a_foreign_thread_from_a_missing_one(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    missing = "ab" * 32
    opened = to_text(offices.officer_a.mailbox.make_opened(bytes.fromhex(thread), at=1))
    for there, not_there in zip(routes_of(thread, opened), routes_of(missing, opened), strict=True):
        foreign = call(offices.supervisor_c.http, *there)
        absent = call(offices.supervisor_c.http, *not_there)
        assert code_of(foreign) == (404, "not-found"), there
        assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content)
    page = offices.supervisor_c.http.get(f"/threads/{thread}/")
    assert page.status_code == 404
    assert page.status_code == offices.supervisor_c.http.get(f"/threads/{missing}/").status_code
    assert offices.supervisor_c.get("/threads")["threads"] == []
    (result,) = offices.supervisor_c.append(offices.officer_a.seal(thread, "Somebody else's."))
    assert result["error"]["code"] == "not-found"
    assert ThreadItem.objects.filter(thread_id=thread).count() == 2
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    ("name", "status"),
    [("administrator_a", 403), ("directory_officer", 403), ("former_officer_a", 401), ("signed_out", 401)],
)
def test_who_does_not_correspond_gets_nothing(offices: Offices, cast: Cast, name: str, status: int) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    persona = cast.everybody()[name]
    client = persona.client()
    for method, path, body in [*routes_of(thread, "AAAA"), ("GET", "/threads", None)]:
        response = call(client, method, path, body)
        assert response.status_code == status, (path, response.content)
        assert thread.encode() not in response.content


def test_an_officer_whose_membership_has_ended_gets_nothing_and_changes_nothing(
    offices: Offices, cast: Cast
) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    sealed = offices.officer_a.seal(thread, "Too late.")
    assert cast.officer_a.membership
    end_membership(None, membership_id=cast.officer_a.membership.id)
    assert call(offices.officer_a.http, "GET", f"/threads/{thread}/items").status_code == 401
    assert call(offices.officer_a.http, "POST", "/messages", {"messages": [sealed]}).status_code == 401
    assert ThreadItem.objects.filter(thread_id=thread).count() == 2


def test_delivered_and_opened_only_rise_and_the_other_side_can_verify_opened(offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    thread = a.open_thread(b)
    b.read(thread)
    b.post(f"/threads/{thread}/delivered", {"seq": 2})
    b.post(f"/threads/{thread}/delivered", {"seq": 1})
    opened = to_text(b.mailbox.make_opened(bytes.fromhex(thread), at=int(time.time())))
    b.post(f"/threads/{thread}/opened", {"opened": opened})
    a.send(thread, "One more.")
    b.post(f"/threads/{thread}/opened", {"opened": opened})
    rows = {row["principal"]: row for row in a.get(f"/threads/{thread}")["progress"]}
    assert rows[b.principal] == {
        "principal": b.principal,
        "delivered_seq": 2,
        "opened_seq": 2,
        "opened": opened,
        "told": [],
    }
    verified = a.mailbox.check_opened(bytes.fromhex(thread), base64.b64decode(opened))
    assert verified.seq == 2
    assert code_of(call(b.http, "POST", f"/threads/{thread}/delivered", {"seq": 4})) == (
        422,
        "beyond-the-end",
    )
    assert Progress.objects.count() == 2


def test_officer_a_cannot_say_opened_with_a_foreign_device_or_for_another_thread(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    other = offices.officer_a.open_thread(offices.officer_b)
    offices.officer_b.read(thread)
    foreign = to_text(offices.officer_b.mailbox.make_opened(bytes.fromhex(thread), at=1))
    own = to_text(offices.officer_a.mailbox.make_opened(bytes.fromhex(thread), at=1))
    post = offices.officer_a.http
    assert code_of(call(post, "POST", f"/threads/{thread}/opened", {"opened": foreign})) == (
        403,
        "foreign-device",
    )
    assert code_of(call(post, "POST", f"/threads/{other}/opened", {"opened": own})) == (422, "wrong-thread")
    signed = base64.b64decode(own)
    broken = to_text(signed[:-40] + bytes([signed[-40] ^ 1]) + signed[-39:])
    assert code_of(call(post, "POST", f"/threads/{thread}/opened", {"opened": broken})) == (
        422,
        "bad-signature",
    )


def test_every_member_hears_of_items_by_reference_and_the_audit_chain_holds(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, "Never in an event.")
    events = EventRecord.objects.filter(name="messaging.item.appended").order_by("audience", "seq")
    audiences = {event.audience for event in events}
    assert len(audiences) == 2
    assert [event.payload for event in events] == [{"thread": thread, "seq": seq} for seq in (1, 2)] * 2
    acts = list(AuditEntry.objects.order_by("n").values_list("act", flat=True))
    assert acts.count("keyring:create") == 3
    assert acts.count("device:enrol") == 2
    assert acts.count("thread:open") == 1
    assert verify_chain().faults == []


def test_drafts_are_kept_for_one_person_only(offices: Offices, cast: Cast) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    for key in (thread, f"step-{thread}", "new"):
        answer(call(offices.officer_a.http, "PUT", f"/drafts/{key}", {"sealed": "AAAA"}))
        answer(call(offices.officer_a.http, "PUT", f"/drafts/{key}", {"sealed": "BBBB"}))
        assert offices.officer_a.get(f"/drafts/{key}") == {"sealed": "BBBB"}
        assert offices.supervisor_a.get(f"/drafts/{key}") == {"sealed": None}
        answer(call(offices.supervisor_a.http, "DELETE", f"/drafts/{key}"))
        assert offices.officer_a.get(f"/drafts/{key}") == {"sealed": "BBBB"}
        answer(call(offices.officer_a.http, "DELETE", f"/drafts/{key}"))
        assert offices.officer_a.get(f"/drafts/{key}") == {"sealed": None}


def test_a_draft_larger_than_64_kib_is_refused(offices: Offices) -> None:
    sealed = to_text(bytes(64 * 1024 + 1))
    response = call(offices.officer_a.http, "PUT", "/drafts/new", {"sealed": sealed})
    assert code_of(response) == (422, "invalid-body")


def test_lists_need_no_more_queries_for_more_rows(offices: Offices) -> None:
    def queries_of(path: str) -> int:
        with CaptureQueriesContext(connection) as context:
            offices.officer_a.get(path)
        return len(context.captured_queries)

    thread = offices.officer_a.open_thread(offices.officer_b)
    paths = ("/threads", f"/threads/{thread}/items", "/authorities", "/devices/requests")
    few = [queries_of(path) for path in paths]
    for _ in range(3):
        offices.officer_a.open_thread(offices.officer_b)
        offices.officer_a.send(thread, "More.")
    assert [queries_of(path) for path in paths] == few


def test_the_same_thread_is_seen_by_both_members_and_nobody_learns_of_it_in_the_directory(
    offices: Offices,
) -> None:
    offices.officer_a.open_thread(offices.officer_b)
    seen_by_c = str(offices.supervisor_c.get("/authorities")) + str(
        offices.supervisor_c.get(f"/keyrings/{offices.officer_a.principal}")
    )
    thread = offices.officer_b.get("/threads")["threads"][0]["thread"]
    assert thread not in seen_by_c


def test_officer_b_cannot_say_opened_at_a_time_to_come(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    offices.officer_b.read(thread)
    for at in (2**53 - 1, now() + 3600):
        opened = to_text(offices.officer_b.mailbox.make_opened(bytes.fromhex(thread), at=at))
        response = call(offices.officer_b.http, "POST", f"/threads/{thread}/opened", {"opened": opened})
        assert code_of(response) == (422, "clock-ahead")


def test_supervisor_c_cannot_find_a_foreign_thread_by_opening_it(offices: Offices) -> None:
    foreign = offices.officer_a.open_thread(offices.officer_b)
    c = offices.supervisor_c
    answers = []
    for claimed in (foreign, "ab" * 32):
        _, body = c.thread_form([offices.officer_b.mailbox.principal], None)
        entry = claim_thread(base64.b64decode(body["entry"]), claimed, c.mailbox.device)
        response = call(c.http, "POST", "/threads", {**body, "entry": to_text(entry)})
        answers.append((response.status_code, response.content))
    assert answers[0] == answers[1]
    assert answers[0][0] == 422


def claim_thread(entry: bytes, thread: str, device: Device) -> bytes:
    """Return a genesis that names another thread, signed anew by its author."""
    payload = cast(dict[str, Any], decode(cast(list[Any], decode(entry))[2]))
    fields = {name: payload[name] for name in FIELDS["thread"]} | {"thread": bytes.fromhex(thread)}
    return sign(
        settings.ORIGIN_NAME, "thread", fields, at=payload["at"], kid=device.id, key=device.signing_key
    )


def test_the_entries_of_a_thread_are_read_alone(offices: Offices) -> None:
    a = offices.officer_a
    thread = a.open_thread(offices.officer_b)
    a.send(thread, "Between.")
    a.post(f"/threads/{thread}/entries", a.refresh_form(thread))
    found = a.get(f"/threads/{thread}/items?entries=true")
    assert [(row["seq"], row["type"]) for row in found["items"]] == [(1, "entry"), (4, "entry")]
    assert found["seq"] == 4
