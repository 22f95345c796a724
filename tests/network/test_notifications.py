"""Who is told of what, once for each thing, until it was looked at; and nobody else hears of it."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from messaging.sealed.message import Note, Plaintext
from network.actions.news import tell_of_factor
from network.models import AuditEntry, EventRecord, Notification, NotificationLevel
from network.queries.notifications import count_unread, read_waiting
from tests.factories import Offices, Workplace, enrol, now, on_wire, open_offices, request_device, to_text
from tests.network.invited import accept, browser, invited
from tests.network.test_hand_over import confirm
from tests.network.test_people import row_of
from tests.network.test_proposals import propose_opening
from tests.personas import Cast, Persona

pytestmark = pytest.mark.django_db


@pytest.fixture
def offices(cast: Cast) -> Offices:
    """Give A, B and C with their keys, with nothing told yet."""
    offices = open_offices(cast)
    Notification.objects.all().delete()
    EventRecord.objects.filter(name="network.notifications.changed").delete()
    return offices


def told(persona: Persona) -> list[tuple[str, int]]:
    """Return what waits for somebody: kind and urgency."""
    rows = Notification.objects.filter(membership=row_of(persona), read_at__isnull=True)
    return list(rows.order_by("made_at").values_list("kind", "urgency"))


def heard(persona: Persona) -> int:
    """Return how often the devices of somebody were told to look."""
    audience = f"person:{persona.actor.person_id.hex}"
    return EventRecord.objects.filter(name="network.notifications.changed", audience=audience).count()


def urgent(desk: Workplace, thread: str) -> None:
    desk.read(thread)
    text = Plaintext(Note("Freeze it.", urgency=2, reason="It leaves today."), "en")
    (result,) = desk.append(on_wire(desk.mailbox.seal(bytes.fromhex(thread), text, at=now())))
    assert "receipt" in result, result


def post(persona: Persona, path: str, **fields: str) -> Any:
    return persona.client().post(path, fields)


def seen(persona: Persona, path: str) -> Any:
    client = persona.client()
    return client.post("/notifications/now/seen/", {"path": path}, content_type="application/json")


# Who is told


def test_all_who_read_are_told_of_a_thread_that_nobody_handles_yet(cast: Cast, offices: Offices) -> None:
    offices.officer_a.open_thread(offices.officer_b)
    assert told(cast.officer_b) == [("message", 0)]
    assert told(cast.supervisor_b) == [("message", 0)]
    for other in (cast.administrator_b, cast.officer_a, cast.supervisor_a, cast.officer_c, cast.moderator):
        assert told(other) == []


def test_only_who_handles_a_thread_is_told_of_what_follows(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, None)
    offices.officer_b.post(f"/threads/{thread}/handler", {})
    offices.officer_a.send(thread, "Good morning.")
    assert told(cast.officer_b) == [("message", 0)]
    assert told(cast.supervisor_b) == []


def test_what_is_urgent_reaches_all_who_read_and_the_duty_officer(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_b.open_thread(offices.officer_a, None)
    offices.officer_a.post(f"/threads/{thread}/handler", {})
    urgent(offices.officer_b, thread)
    for persona in (cast.officer_a, cast.supervisor_a, cast.duty_officer_a):
        assert told(persona) == [("urgent-message", 2)]
    assert told(cast.auditor_a) == []


def test_one_thread_is_one_notification_however_much_is_written(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    for text in ("One.", "Two.", "Three."):
        offices.officer_a.send(thread, text)
    assert told(cast.officer_b) == [("message", 0)]
    assert count_unread(cast.officer_b.actor) == 1
    assert heard(cast.officer_b) == 1
    urgent(offices.officer_a, thread)
    offices.officer_a.send(thread, "And this.")
    assert told(cast.officer_b) == [("urgent-message", 2)]
    assert heard(cast.officer_b) == 2


def test_whoever_asked_is_told_of_the_acknowledgement(cast: Cast, offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    thread = a.open_thread(b)
    first = next(item for item in b.read(thread) if item.message)
    assert first.message
    b.append(b.acknowledge(thread, first.message.id, first.seq))
    assert told(cast.officer_a) == [("acknowledged", 0)]
    assert told(cast.supervisor_a) == []


def test_whom_a_thread_is_given_is_told_and_who_takes_one_is_not(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, None)
    boss = offices.supervisor_a
    boss.post(f"/threads/{thread}/handler", {})
    assert told(cast.supervisor_a) == []
    boss.post(f"/threads/{thread}/handler", {"membership": row_of(cast.officer_a).id.hex})
    assert told(cast.officer_a) == [("thread-given", 0)]


def test_stewards_are_told_of_a_device_until_one_of_them_has_decided(cast: Cast, offices: Offices) -> None:
    first = request_device(cast.officer_a, offices.supervisor_a.mailbox.principal)
    for steward in (cast.supervisor_a, cast.administrator_a):
        assert told(steward) == [("device-waits", 0)]
    assert told(cast.officer_a) == told(cast.supervisor_b) == []
    offices.supervisor_a.post(f"/devices/requests/{first.mailbox.device.id.hex()}/decline", {})
    assert told(cast.supervisor_a) == told(cast.administrator_a) == []
    enrol(offices.supervisor_a, cast.officer_a)
    # Whom it belongs to and who else keeps the keys hear of it; who let it in knows.
    assert told(cast.administrator_a) == told(cast.officer_a) == [("device-added", 0)]
    assert told(cast.supervisor_a) == told(cast.supervisor_b) == []
    assert heard(cast.administrator_a) == 5
    seen(cast.administrator_a, "/devices/")
    assert told(cast.administrator_a) == []


def test_the_others_are_told_of_a_proposal_until_it_is_decided(cast: Cast) -> None:
    proposal = propose_opening(cast.directory_officer)
    assert told(cast.second_directory_officer) == [("proposal-waits", 0)]
    assert told(cast.directory_officer) == told(cast.moderator) == told(cast.security_officer) == []
    client = cast.second_directory_officer.client()
    assert b"A proposal waits" in client.get("/notifications/").content
    assert client.post(f"/proposals/{proposal.id}/", {"decision": "decline"}).status_code == 302
    assert told(cast.second_directory_officer) == []


def test_whoever_invited_is_told_that_it_was_accepted(cast: Cast) -> None:
    accept(browser(), invited(cast.administrator_a))
    assert told(cast.administrator_a) == [("invitation-accepted", 0)]
    assert told(cast.administrator_b) == told(cast.supervisor_a) == []
    assert b"New Officer" in cast.administrator_a.client().get("/notifications/").content


def test_a_new_way_to_sign_in_is_told_and_its_own_page_does_not_clear_it(cast: Cast) -> None:
    tell_of_factor(cast.officer_a.actor.person_id)
    assert seen(cast.officer_a, "/account/").json()["unread"] == 1
    row = Notification.objects.get()
    assert post(cast.officer_a, f"/notifications/{row.id}/open/").headers["location"] == "/account/"
    assert told(cast.officer_a) == []


# Reading


def test_opening_a_thread_on_any_device_clears_it_for_this_person_alone(cast: Cast, offices: Offices) -> None:
    b = offices.officer_b
    thread = offices.officer_a.open_thread(b)
    b.read(thread)
    opened = to_text(b.mailbox.make_opened(bytes.fromhex(thread), at=now()))
    b.post(f"/threads/{thread}/opened", {"opened": opened})
    assert told(cast.officer_b) == []
    assert heard(cast.officer_b) == 2
    assert told(cast.supervisor_b) == [("message", 0)]


def test_the_page_before_the_eyes_clears_what_it_is_about(cast: Cast, offices: Offices) -> None:
    first = offices.officer_a.open_thread(offices.officer_b)
    offices.officer_a.open_thread(offices.officer_b)
    client = cast.officer_b.client()
    at = {"at": f"/threads/{first}/"}
    asked = client.get("/notifications/now/", at).json()
    assert (asked["unread"], asked["is_here"]) == (2, True)
    assert seen(cast.officer_b, f"/threads/{first}/").json()["unread"] == 1
    assert client.get("/notifications/now/", at).json()["is_here"] is False
    assert seen(cast.officer_b, "/nowhere/").json()["unread"] == 1


def test_a_message_after_reading_is_news_again(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    seen(cast.officer_b, f"/threads/{thread}/")
    offices.officer_a.send(thread, "And this.")
    assert told(cast.officer_b) == [("message", 0)]
    assert Notification.objects.filter(membership=row_of(cast.officer_b)).count() == 1


def test_the_list_leads_to_the_thread_and_all_can_be_marked(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    page = cast.officer_b.client().get("/notifications/").content.decode()
    assert "A new message" in page
    assert "Ministry of Justice of State A" in page
    row = Notification.objects.get(membership=row_of(cast.officer_b))
    assert (
        post(cast.officer_b, f"/notifications/{row.id}/open/", stay="1").headers["location"]
        == "/notifications/"
    )
    assert post(cast.officer_b, f"/notifications/{row.id}/open/").headers["location"] == f"/threads/{thread}/"
    assert told(cast.officer_b) == []
    offices.officer_a.send(thread, "And this.")
    post(cast.officer_b, "/notifications/read/")
    assert told(cast.officer_b) == []
    assert told(cast.supervisor_b) == [("message", 0)]


def test_looking_at_pages_changes_nothing_by_itself(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    client = cast.officer_b.client()
    for path in ("/notifications/", "/notifications/settings/", f"/threads/{thread}/", "/notifications/now/"):
        assert client.get(path).status_code == 200
    assert told(cast.officer_b) == [("message", 0)]


# Strangers


@pytest.mark.parametrize(
    "name", ["supervisor_b", "officer_a", "officer_c", "directory_officer", "signed_out"]
)
def test_nobody_sees_or_clears_what_waits_for_another(cast: Cast, offices: Offices, name: str) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, None)
    offices.officer_b.post(f"/threads/{thread}/handler", {})
    offices.officer_a.send(thread, "Good morning.")
    row = Notification.objects.get(membership=row_of(cast.officer_b))
    stranger: Client = cast.everybody()[name].client()
    before = list(Notification.objects.order_by("id").values())
    page = stranger.get("/notifications/", follow=True).content.decode()
    assert row.id.hex not in page
    assert str(row.id) not in page
    unknown = stranger.post(f"/notifications/{uuid.uuid4()}/open/")
    foreign = stranger.post(f"/notifications/{row.id}/open/")
    assert foreign.status_code == unknown.status_code
    assert foreign.status_code in {302, 404}
    body = json.dumps({"path": f"/threads/{thread}/"})
    stranger.post("/notifications/now/seen/", body, content_type="application/json")
    stranger.post("/notifications/read/")
    assert list(Notification.objects.order_by("id").values()) == before


def test_a_person_of_two_authorities_is_counted_for_the_one_acted_for(cast: Cast, offices: Offices) -> None:
    offices.officer_a.open_thread(offices.officer_b)
    row = Notification.objects.get(membership=row_of(cast.officer_b))
    elsewhere = row_of(cast.officer_c)
    elsewhere.person_id = row.membership.person_id
    elsewhere.save(update_fields=["person_id"])
    assert count_unread(cast.officer_b.actor) == 1
    assert count_unread(cast.officer_c.actor) == 0
    assert read_waiting(cast.officer_c.actor, "/").unread == 0


def test_who_may_not_read_the_thread_gets_no_link_and_no_name(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_b.open_thread(offices.officer_a, None)
    urgent(offices.officer_b, thread)
    page = cast.duty_officer_a.client().get("/notifications/").content.decode()
    assert "An urgent message" in page
    assert "State B" not in page
    assert "Mark as read" in page
    assert f"/threads/{thread}/" not in page


# Levels


def level(persona: Persona, about: str, wanted: str) -> int:
    return int(
        post(persona, "/notifications/level/", about=about, level=wanted, next="/threads/").status_code
    )


def test_a_thread_can_be_quiet_or_only_urgent_for_one_person(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, None)
    assert level(cast.officer_b, f"thread:{thread}", "urgent") == 302
    assert level(cast.supervisor_b, f"thread:{thread}", "list") == 302
    offices.officer_a.send(thread, "Good morning.")
    rows = Notification.objects.filter(read_at__isnull=True)
    assert {row.is_counted for row in rows} == {False}
    assert {(row.mail_at, row.push_at) for row in rows} == {(None, None)}
    assert [count_unread(each.actor) for each in (cast.officer_b, cast.supervisor_b)] == [0, 0]
    assert b"only in this list" in cast.officer_b.client().get("/notifications/").content
    urgent(offices.officer_a, thread)
    assert [count_unread(each.actor) for each in (cast.officer_b, cast.supervisor_b)] == [1, 0]
    assert level(cast.supervisor_b, f"thread:{thread}", "") == 302
    assert not NotificationLevel.objects.filter(membership=row_of(cast.supervisor_b)).exists()


def test_the_thread_page_shows_and_keeps_the_level(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    level(cast.officer_b, f"thread:{thread}", "urgent")
    page = cast.officer_b.client().get(f"/threads/{thread}/").content.decode()
    assert '<option value="urgent" selected>' in page


@pytest.mark.parametrize("name", ["officer_c", "administrator_a", "directory_officer", "former_officer_a"])
def test_a_stranger_cannot_tell_a_foreign_thread_from_none_by_its_level(
    cast: Cast, offices: Offices, name: str
) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    stranger = cast.everybody()[name]
    known = level(stranger, f"thread:{thread}", "list")
    assert known == level(stranger, "thread:" + "ab" * 32, "list")
    assert known != 302 or name == "former_officer_a"
    assert not NotificationLevel.objects.exists()


@pytest.mark.parametrize("about", ["", "thread:", "person:x", "account:", "nothing:1", "thread:../../x"])
def test_a_level_for_nothing_known_is_refused(cast: Cast, about: str) -> None:
    assert level(cast.officer_a, about, "list") == 404


def test_an_unknown_level_is_refused(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    assert level(cast.officer_a, f"thread:{thread}", "loud") in {400, 422}


# Handing over


def test_what_was_not_read_and_the_levels_go_to_the_successor(cast: Cast, offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    thread, quiet = a.open_thread(b), a.open_thread(b)
    level(cast.officer_a, f"thread:{quiet}", "list")
    b.read(thread)
    b.send(thread, "An answer.")
    assert told(cast.officer_a) == [("message", 0)]
    leaver = row_of(cast.officer_a)
    assert confirm(cast.administrator_a, cast.officer_a, cast.supervisor_a).status_code == 302
    assert not Notification.objects.filter(membership=leaver, read_at__isnull=True).exists()
    assert not NotificationLevel.objects.filter(membership=leaver).exists()
    assert NotificationLevel.objects.get().membership_id == row_of(cast.supervisor_a).id
    assert [kind for kind, _ in told(cast.supervisor_a)].count("thread-given") >= 1
    assert count_unread(cast.supervisor_a.actor) == 1  # the quiet one stands in the list only
    facts = AuditEntry.objects.get(act="membership:hand-over").facts
    assert facts["notifications"] == 1
