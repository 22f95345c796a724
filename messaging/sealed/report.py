"""Reports of abuse: a member discloses chosen messages, and only those, to whoever moderates (R3, R4).

The header of a message commits to its text (``plain``), and its device has signed the header. So whoever
holds blind and padded text can show what was written, and nobody can show anything else.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from messaging.sealed.encoding import Encodable
from messaging.sealed.errors import Refused
from messaging.sealed.keys import SigningKey
from messaging.sealed.places import By, read_by
from messaging.sealed.statement import Statement, parse, sign, take_bytes, take_list, take_uint

CAUSES = ("harm", "impersonation", "other", "pressure", "purpose")
"""Something harmful was sent; somebody pretends; other; threats or bribes; not what the network is for."""
MESSAGES_MOST = 20
WORDS_LIMIT = 2000


@dataclass(frozen=True)
class Report:
    """Signed by a device of a member: ``messages`` are (seq, hash of the item), in order."""

    statement: Statement
    by: By
    thread: bytes
    cause: str
    words: str
    messages: tuple[tuple[int, bytes], ...]

    @property
    def device(self) -> bytes:
        """The id of the device that signed it."""
        return self.statement.kid


def make_report(
    net: str,
    *,
    by: By,
    device: bytes,
    key: SigningKey,
    thread: bytes,
    cause: str,
    words: str,
    messages: Sequence[tuple[int, bytes]],
    at: int,
) -> bytes:
    """The signed report; what it discloses travels beside it. Raises Refused R4."""
    rows = sorted(messages)
    fields: dict[str, Encodable] = {
        "by": by.as_map(),
        "thread": thread,
        "cause": cause,
        "words": words,
        "messages": [[seq, item] for seq, item in rows],
    }
    _check(cause, rows)
    return sign(net, "report", fields, at=at, kid=device, key=key)


def read_report(net: str, raw: bytes) -> Report:
    """Take a report apart; its signature is not yet verified. Raises Refused E1, E2, R4."""
    statement = parse(net, raw, "report")
    fields = statement.fields
    rows = [(*take_list(row), None, None)[:2] for row in fields.items("messages")]
    messages = tuple((take_uint(seq), take_bytes(item, 32)) for seq, item in rows)
    cause = fields.text("cause")
    _check(cause, messages)
    words = fields.text("words", WORDS_LIMIT)
    return Report(statement, read_by(fields), fields.data("thread"), cause, words, messages)


def _check(cause: str, messages: Sequence[tuple[int, bytes]]) -> None:
    if cause not in CAUSES:  # R4
        raise Refused("R4", "unknown-cause", "an unknown cause of a report")
    places = [seq for seq, _ in messages]
    is_sorted = all(one < other for one, other in itertools.pairwise(places))
    if not 1 <= len(messages) <= MESSAGES_MOST or not is_sorted:  # R4
        raise Refused("R4", "wrong-messages", "from one to twenty messages, in order, none twice")
