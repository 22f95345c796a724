"""What messages carry of the log: its signed checkpoint, held against the reader's own view (rules L4, L6).

Two authorities that write to each other compare the log so; a server that shows them different ones has
signed the proof itself.
"""

from dataclasses import replace

from messaging.sealed.checkpoint import read_checkpoint
from messaging.sealed.errors import Refused
from messaging.sealed.follower import Follower
from messaging.sealed.marks import OLD_CHECKPOINT
from messaging.sealed.message import LogPlace
from messaging.sealed.plaintext import Plaintext, check_plaintext


def with_checkpoint(plaintext: Plaintext, log: Follower | None, sent: LogPlace | None, at: int) -> Plaintext:
    """The text with the log's newest note, when that is newer than what this device ``sent`` here last.

    A text that the note would make too long goes without. A log older than a day is marked (L4).
    """
    chosen = tuple(mark for mark in plaintext.marks if mark != OLD_CHECKPOINT)
    plain = replace(plaintext, checkpoint=None, marks=chosen)
    if log is None:
        return plain
    if log.is_old(at):
        plain = replace(plain, marks=(OLD_CHECKPOINT, *chosen))
    if sent is not None and sent.size >= log.tree.size:
        return plain
    whole = replace(plain, checkpoint=log.note)
    try:
        check_plaintext(whole)
    except Refused:  # too long with it; what is wrong without it too is said when it is sealed
        return plain
    return whole


def check_sent(net: str, server_key: bytes, note: str | None, place: LogPlace | None) -> None:
    """A checkpoint in a text is the log's own, of the place that the header names.

    Raises Refused L6 ``wrong-checkpoint``.
    """
    if note is None:
        return
    try:
        found = read_checkpoint(net, server_key, note)
    except Refused as refused:
        raise Refused("L6", "wrong-checkpoint", refused.detail) from None  # L6
    if place is None or (found.size, found.root) != (place.size, place.root):  # L6
        raise Refused("L6", "wrong-checkpoint", "another checkpoint than the header names")
