"""A new keyring takes the place of another, on the secretariat's confirms and an accept (K12, T10)."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from django.conf import settings

from messaging.models import Device, ThreadItem, ThreadMember
from messaging.queries import expand_items
from messaging.sealed.client import NewKeyring, make_keyring
from messaging.sealed.membership import Membership
from messaging.sealed.plaintext import Enclosure
from network.models import AuditEntry, Notification
from network.realtime import authority_audience
from tests.factories import (
    Workplace,
    call,
    change_form,
    code_of,
    create_keyring,
    create_secretariat,
    enrol,
    entry_form,
    now,
    person_of,
    request_device,
    signed_note,
    to_bytes,
    to_text,
)
from tests.messaging.test_confirmations import NOTE, form
from tests.personas import Cast, Persona

pytestmark = pytest.mark.django_db(transaction=True)


def form_of(made: NewKeyring) -> dict[str, Any]:
    """Return a keyring as it is posted."""
    return {
        "entry": to_text(made.entry),
        "envelopes": to_text(made.envelopes),
        "statements": [to_text(raw) for raw in made.statements],
    }


def successor_of(
    before: Workplace, persona: Persona, roles: Sequence[str] = ("officer", "steward", "supervisor")
) -> Workplace:
    """Create a keyring that follows another."""
    made = make_keyring(
        settings.ORIGIN_NAME,
        person_of(persona),
        at=now(),
        roles=roles,
        succeeds=before.mailbox.principal,
    )
    desk = Workplace.of(persona, made.device)
    desk.post("/keyrings", form_of(made))
    desk.learn(desk.mailbox.principal)
    return desk


def confirms_of(cast: Cast, after: Workplace, officers: Iterable[Workplace] = ()) -> list[bytes]:
    """Let two officers confirm the new keys; returns what every member is given."""
    for officer in officers or create_secretariat(cast.directory_officer, cast.second_directory_officer):
        officer.post("/confirmations", form(after, signed_note(officer, after, *NOTE)))
    return [to_bytes(raw) or b"" for raw in after.get(f"/keyrings/{after.principal}")["confirms"]]


def accept_of(desk: Workplace, after: Workplace) -> bytes:
    """Return what a supervisor of the own authority has signed after comparing."""
    authority = after.persona.actor.authority_id.hex
    made = Membership(desk.mailbox).accept(authority, after.mailbox.principal, how="voice", at=now())
    assert isinstance(made.body, Enclosure)
    return made.body.statement


def test_who_follows_another_takes_its_place_and_reads_what_comes_after(cast: Cast) -> None:
    a, before = create_keyring(cast.supervisor_a), create_keyring(cast.supervisor_b)
    thread = a.open_thread(before, "Before the reform.")
    after = successor_of(before, cast.supervisor_c)
    confirms, secretariat = confirms_of(cast, after), a.get("/session")["secretariat"]
    for principal in (after.mailbox.principal, bytes.fromhex(secretariat)):
        a.learn(principal)
    path = f"/threads/{thread}/entries"
    key, places = bytes.fromhex(thread), (before.mailbox.principal, after.mailbox.principal)
    acts = [*confirms, accept_of(a, after)]
    made = a.mailbox.membership.succeed(key, *places, acts, at=now())
    body = {name: entry_form(made)[name] for name in ("entry", "envelopes")}
    a.post(path, body)
    a.read(thread)
    members = {row["principal"] for row in a.get(f"/threads/{thread}")["members"]}
    assert members == {a.principal, after.principal}
    a.send(thread, "After the reform.")
    for learned in (a.mailbox.principal, before.mailbox.principal, bytes.fromhex(secretariat)):
        after.learn(learned)
    texts = [row.plaintext.body.text for row in after.read(thread) if row.plaintext]  # type: ignore[union-attr]
    assert texts == ["After the reform."]
    assert before.get(f"/threads/{thread}")["has_left"]


# --- within one authority, which has lost all its devices and its kit


def succeed(a: Workplace, thread: str, before: Workplace, after: Workplace, confirms: list[bytes]) -> None:
    """Let a supervisor of A put the new keys in the place of the old ones."""
    acts = [*confirms, accept_of(a, after)]
    places = (before.mailbox.principal, after.mailbox.principal)
    made = a.mailbox.membership.succeed(bytes.fromhex(thread), *places, acts, at=now())
    a.post(f"/threads/{thread}/entries", {name: entry_form(made)[name] for name in ("entry", "envelopes")})
    a.read(thread)


def code_for(desk: Workplace, path: str, body: object) -> str:
    """Return the code by which a desk is refused."""
    return code_of(call(desk.http, "POST", path, body))[1]


def acts_about(desk: Workplace) -> list[str]:
    """Return what the audit trail says of these keys."""
    rows = AuditEntry.objects.filter(subject=desk.principal).order_by("n")
    return list(rows.values_list("act", flat=True))


def in_directory(desk: Workplace, of: Workplace) -> dict[str, Any]:
    """Return what others are told of the authority's keys."""
    rows = desk.get("/authorities")["authorities"]
    (found,) = [row for row in rows if row["id"] == of.persona.actor.authority_id.hex]
    return dict(found)


