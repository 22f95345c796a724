"""The demonstration's counterpart: what it says follows from what it read."""

import pytest

from messaging.demo.replies import LANGUAGES, PHRASES, SUBJECTS, reply_to

# What the demonstration answers: the same on any database.
pytestmark = pytest.mark.any_database

QUESTIONS = {
    ("en", "freezing"): "Please freeze the account ending 0000 at the bank.",
    ("en", "videoconference"): "Could the witness be heard by video link?",
    ("en", "records"): "We need the bank records for May.",
    ("en", "language"): "In which languages do you take requests?",
    ("en", "greeting"): "Good morning, dear colleague.",
    ("en", "other"): "When is your office open?",
    ("fr", "records"): "Nous avons besoin des relevés du compte.",
    ("fr", "greeting"): "Bonjour, nous sommes le bureau de liaison.",
    ("es", "freezing"): "Solicitamos el embargo de los fondos.",
    ("es", "language"): "¿En qué idiomas reciben solicitudes?",
    ("ru", "videoconference"): "Просим о допросе свидетеля по видеосвязи.",
    ("ar", "freezing"): "نطلب تجميد الحساب اليوم",
    ("zh-hans", "language"): "请问接受哪种语言的请求？",
}


@pytest.mark.parametrize(("expected", "text"), QUESTIONS.items())
def test_answer_fits_language_and_subject(expected: tuple[str, str], text: str) -> None:
    language, subject = expected
    answer, answered_in = reply_to(text, "en")
    assert answered_in == language
    assert answer.startswith(PHRASES[language][subject])
    assert text.split(maxsplit=1)[0] in answer


def test_every_language_has_every_phrase() -> None:
    wanted = {*SUBJECTS, "other", "proof", "closing"}
    assert set(PHRASES) == set(LANGUAGES)
    for phrases in PHRASES.values():
        assert set(phrases) == wanted
        assert "{quote}" in phrases["proof"]
        assert "{count}" in phrases["proof"]


def test_two_texts_never_get_the_same_answer() -> None:
    answers = {reply_to(f"Please send record number {number}", "en")[0] for number in range(20)}
    assert len(answers) == 20


def test_braces_in_a_text_do_no_harm() -> None:
    answer, _ = reply_to("{count} {quote} {0} %s", "en")
    assert "“{count} {quote} {0} %s” and has 4 words" in answer
