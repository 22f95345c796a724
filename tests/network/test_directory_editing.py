"""An authority keeps its own entry: what is filled in, refused, confirmed, and what two at once do."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from network.models import (
    AcceptedLanguage,
    AuditEntry,
    Authority,
    DirectoryEntry,
    Office,
    SignIn,
    SpecialDays,
    Visibility,
)
from tests.personas import Cast

OWN = "/directory/own/"
OFFICE = {
    "name": "Main office",
    "kind": "main",
    "address": "1 Example Square\r\nCapital",
    "telephones": "+1 202 555 0101\r\n+1 202 555 0102",
    "mail": "requests@authority-a.example",
    "duty_telephone": "+1 202 555 0199",
    "time_zone": "America/New_York",
    "hours-0": "09:00-12:30, 13:30-17:00",
    "hours-4": "09:00-12:30",
    "special-first-0": "2027-01-01",
    "special-last-0": "",
    "special-reason-0": "New year",
    "special-hours-0": "",
}


def entry_of(cast: Cast) -> DirectoryEntry:
    return DirectoryEntry.objects.get(authority_id=cast.editor_a.actor.authority_id)


def save(client: Client, path: str, version: int, **fields: Any) -> Any:
    return client.post(OWN + path, {"version": version, **fields})


def visibility(**changed: str) -> dict[str, str]:
    groups = ("visibility", "address", "telephone", "mail", "hours", "duty", "languages", "channels")
    return dict.fromkeys(groups, "network") | changed


@pytest.fixture
def editor(cast: Cast) -> Client:
    """Give the browser of State A's directory editor."""
    return cast.editor_a.client()