def test_k12_new_keys_of_an_authority_change_nothing_before_they_are_confirmed(cast: Cast) -> None:
    a, before = create_keyring(cast.supervisor_a), create_keyring(cast.supervisor_b)
    thread = a.open_thread(before)
    after = successor_of(before, cast.supervisor_b)
    found = a.get(f"/keyrings/{after.principal}")
    assert (found["status"], found["successor"]) == ("waiting", None)
    assert before.get("/session")["principal"] == before.principal == in_directory(a, before)["principal"]
    assert in_directory(a, before)["waiting"] == after.principal
    a.send(thread, "Still to the keys in force.")
    before.read(thread)
    before.send(thread, "Still with the keys in force.")
    # They sign for nothing yet, neither in their own keyring nor towards others.
    path = f"/keyrings/{after.principal}/entries"
    rotation = change_form(after, after.mailbox.stewardship.rotation())
    assert code_for(after, path, rotation) == "keyring-waits"
    _, form = after.thread_form([a.mailbox.principal], "To A, too early.")
    assert code_for(after, "/threads", form) == "foreign-device"
    assert acts_about(after) == ["keyring:begin-anew"]


def test_k12_confirmed_keys_take_the_place_of_those_they_follow(cast: Cast) -> None:
    a, before = create_keyring(cast.supervisor_a), create_keyring(cast.supervisor_b)
    thread = a.open_thread(before, "Before the loss.")
    waiting = request_device(cast.officer_b, before.mailbox.principal)
    after = successor_of(before, cast.supervisor_b)
    confirms = confirms_of(cast, after)
    found = a.get(f"/keyrings/{before.principal}")
    assert (found["status"], found["successor"]) == ("ended", after.principal)
    assert after.get("/session")["principal"] == after.principal == in_directory(a, after)["principal"]
    assert acts_about(after) == ["keyring:begin-anew", "keyring:succeed"]
    devices = dict(Device.objects.values_list("id", "status"))
    assert devices[before.mailbox.device.id.hex()] == "removed"
    assert devices[waiting.mailbox.device.id.hex()] == "declined"
    # Nobody can write with the old keys, or to them.
    a.read(thread)
    (result,) = a.append(a.seal(thread, "To nobody."))
    assert result["error"]["code"] == "succeeded"
    a.mailbox.mark_refused(bytes.fromhex(thread))
    assert code_for(a, f"/threads/{thread}/entries", a.refresh_form(thread)) == "succeeded"
    _, form = a.thread_form([before.mailbox.principal], "To nobody.")
    assert code_for(a, "/threads", form) == "succeeded"
    rotation = change_form(before, before.mailbox.stewardship.rotation())
    assert code_for(before, f"/keyrings/{before.principal}/entries", rotation) == "keyring-ended"
    # The counterpart puts the new keys in, and both go on.
    for principal in (after.mailbox.principal, bytes.fromhex(a.get("/session")["secretariat"])):
        a.learn(principal)
    succeed(a, thread, before, after, confirms)
    a.send(thread, "After the loss.")
    for learned in (a.mailbox.principal, before.mailbox.principal):
        after.learn(learned)
    after.learn(bytes.fromhex(a.get("/session")["secretariat"]))
    texts = [row.plaintext.body.text for row in after.read(thread) if row.plaintext]  # type: ignore[union-attr]
    assert texts == ["After the loss."]
    after.send(thread, "With the new keys.")
    colleague = enrol(after, cast.officer_b)
    assert colleague.get("/session")["principal"] == after.principal


