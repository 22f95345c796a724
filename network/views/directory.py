"""An authority's own entry in the directory: what stands in it, changing it part by part, confirming it."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from network import access
from network.actions import directory as actions
from network.directory import facts
from network.directory.facts import BadEntry, Posted
from network.errors import Conflict, Refusal, Sentence
from network.guard import MemberRequest, guarded
from network.models import AcceptedLanguage, Office
from network.notices import say
from network.permissions import Permission
from network.policy import NETWORK, PUBLIC, reader_of
from network.queries import directory as queries
from network.queries.entries import entry_of, shown_entry
from network.views import directory_forms as forms
from network.views.fields import Field, Filled, fill

OWN = "/directory/own/"
Context = dict[str, Any]


def _version(http_request: MemberRequest) -> int:
    typed = http_request.POST.get("version", "")
    return int(typed) if typed.isdecimal() and len(typed) < 9 else -1


def _keep(
    http_request: MemberRequest,
    act: Callable[[int], None],
    form: Callable[[Refusal], HttpResponse],
    sentence: Sentence,
) -> HttpResponse:
    """Carry a change out and lead back to the entry; else show the form with what was typed."""
    try:
        act(_version(http_request))
    except (BadEntry, Conflict) as refusal:
        return form(refusal)
    say(http_request, sentence)
    return HttpResponseRedirect(OWN)


def _form(
    http_request: MemberRequest, template: str, context: Context, refusal: Refusal | None
) -> HttpResponse:
    """Show a form; the version in it is that of the entry as it stands now."""
    authority = queries.find_own_authority(http_request.actor)
    more = {
        "authority": authority,
        "version": entry_of(authority).version,
        "message": refusal.sentence if refusal else "",
        "is_conflict": isinstance(refusal, Conflict),
    }
    status = refusal.status if refusal else 200
    return render(http_request, template, {**more, **context}, status=status)


def _errors(refusal: Refusal | None) -> Mapping[str, Sentence]:
    return refusal.fields if isinstance(refusal, BadEntry) else {}


def _filled(fields: tuple[Field, ...], values: Posted, refusal: Refusal | None) -> dict[str, Filled]:
    reading = facts.Reading(values)
    texts = {field.name: reading.raw(field.name) for field in fields}
    return fill(fields, texts, _errors(refusal))


@require_safe
@guarded(Permission.DIRECTORY_EDIT)
def own_page(http_request: MemberRequest) -> HttpResponse:
    """Show the own entry whole, with who sees which part, and the ways to change it."""
    actor = http_request.actor
    authority = queries.find_own_authority(actor)
    entry = entry_of(authority)
    context = {
        "authority": authority,
        "row": entry,
        "entry": shown_entry(reader_of(actor), authority),
        "seen_by": forms.visibility_labels(entry),
        "is_public": queries.is_shown(PUBLIC, authority),
        "is_listed": queries.is_shown(NETWORK, authority),
        "version": entry.version,
        "can_confirm": bool(entry.offices.exists()) if entry.pk else False,
    }
    return render(http_request, "network/directory/own.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.DIRECTORY_EDIT)
def languages_page(http_request: MemberRequest) -> HttpResponse:
    """Show and take the languages in which requests are accepted."""
    if http_request.method == "POST":
        return _keep_languages(http_request)
    return _languages_form(http_request, None)


def _own_functions(http_request: MemberRequest) -> list[tuple[str, Any]]:
    authority = queries.find_own_authority(http_request.actor)
    listed = shown_entry(reader_of(http_request.actor), authority).listed
    return [(function.code, function.title) for function in listed.functions]


def _languages_form(http_request: MemberRequest, refusal: Refusal | None) -> HttpResponse:
    chosen: dict[str, list[str]] = {}
    if refusal:
        chosen = {name: http_request.POST.getlist(name) for name in http_request.POST}
    else:
        for row in AcceptedLanguage.objects.filter(entry_id=http_request.actor.authority_id):
            name = f"languages-{row.function}" if row.function else "languages"
            chosen.setdefault(name, []).append(row.language)
    groups = forms.language_groups(_own_functions(http_request), chosen, _errors(refusal))
    return _form(http_request, "network/directory/languages.html", {"groups": groups}, refusal)


@require_POST
@guarded(Permission.DIRECTORY_EDIT, limit="api-write", fresh=True)
def _keep_languages(http_request: MemberRequest) -> HttpResponse:
    codes = [code for code, _title in _own_functions(http_request)]

    def act(version: int) -> None:
        chosen = facts.read_languages(forms.posted_of(http_request.POST), codes)
        actions.change_languages(http_request.actor, version=version, facts=chosen)

    return _keep(
        http_request,
        act,
        lambda refusal: _languages_form(http_request, refusal),
        _("The languages are changed."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.DIRECTORY_EDIT)
def channels_page(http_request: MemberRequest) -> HttpResponse:
    """Show and take how requests are to be sent."""
    if http_request.method == "POST":
        return _keep_channels(http_request)
    return _channels_form(http_request, None)


def _channels_form(http_request: MemberRequest, refusal: Refusal | None) -> HttpResponse:
    entry = entry_of(queries.find_own_authority(http_request.actor))
    posted = forms.posted_of(http_request.POST)
    values = posted if refusal else forms.channel_values(entry)
    chosen = http_request.POST.getlist("channels") if refusal else entry.channels
    context = {
        "form": _filled(forms.CHANNEL_FIELDS + forms.CHANNEL_AREAS, values, refusal),
        "ticks": forms.channel_ticks(chosen),
    }
    return _form(http_request, "network/directory/channels.html", context, refusal)


@require_POST
@guarded(Permission.DIRECTORY_EDIT, limit="api-write", fresh=True)
def _keep_channels(http_request: MemberRequest) -> HttpResponse:
    def act(version: int) -> None:
        chosen = facts.read_channels(forms.posted_of(http_request.POST))
        actions.change_channels(http_request.actor, version=version, facts=chosen)

    return _keep(
        http_request,
        act,
        lambda refusal: _channels_form(http_request, refusal),
        _("How requests are to be sent is changed."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.DIRECTORY_EDIT)
def visibility_page(http_request: MemberRequest) -> HttpResponse:
    """Show and take who sees which part, and the authority's names in other languages."""
    if http_request.method == "POST":
        return _keep_visibility(http_request)
    return _visibility_form(http_request, None)


