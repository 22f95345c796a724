"""The log of keys in a record: each entry of a keyring stood in it, under a signed checkpoint (L2, R2).

log/checkpoint              the signed note, with the witnesses' lines
log/PRINCIPAL/N             {leaf, index, proof}: the entry's leaf, and the hashes up to the root
log/confirm/HASH            the same of a confirm
log/anchor/DAY              what the log held of the thread on a day (record_anchors)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from messaging.sealed.checkpoint import read_checkpoint
from messaging.sealed.encoding import decode, encode
from messaging.sealed.errors import Refused
from messaging.sealed.record_anchors import ANCHOR_LEAF, AnchorLine, anchor_part, anchor_path, is_line
from messaging.sealed.statement import take_bytes, take_map
from messaging.sealed.transparency import (
    FullTree,
    check_inclusion,
    leaf_hash,
    read_leaf,
    statement_value,
)

CHECKPOINT = "log/checkpoint"
KEYRING_LEAF, CONFIRM_LEAF = "keyring", "confirm"
Heads = Mapping[tuple[bytes, int], bytes]
"""Of entries of keyrings: their hash by (principal, n)."""


@dataclass(frozen=True)
class LogProof:
    """Every entry stood in the log when it had this size; ``at``: unix seconds, by the log's own word."""

    size: int
    at: int
    root: bytes


def proof_path(principal: bytes, n: int) -> str:
    """Where the proof of an entry stands."""
    return f"log/{principal.hex()}/{n:08d}"


def confirm_proof_path(statement: bytes) -> str:
    """Where the proof of a confirm, by its hash, stands."""
    return f"log/confirm/{statement.hex()}"


def log_parts(
    origin: str,
    public: bytes,
    note: str,
    leaves: Sequence[bytes],
    heads: Heads,
    confirms: Iterable[bytes] = (),
    anchors: Iterable[tuple[AnchorLine, bytes]] = (),
) -> dict[str, bytes]:
    """The parts that prove these entries, and confirms by their hashes, from all leaves up to the checkpoint.

    ``anchors``: the thread's place in daily anchors, each with its entry there; those that hold go in.

    Raises Refused L5 for another checkpoint; L2 ``not-in-the-log`` for leaves that are not its, or an entry
    that has none.
    """
    checkpoint = read_checkpoint(origin, public, note)
    tree = FullTree()
    places: dict[tuple[str, int, bytes], int] = {}
    days: dict[int, int] = {}
    for index, raw in enumerate(leaves[: checkpoint.size]):
        tree.append(leaf_hash(raw))
        leaf = read_leaf(raw)
        if leaf.type in {KEYRING_LEAF, CONFIRM_LEAF}:
            places[leaf.type, leaf.n, leaf.value] = index
        elif leaf.type == ANCHOR_LEAF:
            days[leaf.n] = index
    if tree.size != checkpoint.size or tree.at(tree.size).root != checkpoint.root:  # L2
        raise Refused("L2", "not-in-the-log", "these are not the leaves of this checkpoint")
    parts = {CHECKPOINT: note.encode()}
    for path, wanted in _wanted(origin, heads, confirms).items():
        if wanted not in places:  # L2
            raise Refused("L2", "not-in-the-log", "an entry of a keyring, or a confirm, is not in the log")
        index = places[wanted]
        proof = tree.inclusion(index, tree.size)
        parts[path] = encode({"leaf": leaves[index], "index": index, "proof": proof})
    for line, entry in anchors:
        place = days.get(line.day)
        if place is not None and is_line(entry, line, leaves[place]):
            proof = tree.inclusion(place, tree.size)
            parts[anchor_path(line.day)] = anchor_part(line, leaves[place], place, proof)
    return parts


def proof_paths(net: str, heads: Heads, confirms: Iterable[bytes] = ()) -> set[str]:
    """The parts that prove these entries and confirms, with the checkpoint."""
    return {CHECKPOINT, *_wanted(net, heads, confirms)}


def _wanted(net: str, heads: Heads, confirms: Iterable[bytes]) -> dict[str, tuple[str, int, bytes]]:
    """What has to stand in the log, by the part that proves it: type, number, value."""
    found = {proof_path(*place): (KEYRING_LEAF, place[1], head) for place, head in heads.items()}
    return found | {confirm_proof_path(one): (CONFIRM_LEAF, 0, statement_value(net, one)) for one in confirms}


def check_log(
    origin: str, public: bytes, parts: Mapping[str, bytes], heads: Heads, confirms: Iterable[bytes] = ()
) -> LogProof:
    """That each of these entries and confirms stood in the log of this key.

    Raises Refused L2, L5, R1 ``missing-part``.
    """
    try:
        note = parts[CHECKPOINT].decode()
    except UnicodeDecodeError:
        raise Refused("L5", "bad-checkpoint", "the checkpoint is no text") from None
    checkpoint = read_checkpoint(origin, public, note)
    for path, wanted in _wanted(origin, heads, confirms).items():
        raw = parts.get(path)
        if raw is None:  # R1
            raise Refused("R1", "missing-part", f"the proof {path} is missing")
        fields = take_map(decode(raw), "leaf", "index", "proof")
        found = fields.any("leaf")
        leaf_bytes = found if isinstance(found, bytes) else b""
        leaf = read_leaf(leaf_bytes)
        if (leaf.type, leaf.n, leaf.value) != wanted:  # L2
            raise Refused("L2", "not-in-the-log", "the leaf is another one's")
        proof = [take_bytes(value, 32) for value in fields.items("proof")]
        check_inclusion(leaf_bytes, fields.uint("index"), checkpoint.size, proof, checkpoint.root)
    return LogProof(checkpoint.size, checkpoint.at, checkpoint.root)


def is_log_part(path: str) -> bool:
    """Whether a part belongs to the log."""
    return path.startswith("log/")


def heads_of(principal: bytes, hashes: Iterable[bytes]) -> dict[tuple[bytes, int], bytes]:
    """The heads of a keyring from its first entry on."""
    return {(principal, n): head for n, head in enumerate(hashes)}
