"""Messages of a sealed thread are reported: moderators see what was written, nothing else, nothing false."""

import base64
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from messaging.models import Report, ReportedMessage
from messaging.sealed.encoding import decode
from messaging.sealed.record import Disclosed
from messaging.sealed.record_source import disclose, report_messages
from messaging.sealed.statement import FIELDS, sign
from network import limits
from network.audit import verify_chain
from network.models import AuditEntry, Notification
from tests.factories import Offices, Workplace, call, code_of, now, to_text
from tests.personas import Cast

SECRET = "Pay us, or the witness will not travel."
OTHER = "We thank you for your kind answer."


class Case:
    """A thread of A and B in which B has threatened A."""

    def __init__(self, offices: Offices) -> None:
        self.offices = offices
        self.a, self.b = offices.officer_a, offices.officer_b
        self.thread = self.a.open_thread(self.b, "Good morning.")
        self.bad = self.b.send(self.thread, SECRET)["seq"]
        self.other = self.b.send(self.thread, OTHER)["seq"]
        self.a.read(self.thread)

    @property
    def path(self) -> str:
        return f"/threads/{self.thread}/reports"

    def form(
        self, *places: int, by: Workplace | None = None, at: int | None = None, **more: Any
    ) -> dict[str, Any]:
        by = by or self.a
        said = {"cause": "pressure", "words": "They threaten a witness."} | more
        statement, opened = report_messages(
            by.mailbox, bytes.fromhex(self.thread), places or [self.bad], at=at or now(), **said
        )
        return {"report": to_text(statement), "messages": [on_wire(each) for each in opened]}

    def refused(self, form: dict[str, Any], by: Workplace | None = None, path: str = "") -> tuple[int, str]:
        limits.buckets._levels.clear()
        before = (Report.objects.count(), ReportedMessage.objects.count())
        found = code_of(call((by or self.a).http, "POST", path or self.path, form))
        assert (Report.objects.count(), ReportedMessage.objects.count()) == before
        return found


def on_wire(disclosed: Disclosed) -> dict[str, str]:
    return {"blind": to_text(disclosed.blind), "padded": to_text(disclosed.padded)}


@pytest.fixture
def case(offices: Offices) -> Case:
    """Give the thread."""
    return Case(offices)


def resign(workplace: Workplace, report: str, **changes: object) -> str:
    """The report with other fields, signed by the device of this desk."""
    parts: Any = decode(base64.b64decode(report))
    payload: Any = decode(parts[2])
    fields = {name: payload[name] for name in FIELDS["report"]} | changes
    device = workplace.mailbox.device
    raw = sign(
        settings.ORIGIN_NAME, "report", fields, at=payload["at"], kid=device.id, key=device.signing_key
    )
    return to_text(raw)


def test_officer_a_reports_and_a_moderator_reads_that_message_only(case: Case, cast: Cast) -> None:
    place = case.a.post(case.path, case.form())
    moderator = cast.moderator.client()
    listed = moderator.get("/reports/").content.decode()
    assert f"/reports/{uuid.UUID(place['report'])}/" in listed
    assert SECRET not in listed
    page = moderator.get(f"/reports/{uuid.UUID(place['report'])}/").content.decode()
    assert SECRET in page
    assert "They threaten a witness." in page
    assert OTHER not in page
    assert "Good morning." not in page


def test_what_was_disclosed_lies_encrypted_in_the_database(case: Case) -> None:
    case.a.post(case.path, case.form())
    with connection.cursor() as cursor:
        for table in ("messaging_report", "messaging_reportedmessage"):
            cursor.execute(f"SELECT * FROM {table}")
            rows = [
                bytes(value) if isinstance(value, memoryview) else value
                for row in cursor.fetchall()
                for value in row
            ]
            text = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in rows)
            assert SECRET.encode() not in text
            assert b"They threaten" not in text


def test_every_step_is_audited_without_content_and_the_chain_holds(case: Case, cast: Cast) -> None:
    place = case.a.post(case.path, case.form())
    shown = f"/reports/{uuid.UUID(place['report'])}/"
    moderator = cast.moderator.client()
    assert moderator.get(shown).status_code == 200
    assert moderator.post(f"{shown}close/", {"outcome": "founded"}).status_code == 302
    acts = list(AuditEntry.objects.filter(act__startswith="report:").order_by("n"))
    assert [entry.act for entry in acts] == ["report:send", "report:read", "report:close"]
    assert all(SECRET not in str(entry.facts) for entry in acts)
    assert acts[0].facts["cause"] == "pressure"
    assert verify_chain().faults == []


def test_moderators_are_told_and_no_longer_once_it_is_closed(case: Case, cast: Cast) -> None:
    place = case.a.post(case.path, case.form())
    told = Notification.objects.filter(kind="reported")
    assert [each.membership_id for each in told] == [cast.moderator.actor.membership_id]
    cast.moderator.client().post(f"/reports/{uuid.UUID(place['report'])}/close/", {"outcome": "unfounded"})
    assert not told.filter(read_at__isnull=True).exists()


def test_a_report_is_closed_once_and_with_a_known_outcome(case: Case, cast: Cast) -> None:
    place = case.a.post(case.path, case.form())
    shown = f"/reports/{uuid.UUID(place['report'])}/close/"
    moderator = cast.moderator.client()
    assert moderator.post(shown, {"outcome": "perhaps"}).status_code == 422
    assert moderator.post(shown, {"outcome": "founded"}).status_code == 302
    assert moderator.post(shown, {"outcome": "unfounded"}).status_code == 409
    assert Report.objects.get().outcome == "founded"
    for wanted in ("/reports/?before=x", f"/reports/?before={uuid.uuid4()}", f"/reports/{uuid.uuid4()}/"):
        assert moderator.get(wanted).status_code == 404


