"""The transparency log grows by what binds this server, in the transaction that makes it bind (L1)."""

import time
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db import models, transaction

from messaging.log_key import is_rolled_back, label_key, read_mark, watch
from messaging.log_lines import read_lines
from messaging.log_reading import tile_hashes, tree_of
from messaging.models import KeyringEntry, LogCosignature, LogLeaf, LogState, LogTile, Thread, ThreadAnchor
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.checkpoint import cosigned_at, read_checkpoint, split_note, write_line
from messaging.sealed.transparency import (
    CHAINED,
    TILE_WIDTH,
    FullTree,
    Leaf,
    anchor_entry,
    anchor_root,
    leaf_hash,
    log_label,
    read_leaf,
    tree_over,
)
from messaging.server_key import server_key

DAY = 86_400
FUTURE_SECONDS = 300
WRITTEN_AT_ONCE = 1_000


def append_leaf(leaf_type: str, subject: bytes, n: int, value: bytes) -> None:
    """Append a leaf inside the caller's transaction: after its rows, before its audit entry.

    A chained leaf that the log has already is not written again. Raises `log-rolled-back`; `entry-lost` where
    the log has another at this place: after a restore, of what has not been handed back (L8).
    """
    leaf = make_leaf(leaf_type, subject, n, value)
    state = _locked_state()
    here = LogLeaf.objects.filter(type=leaf_type, label=leaf.label.hex(), n=n).first()
    if leaf_type in CHAINED and here is not None:
        if bytes(here.leaf) != leaf.encode():  # L3 L8
            raise refusal("entry-lost")
        return
    _append(state, [leaf])


def has_leaf(leaf_type: str, subject: bytes, n: int, value: bytes) -> bool:
    """Return whether the log has exactly this."""
    leaf = make_leaf(leaf_type, subject, n, value)
    rows = LogLeaf.objects.filter(type=leaf_type, label=leaf.label.hex(), n=n)
    return any(bytes(row.leaf) == leaf.encode() for row in rows)


def newest_number(leaf_type: str, subject: bytes) -> int | None:
    """Return the highest number under a label, or None."""
    label = make_leaf(leaf_type, subject, 0, bytes(32)).label.hex()
    rows = LogLeaf.objects.filter(type=leaf_type, label=label).order_by("-n")
    return rows.values_list("n", flat=True).first()


def put_back_leaves() -> int:
    """Append what the database has lost of the log, inside the caller's transaction; returns how much.

    It comes from the lines kept beside the mark, and must lead to what was signed. Raises `lines-differ`.
    """
    LogState.objects.get_or_create(id=1)
    state = LogState.objects.select_for_update().get(id=1)
    if not is_rolled_back(tree_of(state)):
        return 0
    size, root = read_mark()
    lines = read_lines()[:size]
    hashes = [leaf_hash(line) for line in lines]
    whole, kept = tree_over(hashes), tree_over(hashes[: state.size])
    if (whole.size, whole.root.hex()) != (size, root) or kept != tree_of(state):  # L8
        raise refusal("lines-differ")
    lost = lines[state.size :]
    _append(state, [read_leaf(line) for line in lost])
    return len(lost)


def make_leaf(leaf_type: str, subject: bytes, n: int, value: bytes) -> Leaf:
    """Return the leaf with the label of its subject."""
    return Leaf(leaf_type, log_label(label_key(), leaf_type, subject), n, value)


def lock_log() -> None:
    """Take the log's lock inside the caller's transaction, where others come after it (README, locks)."""
    _locked_state()


@transaction.atomic(durable=True)
def start_log() -> None:
    """Begin the log unless it has begun: the server's key, then every keyring entry there is, by age."""
    _locked_state()


@transaction.atomic(durable=True)
def log_bundle(value: bytes) -> bool:
    """Write what the scripts are that browsers get here, when they changed; returns whether they did."""
    state = _locked_state()
    newest = LogLeaf.objects.filter(type="bundle").order_by("-n").first()
    if newest is not None and read_leaf(bytes(newest.leaf)).value == value:
        return False
    _append(state, [make_leaf("bundle", b"bundle", 0 if newest is None else newest.n + 1, value)])
    return True


