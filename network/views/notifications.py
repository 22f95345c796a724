"""What a member is told of: the list, how it is told, and what the script of every page asks."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import time
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from network.actions import notifications, push
from network.errors import Invalid, Sentence
from network.guard import ActingRequest, MemberRequest, guarded
from network.languages import is_known, spoken_to
from network.middleware import WORKER_POLICY
from network.models import Digest, Level, NotificationChoices
from network.notices import say
from network.notification_times import time_zones
from network.permissions import Permission
from network.push import public_key
from network.queries import notifications as queries
from network.views.sign_ins import json_body, safe_path

PATH_MOST = 200


@require_safe
@guarded(Permission.NOTIFICATION_READ)
def list_page(http_request: MemberRequest) -> HttpResponse:
    """Show what waits, and what was read."""
    unread, read = queries.list_notifications(http_request.actor)
    context = {"unread": unread, "read": read, "most": queries.UNREAD_MOST}
    return render(http_request, "network/notifications.html", context)


@require_POST
@guarded(Permission.NOTIFICATION_READ, limit="api-write")
def open_one(http_request: MemberRequest, notification_uuid: uuid.UUID) -> HttpResponse:
    """Lead to what it is about; it is read then. With `stay` it is only marked."""
    path = notifications.open_notification(http_request.actor, notification_id=notification_uuid)
    return HttpResponseRedirect("/notifications/" if "stay" in http_request.POST else path)


@require_POST
@guarded(Permission.NOTIFICATION_READ, limit="api-write")
def read_all(http_request: MemberRequest) -> HttpResponse:
    """Mark all as read."""
    count = notifications.mark_all_read(http_request.actor)
    sentence = ngettext("%(count)s was marked as read.", "%(count)s were marked as read.", count)
    say(http_request, sentence % {"count": count})
    return HttpResponseRedirect("/notifications/")


def _now(http_request: MemberRequest, path: str) -> HttpResponse:
    return JsonResponse(asdict(queries.read_waiting(http_request.actor, path)))


@require_safe
@guarded(Permission.NOTIFICATION_READ)
def now(http_request: MemberRequest) -> HttpResponse:
    """Say how many wait, and whether the page that asks is one of them."""
    return _now(http_request, http_request.GET.get("at", "")[:PATH_MOST])


@require_POST
@guarded(Permission.NOTIFICATION_READ, limit="api-write")
def seen(http_request: MemberRequest) -> HttpResponse:
    """Take note that a person has a page before the eyes; says how many wait then."""
    path = json_body(http_request).get("path")
    if not isinstance(path, str):
        raise Invalid("invalid-body")
    notifications.clear_page(http_request.actor, path=path[:PATH_MOST])
    return _now(http_request, path[:PATH_MOST])


@require_POST
@guarded(Permission.NOTIFICATION_CHOOSE, limit="api-write")
def set_level(http_request: MemberRequest) -> HttpResponse:
    """Choose how much about one thing tells the actor."""
    posted = http_request.POST
    notifications.set_level(
        http_request.actor, reference=posted.get("about", "")[:100], level=posted.get("level", "")
    )
    say(http_request, _("Saved."))
    return HttpResponseRedirect(safe_path(posted.get("next")))


@dataclass(frozen=True)
class Form:
    """The settings as they stand in the form: what was typed is kept, with what is wrong."""

    level: str
    time_zone: str
    quiet_from: str
    quiet_until: str
    urgent_in_quiet: bool
    digest: str
    digest_at: str
    has_mail: bool
    has_push: bool
    has_sound: bool

    @classmethod
    def of(cls, choices: NotificationChoices) -> "Form":
        """Return the form as it was saved."""
        values: dict[str, Any] = {name: _typed(getattr(choices, name)) for name in cls.__dataclass_fields__}
        return cls(**values)

    @classmethod
    def posted(cls, posted: Mapping[str, str]) -> "Form":
        """Return the form as it was sent."""
        names = cls.__dataclass_fields__
        values: dict[str, Any] = {
            name: name in posted if field.type is bool else posted.get(name, "")[:64]
            for name, field in names.items()
        }
        return cls(**values)


def _typed(value: object) -> object:
    match value:
        case time():
            return f"{value:%H:%M}"
        case None:
            return ""
        case bool():
            return value
        case _:
            return str(value)


WRONG: dict[str, Promise] = {
    "quiet": _("Give both times, like 18:00 and 08:00, or none."),
    "digest_at": _("Give the time of day at which it shall come, like 08:00."),
    "time_zone": _("Choose a time zone of the list."),
    "level": _("Choose one of these."),
}


def _read(form: Form) -> tuple[notifications.Choices | None, dict[str, Sentence]]:
    """Return what was chosen, or what is wrong with it."""
    wrong: dict[str, Sentence] = {}
    times: dict[str, time | None] = {}
    for name, field in (("quiet_from", "quiet"), ("quiet_until", "quiet"), ("digest_at", "digest_at")):
        value: str = getattr(form, name)
        try:
            times[name] = (
                time.fromisoformat(value).replace(second=0, microsecond=0, tzinfo=None) if value else None
            )
        except ValueError:
            wrong[field] = WRONG[field]
    if (form.quiet_from == "") != (form.quiet_until == ""):
        wrong["quiet"] = WRONG["quiet"]
    if form.digest == Digest.DAILY and not form.digest_at:
        wrong["digest_at"] = WRONG["digest_at"]
    if form.time_zone not in time_zones():
        wrong["time_zone"] = WRONG["time_zone"]
    if form.level not in Level.values or form.digest not in Digest.values:
        wrong["level"] = WRONG["level"]
    if wrong:
        return None, wrong
    values = {**asdict(form), **times, "level": Level(form.level), "digest": Digest(form.digest)}
    return notifications.Choices(**values), {}


@require_safe
@guarded(Permission.NOTIFICATION_CHOOSE)
def settings_page(http_request: MemberRequest) -> HttpResponse:
    """Show how the person is told."""
    return _settings(http_request, Form.of(queries.propose_choices(http_request.actor)), {})


def _settings(http_request: MemberRequest, form: Form, wrong: dict[str, Sentence]) -> HttpResponse:
    context = {
        "form": form,
        "wrong": wrong,
        "levels": Level.choices,
        "digests": Digest.choices,
        "zones": time_zones(),
        "browsers": queries.list_browsers(http_request.actor),
        "push_key": public_key(),
    }
    page = render(http_request, "network/notification_settings.html", context, status=422 if wrong else 200)
    page.headers["Content-Security-Policy"] = WORKER_POLICY
    return page


@require_POST
@guarded(Permission.NOTIFICATION_CHOOSE, limit="api-write")
def save_settings(http_request: MemberRequest) -> HttpResponse:
    """Keep how the person wants to be told."""
    form = Form.posted(http_request.POST)
    choices, wrong = _read(form)
    if choices is None:
        return _settings(http_request, form, wrong)
    notifications.save_choices(http_request.actor, choices)
    say(http_request, _("Saved."))
    return HttpResponseRedirect("/notifications/settings/")


def _endpoint(http_request: MemberRequest) -> str:
    endpoint = json_body(http_request).get("endpoint")
    if not isinstance(endpoint, str) or not endpoint:
        raise Invalid("invalid-body")
    return endpoint


@require_POST
@guarded(Permission.NOTIFICATION_CHOOSE, limit="push-subscribe")
def add_push(http_request: MemberRequest) -> HttpResponse:
    """Wake this browser from now on."""
    push.add_subscription(http_request.actor, endpoint=_endpoint(http_request))
    return JsonResponse({"is_woken": True})


@require_POST
@guarded(Permission.NOTIFICATION_CHOOSE, limit="push-subscribe")
def renew_push(http_request: MemberRequest) -> HttpResponse:
    """Say that the person is signed in again in this browser; answers whether it is woken."""
    is_woken = push.renew_subscription(http_request.actor, endpoint=_endpoint(http_request))
    return JsonResponse({"is_woken": is_woken})


@require_POST
@guarded(Permission.NOTIFICATION_CHOOSE, limit="push-subscribe")
def remove_push(http_request: MemberRequest) -> HttpResponse:
    """Stop waking this browser."""
    push.remove_subscription(http_request.actor, endpoint=_endpoint(http_request))
    return JsonResponse({"is_woken": False})


@require_POST
@guarded(Permission.NOTIFICATION_CHOOSE, limit="api-write")
def remove_all_push(http_request: MemberRequest) -> HttpResponse:
    """Stop waking every browser of the person."""
    push.remove_all_subscriptions(http_request.actor)
    say(http_request, _("No browser shows you messages any more."))
    return HttpResponseRedirect("/notifications/settings/")


@require_safe
@guarded(Permission.PUBLIC_READ)
def service_worker(http_request: ActingRequest) -> HttpResponse:
    """Give the script that shows one sentence when this browser is woken, in the reader's language."""
    wanted = http_request.GET.get("language", "")
    language = wanted if is_known(wanted) else get_language()
    with spoken_to(language):
        context = {
            "title": gettext("Network of Central Authorities"),
            "sentence": gettext("There is something new in the network."),
            "language": language,
        }
    script = render(http_request, "network/sw.js", context, content_type="text/javascript; charset=utf-8")
    script.headers["Service-Worker-Allowed"] = "/notifications/"
    return script
