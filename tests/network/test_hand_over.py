"""Handing over and lending roles: as personas, through the public door, with real threads."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from messaging.models import Assignment
from network.actions.attestation import remind_of_attestation
from network.actions.delegations import end_delegation, grant_delegation
from network.audit import verify_chain
from network.errors import Refusal
from network.models import AuditEntry, Delegation, EventRecord, Membership, OutgoingMail, Role, SignIn
from network.policy import ATTESTATION_EVERY, ATTESTATION_LASTS
from tests.factories import Offices, Workplace, call, enrol, open_offices
from tests.network.test_people import counts, lend, person, post, row_of, said
from tests.personas import Cast, Persona, make_cast, make_persona


@pytest.fixture
def offices(cast: Cast) -> Offices:
    """Give A, B and C with their keys."""
    return open_offices(cast)


def confirm(actor: Persona, leaver: Persona, successor: Persona) -> Any:
    return post(actor, person(leaver, "hand-over/confirm/"), successor=str(row_of(successor).id))


def handler(desk: Workplace, thread: str, of: Workplace) -> dict[str, Any] | None:
    members = desk.get(f"/threads/{thread}")["members"]
    found: dict[str, Any] | None = next(each for each in members if each["principal"] == of.principal)[
        "handler"
    ]
    return found


# Who handles a thread


def test_whoever_opens_and_whoever_answers_first_handle_a_thread(offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    thread = a.open_thread(b)
    assert (handler(b, thread, a) or {})["name"] == "Officer A"
    assert handler(a, thread, b) is None
    offices.supervisor_b.read(thread)
    offices.supervisor_b.send(thread, "Thank you.")
    b.send(thread, "I add this.")
    found = handler(a, thread, b)
    assert found
    assert (found["name"], found["office"]) == ("Supervisor B", "International Cooperation Division")


def test_officer_b_can_take_a_thread_and_partners_hear_of_it(offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    thread = a.open_thread(b)
    taken = b.post(f"/threads/{thread}/handler", {})
    assert taken["name"] == "Officer B"
    assert b.post(f"/threads/{thread}/handler", {}) == taken
    assert handler(a, thread, b) == taken
    heard = EventRecord.objects.filter(name="messaging.thread.assigned", payload__principal=b.principal)
    assert {record.audience for record in heard} == {
        f"authority:{desk.persona.actor.authority_id.hex}" for desk in (a, b)
    }
    assert AuditEntry.objects.filter(act="thread:assign", subject=thread).count() == 1


def test_only_a_supervisor_gives_a_thread_to_somebody_else(cast: Cast, offices: Offices) -> None:
    a = offices.officer_a
    thread = a.open_thread(offices.officer_b)
    to = {"membership": row_of(cast.supervisor_a).id.hex}
    assert call(a.http, "POST", f"/threads/{thread}/handler", to).status_code == 403
    boss = offices.supervisor_a
    assert boss.post(f"/threads/{thread}/handler", to)["name"] == "Supervisor A"
    for nobody in (cast.liaison_a, cast.officer_b, cast.former_officer_a, cast.suspended_officer_a):
        to = {"membership": row_of(nobody).id.hex}
        assert call(boss.http, "POST", f"/threads/{thread}/handler", to).status_code in {403, 404}
    assert (handler(a, thread, a) or {})["name"] == "Supervisor A"


@pytest.mark.parametrize("name", ["officer_c", "administrator_a", "auditor_a", "security_officer"])
def test_a_stranger_cannot_take_a_thread_or_learn_who_handles_it(
    cast: Cast, offices: Offices, name: str
) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    client = cast.everybody()[name].client()
    before = list(Assignment.objects.values())
    assert call(client, "POST", f"/threads/{thread}/handler", {}).status_code in {403, 404}
    assert call(client, "GET", f"/threads/{thread}").status_code in {403, 404}
    assert list(Assignment.objects.values()) == before


# Handing over


def test_supervisor_a_hands_over_and_everything_moves_at_once(cast: Cast, offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    successor = enrol(
        offices.supervisor_a, make_persona("officer_d", row_of(cast.officer_a).authority, Role.OFFICER)
    )
    a.learn(a.mailbox.principal)
    threads = [a.open_thread(b, f"Case {n}") for n in range(3)]
    late = a.seal(threads[0], "Too late.")
    page = said(cast.supervisor_a.client().get(person(cast.officer_a, "hand-over/")))
    assert "<strong>3</strong>" in page
    assert "Officer D" in page
    lent = lend(cast.officer_a, cast.liaison_a)
    assert confirm(cast.supervisor_a, cast.officer_a, successor.persona).status_code == 302

    # The old account can sign nothing from this minute.
    assert call(a.http, "POST", "/messages", {"messages": [late]}).status_code == 401
    assert not counts(cast.officer_a)
    assert not counts(cast.liaison_a)
    lent.refresh_from_db()
    assert lent.ended_at
    member = row_of(cast.officer_a)
    assert member.until_at
    assert member.successor_id == row_of(successor.persona).id
    # The successor has the threads, reads what was written, goes on; partners see it.
    for thread in threads:
        assert (handler(b, thread, a) or {})["name"] == "Officer D"
        assert len(successor.read(thread)) == 2
    successor.send(threads[0], "I go on from here.")
    assert len(b.read(threads[0])) == 3
    acts = {
        row_of(cast.officer_a).id.hex: "membership:hand-over",
        row_of(successor.persona).id.hex: "membership:take-over",
    }
    for subject, act in acts.items():
        assert AuditEntry.objects.filter(subject=subject, act=act).count() == 1
    assert AuditEntry.objects.get(act="membership:hand-over").facts["threads"] == 3
    assert not verify_chain().faults
    assert "Handed over to" in said(cast.supervisor_a.client().get(person(cast.officer_a)))


def test_a_successor_has_to_read_correspondence_when_there_is_some(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    response = confirm(cast.administrator_a, cast.officer_a, cast.liaison_a)
    assert response.status_code == 403
    assert "Choose somebody who reads correspondence" in said(response)
    assert counts(cast.officer_a)
    assert (handler(offices.officer_b, thread, offices.officer_a) or {})["name"] == "Officer A"


@pytest.mark.parametrize("name", ["officer_a", "officer_b", "former_officer_a", "suspended_officer_a"])
def test_the_successor_is_another_colleague_in_force(cast: Cast, name: str) -> None:
    response = confirm(cast.administrator_a, cast.officer_a, cast.everybody()[name])
    assert response.status_code == 404
    assert counts(cast.officer_a)
    assert post(cast.administrator_a, person(cast.officer_a, "hand-over/confirm/")).status_code == 422


def test_supervisor_a_hands_over_for_officers_only(cast: Cast) -> None:
    second = make_persona("second_supervisor_a", row_of(cast.officer_a).authority, Role.SUPERVISOR)
    assert confirm(cast.supervisor_a, second, cast.officer_a).status_code == 403
    assert counts(second)
    assert "You cannot hand over" in said(cast.supervisor_a.client().get(person(second, "hand-over/")))
    assert confirm(cast.administrator_a, second, cast.officer_a).status_code == 302


def test_the_last_administrator_cannot_be_handed_over(cast: Cast) -> None:
    delegate = make_persona("acting_a", row_of(cast.officer_a).authority, Role.OFFICER)
    second = make_persona("second_administrator_a", row_of(cast.officer_a).authority, Role.ADMINISTRATOR)
    lend(second, delegate)
    Membership.objects.filter(id=row_of(cast.administrator_a).id).update(suspended_at=timezone.now())
    third = make_persona("third_administrator_a", row_of(cast.officer_a).authority, Role.ADMINISTRATOR)
    assert confirm(delegate, third, cast.officer_a).status_code == 302
    # Only the one whom the delegate acts for is left, and on him he cannot act.
    assert confirm(delegate, second, cast.officer_a).status_code == 403


def test_ending_without_a_successor_lets_go_of_the_threads(cast: Cast, offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    thread = a.open_thread(b)
    assert post(cast.administrator_a, person(cast.officer_a, "end/")).status_code == 302
    assert handler(b, thread, a) is None
    boss = offices.supervisor_a
    boss.read(thread)
    boss.send(thread, "From now on me.")
    assert (handler(b, thread, a) or {})["name"] == "Supervisor A"


# Lending roles


def lent_form(*roles: str, first: int = 0, last: int = 6) -> dict[str, object]:
    today = timezone.now().date()
    days = {"from": today + timedelta(days=first), "until": today + timedelta(days=last)}
    return {"roles": list(roles), **{name: day.isoformat() for name, day in days.items()}}


def test_supervisor_a_lends_roles_and_each_act_says_so(cast: Cast) -> None:
    form = lent_form("supervisor")
    assert post(cast.supervisor_a, person(cast.officer_a, "delegate/"), **form).status_code == 302
    lent = Delegation.objects.get(delegate=row_of(cast.officer_a), grantor=row_of(cast.supervisor_a))
    SignIn.objects.filter(id__in=[cast.officer_a.sign_in_id]).update(acting_for=lent)
    assert Role.SUPERVISOR in cast.officer_a.actor.roles
    assert confirm(cast.officer_a, cast.duty_officer_a, cast.liaison_a).status_code == 302
    entry = AuditEntry.objects.get(act="membership:hand-over")
    assert entry.facts["acting_for"] == row_of(cast.supervisor_a).id.hex
    assert OutgoingMail.objects.filter(kind="delegation").count() == 1
    page = said(cast.administrator_a.client().get(person(cast.officer_a)))
    assert "End now" in page
    assert post(cast.administrator_a, f"/delegations/{lent.id}/end/").status_code == 302
    assert not counts(cast.officer_a)
    assert post(cast.administrator_a, f"/delegations/{lent.id}/end/").status_code == 409


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (lent_form(), 422),
        (lent_form("administrator"), 422),
        (lent_form("king"), 422),
        (lent_form("supervisor", last=-1), 422),
        (lent_form("supervisor", first=3, last=2), 422),
        (lent_form("supervisor", last=90), 422),
        ({**lent_form("supervisor"), "until": "never"}, 422),
        (lent_form("supervisor", last=89), 302),
    ],
)
def test_a_delegation_is_of_own_roles_for_at_most_90_days(
    cast: Cast, form: dict[str, object], status: int
) -> None:
    before = Delegation.objects.count()
    assert post(cast.supervisor_a, person(cast.officer_a, "delegate/"), **form).status_code == status
    assert Delegation.objects.count() == before + (status == 302)


def test_a_delegation_goes_to_a_colleague_once_and_not_further(cast: Cast) -> None:
    form = lent_form("supervisor")
    assert post(cast.supervisor_a, person(cast.officer_b, "delegate/"), **form).status_code == 404
    assert post(cast.supervisor_a, person(cast.supervisor_a, "delegate/"), **form).status_code == 422
    assert post(cast.delegate_a, person(cast.officer_a, "delegate/"), **form).status_code == 403
    assert (
        post(cast.officer_a, person(cast.duty_officer_a, "delegate/"), **lent_form("officer")).status_code
        == 403
    )
    assert post(cast.supervisor_a, person(cast.officer_a, "delegate/"), **form).status_code == 302
    assert post(cast.supervisor_a, person(cast.officer_a, "delegate/"), **form).status_code == 409


def test_another_supervisor_cannot_end_a_delegation_but_the_administrator_can(cast: Cast) -> None:
    second = make_persona("second_supervisor_a", row_of(cast.officer_a).authority, Role.SUPERVISOR)
    lent = Delegation.objects.get(delegate=row_of(cast.delegate_a))
    for nobody in (second, cast.supervisor_b, cast.administrator_b):
        assert post(nobody, f"/delegations/{lent.id}/end/").status_code == 404
    assert counts(cast.delegate_a)
    assert post(cast.supervisor_a, f"/delegations/{lent.id}/end/").status_code == 302
    assert not counts(cast.delegate_a)


@pytest.mark.parametrize("what", ["begins-later", "over", "ended", "suspended", "unattested", "handed-over"])
def test_lent_roles_fall_away(cast: Cast, what: str) -> None:
    now, tomorrow = timezone.now(), timezone.now() + timedelta(days=1)
    assert counts(cast.delegate_a)
    lent = Delegation.objects.filter(delegate=row_of(cast.delegate_a))
    grantor = Membership.objects.filter(id=row_of(cast.supervisor_a).id)
    match what:
        case "begins-later":
            lent.update(from_at=tomorrow)
        case "over":
            lent.update(until_at=now)
        case "ended":
            lent.update(ended_at=now)
        case "unattested":
            grantor.update(attested_until_at=now)
        case "suspended":
            assert (
                post(cast.administrator_a, person(cast.supervisor_a, "suspend/"), reason="absent").status_code
                == 302
            )
        case _:
            assert confirm(cast.administrator_a, cast.supervisor_a, cast.officer_a).status_code == 302
    assert not counts(cast.delegate_a)


def test_roles_that_the_grantor_loses_are_lent_no_more(cast: Cast) -> None:
    change = {"roles": ["officer"], "office": "Registry"}
    assert post(cast.administrator_a, person(cast.supervisor_a, "change/"), **change).status_code == 302
    assert Delegation.objects.get(delegate=row_of(cast.delegate_a)).ended_at
    assert not counts(cast.delegate_a)


# Reminders


def test_reminders_of_attestation_come_at_five_and_six_months_once_each(cast: Cast) -> None:
    Membership.objects.update(attested_until_at=timezone.now() + ATTESTATION_LASTS)
    officer = Membership.objects.filter(id=row_of(cast.officer_a).id)
    assert remind_of_attestation() == 0
    for days, reminded in ((151, 0), (154, 1), (170, 0), (184, 1), (200, 0), (212, 0), (214, 0)):
        officer.update(attested_until_at=timezone.now() + ATTESTATION_LASTS - timedelta(days=days))
        assert [remind_of_attestation(), remind_of_attestation()] == [reminded, 0], days
    assert AuditEntry.objects.filter(act="attestation:remind").count() == 2
    assert OutgoingMail.objects.filter(kind="attestation-due").count() == 2
    form = {"membership": str(row_of(cast.officer_a).id)}
    assert post(cast.administrator_a, "/people/attest/confirm/", **form).status_code == 302
    officer.update(attested_until_at=timezone.now() + ATTESTATION_LASTS - timedelta(days=184))
    assert remind_of_attestation() == 1


def test_directory_officers_are_reminded_of_who_has_no_administrator(cast: Cast) -> None:
    Membership.objects.update(attested_until_at=timezone.now() + ATTESTATION_LASTS)
    due = timezone.now() + ATTESTATION_LASTS - timedelta(days=184)
    Membership.objects.filter(id=row_of(cast.administrator_a).id).update(attested_until_at=due)
    assert remind_of_attestation() == 1
    assert OutgoingMail.objects.filter(kind="attestation-due").count() == 2


def test_whoever_never_had_a_date_gets_one_and_is_not_lost_at_once(cast: Cast) -> None:
    long_here = Membership.objects.filter(id=row_of(cast.officer_a).id)
    long_here.update(from_at=timezone.now() - timedelta(days=900))
    remind_of_attestation()
    assert not Membership.objects.filter(until_at__isnull=True, attested_until_at__isnull=True).exists()
    until_at = row_of(cast.officer_a).attested_until_at
    assert until_at
    assert until_at - timezone.now() > timedelta(days=29)
    assert counts(cast.officer_a)
    assert ATTESTATION_EVERY < ATTESTATION_LASTS


# At the same moment


def at_once(*acts: Any) -> list[object]:
    """Run the acts in threads that start together; returns what each gave, a refusal for who was too late."""
    ready, given = threading.Barrier(len(acts)), [object()] * len(acts)

    def run(place: int) -> None:
        ready.wait()
        try:
            given[place] = acts[place]()
        except Refusal as refusal:
            given[place] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return given


@pytest.mark.django_db(transaction=True)
def test_of_two_hand_overs_at_once_one_wins() -> None:
    cast = make_cast()
    first, second = (
        lambda: confirm(cast.administrator_a, cast.officer_a, cast.duty_officer_a).status_code,
        lambda: confirm(cast.supervisor_a, cast.officer_a, cast.liaison_a).status_code,
    )
    assert sorted(map(str, at_once(first, second))) == ["302", "409"]
    assert AuditEntry.objects.filter(act="membership:hand-over").count() == 1


@pytest.mark.django_db(transaction=True)
def test_hand_overs_to_and_fro_leave_one_of_the_two() -> None:
    cast = make_cast()
    to = lambda: confirm(cast.administrator_a, cast.officer_a, cast.duty_officer_a).status_code  # noqa: E731
    fro = lambda: confirm(cast.administrator_a, cast.duty_officer_a, cast.officer_a).status_code  # noqa: E731
    assert sorted(map(str, at_once(to, fro))) == ["302", "404"]


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_end_each_other_leave_one() -> None:
    cast = make_cast()
    second = make_persona("second_administrator_a", row_of(cast.officer_a).authority, Role.ADMINISTRATOR)
    codes = at_once(
        lambda: post(cast.administrator_a, person(second, "end/")).status_code,
        lambda: post(second, person(cast.administrator_a, "end/")).status_code,
    )
    assert codes.count(302) >= 1
    assert [counts(cast.administrator_a), counts(second)].count(True) == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_written_by_an_account_after_its_hand_over() -> None:
    cast = make_cast()
    offices = open_offices(cast)
    a, b = offices.officer_a, offices.officer_b
    thread = a.open_thread(b)
    stop = threading.Event()

    def write() -> int:
        sent = 0
        while not stop.is_set():
            answer = call(a.http, "POST", "/messages", {"messages": [a.seal(thread, f"Line {sent}")]})
            if answer.status_code != 200:
                break
            a.read(thread)
            sent += 1
        return sent

    def leave() -> int:
        threading.Event().wait(0.7)
        code: int = confirm(cast.administrator_a, cast.officer_a, cast.supervisor_a).status_code
        threading.Event().wait(0.5)
        stop.set()
        return code

    sent, code = at_once(write, leave)
    assert code == 302
    assert isinstance(sent, int)
    assert sent > 0
    ended_at = row_of(cast.officer_a).until_at
    assert ended_at
    newest = max(row["received_at"] for row in b.get(f"/threads/{thread}/items")["items"])
    assert newest <= ended_at.timestamp()
    assert call(a.http, "POST", "/messages", {"messages": []}).status_code == 401


def test_lending_and_taking_back_by_the_actions_is_recorded(cast: Cast) -> None:
    now = timezone.now()
    lent = grant_delegation(
        cast.supervisor_a.actor,
        delegate_id=row_of(cast.officer_a).id,
        roles=[Role.SUPERVISOR],
        from_at=now,
        until_at=now + timedelta(days=1),
    )
    end_delegation(cast.supervisor_a.actor, delegation_id=lent.id)
    acts = AuditEntry.objects.filter(subject=lent.id.hex).order_by("n").values_list("act", flat=True)
    assert list(acts) == ["delegation:grant", "delegation:end"]
