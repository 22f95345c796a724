"""Authorities join threads with the consent of all, leave them by themselves, and keep notes of their own."""

from dataclasses import replace
from typing import Any

from messaging.models import Assignment, Thread, ThreadAct, ThreadItem, ThreadMember
from messaging.sealed.consent import Admission
from messaging.sealed.keyring import NewEntry
from messaging.sealed.message import Note
from network.models import AuditEntry, Authority, DirectoryEntry
from tests.factories import Offices, Workplace, answer, call, code_of, now, on_wire, to_text
from tests.network.test_directory import make_entry


def form(made: NewEntry) -> dict[str, str]:
    """Return the body of an entry."""
    return {"entry": to_text(made.entry), "envelopes": to_text(made.envelopes)}


def texts(workplace: Workplace, thread: str) -> list[str | None]:
    """Return what a desk can read of a thread, None for what it cannot open."""
    workplace.read(thread)
    applied = [row for row in workplace.mailbox.threads[bytes.fromhex(thread)].applied if row.message]
    bodies = [row.plaintext.body if row.plaintext else None for row in applied]
    return [body.text if isinstance(body, Note) else None for body in bodies]


def learn_everybody(*desks: Workplace) -> None:
    """Let each desk verify the keyrings of all."""
    for desk in desks:
        for other in desks:
            desk.learn(other.mailbox.principal)


def admit(offices: Offices, thread: str, role: str = "observer", *, history: bool = False) -> dict[str, str]:
    """Return the entry by which supervisor A lets C in, on the consents of A and B."""
    learn_everybody(offices.supervisor_a, offices.supervisor_b, offices.supervisor_c)
    offices.supervisor_a.read(thread)
    offices.supervisor_b.read(thread)
    key, principal = bytes.fromhex(thread), offices.supervisor_c.mailbox.principal
    subject = Admission(principal, role)
    signers = (offices.supervisor_a, offices.supervisor_b)
    consents = [
        one.mailbox.membership.consent(key, subject, at=now() - 1, history=history) for one in signers
    ]
    a = offices.supervisor_a.mailbox.membership
    return form(a.join(key, [a.newcomer(principal, role)], consents, at=now(), shares=history))


def test_supervisor_c_comes_to_read_along_and_reads_from_then_on(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, "Before C.")
    body = admit(offices, thread)
    offices.supervisor_a.post(f"/threads/{thread}/entries", body)
    offices.officer_b.send(thread, "With C.")
    assert texts(offices.supervisor_c, thread) == [None, "With C."]
    assert texts(offices.officer_a, thread) == ["Before C.", "With C."]
    row = offices.supervisor_c.get(f"/threads/{thread}")
    assert {member["role"] for member in row["members"]} == {"party", "observer"}
    assert not row["has_left"]
    acts = list(AuditEntry.objects.filter(act="thread:join").values_list("subject", flat=True))
    assert acts == [thread]
    assert ThreadAct.objects.filter(thread_id=thread, type="consent").count() == 2


def test_supervisor_c_reads_what_was_before_where_every_consent_says_so(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, "Before C.")
    offices.supervisor_a.post(f"/threads/{thread}/entries", admit(offices, thread, "party", history=True))
    assert texts(offices.supervisor_c, thread) == ["Before C."]
    offices.supervisor_c.send(thread, "From C.")
    assert texts(offices.officer_a, thread) == ["Before C.", "From C."]


