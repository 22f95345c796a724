"""A person chooses a language once: pages, errors, exports, mail and the socket's sentences follow."""

import asyncio
import json
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.db import transaction
from django.test import Client
from django.utils import translation

from network import languages
from network.actions.mail import message_of, write_mail
from network.models import OutgoingMail, Person
from network.project.asgi import application
from tests.network.invited import accept, browser, invited
from tests.personas import Cast, Persona

pytestmark = pytest.mark.any_database
SIX = [code for code, _name in settings.LANGUAGES]
DIRECTION = {"ar": "rtl"}


def person_of(persona: Persona) -> Person:
    assert persona.membership
    return Person.objects.get(id=persona.membership.person_id)


def reader(persona: Persona, language: str) -> Client:
    """Return the browser of a persona who has chosen a language."""
    Person.objects.filter(id=person_of(persona).id).update(language=language)
    return persona.client()


def said(sentence: str, language: str) -> str:
    """Return what a page says in a language for an English sentence; a test must not pass in English."""
    with translation.override(language):
        words = translation.gettext(sentence)
    assert language == "en" or words != sentence
    return words


def root_of(language: str) -> str:
    return f'<html lang="{language}" dir="{DIRECTION.get(language, "ltr")}"'


# --- Choosing ---


def test_a_choice_is_kept_with_the_person_and_in_the_browser(cast: Cast) -> None:
    client = cast.officer_a.client()
    response = client.post("/language/", {"language": "ru", "next": "/threads/"})
    assert (response.status_code, response.headers["location"]) == (302, "/threads/")
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "ru"
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME]["max-age"] == 365 * 24 * 60 * 60
    assert person_of(cast.officer_a).language == "ru"
    assert root_of("ru") in client.get("/threads/").content.decode()
    elsewhere = cast.officer_a.client()
    assert root_of("ru") in elsewhere.get("/threads/", headers={"accept-language": "fr"}).content.decode()


def test_another_choice_takes_the_place_of_the_first(cast: Cast) -> None:
    client = reader(cast.officer_a, "ru")
    client.get("/threads/")
    client.post("/language/", {"language": "es"})
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "es"
    assert root_of("es") in client.get("/threads/").content.decode()


def test_whoever_is_signed_out_chooses_for_the_browser_alone(cast: Cast) -> None:
    client = cast.signed_out.client()
    client.post("/language/", {"language": "ar"})
    assert root_of("ar") in client.get("/sign-in/", headers={"accept-language": "fr"}).content.decode()
    assert not Person.objects.exclude(language="").exists()


def test_after_signing_out_the_browser_still_speaks_the_persons_language(cast: Cast) -> None:
    client = reader(cast.officer_a, "zh-hans")
    client.get("/threads/")
    client.post("/sign-out/")
    assert root_of("zh-hans") in client.get("/sign-in/").content.decode()


def test_the_persons_language_is_stronger_than_what_somebody_else_chose_in_this_browser(cast: Cast) -> None:
    client = reader(cast.officer_a, "fr")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ar"
    assert root_of("fr") in client.get("/threads/").content.decode()


@pytest.mark.parametrize("language", ["", "tlh", "en-gb", "../../etc", "x" * 3000])
def test_what_is_no_language_is_refused_with_a_sentence(cast: Cast, language: str) -> None:
    response = cast.officer_a.client().post("/language/", {"language": language})
    assert response.status_code == 422
    assert person_of(cast.officer_a).language == ""


def test_the_way_on_never_leads_to_another_site(client: Client, db: None) -> None:
    response = client.post("/language/", {"language": "fr", "next": "//evil.test/"})
    assert response.headers["location"] == "/"


def test_a_new_person_keeps_the_language_the_invitation_was_accepted_in(cast: Cast) -> None:
    token = invited(cast.administrator_a, language="en")
    client = browser()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ar"
    assert accept(client, token).status_code == 200
    assert Person.objects.get(language="ar").name == "New Officer"


# --- What follows the choice ---


@pytest.mark.parametrize("language", SIX)
def test_a_page_that_is_not_there_says_so_in_the_language(cast: Cast, language: str) -> None:
    signed_in = reader(cast.officer_a, language).get("/nowhere/")
    signed_out = cast.signed_out.client().get("/nowhere/", headers={"accept-language": language})
    for response in (signed_in, signed_out):
        page = response.content.decode()
        assert response.status_code == 404
        assert root_of(language) in page
        assert said("There is nothing here", language) in page
        assert response.headers["Content-Language"] == language


