"""The log as it is handed out: signed checkpoints, tiles, and what a member who follows it asks for."""

import base64
import time
from dataclasses import dataclass

from django.conf import settings

from messaging.log_key import is_rolled_back, label_key, note_mark, watch
from messaging.log_lines import keep_lines
from messaging.models import LogCosignature, LogLeaf, LogState, LogTile, Restore, ThreadAnchor
from messaging.protocol import LogPage
from messaging.record_protocol import AnchorPlace
from messaging.refusals import refusal
from messaging.sealed.checkpoint import make_checkpoint
from messaging.sealed.transparency import TILE_WIDTH, Tree, read_index, read_tree, write_bundle
from messaging.server_key import server_key
from network.errors import NotFound

LEAVES_MOST = 1_000


def tree_of(state: LogState) -> Tree:
    """Return size and frontier as the protocol has them."""
    raw = bytes(state.frontier)
    return read_tree(state.size, [raw[start : start + 32] for start in range(0, len(raw), 32)])


def tile_hashes(level: int, index: int, width: int = TILE_WIDTH) -> list[bytes]:
    """Return the hashes of a tile, as many as there are of it."""
    first = index * TILE_WIDTH
    if level == 0:
        leaves = LogLeaf.objects.filter(position__gte=first, position__lt=first + width).order_by("position")
        return [bytes(value) for value in leaves.values_list("hash", flat=True)]
    tiles = LogTile.objects.filter(level=level, index__gte=first, index__lt=first + width).order_by("index")
    return [bytes(value) for value in tiles.values_list("hash", flat=True)]


def read_checkpoint_now() -> str:
    """Return the note of the log as it is, with the witnesses that have signed this very state.

    Raises `log-rolled-back` rather than sign a log shorter than one signed before (L8).
    """
    state = LogState.objects.filter(id=1).first() or LogState(id=1)
    tree = tree_of(state)
    if is_rolled_back(tree):  # L8
        raise refusal("log-rolled-back")
    keep_lines(tree.size)
    note_mark(tree)
    return _signed(tree.size, tree.root)


def _signed(size: int, root: bytes) -> str:
    rows = LogCosignature.objects.filter(size=size, root=root.hex()).order_by("witness")
    known = {witness.line for witness in watch().witnesses}
    return make_checkpoint(
        settings.ORIGIN_NAME,
        server_key().key,
        size=size,
        root=root,
        at=int(time.time()),
        cosignatures=[row.line for row in rows if row.witness in known],
    )


def read_witnessed() -> str | None:
    """Return the newest checkpoint that as many witnesses as are asked for have signed, or None."""
    found = watch()
    if found.quorum == 0:
        return None
    known = {witness.line for witness in found.witnesses}
    rows = LogCosignature.objects.filter(witness__in=known).order_by("-size")
    by_place: dict[tuple[int, str], int] = {}
    for row in rows:
        by_place[row.size, row.root] = by_place.get((row.size, row.root), 0) + 1
    places = [place for place, signed in by_place.items() if signed >= found.quorum]
    return _signed(places[0][0], bytes.fromhex(places[0][1])) if places else None


def read_log(*, first: int) -> LogPage:
    """Return the newest checkpoint and the leaves from number `first` on, at most a thousand of them."""
    checkpoint = read_checkpoint_now()
    rows = LogLeaf.objects.filter(position__gte=first).order_by("position")
    found = watch()
    return LogPage(
        checkpoint=checkpoint,
        witnessed=read_witnessed(),
        leaves=[bytes(leaf) for leaf in rows.values_list("leaf", flat=True)[:LEAVES_MOST]],
        label_key=base64.b64encode(label_key()).decode("ascii"),
        witnesses=[witness.line for witness in found.witnesses],
        quorum=found.quorum,
        urgent_hours=settings.LOG_URGENT_HOURS,
        restore=_newest_restore(),
    )


def _newest_restore() -> bytes | None:
    row = Restore.objects.exclude(statement=None).order_by("serial").last()
    return None if row is None or row.statement is None else bytes(row.statement)


def anchors_of(thread_id: str, *, seq: int | None) -> list[AnchorPlace]:
    """Return where a thread stands in daily anchors, the oldest first; with `seq` the first that has it."""
    rows = ThreadAnchor.objects.filter(thread_id=thread_id, seq__gte=seq or 0).order_by("day")
    return [
        AnchorPlace(
            day=row.day,
            seq=row.seq,
            line=row.line,
            lines=row.lines,
            path=[bytes(row.path[start : start + 32]) for start in range(0, len(row.path), 32)],
        )
        for row in (rows if seq is None else rows[:1])
    ]


@dataclass(frozen=True)
class Tile:
    """The bytes of a tile; a full one never changes."""

    data: bytes
    is_full: bool


def read_tile(level: str, path: str) -> Tile:
    """Return a tile or a bundle of leaves by its path (C2SP tlog-tiles); raises `NotFound`."""
    place, mark, part = path.partition(".p/")
    index = read_index(place)
    width = int(part) if mark and part.isascii() and part.isdigit() and len(part) <= 3 else 0
    if index is None or index >= 1 << 40 or (mark and not 1 <= width < TILE_WIDTH):
        raise NotFound
    width = width or TILE_WIDTH
    if level == "entries":
        found = _read_entries(index, width)
    elif level.isascii() and level.isdigit() and len(level) == 1 and int(level) < 6:
        found = tile_hashes(int(level), index, width)
    else:
        raise NotFound
    if len(found) != width:
        raise NotFound
    data = write_bundle(found) if level == "entries" else b"".join(found)
    return Tile(data, is_full=width == TILE_WIDTH)


def _read_entries(index: int, width: int) -> list[bytes]:
    first = index * TILE_WIDTH
    rows = LogLeaf.objects.filter(position__gte=first, position__lt=first + width).order_by("position")
    return [bytes(leaf) for leaf in rows.values_list("leaf", flat=True)]