@pytest.mark.parametrize("comes_last", ["before", "after"])
def test_k12_the_authority_goes_on_hearing_of_the_thread(cast: Cast, comes_last: str) -> None:
    a, before = create_keyring(cast.supervisor_a), create_keyring(cast.supervisor_b)
    thread = a.open_thread(before, "Before the loss.")
    after = successor_of(before, cast.supervisor_b)
    confirms = confirms_of(cast, after)
    a.read(thread)
    for principal in (after.mailbox.principal, bytes.fromhex(a.get("/session")["secretariat"])):
        a.learn(principal)
    succeed(a, thread, before, after, confirms)
    a.send(thread, "After the loss.")
    # In whichever order the database gives the place that was left and the one that was taken.
    last = ThreadMember.ever.get(principal_id=(before if comes_last == "before" else after).principal)
    last.delete()
    last.pk = None
    last.save(force_insert=True)
    item = ThreadItem.objects.filter(thread_id=thread).latest("seq")
    audience = authority_audience(cast.supervisor_b.actor.authority_id)
    (heard,) = expand_items(audience, [{"thread": thread, "seq": item.seq}])
    assert heard is not None


def test_k12_of_several_new_keyrings_the_newest_counts(cast: Cast) -> None:
    before = create_keyring(cast.supervisor_b)
    officers = create_secretariat(cast.directory_officer, cast.second_directory_officer)
    given_up = successor_of(before, cast.supervisor_b)
    after = successor_of(before, cast.administrator_b, ["steward"])
    assert after.get(f"/keyrings/{given_up.principal}")["status"] == "ended"
    signed = form(given_up, signed_note(officers[0], given_up, *NOTE))
    assert code_for(officers[0], "/confirmations", signed) == "bad-facts"
    confirms_of(cast, after, officers)
    assert after.get("/session")["principal"] == after.principal
    # What has ended is followed by nobody.
    made = make_keyring(
        settings.ORIGIN_NAME, person_of(cast.supervisor_b), at=now(), succeeds=before.mailbox.principal
    )
    body = form_of(made)
    assert code_for(before, "/keyrings", body) == "keyring-exists"


def test_an_officer_cannot_begin_anew(cast: Cast) -> None:
    before = create_keyring(cast.supervisor_b)
    made = make_keyring(
        settings.ORIGIN_NAME, person_of(cast.officer_b), at=now(), succeeds=before.mailbox.principal
    )
    body = form_of(made)
    assert call(cast.officer_b.client(), "POST", "/keyrings", body).status_code == 403


def test_everybody_of_the_authority_hears_that_somebody_begins_anew(cast: Cast) -> None:
    before = create_keyring(cast.supervisor_b)
    after = successor_of(before, cast.supervisor_b)
    told = Notification.objects.filter(kind="keys-begun-anew")
    assert {row.membership_id for row in told} >= {cast.administrator_b.actor.membership_id}
    assert not told.filter(membership_id=cast.supervisor_b.actor.membership_id).exists()
    confirms_of(cast, after)
    in_force = Notification.objects.filter(kind="keys-succeeded")
    assert cast.supervisor_b.actor.membership_id in {row.membership_id for row in in_force}
