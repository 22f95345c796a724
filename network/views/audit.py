"""The audit record as an authority sees and exports it."""

import uuid
from datetime import date
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from network.actions.audit import record_export
from network.acts import ACTS
from network.audit_export import FORMS
from network.errors import Invalid
from network.guard import MemberRequest, guarded
from network.permissions import Permission
from network.queries.audit import Wanted, list_audit, list_own_members


@require_safe
@guarded(Permission.AUDIT_READ)
def audit_page(http_request: MemberRequest) -> HttpResponse:
    """Show what the authority did and what concerns it, newest first."""
    wanted = _wanted(http_request.GET)
    lines, before = list_audit(http_request.actor, wanted)
    asked = {
        name: value for name in ("act", "member", "since", "until") if (value := http_request.GET.get(name))
    }
    context = {
        "page": "audit",
        "lines": lines,
        "asked": asked,
        "is_first": wanted.before is None,
        "older": urlencode({**asked, "before": before}) if before else "",
        "acts": sorted(ACTS.items(), key=lambda act: str(act[1])),
        "members": list_own_members(http_request.actor),
    }
    return render(http_request, "network/audit.html", context)


@require_POST
@guarded(Permission.AUDIT_EXPORT, limit="audit-export", fresh=True)
def export_audit(http_request: MemberRequest) -> HttpResponse:
    """Give out the entries that the page would show, in one file; the export is an entry itself."""
    form = http_request.POST.get("form", "json")
    if form not in FORMS:
        raise Invalid
    wanted = _wanted(http_request.POST)
    content_type, ending, write = FORMS[form]
    record_export(http_request.actor, form=form)
    response = HttpResponse(write(http_request.actor, wanted), content_type=content_type)
    name = f"audit-{timezone.now():%Y-%m-%d}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _wanted(asked: QueryDict) -> Wanted:
    """Return what was asked for; raises `Invalid` for a date or number that is none."""
    act, member, since, until, before = (
        str(asked.get(name, "")) for name in ("act", "member", "since", "until", "before")
    )
    try:
        return Wanted(
            act=act if act in ACTS else "",
            member=uuid.UUID(member) if member else None,
            since=_day(since) if since else None,
            until=_day(until) if until else None,
            before=_number(before) if before else None,
        )
    except ValueError as error:
        sentence = _("A date must be like 2026-01-31. Go back and choose again.")
        raise Invalid("bad-filter", sentence) from error


def _day(text: str) -> date:
    """Return a day that has another one after it."""
    day = date.fromisoformat(text)
    if day == date.max:
        raise ValueError(text)
    return day


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 15:
        raise ValueError(text[:20])
    return int(text)
