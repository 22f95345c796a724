"""Whose fingerprint is whose: confirmed by the secretariat, accepted by the own supervisor (K8, K11, T10).

And pins: what a device has verified, for the devices that come after it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from messaging.sealed import envelopes as sealing
from messaging.sealed.encoding import Encodable, context_hash
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import Keyrings
from messaging.sealed.keys import SigningKey
from messaging.sealed.places import By, read_by
from messaging.sealed.signers import check_signer
from messaging.sealed.statement import Statement, bad, parse, sign, take_bytes, take_uint, verify

AUTHORITY_LIMIT = 100
HOW = ("voice", "person", "paper")
"""How a supervisor compared a fingerprint."""
PINS_LIMIT = 500
"""As many as one sealed message holds."""


@dataclass(frozen=True)
class Confirm:
    """A person of the secretariat: this principal is this authority's, by the State's notification."""

    statement: Statement
    by: By
    authority: str
    principal: bytes
    head: bytes | None
    document: bytes


@dataclass(frozen=True)
class Accept:
    """A supervisor has compared the fingerprint and accepts it. ``head``: after a recovery, of that entry."""

    statement: Statement
    by: By
    authority: str
    principal: bytes
    head: bytes | None
    how: str


@dataclass(frozen=True)
class PinnedHead:
    """The newest entry of a principal that the signing device had verified."""

    principal: bytes
    n: int
    head: bytes


@dataclass(frozen=True)
class LogPlace:
    """The log as far as the signing device had followed it."""

    size: int
    root: bytes
    frontier: tuple[bytes, ...]

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in pins."""
        return {"size": self.size, "root": self.root, "frontier": list(self.frontier)}


@dataclass(frozen=True)
class Pins:
    """``log`` is None where a device has followed no log."""

    statement: Statement
    by: By
    log: LogPlace | None
    heads: tuple[PinnedHead, ...]


def note_hash(net: str, blind: bytes, notification: bytes) -> bytes:
    """What a confirm says of the State's notification, given by its SHA-256."""
    return context_hash(net, "note", blind, notification)


def make_confirm(
    net: str,
    *,
    by: By,
    device: bytes,
    key: SigningKey,
    authority: str,
    principal: bytes,
    head: bytes | None,
    document: bytes,
    at: int,
) -> bytes:
    """One person's confirmation; it counts with that of another."""
    fields: dict[str, Encodable] = {
        "by": by.as_map(),
        "authority": authority,
        "principal": principal,
        "head": head,
        "document": document,
    }
    return sign(net, "confirm", fields, at=at, kid=device, key=key)


def read_confirm(net: str, raw: bytes) -> Confirm:
    """Take a confirm apart; its signature is not verified. Raises Refused E1, E2."""
    statement = parse(net, raw, "confirm")
    fields = statement.fields
    return Confirm(
        statement=statement,
        by=read_by(fields),
        authority=fields.text("authority", AUTHORITY_LIMIT),
        principal=fields.data("principal"),
        head=fields.optional("head", fields.data),
        document=fields.data("document"),
    )


def check_confirm(net: str, raw: bytes, keyrings: Keyrings, *, reading: bool) -> tuple[Confirm, str]:
    """A confirm that holds, and the person who signed it. Raises Refused E1, E2; K8 ``not-confirmed``."""
    confirm = read_confirm(net, raw)
    secretariat = keyrings.newest(confirm.by.principal)
    if secretariat is None or secretariat.kind != "secretariat":  # K8
        raise Refused("K8", "not-confirmed", "only the secretariat confirms")
    signer = check_signer("K8", confirm.by, confirm.statement.kid, keyrings, (), reading=reading)
    if "steward" not in signer.roles:  # K8: who could be let in by one person alone confirms nothing
        raise Refused("K8", "not-confirmed", "its signer does not keep the keys of the secretariat")
    verify(confirm.statement, signer.sig, net)
    return confirm, signer.person


