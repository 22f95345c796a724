"""How pages look to whoever reads them, signed in or not; and the parts they are made of, on one page."""

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from network.actions.appearance import keep_appearance
from network.appearance import CHOICES, Appearance, is_choice
from network.context import appearance_of
from network.errors import Invalid
from network.guard import ActingRequest, guarded
from network.notices import say
from network.permissions import Permission

COOKIE_LASTS = 365 * 24 * 60 * 60


@require_safe
@guarded(Permission.APPEARANCE_SET)
def appearance_page(http_request: ActingRequest) -> HttpResponse:
    """Show what can be chosen, and what is."""
    chosen = appearance_of(http_request)
    groups = [{"name": name, "choices": CHOICES[name], "chosen": getattr(chosen, name)} for name in CHOICES]
    return render(http_request, "network/appearance.html", {"groups": groups})


@require_POST
@guarded(Permission.APPEARANCE_SET, limit="api-write")
def set_appearance(http_request: ActingRequest) -> HttpResponse:
    """Keep what was chosen: in this browser, and for whoever is signed in on every other one too."""
    before = appearance_of(http_request)
    values = {name: http_request.POST.get(name, getattr(before, name)) for name in CHOICES}
    if not all(is_choice(name, value) for name, value in values.items()):
        raise Invalid("unknown-choice", _("Choose one of what the page offers. Nothing was changed."))
    wanted = Appearance(**values)
    if http_request.actor:
        keep_appearance(http_request.actor, wanted)
    say(http_request, _("Saved. Every page looks like this from now on."))
    response = HttpResponseRedirect("/account/appearance/")
    response.set_cookie(
        settings.APPEARANCE_COOKIE_NAME,
        wanted.written(),
        max_age=COOKIE_LASTS,
        secure=settings.SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


@require_safe
@guarded(Permission.COMPONENT_READ)
def components_page(http_request: ActingRequest) -> HttpResponse:
    """Show every part that pages are made of. The route exists in the development profile only."""
    return render(http_request, "network/components.html")
