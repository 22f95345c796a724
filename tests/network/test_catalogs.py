"""Every text is there in the other five languages of the United Nations, whole, and pages show it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from django.test import Client

from deploy import catalogs

Text = str | tuple[str, ...] | list[str]

PLURAL_FORMS = {"ar": 6, "es": 2, "fr": 2, "ru": 3, "zh_Hans": 1}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|%%|\{\w*\}")
# What a translation may share with English, and why.
SAME_AS_ENGLISH = {
    ("fr", "Date"): "the same word",
    ("fr", "Message"): "the same word",
    ("fr", "Messages"): "the same word",
    ("fr", "Parties"): "the same word",
    ("es", "Supervisor"): "the same word",
}
SIGN_IN = {
    "ar": ("rtl", "تسجيل الدخول"),
    "zh-hans": ("ltr", "登录"),
    "en": ("ltr", "Sign in"),
    "fr": ("ltr", "Connexion"),
    "ru": ("ltr", "Вход в систему"),
    "es": ("ltr", "Iniciar sesión"),
}


def language(path: Path) -> str:
    """Return the language of a .po file, as gettext spells it."""
    return path.parent.parent.name


def every_catalog() -> Iterator[tuple[str, Catalog]]:
    """Give (where, catalog) of each app and language."""
    for app in catalogs.APPS:
        for path in catalogs.catalogs(app):
            yield f"{app} {language(path)}", catalogs.read(path)


def forms(text: Text | None) -> list[str]:
    """Return the singular and plural forms of one side of a message."""
    return [text] if isinstance(text, str) else list(text or ())


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def problems(lang: str, message: Message) -> Iterator[str]:
    """Give what is wrong with one translated message."""
    english, translated = forms(message.id), forms(message.string)
    if not translated or not all(form.strip() for form in translated):
        yield "is empty"
        return
    if message.fuzzy:
        yield "is fuzzy"
    if set(english) & set(translated) and (lang, english[0]) not in SAME_AS_ENGLISH:
        yield "is English"
    # The form for most numbers says all of it; the form for "one" may leave the number out.
    if placeholders(translated[-1]) != placeholders(english[-1]):
        yield "has other placeholders"
    if any(set(placeholders(form)) - set(placeholders(english[-1])) for form in translated):
        yield "has a placeholder of its own"


def message(english: Text, translated: Text, flags: tuple[str, ...] = ()) -> Message:
    return Message(english, translated, flags=flags)


def test_every_app_with_texts_has_every_language() -> None:
    for app in catalogs.APPS:
        if any(entry.id for entry in catalogs.collect(app)):
            assert {language(path) for path in catalogs.catalogs(app)} == set(PLURAL_FORMS), app


def test_every_text_is_translated_with_its_placeholders() -> None:
    found = [
        f"{where}: {entry.id!r} {problem}"
        for where, catalog in every_catalog()
        for entry in catalog
        if entry.id
        for problem in problems(where.split()[1], entry)
    ]
    assert not found, "\n".join(found)


def test_plural_forms_are_those_of_the_language() -> None:
    for where, catalog in every_catalog():
        assert catalog.num_plurals == PLURAL_FORMS[where.split()[1]], where


def test_catalogs_hold_what_the_sources_say_and_are_compiled() -> None:
    assert not catalogs.check()


def test_what_is_the_same_as_english_is_still_so() -> None:
    same = {
        (where.split()[1], form)
        for where, catalog in every_catalog()
        for entry in catalog
        if entry.id
        for form in set(forms(entry.id)) & set(forms(entry.string))
    }
    assert same == set(SAME_AS_ENGLISH)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (message("Found: {count}", ""), "is empty"),
        (message("Found: {count}", "Résultats : {count}", ("fuzzy",)), "is fuzzy"),
        (message("Found: {count}", "Found: {count}"), "is English"),
        (message("Found: {count}", "Résultats"), "has other placeholders"),
        (message(("%(n)s day", "%(n)s days"), ("{n} jour", "%(n)s jours")), "has a placeholder of its own"),
    ],
)
def test_a_bad_entry_is_found(entry: Message, problem: str) -> None:
    assert list(problems("fr", entry)) == [problem]


def test_a_good_entry_passes() -> None:
    assert not list(problems("fr", message(("%(n)s day", "%(n)s days"), ("un jour", "%(n)s jours"))))
    assert not list(problems("fr", message("Date", "Date")))


@pytest.mark.django_db
@pytest.mark.parametrize("code", SIGN_IN)
def test_whoever_is_signed_out_sees_the_first_page_in_the_own_language(code: str, client: Client) -> None:
    direction, words = SIGN_IN[code]
    page = client.get("/sign-in/", headers={"accept-language": code}).content.decode()
    assert f'<html lang="{code}" dir="{direction}">' in page
    assert f"<h1>{words}</h1>" in page