def check_confirms(
    net: str, raws: Iterable[bytes], keyrings: Keyrings, *, principal: bytes, reading: bool
) -> Sequence[Confirm]:
    """The confirms of two persons of one secretariat for one authority and this principal, at any head.

    Raises Refused E1, E2; K8 ``not-confirmed``, ``unlisted-device``.
    """
    found = [check_confirm(net, raw, keyrings, reading=reading) for raw in raws]
    persons = {person for _, person in found}
    said = {
        (confirm.by.principal, confirm.authority, confirm.principal, confirm.head) for confirm, _ in found
    }
    if len(persons) < 2 or len(said) != 1 or found[0][0].principal != principal:  # K8
        raise Refused("K8", "not-confirmed", "it takes two persons of the secretariat, who say the same")
    return [confirm for confirm, _ in found]


def make_accept(
    net: str,
    *,
    by: By,
    device: bytes,
    key: SigningKey,
    authority: str,
    principal: bytes,
    head: bytes | None,
    how: str,
    at: int,
) -> bytes:
    """The own authority's acceptance, for its ledger."""
    fields: dict[str, Encodable] = {
        "by": by.as_map(),
        "authority": authority,
        "principal": principal,
        "head": head,
        "how": how,
    }
    return sign(net, "accept", fields, at=at, kid=device, key=key)


def read_accept(net: str, raw: bytes) -> Accept:
    """Take an accept apart; its signature is not verified. Raises Refused E1, E2."""
    statement = parse(net, raw, "accept")
    fields = statement.fields
    if fields.text("how") not in HOW:  # E2
        raise bad("an unknown way of comparing")
    return Accept(
        statement=statement,
        by=read_by(fields),
        authority=fields.text("authority", AUTHORITY_LIMIT),
        principal=fields.data("principal"),
        head=fields.optional("head", fields.data),
        how=fields.text("how"),
    )


def check_accept(net: str, raw: bytes, keyrings: Keyrings, *, principal: bytes, reading: bool) -> Accept:
    """An accept by a supervisor of ``principal``. Raises Refused E1, E2; K8 ``not-accepted`` and others."""
    accept = read_accept(net, raw)
    if accept.by.principal != principal:  # K8
        raise Refused("K8", "not-accepted", "another authority has accepted this")
    signer = check_signer("K8", accept.by, accept.statement.kid, keyrings, ["supervisor"], reading=reading)
    verify(accept.statement, signer.sig, net)
    return accept


def make_pins(
    net: str,
    *,
    by: By,
    device: bytes,
    key: SigningKey,
    log: LogPlace | None,
    heads: Sequence[PinnedHead],
    at: int,
) -> bytes:
    """What this device has verified, for the ledger."""
    fields: dict[str, Encodable] = {
        "by": by.as_map(),
        "log": None if log is None else log.as_map(),
        "heads": [[pin.principal, pin.n, pin.head] for pin in sorted(heads, key=lambda pin: pin.principal)],
    }
    return sign(net, "pins", fields, at=at, kid=device, key=key)


def read_pins(net: str, raw: bytes) -> Pins:
    """Take pins apart; their signature is not verified. Raises Refused E1, E2."""
    statement = parse(net, raw, "pins")
    fields = statement.fields
    log = None
    if fields.any("log") is not None:
        found = fields.map("log", "size", "root", "frontier")
        frontier = tuple(take_bytes(node, 32) for node in found.items("frontier"))
        log = LogPlace(found.uint("size"), found.data("root"), frontier)
    heads = tuple(_read_head(row) for row in fields.items("heads"))
    principals = [pin.principal for pin in heads]
    if len(heads) > PINS_LIMIT or not sealing.is_strictly_sorted(principals):  # E2
        raise bad("pins are sorted, none twice, not more than a message holds")
    return Pins(statement, read_by(fields), log, heads)


def _read_head(row: object) -> PinnedHead:
    if not isinstance(row, list) or len(row) != 3:  # E2
        raise bad("a pin is [principal, n, head]")
    return PinnedHead(take_bytes(row[0], 32), take_uint(row[1]), take_bytes(row[2], 32))


def check_pins(net: str, raw: bytes, keyrings: Keyrings, *, principal: bytes, reading: bool) -> Pins:
    """Pins of a device of ``principal``. Raises Refused E1, E2; K8 ``not-accepted``, ``unlisted-device``."""
    pins = read_pins(net, raw)
    if pins.by.principal != principal:  # K8
        raise Refused("K8", "not-accepted", "the pins of another authority")
    signer = check_signer("K8", pins.by, pins.statement.kid, keyrings, (), reading=reading)
    verify(pins.statement, signer.sig, net)
    return pins
