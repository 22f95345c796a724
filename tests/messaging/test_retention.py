"""Closed cases are kept by each authority's own schedule; a hold keeps one longer, unseen by others."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from messaging.actions.retention import tell_what_is_over, years_after
from messaging.acts import ACTS
from messaging.models import Hold, Retention
from messaging.retention_queries import Kept
from network.audit import verify_chain
from network.models import AuditEntry, Notification, SignIn
from network.queries.audit import Wanted, list_audit
from tests.factories import Offices, Workplace
from tests.messaging.case_steps import begin, last_on, step_to, take
from tests.personas import Cast, Persona

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=366 * 10)
TO_THE_END = ("sent", "withdrawn", "closed")


def close(offices: Offices) -> str:
    """A asks B, withdraws, and closes the case; returns the thread."""
    thread = begin(offices)
    for code in TO_THE_END:
        take(offices, thread, step_to("assistance", code, last_on(thread)))
    return thread


@pytest.fixture
def thread(offices: Offices) -> str:
    """Give a closed case of A and B."""
    return close(offices)


def kept_by(desk: Workplace, thread: str) -> Any:
    """Return how a thread is kept, as the desk's authority is told."""
    return desk.get(f"/threads/{thread}")["kept"]


def listed(desk: Workplace, which: Kept) -> list[str]:
    return [row["thread"] for row in desk.get(f"/threads?kept={which}")["threads"]]


def hold(persona: Persona, thread: str, reason: str = "complaint") -> int:
    """Put a hold by its form; return the status."""
    return persona.client().post(f"/threads/{thread}/hold/", {"reason": reason}).status_code


def lift(persona: Persona, thread: str) -> int:
    return persona.client().post(f"/threads/{thread}/hold/lift/").status_code


def set_years(persona: Persona, years: object) -> int:
    return persona.client().post("/retention/schedule/", {"years": years}).status_code


def time_passes(thread: str) -> None:
    """Let the case be closed so long ago that its usual time is over for both sides."""
    rows = Retention.objects.filter(thread_id=thread)
    rows.update(closed_at=F("closed_at") - LONG_AGO, until_on=timezone.now().date() - timedelta(days=1))


def told(persona: Persona) -> list[str]:
    rows = Notification.objects.filter(membership_id=persona.actor.membership_id, kind="retention-over")
    return list(rows.values_list("about", flat=True))


def acts(persona: Persona) -> list[str]:
    """Return what the record of acts shows to somebody, in words."""
    lines, _before = list_audit(persona.actor, Wanted())
    return [str(line.sentence) for line in lines]


def in_years(years: int) -> str:
    return years_after(timezone.now(), years).isoformat()


def test_each_side_keeps_a_closed_case_by_its_own_schedule(cast: Cast, offices: Offices) -> None:
    assert set_years(cast.supervisor_b, 25) == 302
    thread = close(offices)
    own, theirs = kept_by(offices.officer_a, thread), kept_by(offices.officer_b, thread)
    assert (own["until"], theirs["until"]) == (in_years(10), in_years(25))
    assert own["closed_at"] == theirs["closed_at"]
    assert own["is_over"] is own["is_held"] is False


def test_an_open_case_has_no_time_and_is_in_no_list_of_closed_ones(offices: Offices) -> None:
    thread = begin(offices)
    take(offices, thread, step_to("assistance", "sent", 0))
    assert kept_by(offices.officer_a, thread) is None
    assert listed(offices.officer_a, Kept.CLOSED) == []


def test_lists_have_closed_cases_those_on_hold_and_those_whose_time_is_over(
    cast: Cast, offices: Offices, thread: str
) -> None:
    begin(offices)
    other = close(offices)
    a = offices.officer_a
    assert sorted(listed(a, Kept.CLOSED)) == sorted([thread, other])
    assert listed(a, Kept.HELD) == listed(a, Kept.OVER) == []
    time_passes(thread)
    assert listed(a, Kept.OVER) == [thread]
    assert hold(cast.supervisor_a, thread) == 302
    assert (listed(a, Kept.HELD), listed(a, Kept.OVER)) == ([thread], [])
    assert listed(offices.officer_b, Kept.OVER) == [thread]
    page = cast.officer_a.client().get("/threads/?kept=over").content.decode()
    assert "Cases whose time is over" in page


