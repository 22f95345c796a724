"""Model texts: each in six languages, with the same blanks, for those who may write."""

import re

import httpx
import pytest
from django.conf import settings

from messaging.letters import LETTERS, letters_in
from tests.personas import Cast

LANGUAGES = [code for code, _ in settings.LANGUAGES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_the_blanks_of_the_english_one(language: str) -> None:
    english, found = letters_in("en"), letters_in(language)
    assert found.keys() == LETTERS.keys()
    for code, text in found.items():
        assert len(re.findall(r"\[[^\]\n]+\]", text)) == english[code].count("["), (code, text)
        assert text.count("\n\n") == english[code].count("\n\n"), code
        assert language == "en" or text != english[code], code


def test_the_texts_come_in_the_language_of_the_message_not_of_the_page(cast: Cast) -> None:
    client = cast.officer_a.client()
    for language in LANGUAGES:
        answer = client.get(f"/api/letters/{language[:2]}", headers={"accept-language": "ru"})
        assert answer.json() == {"letters": letters_in(language)}
    assert client.get("/api/letters/de").status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert cast.auditor_a.client().get("/api/letters/fr").status_code == httpx.codes.FORBIDDEN
