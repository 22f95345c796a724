"""Keeping in which language somebody reads."""

from network.languages import is_known
from network.models import Person
from network.policy import Actor


def choose_language(actor: Actor, *, language: str) -> None:
    """Keep the language of pages, mail and notifications of the actor's person; no right hangs on it."""
    if is_known(language):
        Person.objects.filter(id=actor.person_id).update(language=language)
