"""Mandates by which practitioners write directly, and their withdrawal (rules T3, T5)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from messaging.sealed import envelopes as sealing
from messaging.sealed.encoding import Encodable, context_hash
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import Keyrings
from messaging.sealed.keys import SigningKey
from messaging.sealed.places import After, By, read_after, read_by
from messaging.sealed.signers import check_signer
from messaging.sealed.statement import Statement, parse, sign, take_bytes, take_map, verify

LONGEST = 365 * 86_400
"""Seconds for which a mandate can be in force at most."""
INFORM = ("copy", "observer", "summary")
"""How the central authorities are kept informed."""


@dataclass(frozen=True)
class Admitted:
    """A practitioner and the authority that sponsors him or her, both as principals."""

    principal: bytes
    sponsor: bytes


@dataclass(frozen=True)
class MandateTerms:
    """What the rules ask of a mandate: in force from ``start`` until ``until`` or its withdrawal."""

    hash: bytes
    parties: tuple[bytes, ...]
    admitted: tuple[Admitted, ...]
    start: int
    until: int
    is_withdrawn: bool = False

    def is_in_force(self, now: int) -> bool:
        """Whether the mandate itself is in force."""
        return not self.is_withdrawn and self.start <= now < self.until

    def sponsor_of(self, principal: bytes) -> bytes | None:
        """The sponsor of an admitted practitioner, else None."""
        return next((row.sponsor for row in self.admitted if row.principal == principal), None)

    def withdrawn(self) -> "MandateTerms":
        """The same after its withdrawal, which is final."""
        return replace(self, is_withdrawn=True)


@dataclass(frozen=True)
class Mandate:
    """A mandate that has been taken apart."""

    statement: Statement
    by: By
    thread: bytes
    parties: tuple[bytes, ...]
    admitted: tuple[Admitted, ...]
    start: int
    until: int
    inform: str
    terms: bytes

    @property
    def known_terms(self) -> MandateTerms:
        """What a thread keeps of it."""
        return MandateTerms(self.statement.hash, self.parties, self.admitted, self.start, self.until)


@dataclass(frozen=True)
class Withdrawal:
    """The end of the mandate of hash ``of``."""

    statement: Statement
    by: By
    thread: bytes
    of: bytes
    after: After


def terms_hash(net: str, blind: bytes, text: str) -> bytes:
    """What a mandate says of its sealed text: purpose, measures excluded, persons."""
    return context_hash(net, "terms", blind, text)


def make_mandate(
    net: str,
    *,
    by: By,
    device: bytes,
    key: SigningKey,
    thread: bytes,
    parties: Sequence[bytes],
    admitted: Sequence[Admitted],
    start: int,
    until: int,
    inform: str,
    terms: bytes,
    salt: bytes,
    at: int,
) -> bytes:
    """A proposal; it binds nobody without the consents of all parties. ``salt``: 16 random bytes."""
    fields: dict[str, Encodable] = {
        "by": by.as_map(),
        "thread": thread,
        "parties": sorted(parties),
        "admitted": [
            {"principal": row.principal, "sponsor": row.sponsor}
            for row in sorted(admitted, key=lambda row: row.principal)
        ],
        "from": start,
        "until": until,
        "inform": inform,
        "terms": terms,
        "salt": salt,
    }
    return sign(net, "mandate", fields, at=at, kid=device, key=key)


def read_mandate(net: str, raw: bytes) -> Mandate:
    """Take a mandate apart; its signature is not verified. Raises Refused E1, E2; T3 ``wrong-mandate``."""
    statement = parse(net, raw, "mandate")
    fields = statement.fields
    fields.data("salt", 16)
    rows = [take_map(row, "principal", "sponsor") for row in fields.items("admitted")]
    mandate = Mandate(
        statement=statement,
        by=read_by(fields),
        thread=fields.data("thread"),
        parties=tuple(take_bytes(party, 32) for party in fields.items("parties")),
        admitted=tuple(Admitted(row.data("principal"), row.data("sponsor")) for row in rows),
        start=fields.uint("from"),
        until=fields.uint("until"),
        inform=fields.text("inform"),
        terms=fields.data("terms"),
    )
    principals = [row.principal for row in mandate.admitted]
    if not sealing.is_strictly_sorted(mandate.parties) or not sealing.is_strictly_sorted(principals):  # T3
        raise Refused("T3", "wrong-mandate", "its parties or persons are not sorted, or one stands twice")
    is_timed = mandate.start < mandate.until <= mandate.start + LONGEST
    if not principals or not is_timed or mandate.inform not in INFORM:  # T3
        raise Refused("T3", "wrong-mandate", "nobody admitted, an impossible time, or unknown terms")
    return mandate


def check_mandate(
    net: str,
    raw: bytes,
    keyrings: Keyrings,
    *,
    thread: bytes,
    parties: Sequence[bytes],
    now: int,
    reading: bool,
) -> Mandate:
    """That it was made for this thread and its parties by a supervisor of one of them, and is in force.

    Raises Refused E1, E2; T3 ``wrong-mandate``, ``unlisted-device``, ``not-a-supervisor``; T5
    ``mandate-ended``.
    """
    mandate = read_mandate(net, raw)
    signer = check_signer("T3", mandate.by, mandate.statement.kid, keyrings, ["supervisor"], reading=reading)
    verify(mandate.statement, signer.sig, net)
    is_ours = mandate.thread == thread and list(mandate.parties) == sorted(parties)
    if not is_ours or mandate.by.principal not in mandate.parties:  # T3
        raise Refused("T3", "wrong-mandate", "a mandate for another thread or other parties")
    if not mandate.known_terms.is_in_force(now):  # T5
        raise Refused("T5", "mandate-ended", "the mandate is not yet or no longer in force")
    return mandate


def make_withdrawal(
    net: str, *, by: By, device: bytes, key: SigningKey, thread: bytes, of: bytes, after: After, at: int
) -> bytes:
    """The end of a mandate, signed at a verified place of the thread."""
    fields: dict[str, Encodable] = {"by": by.as_map(), "thread": thread, "of": of, "after": after.as_map()}
    return sign(net, "mandate-withdrawal", fields, at=at, kid=device, key=key)


def read_withdrawal(net: str, raw: bytes) -> Withdrawal:
    """Take a withdrawal apart; its signature is not verified. Raises Refused E1, E2."""
    statement = parse(net, raw, "mandate-withdrawal")
    fields = statement.fields
    place = read_by(fields), fields.data("thread"), fields.data("of"), read_after(fields)
    return Withdrawal(statement, *place)