def test_a_new_schedule_counts_from_then_on(cast: Cast, offices: Offices, thread: str) -> None:
    assert set_years(cast.supervisor_a, 1) == 302
    assert kept_by(offices.officer_a, thread)["until"] == in_years(10)
    assert kept_by(offices.officer_a, close(offices))["until"] == in_years(1)
    entry = AuditEntry.objects.get(act="retention:set")
    assert (entry.facts, entry.concerns) == ({"years": 1}, [])
    assert set_years(cast.supervisor_a, 1) == 302  # nothing new, no second entry
    assert AuditEntry.objects.filter(act="retention:set").count() == 1


@pytest.mark.parametrize("years", [0, 101, "", "ten", "-3", "1e1", "٣", "99999999999999999999"])
def test_a_schedule_out_of_bounds_is_refused(cast: Cast, years: object) -> None:
    assert set_years(cast.supervisor_a, years) == 422
    assert not AuditEntry.objects.filter(act="retention:set").exists()


def test_the_schedule_is_shown_to_who_reads_and_changed_by_supervisors(cast: Cast) -> None:
    for persona, may_set in ((cast.officer_a, False), (cast.supervisor_a, True)):
        page = persona.client().get("/retention/").content.decode()
        assert ("/retention/schedule/" in page) is may_set
    assert set_years(cast.officer_a, 5) == set_years(cast.administrator_a, 5) == 403
    for persona in (cast.administrator_a, cast.prosecutor_a, cast.directory_officer, cast.moderator):
        assert persona.client().get("/retention/").status_code == 403


def test_a_hold_is_put_and_lifted_once_each_and_the_record_says_by_whom(
    cast: Cast, offices: Offices, thread: str
) -> None:
    assert hold(cast.supervisor_a, thread, "court-proceedings") == 302
    assert hold(cast.supervisor_a, thread, "complaint") == 302  # it is held already, and stays as it was
    assert kept_by(offices.officer_a, thread)["is_held"] is True
    page = cast.officer_a.client().get(f"/threads/{thread}/record/").content.decode()
    assert "Proceedings before a court" in page
    assert cast.supervisor_a.actor.person_name in page
    assert "/hold/" not in page  # whoever may not lift it is offered nothing
    assert lift(cast.supervisor_a, thread) == lift(cast.supervisor_a, thread) == 302
    assert kept_by(offices.officer_a, thread)["is_held"] is False
    found = AuditEntry.objects.filter(act__startswith="hold:").order_by("n")
    assert list(found.values_list("act", "subject", "facts", "concerns")) == [
        ("hold:put", thread, {"reason": "court-proceedings"}, []),
        ("hold:lift", thread, {}, []),
    ]
    assert "A hold was put on a case: it is not let go" in acts(cast.auditor_a)
    assert verify_chain().faults == []


def test_an_open_case_can_be_held_and_stays_held_when_it_is_closed(cast: Cast, offices: Offices) -> None:
    thread = begin(offices)
    assert hold(cast.supervisor_a, thread) == 302
    for code in TO_THE_END:
        take(offices, thread, step_to("assistance", code, last_on(thread)))
    kept = kept_by(offices.officer_a, thread)
    assert (kept["until"], kept["is_held"]) == (in_years(10), True)


def test_a_hold_without_a_known_reason_is_refused(cast: Cast, thread: str) -> None:
    for reason in ("", "because of the witness"):
        assert hold(cast.supervisor_a, thread, reason) == 422
    assert not Hold.objects.exists()


