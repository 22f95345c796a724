"""Keeping how pages look to a person."""

from django.db import transaction

from network.appearance import Appearance
from network.models import Person
from network.policy import Actor


@transaction.atomic(durable=True)
def keep_appearance(actor: Actor, appearance: Appearance) -> None:
    """Keep what the actor chose, for every device. Nothing depends on it but looks, so no record is made."""
    Person.objects.filter(id=actor.person_id).update(appearance=appearance.written())