def test_r3_an_altered_text_or_blind_is_refused(case: Case) -> None:
    form = case.form()
    (true,) = form["messages"]
    padded = bytearray(base64.b64decode(true["padded"]))
    padded[30] ^= 1
    other = case.form(case.other)["messages"][0]
    for wrong in (
        {**true, "padded": to_text(bytes(padded))},
        {**true, "blind": other["blind"]},
        {**true, "padded": to_text(bytes(padded[:-1]))},
        other,
    ):
        assert case.refused({**form, "messages": [wrong]}) == (422, "wrong-plain")
    assert case.refused({**form, "messages": [true, other]}) == (422, "wrong-messages")
    assert case.refused({**form, "messages": []}) == (422, "invalid-body")


def test_a_forged_report_is_refused(case: Case) -> None:
    form = case.form()
    raw = bytearray(base64.b64decode(form["report"]))
    raw[-10] ^= 1
    assert case.refused({**form, "report": to_text(bytes(raw))}) == (422, "bad-signature")
    for changes, code in (
        ({"cause": "because"}, "unknown-cause"),
        ({"messages": []}, "wrong-messages"),
        ({"messages": [[case.bad, bytes(32)]]}, "not-in-thread"),
        ({"messages": [[999, bytes(32)]]}, "not-in-thread"),
        ({"messages": [[1, bytes(32)]]}, "not-in-thread"),
        ({"thread": bytes(32)}, "wrong-thread"),
    ):
        report = resign(case.a, form["report"], **changes)
        assert case.refused({**form, "report": report}) == (422, code), code
    assert case.refused({**form, "report": "AAAA"})[0] == 422


def test_r4_a_report_of_another_thread_or_signed_by_another_is_refused(case: Case) -> None:
    form = case.form()
    second = case.a.open_thread(case.b, "Another matter.")
    assert case.refused(form, path=f"/threads/{second}/reports") == (422, "wrong-thread")
    moved = resign(case.a, form["report"], thread=bytes.fromhex(second))
    assert case.refused({**form, "report": moved}, path=f"/threads/{second}/reports") == (
        422,
        "not-in-thread",
    )
    assert case.refused(form, by=case.b) == (403, "foreign-device")
    assert case.refused(form, by=case.offices.supervisor_a) == (403, "foreign-device")
    foreign = resign(case.offices.supervisor_c, form["report"])
    assert case.refused({**form, "report": foreign}, by=case.offices.supervisor_c) == (404, "not-found")


def test_a_report_is_not_taken_twice(case: Case) -> None:
    form = case.form()
    case.a.post(case.path, form)
    assert case.refused(form) == (409, "already-reported")
    assert case.refused(case.form(case.bad, case.other)) == (409, "already-reported")
    case.a.post(case.path, case.form(case.other))
    assert Report.objects.count() == 2


def test_an_authority_does_not_report_itself_alone(case: Case) -> None:
    case.b.read(case.thread)
    form = case.form(case.bad, by=case.b)
    assert case.refused(form, by=case.b) == (422, "own-messages")
    both = case.form(2, case.bad, by=case.b)
    case.b.post(case.path, both)
    assert ReportedMessage.objects.count() == 2


@pytest.mark.parametrize(("away", "code"), [(3600, "clock-ahead"), (-90_000, "too-late")])
def test_a_report_is_sent_when_it_is_signed(case: Case, away: int, code: str) -> None:
    assert case.refused(case.form(at=now() + away)) == (422, code)


@pytest.mark.parametrize(
    "name", ["directory_officer", "security_officer", "supervisor_a", "officer_b", "signed_out"]
)
def test_nobody_but_moderators_sees_reports(case: Case, cast: Cast, name: str) -> None:
    place = case.a.post(case.path, case.form())
    client = cast.everybody()[name].client()
    for path in ("/reports/", f"/reports/{uuid.UUID(place['report'])}/"):
        answer = client.get(path)
        assert answer.status_code in {302, 403}
        assert SECRET.encode() not in answer.content
    assert (
        client.post(f"/reports/{uuid.UUID(place['report'])}/close/", {"outcome": "founded"}).status_code
        != 200
    )
    assert Report.objects.get().outcome == "open"


def test_a_moderator_sees_no_thread(case: Case, cast: Cast) -> None:
    client = cast.moderator.client()
    assert call(client, "GET", f"/threads/{case.thread}").status_code == 403
    assert client.get(f"/threads/{case.thread}/report/").status_code == 403
    assert call(client, "POST", f"/threads/{case.thread}/record", {}).status_code == 403


def test_making_a_record_is_noted_and_only_for_members(case: Case) -> None:
    path = f"/threads/{case.thread}/record"
    case.a.post(path, {})
    case.b.post(path, {"seq": case.bad})
    assert code_of(call(case.a.http, "POST", path, {"seq": 99})) == (422, "beyond-the-end")
    foreign = call(case.offices.supervisor_c.http, "POST", path, {})
    missing = call(case.offices.supervisor_c.http, "POST", f"/threads/{'ab' * 32}/record", {})
    assert (foreign.status_code, foreign.content) == (missing.status_code, missing.content)
    assert foreign.status_code == 404
    entries = AuditEntry.objects.filter(act="record:export").order_by("n")
    assert [(entry.subject, entry.facts["seq"]) for entry in entries] == [
        (case.thread, None),
        (case.thread, case.bad),
    ]


def test_disclosing_opens_no_other_message(case: Case) -> None:
    thread = case.a.mailbox.threads[bytes.fromhex(case.thread)]
    messages = [each.message for each in thread.applied if each.message]
    blinds = {disclose(thread, message).blind for message in messages}  # type: ignore[union-attr]
    assert len(blinds) == len(messages)
