"""What crosses the wire when the secretariat confirms keys."""

from typing import Annotated

from pydantic import Field

from messaging.protocol import Blind, Statement
from network.frames import Body, ShortId


class ConfirmationForm(Body):
    """That an authority's keys are those of its State's note; the officer's device has signed `statement`."""

    authority: ShortId
    fingerprint: Annotated[str, Field(max_length=200)]
    notification: Annotated[str, Field(max_length=100)]
    notified_on: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    statement: Statement
    blind: Blind


class ConfirmationPlace(Body):
    """The answer: the act of two persons, and whether this was the second of them."""

    proposal: ShortId
    is_confirmed: bool
