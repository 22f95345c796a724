"""What waits: exact through a history of messages, for the own authority alone, in few queries."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.models import ThreadItem, ThreadMember
from messaging.sealed.message import Note, Plaintext
from messaging.waiting import (
    Counts,
    Waiting,
    count_devices_to_approve,
    count_stages,
    count_waiting,
    list_waiting,
)
from network.errors import Forbidden
from tests.factories import Offices, Workplace, now, on_wire, request_device, to_text
from tests.messaging.case_steps import DAY, begin, last_on, step_to, take
from tests.personas import Cast, Persona


def numbers(persona: Persona, *, mine: bool = False) -> dict[str, int]:
    """Return the counts that are not 0; every list is as long as its count says."""
    counts = count_waiting(persona.actor, mine=mine)
    for which in Waiting:
        lines, has_more = list_waiting(persona.actor, which, mine=mine, most=50)
        assert (len(lines), has_more) == (getattr(counts, which), False), which
    return {name: count for name, count in vars(counts).items() if count}


def ask(workplace: Workplace, thread: str, *, urgency: int = 0, due: int | None = None) -> None:
    """Send a note that is urgent, or wants an answer by a date."""
    workplace.read(thread)
    body = replace(Note("Please answer."), urgency=urgency, due=due, reason="Assets may leave.")
    sealed = workplace.mailbox.seal(bytes.fromhex(thread), Plaintext(body, "en"), at=now())
    (result,) = workplace.append(on_wire(sealed))
    assert "receipt" in result, result
    workplace.read(thread)


def open_all(workplace: Workplace, thread: str) -> None:
    """Open a thread to its end."""
    workplace.read(thread)
    seq = workplace.mailbox.threads[bytes.fromhex(thread)].applied[-1].seq
    workplace.post(f"/threads/{thread}/delivered", {"seq": seq})
    opened = workplace.mailbox.make_opened(bytes.fromhex(thread), at=now())
    workplace.post(f"/threads/{thread}/opened", {"opened": to_text(opened)})


def acknowledge(workplace: Workplace, thread: str) -> None:
    """Acknowledge the last message of a thread."""
    workplace.read(thread)
    last = [item for item in workplace.mailbox.threads[bytes.fromhex(thread)].applied if item.message][-1]
    assert last.message
    workplace.append(workplace.acknowledge(thread, last.message.id, last.seq))
    workplace.read(thread)


def line(persona: Persona, which: Waiting) -> Any:
    """Return the only line of a list."""
    (found,), _ = list_waiting(persona.actor, which)
    return found


def test_the_numbers_follow_a_history(cast: Cast, offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    assert numbers(cast.officer_a) == {}
    thread = a.open_thread(b, "We ask for bank records.")
    assert numbers(cast.officer_a) == {"any": 1, "others": 1}
    assert numbers(cast.officer_b) == {"any": 1, "answer": 1, "new": 1}
    open_all(b, thread)
    assert numbers(cast.officer_b) == {"any": 1, "answer": 1}
    acknowledge(b, thread)
    # Acknowledging is no answer: it still waits.
    assert numbers(cast.officer_b) == {"any": 1, "answer": 1}
    assert numbers(cast.officer_a) == {"any": 1, "others": 1, "new": 1}
    assert line(cast.officer_b, Waiting.ANSWER).is_acknowledged
    assert line(cast.officer_a, Waiting.OTHERS).is_acknowledged
    b.send(thread, "Here they are.")
    assert numbers(cast.officer_b) == {"any": 1, "others": 1}
    assert numbers(cast.officer_a) == {"any": 1, "answer": 1, "new": 1}
    assert line(cast.officer_a, Waiting.NEW).new == 2
    open_all(a, thread)
    b.send(thread, "And one more.")
    b.send(thread, "And the last.")
    assert line(cast.officer_a, Waiting.NEW).new == 2
    a.send(thread, "Thank you.")
    assert numbers(cast.officer_a) == {"any": 1, "others": 1, "new": 1}
    assert not line(cast.officer_a, Waiting.OTHERS).is_acknowledged


def test_what_is_urgent_or_due_presses_until_it_is_answered(cast: Cast, offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    urgent, due, late, calm = (a.open_thread(b, None) for _ in range(4))
    ask(a, urgent, urgency=2)
    ask(a, due, due=now() + 2 * DAY)
    ask(a, late, due=now() - DAY)
    ask(a, calm, due=now() + 30 * DAY)
    assert numbers(cast.officer_b) == {"any": 4, "answer": 4, "urgent": 3, "new": 4}
    assert numbers(cast.officer_a) == {"any": 4, "others": 4, "overdue": 1}
    lines, _ = list_waiting(cast.officer_b.actor, Waiting.ANSWER)
    assert [each.thread_id for each in lines] == [late, due, urgent, calm]
    assert [(each.urgency, each.is_overdue, each.is_due_soon) for each in lines] == [
        (0, True, False),
        (0, False, True),
        (2, False, False),
        (0, False, False),
    ]
    a.send(urgent, "One more fact.")  # what was asked urgently before is still open
    assert numbers(cast.officer_b)["urgent"] == 3
    b.send(urgent, "Done.")
    b.send(late, "Sorry, it took time.")
    assert numbers(cast.officer_b) == {"any": 4, "answer": 2, "urgent": 1, "others": 2, "new": 4}
    assert "overdue" not in numbers(cast.officer_a)


def go(offices: Offices, thread: str, *codes: str) -> None:
    """Take these steps of a request for assistance, one after another."""
    for code in codes:
        take(offices, thread, step_to("assistance", code, last_on(thread)))


def test_steps_pass_the_turn_keep_it_or_end_it(cast: Cast, offices: Offices) -> None:
    a, b = cast.officer_a, cast.officer_b
    thread = begin(offices)
    assert numbers(a) == numbers(b) == {"any": 1}
    go(offices, thread, "sent")
    assert (numbers(a)["others"], numbers(b)["answer"]) == (1, 1)
    go(offices, thread, "acknowledged", "accepted", "in-execution")  # the same authority has to act as before
    assert (numbers(a)["others"], numbers(b)["answer"]) == (1, 1)
    go(offices, thread, "more-asked")
    assert (numbers(a)["answer"], numbers(b)["others"]) == (1, 1)
    assert line(a, Waiting.ANSWER).is_due_soon
    go(offices, thread, "more-supplied", "executed")
    assert not {"answer", "others", "urgent", "overdue"} & {*numbers(a), *numbers(b)}
    offices.officer_a.send(thread, "One page is missing.")
    assert (numbers(a)["others"], numbers(b)["answer"]) == (1, 1)


def test_what_a_step_wants_by_a_date_presses_and_is_overdue(cast: Cast, offices: Offices) -> None:
    thread = begin(offices)
    go(offices, thread, "sent-urgently")
    assert numbers(cast.officer_b)["urgent"] == 1
    shown = line(cast.officer_b, Waiting.URGENT)
    assert (shown.urgency, shown.is_due_soon, shown.stage) == (1, True, "sent-urgently")
    ThreadItem.objects.filter(thread_id=thread, stage="sent-urgently").update(due=now() - DAY)
    assert numbers(cast.officer_a)["overdue"] == 1


def test_cases_are_counted_and_listed_by_where_they_stand(cast: Cast, offices: Offices) -> None:
    first, second, _ = begin(offices), begin(offices), begin(offices)
    go(offices, first, "sent", "acknowledged", "consultation")  # said beside: the case stands where it stood
    go(offices, second, "sent")
    for persona in (cast.officer_a, cast.officer_b):
        assert count_stages(persona.actor) == {"acknowledged": 1, "sent": 1}
        (found,), has_more = list_waiting(persona.actor, None, stage="acknowledged")
        assert (found.thread_id, has_more) == (first, False)
    assert count_stages(cast.officer_b.actor, mine=True) == {"acknowledged": 1}  # who acts first handles it
    assert count_stages(cast.officer_c.actor) == {}
    assert list_waiting(cast.officer_c.actor, None, stage="sent") == ([], False)
    page = cast.officer_a.client().get("/start/now/?stage=acknowledged").content.decode()
    assert f"thread-{first}" in page
    assert f"thread-{second}" not in page


def test_what_has_not_moved_for_sixty_days_is_found(cast: Cast, offices: Offices) -> None:
    still, done, moving = (begin(offices) for _ in range(3))
    go(offices, still, "sent")
    go(offices, done, "sent", "withdrawn")
    go(offices, moving, "sent")
    for thread, days in ((still, 61), (done, 61), (moving, 59)):
        ThreadMember.objects.filter(thread_id=thread).update(changed_at=timezone.now() - timedelta(days=days))
    for persona in (cast.officer_a, cast.officer_b):
        assert numbers(persona)["still"] == 1
        assert line(persona, Waiting.STILL).thread_id == still


def test_how_far_it_has_come_and_who_handles_it_is_shown(cast: Cast, offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    before = time.time()
    thread = a.open_thread(b)
    shown = line(cast.officer_a, Waiting.OTHERS)
    assert (shown.reached, shown.is_mine, shown.handler.membership.office) == (
        "stored",
        True,
        cast.officer_a.actor.office,
    )
    assert [other.name for other in shown.others] == [cast.officer_b.actor.authority_name]
    assert before - 1 < shown.since.timestamp() < time.time() + 1
    b.read(thread)
    b.post(f"/threads/{thread}/delivered", {"seq": 2})
    assert line(cast.officer_a, Waiting.OTHERS).reached == "delivered"
    open_all(b, thread)
    assert line(cast.officer_a, Waiting.OTHERS).reached == "opened"
    assert line(cast.officer_b, Waiting.ANSWER).handler is None
    assert numbers(cast.officer_a, mine=True) == {"any": 1, "others": 1}
    assert numbers(cast.supervisor_a, mine=True) == {}
    assert numbers(cast.supervisor_a) == {"any": 1, "others": 1}


@pytest.mark.parametrize("name", ["officer_c", "supervisor_c", "prosecutor_a"])
def test_a_foreign_authority_counts_nothing(cast: Cast, offices: Offices, name: str) -> None:
    offices.officer_a.open_thread(offices.officer_b)
    assert count_waiting(cast.everybody()[name].actor) == Counts()
    assert list_waiting(cast.everybody()[name].actor, Waiting.NEW) == ([], False)


@pytest.mark.parametrize(
    "name", ["administrator_a", "auditor_a", "liaison_a", "observer", "directory_officer", "moderator"]
)
def test_who_reads_no_correspondence_counts_none(cast: Cast, offices: Offices, name: str) -> None:
    offices.officer_a.open_thread(offices.officer_b)
    with pytest.raises(Forbidden):
        count_waiting(cast.everybody()[name].actor)
    with pytest.raises(Forbidden):
        count_stages(cast.everybody()[name].actor)
    with pytest.raises(Forbidden):
        list_waiting(cast.everybody()[name].actor, Waiting.ANSWER)


def test_a_list_goes_on_where_it_ended(cast: Cast, offices: Offices) -> None:
    opened = [offices.officer_a.open_thread(offices.officer_b) for _ in range(3)]
    first, has_more = list_waiting(cast.officer_b.actor, Waiting.ANSWER, most=2)
    assert has_more
    rest, has_more = list_waiting(cast.officer_b.actor, Waiting.ANSWER, first=2, most=2)
    assert not has_more
    assert [each.thread_id for each in first + rest] == opened


def test_devices_that_ask_are_counted_for_those_who_may_let_them_in(cast: Cast, offices: Offices) -> None:
    request_device(cast.delegate_a, offices.officer_a.mailbox.principal)
    found = {
        name: count_devices_to_approve(cast.everybody()[name].actor)
        for name in ("supervisor_a", "administrator_a", "officer_a", "auditor_a", "supervisor_b", "moderator")
    }
    assert found == {
        "supervisor_a": 1,
        "administrator_a": 1,
        "officer_a": 0,
        "auditor_a": 0,
        "supervisor_b": 0,
        "moderator": 0,
    }


def test_the_page_asks_as_much_for_twenty_threads_as_for_one(cast: Cast, offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b

    def asked() -> int:
        client = cast.officer_b.client()
        client.get("/start/now/")  # what is read once for the process
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get("/start/now/").status_code == 200
        return len(queries)

    a.open_thread(b)
    b.open_thread(a)
    few = asked()
    for _ in range(9):
        b.open_thread(a)
        a.open_thread(b)
    assert asked() == few <= 24
