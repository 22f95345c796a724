"""Who reported messages learns what was found, and after a time what was disclosed is forgotten."""

import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from messaging.actions.reports import forget_reports
from messaging.models import Report, ReportedMessage
from network.audit import verify_chain
from network.models import AuditEntry, Membership, Notification
from tests.factories import Offices
from tests.messaging.test_reports import SECRET, Case
from tests.network.test_people import row_of
from tests.personas import Cast, Persona

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(offices: Offices) -> Case:
    """Give a thread in which B has threatened A."""
    return Case(offices)


def report(case: Case) -> str:
    """A reports the threat; returns the report's page."""
    return f"/reports/{uuid.UUID(case.a.post(case.path, case.form())['report'])}/"


def close(cast: Cast, page: str, outcome: str = "founded") -> None:
    assert cast.moderator.client().post(f"{page}close/", {"outcome": outcome}).status_code == 302


def told(persona: Persona) -> list[str]:
    """Return what somebody is told of reports that were closed."""
    rows = Notification.objects.filter(membership=row_of(persona), kind="report-closed", read_at__isnull=True)
    return list(rows.values_list("about", flat=True))


def years_pass() -> None:
    """Let the reports be closed just longer ago than what they disclosed is kept."""
    Report.objects.update(closed_at=F("closed_at") - timedelta(days=settings.REPORT_DAYS, minutes=1))


def test_who_reported_is_told_once_it_is_decided_and_nobody_else(case: Case, cast: Cast) -> None:
    page = report(case)
    assert told(cast.officer_a) == []
    close(cast, page)
    assert told(cast.officer_a) == [f"own-report:{case.thread}"]
    assert told(cast.supervisor_a) == told(cast.officer_b) == told(cast.supervisor_b) == []


def test_where_the_reporter_has_left_the_supervisors_are_told(case: Case, cast: Cast) -> None:
    page = report(case)
    Membership.objects.filter(id=cast.officer_a.actor.membership_id).update(until_at=timezone.now())
    close(cast, page)
    assert told(cast.supervisor_a) == [f"own-report:{case.thread}"]
    assert told(cast.supervisor_b) == []


def test_the_page_says_to_the_own_authority_what_was_found(case: Case, cast: Cast) -> None:
    page = report(case)
    own = f"/threads/{case.thread}/report/"
    assert "Reported before" in case.a.http.get(own).content.decode()
    close(cast, page)
    for desk in (case.a, case.offices.supervisor_a):
        said = desk.http.get(own).content.decode()
        assert "Founded" in said
        assert "The moderators closed this report" in said
        assert "They threaten a witness" not in said
    other = case.b.http.get(own).content.decode()
    assert "Reported before" not in other
    assert "Founded" not in other
    stranger = case.offices.supervisor_c.http.get(own)
    missing = case.offices.supervisor_c.http.get(f"/threads/{'ab' * 32}/report/")
    assert stranger.status_code == missing.status_code == 404


def test_what_was_disclosed_is_forgotten_some_time_after_and_not_before(case: Case, cast: Cast) -> None:
    page = report(case)
    close(cast, page)
    forget_reports()
    assert SECRET in cast.moderator.client().get(page).content.decode()
    years_pass()
    forget_reports()
    said = cast.moderator.client().get(page).content.decode()
    assert SECRET not in said
    assert "They threaten a witness" not in said
    assert "was deleted" in said
    assert "Founded" in said
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM messaging_report")
        assert [bytes(value) for (value,) in cursor.fetchall()] == [b""]
        cursor.execute("SELECT disclosed FROM messaging_reportedmessage")
        assert [bytes(value) for (value,) in cursor.fetchall()] == [b""]


def test_an_open_report_is_never_forgotten(case: Case, cast: Cast) -> None:
    page = report(case)
    Report.objects.update(reported_at=F("reported_at") - timedelta(days=10 * settings.REPORT_DAYS))
    forget_reports()
    assert SECRET in cast.moderator.client().get(page).content.decode()


def test_forgetting_is_noted_once_and_the_message_is_not_reported_anew(case: Case, cast: Cast) -> None:
    close(cast, report(case))
    years_pass()
    forget_reports()
    forget_reports()
    entries = AuditEntry.objects.filter(act="report:forget")
    assert [entry.subject for entry in entries] == [Report.objects.get().id.hex]
    assert verify_chain().faults == []
    assert case.refused(case.form()) == (409, "already-reported")
    assert ReportedMessage.objects.count() == 1
