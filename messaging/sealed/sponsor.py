"""A practitioner's sponsor: an authority answers for a prosecutor or liaison magistrate (rule K9)."""

from dataclasses import dataclass

from messaging.sealed.encoding import Encodable
from messaging.sealed.errors import Refused
from messaging.sealed.keys import SigningKey
from messaging.sealed.places import By, read_by
from messaging.sealed.statement import Statement, parse, sign

LONGEST = 366 * 24 * 3600
"""Seconds for which a sponsor answers at most; then the statement is made anew."""
TEXT_LIMIT = 200


@dataclass(frozen=True)
class Sponsor:
    """Who answers for whom, from when until when; ``device`` signs the practitioner's genesis."""

    statement: Statement
    by: By
    person: str
    office: str
    device: bytes
    replaces: bytes | None
    begins: int
    until: int

    def counts_at(self, at: int) -> bool:
        """Whether the sponsor answers at this time, in unix seconds."""
        return self.begins <= at <= self.until


@dataclass(frozen=True)
class SponsorEnd:
    """A sponsor no longer answers for a practitioner; ``of`` is the hash of its statement."""

    statement: Statement
    by: By
    practitioner: bytes
    of: bytes


def read_sponsor(net: str, raw: bytes) -> Sponsor:
    """Take a sponsor's statement apart. Raises Refused E1, E2; K9 ``wrong-sponsor`` for impossible times."""
    statement = parse(net, raw, "sponsor")
    fields = statement.fields
    found = Sponsor(
        statement=statement,
        by=read_by(fields),
        person=fields.text("person", TEXT_LIMIT),
        office=fields.text("office", TEXT_LIMIT),
        device=fields.data("device"),
        replaces=fields.optional("replaces", fields.data),
        begins=fields.uint("from"),
        until=fields.uint("until"),
    )
    if not found.begins < found.until <= found.begins + LONGEST:  # K9
        raise Refused("K9", "wrong-sponsor", "a sponsor answers for at most a year")
    return found


def read_sponsor_end(net: str, raw: bytes) -> SponsorEnd:
    """Take the end of a sponsor's statement apart. Raises Refused E1, E2."""
    statement = parse(net, raw, "sponsor-end")
    fields = statement.fields
    return SponsorEnd(statement, read_by(fields), fields.data("practitioner"), fields.data("of"))


def make_sponsor(
    net: str,
    *,
    by: By,
    person: str,
    office: str,
    device: bytes,
    begins: int,
    until: int,
    author: bytes,
    key: SigningKey,
    at: int,
    replaces: bytes | None = None,
) -> bytes:
    """A supervisor's statement that the authority answers for a practitioner."""
    fields: dict[str, Encodable] = {
        "by": by.as_map(),
        "person": person,
        "office": office,
        "device": device,
        "replaces": replaces,
        "from": begins,
        "until": until,
    }
    return sign(net, "sponsor", fields, at=at, kid=author, key=key)


def make_sponsor_end(
    net: str, *, by: By, practitioner: bytes, of: bytes, author: bytes, key: SigningKey, at: int
) -> bytes:
    """A supervisor's statement that the authority no longer answers for a practitioner."""
    fields: dict[str, Encodable] = {"by": by.as_map(), "practitioner": practitioner, "of": of}
    return sign(net, "sponsor-end", fields, at=at, kid=author, key=key)