def test_an_editor_adds_changes_and_removes_an_office(cast: Cast, editor: Client) -> None:
    assert save(editor, "offices/new/", 0, **OFFICE).status_code == 302
    office = Office.objects.get()
    assert office.telephones == ["+1 202 555 0101", "+1 202 555 0102"]
    assert office.hours == [[0, 540, 750], [0, 810, 1020], [4, 540, 750]]
    assert SpecialDays.objects.get().reason == "New year"
    form = editor.get(f"{OWN}offices/{office.id}/").content.decode()
    assert "09:00–12:30, 13:30–17:00" in form
    changed = {**OFFICE, "name": "Another name", "special-remove-0": "yes"}
    assert save(editor, f"offices/{office.id}/", 1, **changed).status_code == 302
    office.refresh_from_db()
    assert (office.name, SpecialDays.objects.count(), entry_of(cast).version) == ("Another name", 0, 2)
    assert save(editor, f"offices/{office.id}/remove/", 2).status_code == 302
    assert not Office.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "Hidden \u202e sign"),
        ("kind", "palace"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../etc/passwd"),
        ("mail", "nobody"),
        ("telephones", "call me"),
        ("telephones", "\n".join(["+1 202 555 0101"] * 7)),
        ("duty_telephone", "12345678901234567890123456789012345678901234567890"),
        ("hours-0", "from nine"),
        ("hours-0", "09:00-12:00, 11:00-13:00"),
        ("special-first-0", "tomorrow"),
        ("special-last-0", "2026-01-01"),
        ("special-reason-0", ""),
        ("address", "x" * 601),
        ("version", "newest"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence_and_nothing_is_lost(
    cast: Cast, editor: Client, field: str, value: str
) -> None:
    response = editor.post(f"{OWN}offices/new/", {"version": 0, **OFFICE, field: value})
    assert response.status_code in {409, 422}
    page = response.content.decode()
    assert 'role="alert"' in page
    assert field == "version" or 'aria-invalid="true"' in page or "field-error" in page
    kept = [text for name, text in OFFICE.items() if name != field and text]
    assert all(text.splitlines()[0] in page for text in kept)
    assert not Office.objects.exists()


def test_languages_are_accepted_in_general_and_by_function(cast: Cast, editor: Client) -> None:
    chosen = {"languages": ["en", "fr", "pt", ""], "languages-MLA": ["en"], "languages-EXT": ["ar"]}
    assert save(editor, "languages/", 0, **chosen).status_code == 302
    # The authority has no function EXT.
    rows = set(AcceptedLanguage.objects.values_list("function", "language"))
    assert rows == {("", "en"), ("", "fr"), ("", "pt"), ("MLA", "en")}
    assert save(editor, "languages/", 1, languages=["tlh"]).status_code == 422
    assert save(editor, "languages/", 1).status_code == 302
    assert not AcceptedLanguage.objects.exists()


def test_channels_and_names_and_visibility(cast: Cast, editor: Client) -> None:
    channels = {
        "channels": ["post", "network"],
        "formal_requests": "advance",
        "oral_requests": "yes",
        "channel_note": "Two copies.",
        "urgent_procedure": "Telephone\nfirst.",
    }
    assert save(editor, "channels/", 0, **channels).status_code == 302
    names = {"name-fr": "Ministère de l’État A"}
    assert save(editor, "visibility/", 1, **visibility(visibility="public"), **names).status_code == 302
    entry = entry_of(cast)
    assert (entry.channels, entry.urgent_procedure) == (["network", "post"], "Telephone\nfirst.")
    assert (entry.visibility, entry.names) == (Visibility.PUBLIC, {"fr": "Ministère de l’État A"})
    stranger = cast.signed_out.client()
    assert stranger.get("/directory/?search=ministere+etat").context["page"].authorities == 1
    assert save(editor, "visibility/", 2, **visibility(mail="everybody")).status_code == 422
    assert save(editor, "channels/", 2, **{**channels, "channels": ["pigeon"]}).status_code == 422


@pytest.mark.parametrize(
    ("again", "further", "status"),
    [
        ("5", "240", 302),
        ("٢٠", "45", 302),  # digits of every script
        ("", "", 302),
        ("4", "30", 422),
        ("15", "241", 422),
        ("30", "30", 422),
        ("60", "20", 422),
        ("-15", "30", 422),
        ("a quarter", "30", 422),
    ],
)
def test_how_soon_what_is_urgent_is_told_again(
    cast: Cast, editor: Client, again: str, further: str, status: int
) -> None:
    channels = {"formal_requests": "yes", "oral_requests": "yes", "channel_note": "", "urgent_procedure": ""}
    answer = save(editor, "channels/", 0, **channels, told_again_after=again, told_further_after=further)
    assert answer.status_code == status
    if status == 422:
        assert not DirectoryEntry.objects.filter(version__gt=0).exists()
        return
    entry = entry_of(cast)
    assert entry.told_again_after == (int(again) if again else 15)
    assert entry.told_further_after == (int(further) if further else 30)
    page = editor.get("/directory/own/channels/").content.decode()
    assert f'value="{entry.told_again_after}"' in page


def test_the_second_of_two_editors_is_told_and_loses_nothing(cast: Cast, editor: Client) -> None:
    administrator = cast.administrator_a.client()
    assert (
        save(editor, "channels/", 0, channel_note="Mine.", formal_requests="", oral_requests="").status_code
        == 302
    )
    late = save(
        administrator,
        "channels/",
        0,
        channel_note="Written for long.",
        formal_requests="yes",
        oral_requests="",
    )
    page = late.content.decode()
    assert late.status_code == 409
    assert "Somebody else changed the entry" in page
    assert "Written for long." in page
    assert 'name="version" value="1"' in page
    assert entry_of(cast).channel_note == "Mine."
    again = save(
        administrator,
        "channels/",
        1,
        channel_note="Written for long.",
        formal_requests="yes",
        oral_requests="",
    )
    assert again.status_code == 302
    assert entry_of(cast).channel_note == "Written for long."


def test_confirming_says_when_and_only_of_what_was_read(cast: Cast, editor: Client) -> None:
    save(editor, "offices/new/", 0, **OFFICE)
    assert save(editor, "confirm/", 0).status_code == 302
    assert entry_of(cast).confirmed_at is None
    assert "The entry was changed meanwhile" in editor.get(OWN).content.decode()
    save(editor, "confirm/", 1)
    entry = entry_of(cast)
    assert entry.confirmed_at
    assert (timezone.now() - entry.confirmed_at).total_seconds() < 60
    assert entry.confirmed_by_id == cast.editor_a.actor.membership_id


def test_changes_are_audited_without_content(cast: Cast, editor: Client) -> None:
    save(editor, "offices/new/", 0, **OFFICE)
    save(editor, "languages/", 1, languages=["fr"])
    save(editor, "confirm/", 2)
    entries = list(AuditEntry.objects.filter(act__startswith="directory:").order_by("n"))
    assert [entry.act for entry in entries] == ["directory:change", "directory:change", "directory:confirm"]
    facts = str([entry.facts for entry in entries])
    assert "office" in facts
    assert not [text for text in ("202 555", "Square", "fr'", "Main") if text in facts]


def test_the_preview_is_what_others_see(cast: Cast, editor: Client) -> None:
    save(editor, "offices/new/", 0, **OFFICE)
    as_public = editor.get(f"{OWN}preview/").content.decode()
    assert "They do not see it at all" in as_public
    save(editor, "visibility/", 1, **visibility(visibility="public", hours="public"))
    as_public = editor.get(f"{OWN}preview/").content.decode()
    assert "America/New_York" in as_public
    assert "+1 202 555" not in as_public
    assert "+1 202 555 0199" in editor.get(f"{OWN}preview/?as=network").content.decode()


@pytest.mark.parametrize("name", ["officer_a", "directory_officer", "moderator", "supervisor_a", "observer"])
def test_nobody_else_changes_an_entry(cast: Cast, name: str) -> None:
    client = cast.everybody()[name].client()
    for path in ("", "offices/new/", "languages/", "channels/", "visibility/", "preview/"):
        assert client.get(OWN + path).status_code == 403
    assert save(client, "offices/new/", 0, **OFFICE).status_code == 403
    assert save(client, "confirm/", 0).status_code == 403
    assert not DirectoryEntry.objects.exists()


def test_an_office_of_another_authority_is_not_there(cast: Cast, editor: Client) -> None:
    save(editor, "offices/new/", 0, **OFFICE)
    office = Office.objects.get()
    other = cast.administrator_b.client()
    assert other.get(f"{OWN}offices/{office.id}/").status_code == 404
    assert save(other, f"offices/{office.id}/", 0, **OFFICE).status_code == 404
    assert save(other, f"offices/{office.id}/remove/", 0).status_code == 404
    assert Office.objects.get().name == "Main office"


def test_an_old_proof_is_asked_for_again_and_the_form_is_carried(cast: Cast, editor: Client) -> None:
    SignIn.objects.update(proved_at=timezone.now() - timedelta(hours=1))
    response = save(editor, "offices/new/", 0, **OFFICE)
    assert response.status_code == 403
    assert "America/New_York" in response.content.decode()
    assert not Office.objects.exists()


def test_a_new_authority_has_an_entry_that_is_found_by_its_name(cast: Cast, editor: Client) -> None:
    save(editor, "channels/", 0, formal_requests="", oral_requests="")
    entry = entry_of(cast)
    name = Authority.objects.get(id=entry.authority_id).name
    assert "ministry of justice" in entry.folded_names
    assert name in cast.officer_b.client().get("/directory/?search=ministry").content.decode()
