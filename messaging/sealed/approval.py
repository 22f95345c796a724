"""The approval: a steward or the recovery key agrees to what somebody else does (rules K6, K9, K11)."""

from dataclasses import dataclass

from messaging.sealed.encoding import Encodable
from messaging.sealed.keys import SigningKey
from messaging.sealed.places import By, read_by
from messaging.sealed.statement import Statement, parse, sign

ABOUT_KEYRING = "keyring"
LONGEST = 24 * 3600
"""Seconds for which an approval holds at most."""
CLOCKS_DIFFER = 300
"""Seconds by which the clocks of two honest devices may differ."""


@dataclass(frozen=True)
class Approval:
    """An approval taken apart, its signature not yet verified; ``by`` is None for the recovery key.

    ``on`` is the hash of the keyring entry before, or the thread; ``change`` what is agreed to.
    """

    statement: Statement
    by: By | None
    about: str
    on: bytes
    change: bytes
    until: int

    def counts_at(self, at: int) -> bool:
        """Whether it holds at this time, in unix seconds, and for no longer than it may."""
        made = self.statement.at
        return made - CLOCKS_DIFFER <= at <= self.until <= made + LONGEST


def read_approval(net: str, raw: bytes) -> Approval:
    """Take an approval apart. Raises Refused E1, E2."""
    statement = parse(net, raw, "approval")
    fields = statement.fields
    return Approval(
        statement=statement,
        by=fields.optional("by", lambda _: read_by(fields)),
        about=fields.text("about"),
        on=fields.data("on"),
        change=fields.data("change"),
        until=fields.uint("until"),
    )


def make_approval(
    net: str,
    *,
    by: By | None,
    author: bytes,
    key: SigningKey,
    on: bytes,
    change: bytes,
    at: int,
    about: str = ABOUT_KEYRING,
    until: int | None = None,
) -> bytes:
    """An approval that holds for a day, signed by a device, or by the recovery key (``by`` None)."""
    fields: dict[str, Encodable] = {
        "by": by.as_map() if by else None,
        "about": about,
        "on": on,
        "change": change,
        "until": at + LONGEST if until is None else until,
    }
    return sign(net, "approval", fields, at=at, kid=author, key=key)
