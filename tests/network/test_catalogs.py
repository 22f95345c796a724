"""Every text is there in the other five languages of the United Nations, whole, and pages show it."""

import pytest
from babel.messages.catalog import Message
from django.test import Client

from deploy import catalogs
from deploy.catalog_rules import PLURAL_FORMS, Text, problems

pytestmark = pytest.mark.any_database
SIGN_IN = {
    "ar": ("rtl", "تسجيل الدخول"),
    "zh-hans": ("ltr", "登录"),
    "en": ("ltr", "Sign in"),
    "fr": ("ltr", "Connexion"),
    "ru": ("ltr", "Вход в систему"),
    "es": ("ltr", "Iniciar sesión"),
}


def message(english: Text, translated: Text, flags: tuple[str, ...] = ()) -> Message:
    return Message(english, translated, flags=flags)


def test_every_app_with_texts_has_every_language() -> None:
    for app in catalogs.APPS:
        if any(entry.id for entry in catalogs.collect(app)):
            assert {catalogs.language(path) for path in catalogs.catalogs(app)} == set(PLURAL_FORMS), app


def test_every_text_is_translated_whole_and_compiled() -> None:
    assert not "\n".join(catalogs.check())


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (message("Found: {count}", ""), "is empty"),
        (message("Found: {count}", "Résultats : {count}", ("fuzzy",)), "is fuzzy"),
        (message("Found: {count}", "Found: {count}"), "is English"),
        (message("Found: {count}", "Résultats"), "has other placeholders"),
        (message(("%(n)s day", "%(n)s days"), ("{n} jour", "%(n)s jours")), "has a placeholder of its own"),
        (message(("%(n)s day", "%(n)s days"), ("%(n)s jours",)), "has not the plural forms of the language"),
        (message("by <bdi>%(n)s</bdi>", "par %(n)s"), "has other tags"),
        (
            message(("by <b>%(n)s</b>", "by <b>%(n)s</b>!"), ("<i>un</i>", "par <b>%(n)s</b>")),
            "has a tag of its own",
        ),
        (message("Found: ", "Résultats :"), "begins or ends with other blanks"),
    ],
)
def test_a_bad_entry_is_found(entry: Message, problem: str) -> None:
    assert list(problems("fr", entry)) == [problem]


def test_a_good_entry_passes() -> None:
    assert not list(problems("fr", message(("%(n)s day", "%(n)s days"), ("un jour", "%(n)s jours"))))
    assert not list(problems("fr", message("Date", "Date")))
    assert not list(problems("es", message("%(some)s, %(next)s", "%(some)s, %(next)s")))


@pytest.mark.django_db
@pytest.mark.parametrize("code", SIGN_IN)
def test_whoever_is_signed_out_sees_the_first_page_in_the_own_language(code: str, client: Client) -> None:
    direction, words = SIGN_IN[code]
    page = client.get("/sign-in/", headers={"accept-language": code}).content.decode()
    assert f'<html lang="{code}" dir="{direction}"' in page
    assert f"<h1>{words}</h1>" in page