def test_a_case_is_held_and_set_free_by_supervisors_only_and_lifting_asks_for_a_fresh_proof(
    cast: Cast, thread: str
) -> None:
    assert hold(cast.officer_a, thread) == hold(cast.administrator_a, thread) == 403
    assert hold(cast.supervisor_a, thread) == 302
    assert lift(cast.officer_a, thread) == 403
    SignIn.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    assert lift(cast.supervisor_a, thread) == 403
    assert Hold.objects.count() == 1


def test_the_other_side_a_stranger_and_the_secretariat_learn_nothing(
    cast: Cast, offices: Offices, thread: str
) -> None:
    before = kept_by(offices.officer_b, thread)
    assert hold(cast.supervisor_a, thread) == 302
    assert set_years(cast.supervisor_a, 77) == 302
    assert kept_by(offices.officer_b, thread) == before
    pages = (f"/threads/{thread}/", f"/threads/{thread}/record/", "/threads/", "/retention/")
    signs = ('id="held"', 'value="77"')
    done = {ACTS["hold:put"], ACTS["retention:set"]}
    for persona in (cast.supervisor_b, cast.supervisor_c, cast.directory_officer, cast.moderator):
        client = persona.client()
        for path in pages:
            shown = client.get(path).content.decode()
            assert [sign for sign in signs if sign in shown] == [], path
        assert done.isdisjoint(acts(persona))
    shown = "".join(cast.supervisor_a.client().get(path).content.decode() for path in pages)
    assert [sign for sign in signs if sign not in shown] == []  # and its own people see all of it
    assert done <= set(acts(cast.auditor_a))
    assert hold(cast.supervisor_c, thread) == lift(cast.supervisor_c, thread) == 404
    assert hold(cast.supervisor_c, "ab" * 32) == 404  # as what does not exist
    assert lift(cast.supervisor_b, thread) == 302  # their own hold, which there is none of
    assert Hold.objects.get().authority_id == cast.supervisor_a.actor.authority_id


def test_each_authority_holds_for_itself(cast: Cast, offices: Offices, thread: str) -> None:
    assert hold(cast.supervisor_a, thread) == hold(cast.supervisor_b, thread) == 302
    assert lift(cast.supervisor_a, thread) == 302
    assert kept_by(offices.officer_a, thread)["is_held"] is False
    assert kept_by(offices.officer_b, thread)["is_held"] is True


def test_when_the_time_is_over_supervisors_are_told_once_and_nothing_is_gone(
    cast: Cast, offices: Offices, thread: str
) -> None:
    assert tell_what_is_over() == 0
    time_passes(thread)
    assert tell_what_is_over() == 2  # each side of its own time
    assert told(cast.supervisor_a) == told(cast.supervisor_b) == [f"thread:{thread}"]
    assert told(cast.officer_a) == told(cast.supervisor_c) == told(cast.directory_officer) == []
    assert tell_what_is_over() == 0
    assert kept_by(offices.officer_a, thread)["is_over"] is True
    assert len(offices.officer_a.get(f"/threads/{thread}/items")["items"]) == 4
    line = "The time for which a closed case is kept was over"
    assert line in acts(cast.auditor_a)
    for stranger in (cast.supervisor_c, cast.directory_officer):
        assert line not in acts(stranger)


def test_what_is_held_is_told_of_once_the_hold_is_lifted(cast: Cast, thread: str) -> None:
    time_passes(thread)
    assert hold(cast.supervisor_a, thread) == 302
    assert tell_what_is_over() == 1
    assert told(cast.supervisor_a) == []
    assert lift(cast.supervisor_a, thread) == 302
    call_command("run_due")
    assert told(cast.supervisor_a) == [f"thread:{thread}"]


def test_the_last_day_still_belongs_to_the_time(offices: Offices, thread: str) -> None:
    Retention.objects.update(until_on=timezone.now().date())
    assert tell_what_is_over() == 0
    assert kept_by(offices.officer_a, thread)["is_over"] is False


def test_a_day_that_a_year_does_not_have_is_the_next() -> None:
    at = datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert years_after(at, 1) == date(2025, 3, 1)
    assert years_after(at, 4) == date(2028, 2, 29)