def test_a_refusal_by_role_a_limit_or_a_foreign_form_is_in_the_language(cast: Cast) -> None:
    client = reader(cast.officer_a, "es")
    page = client.get("/states/")
    assert page.status_code == 403
    assert root_of("es") in page.content.decode()
    strict = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    strict.cookies[settings.SESSION_COOKIE_NAME] = cast.officer_a.session_cookie()
    page = strict.post("/sign-out/")
    assert page.status_code == 403
    assert root_of("es") in page.content.decode()
    auditor = reader(cast.auditor_a, "es")
    answers = [auditor.post("/audit/export/") for _ in range(6)]
    assert answers[-1].status_code == 429
    assert root_of("es") in answers[-1].content.decode()


def test_the_servers_own_mistake_is_said_in_the_language(cast: Cast, settings: LazySettings) -> None:
    settings.ROOT_URLCONF = "tests.network.broken_urls"
    client = reader(cast.officer_a, "ar")
    client.raise_request_exception = False
    response = client.get("/broken/")
    assert response.status_code == 500
    assert root_of("ar") in response.content.decode()
    assert said("The server made a mistake", "ar") in response.content.decode()


def test_a_request_for_another_host_is_refused_in_the_language_of_the_browser(client: Client) -> None:
    response = client.get("/sign-in/", headers={"host": "evil.test", "accept-language": "fr"})
    assert response.status_code == 400
    assert root_of("fr") in response.content.decode()


def test_refusals_of_the_rest_face_are_in_the_language(cast: Cast) -> None:
    body = reader(cast.officer_a, "fr").get("/api/nowhere").content.decode()
    assert json.loads(body)["error"]["message"] == said("This does not exist, or you may not see it.", "fr")


def test_what_is_too_large_is_refused_in_the_language_of_the_browser() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    headers = [(b"content-length", b"9999999"), (b"accept-language", b"ru")]
    scope = {"type": "http", "method": "POST", "path": "/api/messages", "headers": headers}
    asyncio.run(application(scope, receive, send))
    assert json.loads(sent[1]["body"])["error"]["message"] == said(
        "This is larger than can be sent here.", "ru"
    )


def test_an_export_of_the_audit_record_has_words_and_headings_of_the_language(cast: Cast) -> None:
    client = reader(cast.auditor_a, "fr")
    table = client.post("/audit/export/", {"form": "csv"}).content.decode()
    assert said("The audit record was exported", "fr") in table
    assert '"act"' not in table
    lines = client.post("/audit/export/", {"form": "json"}).content.decode().splitlines()
    assert {"act", "at", "facts", "hash"} <= set(json.loads(lines[1]))


@pytest.mark.parametrize(("chosen", "spoken"), [("es", "es"), ("", "en")])
def test_mail_is_in_the_language_or_in_english_where_none_was_chosen(
    cast: Cast, chosen: str, spoken: str
) -> None:
    reader(cast.officer_a, chosen)
    with transaction.atomic():
        write_mail("account-ended", person_of(cast.officer_a))
    subject = str(message_of(OutgoingMail.objects.get()).subject)
    assert subject == said("Network of Central Authorities", spoken)


def test_pages_say_that_they_vary_and_are_not_kept(cast: Cast) -> None:
    for response in (
        cast.signed_out.client().get("/sign-in/"),
        reader(cast.officer_a, "fr").get("/threads/"),
    ):
        assert {"Accept-Language", "Cookie"} <= {part.strip() for part in response.headers["Vary"].split(",")}
        assert response.headers["Cache-Control"] == "no-store"


# --- The browser's wish ---


@pytest.mark.parametrize(
    ("accept", "cookies", "language"),
    [
        ("", {}, "en"),
        ("de, pt;q=0.5", {}, "en"),
        ("de, ar-EG;q=0.8, fr;q=0.1", {}, "ar"),
        ("zh-CN", {}, "zh-hans"),
        ("zh", {}, "zh-hans"),
        ("es-MX", {"language": "ru"}, "ru"),
        ("es-MX", {"language": "tlh"}, "es"),
        ("\0;q=x,,;;", {}, "en"),
        ("fr" + ",x" * 100_000, {}, "fr"),
    ],
)
def test_a_browser_gets_what_it_asks_for(accept: str, cookies: dict[str, str], language: str) -> None:
    assert languages.of_browser(accept, cookies) == language
