"""HTTP in, HTTP out: records that are made, reports that are sent, and the moderators' pages."""

import uuid

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from messaging import access
from messaging.actions.reports import close_report, note_export, note_reading, send_report
from messaging.log_reading import anchors_of
from messaging.models import HoldReason
from messaging.permissions import Permission
from messaging.record_protocol import RecordForm, RecordPlace
from messaging.report_protocol import ReportForm, ReportPlace
from messaging.report_queries import CAUSES, list_own_reports, list_reports, read_shown_report
from messaging.retention_queries import keepings_of
from messaging.stage_words import CLOSING_NAMES, FACT_NAMES, MARK_CHOICES, STAGE_NAMES
from messaging.views import HexPath
from network.errors import NotFound
from network.guard import MemberRequest, allows, guarded
from network.rest import GuardedRouter

router = GuardedRouter()
JSON = "application/json"


@router.post("/threads/{thread}/record", response=RecordPlace)
@guarded(Permission.RECORD_EXPORT, limit="api-write", fresh=True)
def post_record(request: MemberRequest, thread: HexPath, form: RecordForm) -> HttpResponse:
    """Note that a record of a thread is made; the record itself is made in the client."""
    note_export(request.actor, thread_id=thread, seq=form.seq)
    place = RecordPlace(anchors=anchors_of(thread, seq=form.seq))
    return HttpResponse(place.model_dump_json(), content_type=JSON)


@router.post("/threads/{thread}/reports", response=ReportPlace)
@guarded(Permission.REPORT_SEND, limit="report-send")
def post_report(request: MemberRequest, thread: HexPath, form: ReportForm) -> HttpResponse:
    """Report messages of a thread to the moderators of the secretariat."""
    place = send_report(request.actor, thread_id=thread, report=form.report, messages=form.messages)
    return HttpResponse(place.model_dump_json(), content_type=JSON)


@require_GET
@guarded(Permission.RECORD_EXPORT)
def record_page(http_request: MemberRequest, thread_id: str) -> HttpResponse:
    """Show what makes a record of a thread or of one message."""
    access.get_thread_to_read(http_request.actor, thread_id, to=Permission.RECORD_EXPORT)
    actor = http_request.actor
    found = {
        "actor": actor,
        "thread": thread_id,
        "stages": STAGE_NAMES,
        "facts": FACT_NAMES,
        "closing": CLOSING_NAMES,
        "mark_choices": MARK_CHOICES,
        "keeps": allows(actor, Permission.RETENTION_READ),
        "keeping": keepings_of(actor, [thread_id]).get(thread_id),
        "may_hold": allows(actor, Permission.HOLD_WRITE),
        "reasons": HoldReason.choices,
    }
    return render(http_request, "messaging/record.html", found)


@require_GET
@guarded(Permission.REPORT_SEND)
def report_page(http_request: MemberRequest, thread_id: str) -> HttpResponse:
    """Show what reports messages of a thread."""
    reports = list_own_reports(http_request.actor, thread_id)
    context = {
        "actor": http_request.actor,
        "thread": thread_id,
        "causes": CAUSES.items(),
        "reports": reports,
        "days": settings.REPORT_DAYS,
    }
    return render(http_request, "messaging/report.html", context)


@require_GET
@guarded(Permission.REPORT_LIST)
def reports_page(http_request: MemberRequest) -> HttpResponse:
    """List the reports, the newest first."""
    try:
        wanted = http_request.GET.get("before", "")
        before = uuid.UUID(wanted) if wanted else None
    except ValueError as error:
        raise NotFound from error
    rows, has_older = list_reports(http_request.actor, before=before)
    context = {"rows": rows, "older": rows[-1].id if has_older else ""}
    return render(http_request, "messaging/reports.html", context)


@require_GET
@guarded(Permission.REPORT_READ, fresh=True)
def shown_report_page(http_request: MemberRequest, report_uuid: uuid.UUID) -> HttpResponse:
    """Show a report with what was disclosed; the record of acts keeps who looked."""
    note_reading(http_request.actor, report_id=report_uuid)
    shown = read_shown_report(http_request.actor, report_uuid)
    context = {"shown": shown, "days": settings.REPORT_DAYS}
    return render(http_request, "messaging/shown_report.html", context)


@require_http_methods(["POST"])
@guarded(Permission.REPORT_CLOSE, limit="api-write")
def close_page(http_request: MemberRequest, report_uuid: uuid.UUID) -> HttpResponse:
    """Close a report."""
    close_report(http_request.actor, report_id=report_uuid, outcome=http_request.POST.get("outcome", ""))
    return HttpResponseRedirect(f"/reports/{report_uuid}/")
