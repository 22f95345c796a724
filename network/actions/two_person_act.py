"""What an act that two persons do together has to say about itself."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from network.errors import Invalid, Sentence
from network.frames import Body, Notice
from network.permissions import Permission
from network.policy import Actor

# What the second person brings, by name: digits read from a note, a signature.
Answer = Mapping[str, str]


class BadFacts(Invalid):
    """What was filled in cannot be so; `fields` has a sentence for each, empty where the form knows it."""

    default_code = "bad-facts"
    default_sentence = _("Some fields need another look; nothing was proposed yet.")

    def __init__(self, **fields: Sentence) -> None:
        super().__init__()
        self.fields = fields


def _nothing(*_arguments: Any) -> None:
    """Ask for nothing more."""


@dataclass(frozen=True)
class TwoPersonAct:
    """One act. Each function takes `facts`, an instance of the act's own type."""

    permission: Permission  # its value is the act's name; both persons need the right
    title: Promise
    facts: type[Body]
    # The object by which proposals are found again: a code or an id, never an address or a name.
    subject_of: Callable[[Any], str]
    # Other authorities that the act is about; they see its audit entries.
    concerns_of: Callable[[Any], tuple[uuid.UUID, ...]]
    # Everything about the object that the two persons have agreed on. Its rows stay locked until the end.
    state_of: Callable[[Any], list[object]]
    # Does it, and returns whom to tell. Runs in the transaction of the decision, when all was checked.
    carry_out: Callable[[Actor, Any, Answer], Sequence[Notice]]
    # Raises `BadFacts` where the facts contradict what is known; asked when proposing and when deciding.
    check: Callable[[Any], None] = _nothing
    # Raises where the first person may not propose just these facts.
    begin: Callable[[Actor, Any], None] = _nothing
    # Raises where the second person does not bring what only an independent look can bring.
    confirm: Callable[[Actor, Any, Answer], None] = _nothing
    # Facts that are kept encrypted.
    sealed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the name under which it is proposed."""
        return str(self.permission)
