"""How a person is told is a plain form: what is typed is kept, and what is wrong stands beside it."""

from datetime import time
from typing import Any

import pytest

from network.middleware import HEADERS, WORKER_POLICY
from network.models import DirectoryEntry, NotificationChoices, Office
from tests.personas import Cast, Persona

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
RIGHT = {"level": "urgent", "time_zone": "Asia/Kathmandu", "digest": "daily", "digest_at": "08:30"}


def save(persona: Persona, **fields: str) -> Any:
    return persona.client().post("/notifications/settings/save/", fields)


def test_what_is_chosen_is_kept_for_the_person_and_shown_again(cast: Cast) -> None:
    answer = save(cast.officer_a, **RIGHT, quiet_from="18:00", quiet_until="07:15", has_sound="on")
    assert answer.status_code == 302
    kept = NotificationChoices.objects.get()
    assert kept.person_id == cast.officer_a.actor.person_id
    assert (kept.level, kept.time_zone, kept.digest_at) == ("urgent", "Asia/Kathmandu", time(8, 30))
    assert (kept.quiet_from, kept.quiet_until) == (time(18), time(7, 15))
    assert (kept.has_mail, kept.has_push, kept.has_sound, kept.urgent_in_quiet) == (False, False, True, False)
    page = cast.officer_a.client().get("/notifications/settings/").content.decode()
    assert 'value="07:15"' in page
    assert "<option selected>Asia/Kathmandu</option>" in page
    assert "Asia/Kathmandu</option>" in page
    assert NotificationChoices.objects.count() == 1


def test_who_has_chosen_nothing_is_offered_the_clock_of_the_office(cast: Cast) -> None:
    client = cast.officer_a.client()
    assert "<option selected>UTC</option>" in client.get("/notifications/settings/").content.decode()
    entry = DirectoryEntry.objects.create(authority_id=cast.officer_a.actor.authority_id)
    Office.objects.create(entry=entry, name="Registry", time_zone="Asia/Kathmandu")
    assert (
        "<option selected>Asia/Kathmandu</option>" in client.get("/notifications/settings/").content.decode()
    )
    assert not NotificationChoices.objects.exists()
    save(cast.officer_a, **{**RIGHT, "time_zone": "UTC"})
    assert "<option selected>UTC</option>" in client.get("/notifications/settings/").content.decode()


def test_the_menu_of_the_person_leads_to_the_settings(cast: Cast) -> None:
    assert 'href="/notifications/settings/"' in cast.officer_a.client().get("/account/").content.decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"quiet_from": "18:00"}, "Give both times"),
        ({"quiet_from": "six", "quiet_until": "08:00"}, "Give both times"),
        ({"quiet_from": "25:00", "quiet_until": "08:00"}, "Give both times"),
        ({"digest_at": ""}, "Give the time of day"),
        ({"digest_at": "8 o'clock"}, "Give the time of day"),
        ({"time_zone": "Atlantis/Poseidonis"}, "Choose a time zone"),
        ({"time_zone": "../../etc/passwd"}, "Choose a time zone"),
        ({"level": "loud"}, "Choose one of these"),
        ({"digest": "never"}, "Choose one of these"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    cast: Cast, change: dict[str, str], sentence: str
) -> None:
    answer = save(cast.officer_a, **{**RIGHT, "urgent_in_quiet": "on", **change})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert 'name="urgent_in_quiet" checked' in page
    if "quiet_from" in change:
        assert f'value="{change["quiet_from"]}"' in page
    assert not NotificationChoices.objects.exists()


def test_only_this_page_may_register_a_worker_under_one_name(cast: Cast) -> None:
    client = cast.officer_a.client()
    policy = client.get("/notifications/settings/").headers["Content-Security-Policy"]
    assert policy == WORKER_POLICY
    assert policy != HEADERS["Content-Security-Policy"]
    assert (
        policy.replace("trusted-types service-worker", "trusted-types 'none'")
        == (HEADERS["Content-Security-Policy"])
    )
    other = client.get("/notifications/").headers["Content-Security-Policy"]
    assert other == HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("language", ["ar", "en", "fr", "ru", "es", "zh-hans"])
def test_the_worker_knows_one_sentence_and_reads_nothing_of_the_message(cast: Cast, language: str) -> None:
    client = cast.signed_out.client()
    answer = client.get("/sw.js", headers={"accept-language": language})
    script = answer.content.decode()
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Service-Worker-Allowed"] == "/notifications/"
    assert "no-store" in answer.headers["cache-control"]
    written = language.replace("-", "\\u002D")
    assert f'lang: "{written}"' in script
    for never in ("event.data", "fetch(", "caches", "importScripts", "indexedDB"):
        assert never not in script
