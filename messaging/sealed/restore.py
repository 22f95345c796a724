"""A restore: what the network says when it was put back to an earlier day, and who stands for it (rule L8).

Without it, a server that shows less than it had is a fork. With it, devices hand back what was lost: items
with their receipts, which take their old places.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from messaging.sealed.acts import read_acts, sort_acts
from messaging.sealed.errors import Refused
from messaging.sealed.follower import Follower
from messaging.sealed.keyring_entry import Keyrings
from messaging.sealed.keys import SigningKey
from messaging.sealed.message import LogPlace
from messaging.sealed.places import By, read_by
from messaging.sealed.receipt import server_key_id
from messaging.sealed.signers import check_signer
from messaging.sealed.statement import Fields, Statement, parse, sign, verify

SUBJECT = b"restore"
"""What the label of its leaves is of."""
CAUSE_LIMIT = 200
PERSONS = 2


@dataclass(frozen=True)
class Restore:
    """The ``serial``-th restore of this network, after which the log had come to ``log``.

    ``by`` is null in the server's own, which has in ``acts`` those of two persons of the secretariat.
    """

    statement: Statement
    by: By | None
    serial: int
    log: LogPlace
    cause: str
    acts: tuple[bytes, ...]

    @property
    def said(self) -> tuple[int, LogPlace, str]:
        """What all three statements say alike."""
        return self.serial, self.log, self.cause


def make_restore(
    net: str,
    *,
    by: By | None,
    kid: bytes,
    key: SigningKey,
    serial: int,
    log: LogPlace,
    cause: str,
    at: int,
    acts: Sequence[bytes] = (),
) -> bytes:
    """One person's statement, or (``by`` None) the server's over those of two persons."""
    fields = {
        "by": None if by is None else by.as_map(),
        "serial": serial,
        "log": log.as_map(),
        "cause": cause,
        "acts": sort_acts(acts),
    }
    return sign(net, "restore", fields, at=at, kid=kid, key=key)


def read_restore(net: str, raw: bytes) -> Restore:
    """Take a restore apart; its signature is not verified. Raises Refused E1, E2; L8 ``unknown-act``."""
    statement = parse(net, raw, "restore")
    fields = statement.fields
    place = fields.map("log", "size", "root")
    return Restore(
        statement=statement,
        by=fields.optional("by", lambda _: read_by(fields)),
        serial=fields.uint("serial"),
        log=LogPlace(place.uint("size"), place.data("root")),
        cause=fields.text("cause", CAUSE_LIMIT),
        acts=_read_acts(fields),
    )


def _read_acts(fields: Fields) -> tuple[bytes, ...]:
    return read_acts(fields, "L8", ("restore",))


def check_person(
    net: str, raw: bytes, keyrings: Keyrings, secretariat: bytes, *, reading: bool
) -> tuple[Restore, str]:
    """One person's statement that holds, and the person.

    Raises Refused E1, E2; L8 ``unlisted-device``, ``wrong-restore``.
    """
    found = read_restore(net, raw)
    if found.by is None or found.by.principal != secretariat or found.acts:  # L8
        raise Refused("L8", "wrong-restore", "only persons of the secretariat stand for a restore")
    signer = check_signer("L8", found.by, found.statement.kid, keyrings, (), reading=reading)
    if "steward" not in signer.roles:  # L8: as for a confirm
        raise Refused("L8", "wrong-restore", "its signer does not keep the keys of the secretariat")
    verify(found.statement, signer.sig, net)
    return found, signer.person


def check_restore(net: str, server_key: bytes, raw: bytes, keyrings: Keyrings, secretariat: bytes) -> Restore:
    """The server's statement, with those of two persons who say the same. Raises Refused as one person's."""
    found = read_restore(net, raw)
    if found.by is not None or found.statement.kid != server_key_id(net, server_key):  # L8
        raise Refused("L8", "wrong-restore", "not the server's statement")
    verify(found.statement, server_key, net)
    given = [check_person(net, act, keyrings, secretariat, reading=True) for act in found.acts]
    alike = all(each.said == found.said for each, _ in given)
    if len({person for _, person in given}) < PERSONS or not alike:  # L8
        raise Refused("L8", "wrong-restore", "it takes two persons of the secretariat, who say the same")
    return found


def check_announced(log: Follower, found: Restore) -> None:
    """The newest restore in the log is this one, and the log was never another. Raises Refused L8, L6."""
    newest = log.newest_of("restore", SUBJECT)
    if newest is None or (newest.n, newest.head) != (found.serial, found.statement.hash):  # L8
        raise Refused("L8", "not-announced", "this restore does not stand in the log as the newest")
    log.check_message(found.log)  # L6