def test_an_observer_writes_nothing(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    offices.supervisor_a.post(f"/threads/{thread}/entries", admit(offices, thread, "party", history=True))
    offices.supervisor_c.read(thread)
    sealed = offices.supervisor_c.seal(thread, "As a party.")
    ThreadMember.objects.filter(principal_id=offices.supervisor_c.principal).update(role="observer")
    (result,) = offices.supervisor_c.append(sealed)
    assert result["error"]["code"] == "may-not-write"


def test_a_join_without_all_consents_or_with_spent_ones_is_refused(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    body = admit(offices, thread)
    offices.supervisor_a.post(f"/threads/{thread}/entries", body)
    key, principal = bytes.fromhex(thread), offices.supervisor_c.mailbox.principal
    offices.supervisor_a.read(thread)
    drop = offices.supervisor_a.mailbox.membership.drop(key, {principal}, at=now())
    offices.supervisor_a.post(f"/threads/{thread}/entries", form(drop))
    offices.supervisor_a.read(thread)
    known = offices.supervisor_a.mailbox.threads[key]
    used = list(known.entries[1].acts)
    a = offices.supervisor_a.mailbox.membership
    # A client that spends consents twice: the own check is passed over.
    known.state = _unspent(known.state)
    again = a.join(key, [a.newcomer(principal, "observer")], used, at=now(), shares=False)
    response = call(offices.supervisor_a.http, "POST", f"/threads/{thread}/entries", form(again))
    assert code_of(response) == (422, "consent-spent")


def _unspent(state: Any) -> Any:
    return replace(state, spent=frozenset())


def test_a_party_that_has_left_reads_on_up_to_there_and_no_further(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, "Before.")
    offices.officer_b.send(thread, "Answer.")
    offices.supervisor_b.read(thread)
    key = bytes.fromhex(thread)
    leave = offices.supervisor_b.mailbox.membership.leave(key, at=now())
    stored = offices.supervisor_b.post(f"/threads/{thread}/entries", form(leave))
    (late,) = offices.officer_b.append(offices.officer_b.seal(thread, "Too late."))
    assert late["error"]["code"] == "not-found"
    offices.officer_a.read(thread)
    assert offices.officer_a.mailbox.needs_refresh(key)
    offices.officer_a.post(f"/threads/{thread}/entries", offices.officer_a.refresh_form(thread))
    offices.officer_a.send(thread, "Alone.")
    assert texts(offices.officer_a, thread) == ["Before.", "Answer.", "Alone."]

    page = offices.supervisor_b.get(f"/threads/{thread}/items")
    assert (page["seq"], len(page["items"])) == (stored["seq"], stored["seq"])
    row = offices.supervisor_b.get(f"/threads/{thread}")
    assert row["has_left"]
    assert (row["seq"], row["progress"]) == (stored["seq"], [])
    assert offices.supervisor_b.get("/threads")["threads"] == [row]
    assert texts(offices.supervisor_b, thread) == ["Before.", "Answer."]
    assert offices.supervisor_b.http.get(f"/threads/{thread}/").status_code == 200
    for method, path, body in (
        ("POST", f"/threads/{thread}/delivered", {"seq": 1}),
        ("POST", f"/threads/{thread}/handler", {}),
        ("GET", f"/drafts/{thread}", None),
        ("POST", f"/threads/{thread}/entries", form(leave)),
    ):
        assert code_of(call(offices.supervisor_b.http, method, path, body)) == (404, "not-found"), path
    assert not Assignment.objects.filter(member__principal_id=offices.supervisor_b.principal).exists()
    assert ThreadItem.objects.filter(thread_id=thread).count() > stored["seq"]


def test_nothing_is_written_before_the_keys_are_renewed_after_a_leave(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    sealed = offices.officer_a.seal(thread, "Sealed before the leave.")
    offices.supervisor_b.read(thread)
    leave = offices.supervisor_b.mailbox.membership.leave(bytes.fromhex(thread), at=now())
    offices.supervisor_b.post(f"/threads/{thread}/entries", form(leave))
    (result,) = offices.officer_a.append(sealed)
    assert result["error"]["code"] == "stale-epoch"


def own_thread(desk: Workplace, kind: str, link: str | None = None) -> tuple[str, dict[str, Any]]:
    """Return the id of notes or a ledger and the body that opens it."""
    made = desk.mailbox.membership.open_own(kind, at=now(), link=bytes.fromhex(link) if link else None)
    body = {"entry": to_text(made.entry), "envelopes": to_text(made.envelopes), "messages": []}
    return made.thread.hex(), body


def test_notes_are_hidden_from_the_other_side(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    notes, body = own_thread(offices.officer_a, "notes", thread)
    offices.officer_a.post("/threads", body)
    offices.officer_a.send(notes, "What we think of it.")
    assert texts(offices.supervisor_a, notes) == ["What we think of it."]
    (row,) = offices.supervisor_a.get("/threads?own=true")["threads"]
    assert (row["thread"], row["kind"], row["link"]) == (notes, "notes", thread)
    assert [row["thread"] for row in offices.officer_a.get("/threads")["threads"]] == [thread]
    assert offices.officer_b.get("/threads?own=true")["threads"] == []
    for path in (f"/threads/{notes}", f"/threads/{notes}/items"):
        hidden = call(offices.officer_b.http, "GET", path)
        absent = call(offices.officer_b.http, "GET", path.replace(notes, "ab" * 32))
        assert (hidden.status_code, hidden.content) == (404, absent.content)
    assert "notes" not in str(offices.officer_b.get(f"/threads/{thread}"))
    assert not Assignment.objects.filter(member__thread_id=notes).exists()


def test_notes_on_a_thread_that_is_not_the_own_are_refused_as_on_none(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    for link in (thread, "ab" * 32):
        _, body = own_thread(offices.supervisor_c, "notes", link)
        assert code_of(call(offices.supervisor_c.http, "POST", "/threads", body)) == (404, "not-found")


def test_an_authority_has_one_ledger_and_one_thread_of_notes_for_each_thread(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    for kind, link in (("ledger", None), ("notes", thread)):
        _, body = own_thread(offices.officer_a, kind, link)
        first = offices.officer_a.post("/threads", body)
        assert offices.officer_a.post("/threads", body) == first
        _, other = own_thread(offices.supervisor_a, kind, link)
        assert code_of(call(offices.supervisor_a.http, "POST", "/threads", other)) == (409, "thread-exists")
    assert Thread.objects.filter(owner_id=offices.officer_a.principal).count() == 2


def test_the_ledger_tells_colleagues_whose_fingerprint_was_accepted(offices: Offices) -> None:
    a, b = offices.supervisor_a, offices.supervisor_b
    learn_everybody(a, b)
    ledger, body = own_thread(a, "ledger")
    a.post("/threads", body)
    a.read(ledger)
    accept = a.mailbox.membership.accept("authority-b", b.mailbox.principal, how="voice", at=now())
    (result,) = a.append(on_wire(a.mailbox.seal(bytes.fromhex(ledger), accept, at=now())))
    assert "receipt" in result
    offices.officer_a.read(ledger)
    (found,) = offices.officer_a.mailbox.membership.accepted()
    assert (found.principal, found.how) == (b.mailbox.principal, "voice")
    kinds = ThreadItem.objects.filter(thread_id=ledger, type="message").values_list("kind", flat=True)
    assert list(kinds) == ["statement"]


def test_only_who_may_withdraws_a_mandate_and_only_one_that_is_there(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    path = f"/threads/{thread}/withdrawals"
    response = call(offices.supervisor_a.http, "POST", path, {"withdrawal": "AAAA"})
    assert code_of(response) == (422, "bad-encoding")
    assert code_of(call(offices.officer_a.http, "POST", path, {"withdrawal": "AAAA"})) == (403, "forbidden")
    for there in (path, f"/threads/{'ab' * 32}/withdrawals"):
        response = call(offices.supervisor_c.http, "POST", there, {"withdrawal": "AAAA"})
        assert code_of(response) == (404, "not-found")
    assert answer(call(offices.supervisor_a.http, "GET", f"/threads/{thread}"))["seq"] == 2


def test_a_third_state_sees_the_page_of_the_parties_from_the_day_it_is_let_in(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, "Before C.")
    page = f"/threads/{thread}/parties/"
    body = admit(offices, thread, "party")
    missing = f"/threads/{'ab' * 32}/parties/"
    for unknown in (page, missing):
        assert offices.supervisor_c.http.get(unknown).status_code == 404
    assert offices.officer_b.http.get(page).status_code == 200
    offices.supervisor_a.post(f"/threads/{thread}/entries", body)
    assert offices.supervisor_c.http.get(page).status_code == 200


def test_a_third_state_keeps_notes_of_its_own_on_a_thread(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, "Before C.")
    learn_everybody(offices.supervisor_a, offices.supervisor_b, offices.supervisor_c)
    notes, entry = own_thread(offices.supervisor_c, "notes", thread)
    assert code_of(call(offices.supervisor_c.http, "POST", "/threads", entry)) == (404, "not-found")
    offices.supervisor_a.post(f"/threads/{thread}/entries", admit(offices, thread, "party"))
    offices.supervisor_c.post("/threads", entry)
    for other in (offices.supervisor_a, offices.supervisor_b):
        assert code_of(call(other.http, "GET", f"/threads/{notes}")) == (404, "not-found")


def test_an_office_says_its_zone_where_the_directory_shows_its_hours(offices: Offices) -> None:
    entry = make_entry(Authority.objects.get(id=offices.supervisor_b.persona.actor.authority_id))
    zones = {row["id"]: row["time_zone"] for row in offices.officer_a.get("/authorities")["authorities"]}
    authority = entry.authority_id.hex
    assert zones[authority] == "Asia/Kathmandu"
    DirectoryEntry.objects.filter(pk=entry.pk).update(hours_visibility="nobody")
    zones = {row["id"]: row["time_zone"] for row in offices.officer_a.get("/authorities")["authorities"]}
    assert zones[authority] is None
