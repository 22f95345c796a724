"""Daily anchors over the world's thread and two others, in a log of their own."""

from collections.abc import Sequence

from messaging.sealed.correspondence import Correspondence
from messaging.sealed.record import make_thread_record
from messaging.sealed.record_anchors import AnchorLine
from messaging.sealed.record_check import check_thread_record
from messaging.sealed.record_log import log_parts
from messaging.sealed.transparency import FullTree, Leaf, anchor_entry, anchor_root, leaf_hash
from tests.sealed.records import manifest_of, parts_of, record
from tests.sealed.test_record import heads, logged
from tests.sealed.world import NET, seed, world

FIRST, SECOND = 20_000, 20_003
"""The days; on the first the thread ended at item 3, on the second at its end."""


def thread() -> Correspondence:
    """The world's thread as a record shows it."""
    found = check_thread_record(record()).thread
    assert found is not None
    return found


def entry(seq: int) -> bytes:
    """The thread's entry in an anchor when it ended there."""
    end = thread().transcript_at(seq)
    assert end is not None
    return anchor_entry(NET, thread().thread, seq, end)


def _others() -> list[bytes]:
    return [anchor_entry(NET, seed(name), 7, seed("end")) for name in ("one", "two")]


def place(day: int, seq: int) -> AnchorLine:
    """Where the thread stands in the day's anchor, as an honest server says it."""
    tree, entries = FullTree(), sorted([entry(seq), *_others()])
    for one in entries:
        tree.append(leaf_hash(one))
    line = entries.index(entry(seq))
    return AnchorLine(day, seq, line, tree.size, tree.inclusion(line, tree.size))


def places() -> list[AnchorLine]:
    """Of both days, not in their order."""
    return [place(SECOND, len(thread().raw)), place(FIRST, 3)]


def leaf(day: int, seq: int) -> bytes:
    """The day's leaf."""
    return Leaf("anchor", seed("anchor label"), day, anchor_root([entry(seq), *_others()])).encode()


def anchored_log(*, days: Sequence[int] = (FIRST, SECOND)) -> tuple[str, list[bytes]]:
    """The log of the keys, with the anchors of these days."""
    ends = {FIRST: 3, SECOND: len(thread().raw)}
    return logged(further=[leaf(day, ends[day]) for day in days])


def anchored_parts() -> dict[str, bytes]:
    """What proves keys and anchors."""
    made = world()
    ends = [(one, entry(one.seq)) for one in places()]
    return log_parts(NET, made.server_key.public, *anchored_log(), heads(made.a, made.b), (), ends)


def anchored_record() -> bytes:
    """The record of the whole thread, with them."""
    parts = parts_of() | anchored_parts()
    return make_thread_record(parts, manifest_of(parts))
