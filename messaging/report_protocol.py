"""What crosses the wire for reports of abuse. Binary is standard base64."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from messaging.protocol import CIPHERTEXT_MOST, Blind
from network.frames import Body, ShortId, blob

REPORT_MOST = 16 * 1024
REPORTED_MOST = 20  # messages in one report

if TYPE_CHECKING:
    SignedReport = bytes
    Padded = bytes
else:
    SignedReport = blob(REPORT_MOST)
    Padded = blob(CIPHERTEXT_MOST)


class DisclosedText(Body):
    """The opening of a message's commitment."""

    blind: Blind
    padded: Padded


class ReportForm(Body):
    """A signed report, and the text of each message it names, in its order."""

    report: SignedReport
    messages: Annotated[list[DisclosedText], Field(min_length=1, max_length=REPORTED_MOST)]


class ReportPlace(Body):
    """The answer to a report."""

    report: ShortId
