"""The socket words its errors in the language of whoever opened it, each socket its own."""

import pytest
from asgiref.sync import sync_to_async
from django.utils import translation

from network.models import Person
from tests.personas import Cast, Persona
from tests.realtime.conftest import Opener

NOTHING = "This does not exist, or you may not see it."
DAMAGED = "What was sent is damaged, so nothing was changed."


def choose(persona: Persona, language: str) -> None:
    assert persona.membership
    Person.objects.filter(id=persona.membership.person_id).update(language=language)


def said(sentence: str, language: str) -> str:
    with translation.override(language):
        return translation.gettext(sentence)


async def test_sockets_open_at_once_speak_the_language_of_each_reader(
    live_cast: Cast, open_socket: Opener
) -> None:
    readers = {"ar": live_cast.officer_a, "ru": live_cast.officer_b, "": live_cast.officer_c}
    for language, persona in readers.items():
        await sync_to_async(choose)(persona, language)
    sockets = {language: await open_socket(persona) for language, persona in readers.items()}
    for language, socket in sockets.items():
        reply = await socket.ask("network.session.nothing", {})
        assert reply["error"]["message"] == said(NOTHING, language or "en")
    assert len({said(NOTHING, language) for language in ("ar", "ru", "en")}) == 3


async def test_a_refusal_of_an_action_and_of_a_batch_is_in_the_language(
    live_cast: Cast, open_socket: Opener
) -> None:
    await sync_to_async(choose)(live_cast.officer_a, "fr")
    socket = await open_socket(live_cast.officer_a)
    refused = await socket.ask("messaging.delivery.confirm", {"thread": "a" * 64, "seq": 1})
    assert refused["error"]["message"] == said(NOTHING, "fr")
    messages = [{"item": "AA==", "ciphertext": "AA=="}]
    answer = await socket.ask("messaging.messages.append", {"messages": messages})
    assert answer["result"]["results"][0]["error"]["message"] == said(DAMAGED, "fr")


@pytest.mark.parametrize(("accept", "language"), [(b"zh-CN,en;q=0.5", "zh-hans"), (b"de", "en")])
async def test_without_a_choice_the_browser_says(
    live_cast: Cast, open_socket: Opener, accept: bytes, language: str
) -> None:
    socket = await open_socket(live_cast.officer_a, accept_language=accept)
    reply = await socket.ask("network.session.nothing", {})
    assert reply["error"]["message"] == said(NOTHING, language)
