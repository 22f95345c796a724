"""The daily anchors in a record: when a thread stood there, by hashes alone (L2, R2).

log/anchor/DAY      {leaf, index, proof, seq, line, lines, path}: the day's leaf and the hashes from it to
                    the root of the log; the end of the thread then, which line of the day's list it was,
                    of how many, and the hashes from it to the leaf's value
log/transcript      of one message only: {before, later}: the transcript before it, and the hashes of the
                    items after it up to the anchored end
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from messaging.sealed.encoding import Value, decode, encode
from messaging.sealed.errors import Refused
from messaging.sealed.statement import take_bytes, take_map
from messaging.sealed.thread import next_transcript
from messaging.sealed.transparency import anchor_entry, check_inclusion, read_leaf

ANCHOR_LEAF = "anchor"
LINK = "log/transcript"
_ANCHORS = "log/anchor/"


@dataclass(frozen=True)
class AnchorLine:
    """Where a thread stands in a day's anchor, by the server's word: ``line`` of ``lines``, then upwards."""

    day: int
    seq: int
    line: int
    lines: int
    path: Sequence[bytes]


@dataclass(frozen=True)
class Anchored:
    """On this day since 1970 the log held the thread's end at ``seq``."""

    day: int
    seq: int


def anchor_path(day: int) -> str:
    """Where an anchor stands."""
    return f"{_ANCHORS}{day:08d}"


def anchor_paths(paths: Iterable[str]) -> list[str]:
    """The anchors among these parts, the oldest first."""
    return sorted(path for path in paths if path.startswith(_ANCHORS))


def first_after(lines: Iterable[AnchorLine], seq: int) -> AnchorLine | None:
    """The oldest anchor that has the item at ``seq``."""
    return min((line for line in lines if line.seq >= seq), key=lambda line: line.day, default=None)


def is_line(entry: bytes, line: AnchorLine, leaf: bytes) -> bool:
    """Whether the thread's ``entry`` stands in the list that this leaf was made over."""
    try:
        check_inclusion(entry, line.line, line.lines, line.path, read_leaf(leaf).value)
    except Refused:
        return False
    return True


def anchor_part(line: AnchorLine, leaf: bytes, index: int, proof: Sequence[bytes]) -> bytes:
    """The part of one anchor."""
    return encode(
        {
            "leaf": leaf,
            "index": index,
            "proof": proof,
            "seq": line.seq,
            "line": line.line,
            "lines": line.lines,
            "path": line.path,
        }
    )


def read_anchor(
    net: str,
    thread: bytes,
    path: str,
    raw: bytes,
    *,
    log: tuple[int, bytes],
    transcript_at: Callable[[int], bytes | None],
) -> Anchored:
    """What an anchor proves of a thread; ``log``: size and root of the checkpoint.

    Raises Refused E1, E2; L2 ``not-in-the-log``; R2 ``wrong-place``.
    """
    fields = take_map(decode(raw), "leaf", "index", "proof", "seq", "line", "lines", "path")
    found, seq = fields.any("leaf"), fields.uint("seq")
    leaf_bytes = found if isinstance(found, bytes) else b""
    leaf, transcript = read_leaf(leaf_bytes), transcript_at(seq)
    if leaf.type != ANCHOR_LEAF or path != anchor_path(leaf.n) or transcript is None:  # R2
        raise Refused(
            "R2", "wrong-place", "not the anchor of this day, or of an end that the thread never had"
        )
    check_inclusion(leaf_bytes, fields.uint("index"), log[0], _hashes(fields.items("proof")), log[1])
    entry = anchor_entry(net, thread, seq, transcript)
    check_inclusion(
        entry, fields.uint("line"), fields.uint("lines"), _hashes(fields.items("path")), leaf.value
    )
    return Anchored(leaf.n, seq)


def _hashes(values: Iterable[Value]) -> list[bytes]:
    return [take_bytes(value, 32) for value in values]


def make_link(before: bytes | None, later: Sequence[bytes]) -> bytes:
    """The part that leads from one message to an anchored end by the items' hashes."""
    return encode({"before": before, "later": list(later)})


def follow_link(net: str, thread: bytes, seq: int, item: bytes, raw: bytes) -> Mapping[int, bytes]:
    """The transcripts from the message at ``seq`` on, whose hash is ``item``. Raises Refused E1, E2."""
    fields = take_map(decode(raw), "before", "later")
    transcript = next_transcript(net, thread, seq, fields.optional("before", fields.data), item)
    found = {seq: transcript}
    for place, later in enumerate(_hashes(fields.items("later")), seq + 1):
        transcript = next_transcript(net, thread, place, transcript, later)
        found[place] = transcript
    return found