def _visibility_form(http_request: MemberRequest, refusal: Refusal | None) -> HttpResponse:
    entry = entry_of(queries.find_own_authority(http_request.actor))
    values: Posted = forms.posted_of(http_request.POST) if refusal else forms.visibility_values(entry)
    context = {
        "form": _filled(forms.VISIBILITY + forms.NAMES, values, refusal),
        "groups": _filled(forms.VISIBILITY, values, refusal),
        "names": _filled(forms.NAMES, values, refusal),
    }
    return _form(http_request, "network/directory/visibility.html", context, refusal)


@require_POST
@guarded(Permission.DIRECTORY_EDIT, limit="api-write", fresh=True)
def _keep_visibility(http_request: MemberRequest) -> HttpResponse:
    def act(version: int) -> None:
        chosen = facts.read_visibility(forms.posted_of(http_request.POST))
        actions.change_visibility(http_request.actor, version=version, facts=chosen)

    return _keep(
        http_request,
        act,
        lambda refusal: _visibility_form(http_request, refusal),
        _("Names and visibility are changed."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.DIRECTORY_EDIT)
def new_office_page(http_request: MemberRequest) -> HttpResponse:
    """Show and take the form of another office."""
    access.get_own_authority(http_request.actor, to=Permission.DIRECTORY_EDIT)
    if http_request.method == "POST":
        return _keep_office(http_request, None)
    return _office_form(http_request, None, None)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Permission.DIRECTORY_EDIT)
def office_page(http_request: MemberRequest, office_uuid: uuid.UUID) -> HttpResponse:
    """Show and take the form of an office."""
    office = access.get_own_office(http_request.actor, office_uuid, to=Permission.DIRECTORY_EDIT)
    if http_request.method == "POST":
        return _keep_office(http_request, office)
    return _office_form(http_request, office, None)


def _office_form(http_request: MemberRequest, office: Office | None, refusal: Refusal | None) -> HttpResponse:
    values: Posted = forms.posted_of(http_request.POST) if refusal else forms.office_values(office)
    fields = forms.office_fields() + forms.OFFICE_AREAS
    context = {
        "office": office,
        "form": _filled(fields, values, refusal),
        "week": forms.hours_rows(values, _errors(refusal)),
        "special": forms.special_rows(values, _errors(refusal)),
        "is_always_open": values.get("is_always_open") == "yes",
    }
    return _form(http_request, "network/directory/office.html", context, refusal)


@require_POST
@guarded(Permission.DIRECTORY_EDIT, limit="api-write", fresh=True)
def _keep_office(http_request: MemberRequest, office: Office | None) -> HttpResponse:
    def act(version: int) -> None:
        filled = facts.read_office(forms.posted_of(http_request.POST))
        office_id = office.id if office else None
        actions.keep_office(http_request.actor, version=version, office_id=office_id, facts=filled)

    return _keep(
        http_request,
        act,
        lambda refusal: _office_form(http_request, office, refusal),
        _("The office is saved."),
    )


@require_POST
@guarded(Permission.DIRECTORY_EDIT, limit="api-write", fresh=True)
def remove_office(http_request: MemberRequest, office_uuid: uuid.UUID) -> HttpResponse:
    """Take an office out of the entry."""
    actor = http_request.actor
    office = access.get_own_office(actor, office_uuid, to=Permission.DIRECTORY_EDIT)

    def act(version: int) -> None:
        actions.remove_office(actor, version=version, office_id=office.id)

    def changed(refusal: Refusal) -> HttpResponse:
        say(http_request, _("The entry was changed meanwhile. Look at the office once more, then remove it."))
        return HttpResponseRedirect(f"{OWN}offices/{office.id}/")

    return _keep(http_request, act, changed, _("The office is removed."))


@require_POST
@guarded(Permission.DIRECTORY_CONFIRM, limit="api-write", fresh=True)
def confirm(http_request: MemberRequest) -> HttpResponse:
    """Say that everything in the entry is right."""

    def act(version: int) -> None:
        actions.confirm_entry(http_request.actor, version=version)

    def changed(refusal: Refusal) -> HttpResponse:
        say(http_request, _("The entry was changed meanwhile. Read it once more, then confirm it."))
        return HttpResponseRedirect(OWN)

    return _keep(http_request, act, changed, _("The entry is confirmed as of today."))