@transaction.atomic(durable=True)
def anchor_threads(day: int | None = None) -> bool:
    """Write the day's anchor over the ends of all threads, once; returns whether it was written.

    `day` counts from 1970; without it, today.
    """
    day = int(time.time()) // DAY if day is None else day
    state = _locked_state()
    newest = newest_number("anchor", b"anchor")
    if newest is not None and newest >= day:
        return False
    rows = Thread.objects.order_by("id").values_list("id", "seq", "transcript")
    entries = {
        anchor_entry(settings.ORIGIN_NAME, bytes.fromhex(thread), seq, bytes.fromhex(transcript)): (
            thread,
            seq,
        )
        for thread, seq, transcript in rows.iterator(chunk_size=WRITTEN_AT_ONCE)
    }
    _append(state, [make_leaf("anchor", b"anchor", day, anchor_root(entries))])
    _keep_places(day, entries)
    return True


def _keep_places(day: int, entries: Mapping[bytes, tuple[str, int]]) -> None:
    """Keep for each thread that has grown since its last anchor where it stands in this one, for records."""
    rows = ThreadAnchor.objects.values_list("thread_id").annotate(models.Max("seq"))
    before = dict(rows.order_by("thread_id"))
    tree, places = FullTree(), []
    for line, entry in enumerate(sorted(entries)):
        tree.append(leaf_hash(entry))
        thread, seq = entries[entry]
        if before.get(thread, 0) < seq:
            places.append((thread, seq, line))
    kept = (
        ThreadAnchor(
            thread_id=thread,
            day=day,
            seq=seq,
            line=line,
            lines=tree.size,
            path=b"".join(tree.inclusion(line, tree.size)),
        )
        for thread, seq, line in places
    )
    ThreadAnchor.objects.bulk_create(kept, batch_size=WRITTEN_AT_ONCE)


def _locked_state() -> LogState:
    """Return the one row, locked; the first who asks begins the log."""
    LogState.objects.get_or_create(id=1)
    state = LogState.objects.select_for_update().get(id=1)
    if is_rolled_back(tree_of(state)):  # L8
        raise refusal("log-rolled-back")
    if state.size == 0:
        leaves = [make_leaf("server-key", b"server-key", 0, server_key().id)]
        rows = KeyringEntry.objects.order_by("created_at", "principal_id", "n")
        leaves += [
            make_leaf("keyring", bytes.fromhex(principal), n, bytes.fromhex(head))
            for principal, n, head in rows.values_list("principal_id", "n", "head")
        ]
        _append(state, leaves)
    return state


def _append(state: LogState, leaves: Sequence[Leaf]) -> None:
    tree, rows = tree_of(state), []
    for leaf in leaves:
        raw = leaf.encode()
        hashed = leaf_hash(raw)
        rows.append(
            LogLeaf(
                position=tree.size, type=leaf.type, label=leaf.label.hex(), n=leaf.n, leaf=raw, hash=hashed
            )
        )
        tree = tree.append(hashed)
    LogLeaf.objects.bulk_create(rows, batch_size=WRITTEN_AT_ONCE)
    _complete_tiles(state.size, tree.size)
    state.size, state.frontier = tree.size, b"".join(tree.frontier)
    state.save(update_fields=["size", "frontier"])


def _complete_tiles(before: int, after: int) -> None:
    """Write the roots of the tiles that are full now, level by level."""
    level = 0
    while after // TILE_WIDTH > 0:
        level, before, after = level + 1, before // TILE_WIDTH, after // TILE_WIDTH
        for index in range(before, after):
            root = tree_over(tile_hashes(level - 1, index)).root
            LogTile.objects.create(level=level, index=index, hash=root)


@transaction.atomic(durable=True)
def take_cosignature(note: str) -> None:
    """Keep a witness's newest line under a checkpoint that this server has signed.

    Raises `bad-checkpoint`, and `unknown-witness` when no witness of the settings has signed it.
    """
    net, key = settings.ORIGIN_NAME, server_key().key.public
    with protocol_rules():
        found = read_checkpoint(net, key, note, watch().witnesses)
        body, lines = split_note(note)
    if not found.witnesses:
        raise refusal("unknown-witness")
    if found.size > LogState.objects.values_list("size", flat=True).get(id=1):
        raise refusal("bad-checkpoint")
    for witness in watch().witnesses:
        for name, signature in lines:
            at = cosigned_at(body, witness, name, signature)
            if at is not None and at <= time.time() + FUTURE_SECONDS:
                _keep_line(witness.line, found.size, found.root, at, write_line(name, signature))


def _keep_line(witness: str, size: int, root: bytes, at: int, line: str) -> None:
    row, _ = LogCosignature.objects.select_for_update().get_or_create(
        witness=witness, defaults={"size": size, "root": root.hex(), "line": line, "at": at}
    )
    if (row.size, row.at) < (size, at):
        row.size, row.root, row.line, row.at = size, root.hex(), line, at
        row.save()
