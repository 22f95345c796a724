"""HTTP in, HTTP out: for how long an authority keeps closed cases, and what it holds."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from messaging.actions.retention import lift_hold, put_hold, set_schedule
from messaging.models import YEARS_LEAST, YEARS_MOST
from messaging.permissions import Permission
from messaging.retention_queries import count_kept, read_years
from network.guard import MemberRequest, allows, guarded
from network.notices import say


@require_GET
@guarded(Permission.RETENTION_READ)
def retention_page(http_request: MemberRequest) -> HttpResponse:
    """Show the own authority's schedule, and how many cases it keeps."""
    actor = http_request.actor
    context = {
        "actor": actor,
        "years": read_years(actor),
        "least": YEARS_LEAST,
        "most": YEARS_MOST,
        "kept": count_kept(actor),
        "may_set": allows(actor, Permission.RETENTION_SET),
    }
    return render(http_request, "messaging/retention.html", context)


@require_POST
@guarded(Permission.RETENTION_SET, limit="api-write", fresh=True)
def set_retention(http_request: MemberRequest) -> HttpResponse:
    """Change the own authority's schedule."""
    written = http_request.POST.get("years", "")
    is_number = written.isascii() and written.isdecimal()
    set_schedule(http_request.actor, years=int(written[:4]) if is_number else 0)
    say(http_request, _("The schedule is saved. It counts for cases that are closed from now on."))
    return HttpResponseRedirect("/retention/")


@require_POST
@guarded(Permission.HOLD_WRITE, limit="api-write")
def hold_thread(http_request: MemberRequest, thread_id: str) -> HttpResponse:
    """Hold a thread for the own authority."""
    put_hold(http_request.actor, thread_id=thread_id, reason=http_request.POST.get("reason", ""))
    say(http_request, _("The hold is put. Only your authority sees it."))
    return HttpResponseRedirect(f"/threads/{thread_id}/record/")


@require_POST
@guarded(Permission.HOLD_WRITE, limit="api-write", fresh=True)
def lift_thread(http_request: MemberRequest, thread_id: str) -> HttpResponse:
    """Lift the own authority's hold of a thread."""
    lift_hold(http_request.actor, thread_id=thread_id)
    say(http_request, _("The hold is lifted."))
    return HttpResponseRedirect(f"/threads/{thread_id}/record/")
