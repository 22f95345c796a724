"""What is urgent is told again until somebody takes it up: to whom, when, once, and never what it says."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.actions.escalation import escalate
from messaging.models import Escalation, ThreadItem
from network.actions.due import do_what_is_due, tell_what_is_due
from network.actions.mail import message_of
from network.models import DirectoryEntry, EventRecord, Membership, Notification, OutgoingMail
from tests.factories import Offices, Workplace, now, open_offices
from tests.messaging.case_steps import last_on, step_to, take
from tests.messaging.test_parallel import together
from tests.messaging.test_waiting import acknowledge, ask, open_all
from tests.personas import Cast, Persona, make_cast

SECRET = "Freeze 0000-17 before midnight"


def told(persona: Persona) -> list[tuple[str, bool]]:
    """Return what waits for a persona: the kind, and whether a mail is to be written."""
    rows = Notification.objects.filter(membership_id=persona.actor.membership_id, read_at__isnull=True)
    rows = rows.filter(about__startswith="thread:")
    return [(row.kind, row.mail_at is not None) for row in rows.order_by("about")]


def written(minutes: float) -> None:
    """Let every urgent message have been written so long ago, and whoever was told of it have been mailed."""
    at = timezone.now() - timedelta(minutes=minutes)
    ThreadItem.objects.filter(urgency__gt=0).update(received_at=at)
    Notification.objects.update(mail_at=None, push_at=None)


def on_duty(persona: Persona) -> Persona:
    """Let somebody be a duty officer and nothing else."""
    Membership.objects.filter(id=persona.actor.membership_id).update(roles=["duty-officer"])
    return persona


@pytest.fixture
def thread(offices: Offices) -> str:
    """Give a thread in which State A has asked State B urgently, and an officer of B handles it."""
    found = offices.officer_a.open_thread(offices.officer_b, None)
    offices.officer_b.post(f"/threads/{found}/handler", {})
    ask(offices.officer_a, found, urgency=1)
    return found


def stages(thread: str) -> list[tuple[int, int]]:
    rows = Escalation.objects.filter(progress__thread_id=thread).order_by("at", "stage")
    return list(rows.values_list("seq", "stage"))


def test_nobody_is_told_again_while_the_minutes_last(cast: Cast, thread: str) -> None:
    written(14)
    assert escalate() == 0
    assert told(cast.officer_b) == [("urgent-message", False)]


def test_who_handles_it_and_who_is_on_duty_are_told_again_once(cast: Cast, thread: str) -> None:
    duty = on_duty(cast.administrator_b)
    written(15)
    assert escalate() == 1
    for persona in (cast.officer_b, duty):
        assert told(persona) == [("urgent-waits", True)]
    assert told(cast.supervisor_b) == [("urgent-message", False)]  # who is told only at last
    assert told(cast.officer_a) == []
    Notification.objects.update(mail_at=None)
    assert escalate() == 0
    assert told(cast.officer_b) == [("urgent-waits", False)]


def test_at_last_supervisors_and_whoever_asked_are_told(cast: Cast, offices: Offices, thread: str) -> None:
    written(15)
    escalate()
    written(30)
    assert escalate() == 1
    assert told(cast.officer_b) == told(cast.supervisor_b) == [("urgent-waits", True)]
    for persona in (cast.officer_a, cast.duty_officer_a):
        assert told(persona) == [("nobody-answers", True)]
    assert told(cast.supervisor_a) == []
    assert [stage for _, stage in stages(thread)] == [1, 2]
    Notification.objects.update(mail_at=None)
    assert escalate() == 0
    assert told(cast.officer_a) == [("nobody-answers", False)]


def test_a_server_that_was_away_tells_the_last_only(cast: Cast, thread: str) -> None:
    written(45)
    assert escalate() == 1
    assert [stage for _, stage in stages(thread)] == [2]


def test_what_is_wanted_at_once_is_told_sooner(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, None)
    ask(offices.officer_a, thread, urgency=2)
    for minutes, count in ((4, 0), (5, 1), (14, 0), (15, 1), (16, 0)):
        written(minutes)
        assert escalate() == count, minutes


def test_who_had_looked_and_not_acknowledged_is_told_again(cast: Cast, offices: Offices, thread: str) -> None:
    open_all(offices.officer_b, thread)
    assert told(cast.officer_b) == []
    written(15)
    escalate()
    assert told(cast.officer_b) == [("urgent-waits", True)]


@pytest.mark.parametrize("how", ["acknowledged", "answered"])
def test_a_word_of_the_other_side_stops_it(cast: Cast, offices: Offices, thread: str, how: str) -> None:
    written(15)
    assert escalate() == 1
    if how == "acknowledged":
        acknowledge(offices.officer_b, thread)
    else:
        offices.officer_b.send(thread, "We look into it.")
    written(200)
    assert escalate() == 0
    assert ("nobody-answers", True) not in told(cast.officer_a)


def test_a_word_of_the_own_side_does_not_stop_it(offices: Offices, thread: str) -> None:
    offices.supervisor_a.learn(offices.supervisor_a.mailbox.principal)
    offices.supervisor_a.send(thread, "Please.")
    written(15)
    assert escalate() == 1


def test_a_step_that_asks_urgently_is_told_again_until_the_request_is_withdrawn(offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b, None)
    take(offices, thread, step_to("confiscation", "sent-urgently", 0))
    take(offices, thread, step_to("confiscation", "freezing-asked", last_on(thread)))
    written(15)
    assert escalate() == 2  # both wait; whoever is told is told of the thread, once
    take(offices, thread, step_to("confiscation", "withdrawn", last_on(thread)))
    written(30)
    assert escalate() == 0


def test_after_a_day_it_is_left_to_lists_and_dates(thread: str) -> None:
    written(24 * 60 + 1)
    assert escalate() == 0


def test_an_authority_chooses_its_own_minutes(cast: Cast, thread: str) -> None:
    entry, _ = DirectoryEntry.objects.get_or_create(authority_id=cast.officer_b.actor.authority_id)
    DirectoryEntry.objects.filter(pk=entry.pk).update(told_again_after=40, told_further_after=60)
    written(39)
    assert escalate() == 0
    written(40)
    assert escalate() == 1
    written(60)
    assert escalate() == 1


def test_nobody_else_hears_of_it_and_nobody_of_what_it_says(
    cast: Cast, offices: Offices, thread: str
) -> None:
    before = set(EventRecord.objects.values_list("id", flat=True))
    written(30)
    do_what_is_due()
    strangers = (cast.officer_c, cast.supervisor_c, cast.directory_officer, cast.moderator, cast.auditor_a)
    for persona in strangers:
        assert told(persona) == []
    events = EventRecord.objects.exclude(id__in=before)
    members = {cast.officer_a.actor.authority_id.hex, cast.officer_b.actor.authority_id.hex}
    for event in events:
        name, _, rest = event.audience.partition(":")
        assert name in {"authority", "person"}, event.audience
        assert name == "person" or rest in members
    mails = list(OutgoingMail.objects.all())
    assert mails
    said = str([message_of(mail).body for mail in mails]) + str([event.payload for event in events])
    for word in ("freez", "Assets", "State A", "State B", thread[:16] + "/"):
        assert word not in said


def test_both_sides_see_when_who_was_told(offices: Offices, thread: str) -> None:
    written(15)
    escalate()
    written(30)
    escalate()
    for desk in (offices.officer_a, offices.officer_b):
        (row,) = desk.get("/threads")["threads"]
        by_principal = {each["principal"]: each["told"] for each in row["progress"]}
        assert by_principal[offices.officer_a.principal] == []
        lines = by_principal[offices.officer_b.principal]
        assert [(line["seq"], line["stage"]) for line in lines] == [(2, 1), (2, 2)]
        assert all(abs(line["at"] - now()) < 60 for line in lines)


def test_mail_is_written_where_telling_again_fails(
    cast: Cast, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from network.actions import due

    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(due, "PRESSING_DUTIES", [fail])
    assert not OutgoingMail.objects.exists()
    with pytest.raises(RuntimeError):
        tell_what_is_due()
    assert OutgoingMail.objects.exists()


@pytest.fixture
def open_for_all(transactional_db: None) -> tuple[Cast, Offices]:
    cast = make_cast()
    return cast, open_offices(cast)


def answer_late(desk: Workplace, thread: str) -> Any:
    return desk.append(desk.seal(thread, "We look into it."))


@pytest.mark.django_db(transaction=True)
def test_two_processes_tell_each_stage_once(open_for_all: tuple[Cast, Offices]) -> None:
    _, offices = open_for_all
    threads = []
    for _ in range(3):
        thread = offices.officer_a.open_thread(offices.officer_b, None)
        ask(offices.officer_a, thread, urgency=1)
        offices.officer_b.read(thread)
        threads.append(thread)
    for minutes in (15, 30):
        written(minutes)
        assert sum(together(*[escalate] * 4)) == 3
    assert all([stage for _, stage in stages(thread)] == [1, 2] for thread in threads)


@pytest.mark.django_db(transaction=True)
def test_an_answer_at_the_same_moment_comes_before_or_after(open_for_all: tuple[Cast, Offices]) -> None:
    _, offices = open_for_all
    thread = offices.officer_a.open_thread(offices.officer_b, None)
    ask(offices.officer_a, thread, urgency=1)
    offices.officer_b.read(thread)
    written(15)
    (count, (answer,)) = together(escalate, lambda: answer_late(offices.officer_b, thread))
    assert "receipt" in answer
    assert count in {0, 1}
    assert escalate() == 0
