"""Places that signed things name: in a thread's sequence, and on a principal's keyring."""

from dataclasses import dataclass

from messaging.sealed.encoding import Encodable
from messaging.sealed.statement import Fields


@dataclass(frozen=True)
class After:
    """A place in a thread's sequence: ``seq`` (the genesis is 1) and the transcript hash X_seq."""

    seq: int
    hash: bytes

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in a statement."""
        return {"seq": self.seq, "hash": self.hash}


@dataclass(frozen=True)
class By:
    """The keyring entry an author signs under."""

    principal: bytes
    n: int
    head: bytes

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in a statement."""
        return {"principal": self.principal, "n": self.n, "head": self.head}


def read_after(fields: Fields) -> After:
    """The field ``after``. Raises Refused E2 ``bad-statement``."""
    pair = fields.map("after", "seq", "hash")
    return After(pair.uint("seq"), pair.data("hash"))


def read_by(fields: Fields) -> By:
    """The field ``by``. Raises Refused E2 ``bad-statement``."""
    found = fields.map("by", "principal", "n", "head")
    return By(found.data("principal"), found.uint("n"), found.data("head"))
