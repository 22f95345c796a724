"""What crosses the wire about practitioners and who answers for them."""

from messaging.protocol import Bytes, Statement, Status, UnixSeconds
from network.frames import Body, HexId, ShortId


class SponsorForm(Body):
    """A supervisor's signed statement that the own authority answers for a practitioner."""

    statement: Statement


class PractitionerBody(Body):
    """A practitioner by the device that he or she began with, and the statement of who answers, if any."""

    device: HexId
    statement: Bytes
    person: ShortId
    name: str
    office: str
    authority: ShortId
    status: Status
    principal: HexId | None
    sponsor: HexId | None
    sponsoring: Bytes | None
    requested_at: UnixSeconds


class PractitionerList(Body):
    """Practitioners, the newest first."""

    practitioners: list[PractitionerBody]
