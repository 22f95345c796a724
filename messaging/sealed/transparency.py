"""The transparency log: leaves, their Merkle tree (RFC 6962, 2.1), and tiles (C2SP tlog-tiles).

What a client does with the log stands in follower, the signed checkpoints in checkpoint. Nothing here is
secret but the label key, which members know and witnesses do not.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from messaging.sealed.encoding import Encodable, Value, context_hash, decode, encode, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.statement import take_bytes, take_list, take_text, take_uint

CHAINED = ("keyring", "anchor", "bundle", "server-key", "restore")
"""Leaves that follow each other by number under one label (L3)."""
STATED = ("confirm", "mandate", "mandate-withdrawal")
"""Leaves of single statements: their number is 0, and a label may have several."""
TYPES = frozenset(CHAINED + STATED)
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
LEAF_LIMIT = 65_535
EMPTY_ROOT = sha256(b"")


def log_label(label_key: bytes, leaf_type: str, subject: bytes) -> bytes:
    """Under which label a subject stands: HMAC-SHA256(label key, E1 [type, subject])."""
    return hmac.digest(label_key, encode([leaf_type, subject]), "sha256")


def statement_value(net: str, statement: bytes) -> bytes:
    """The value of a leaf for a statement, from its hash: it can be compared, and not looked up."""
    return context_hash(net, "leaf", statement)


@dataclass(frozen=True)
class Leaf:
    """One line of the log: under ``label``, number ``n`` is ``value``."""

    type: str
    label: bytes
    n: int
    value: bytes

    def encode(self) -> bytes:
        """Its E1 bytes, about 86 of them."""
        return encode(["S1", "leaf", self.type, self.label, self.n, self.value])


def read_leaf(raw: bytes) -> Leaf:
    """Take a leaf apart. Raises Refused L2 ``bad-leaf``."""
    try:
        fields = take_list(decode(raw))
        if len(fields) == 6 and fields[:2] == ["S1", "leaf"]:
            return _known(
                Leaf(take_text(fields[2], 24), _hash(fields[3]), take_uint(fields[4]), _hash(fields[5]))
            )
    except Refused as refused:
        raise Refused("L2", "bad-leaf", refused.detail) from None
    raise Refused("L2", "bad-leaf", "not a leaf of this log")  # L2


def _known(leaf: Leaf) -> Leaf:
    if leaf.type not in TYPES or (leaf.type in STATED and leaf.n != 0):  # L2
        raise Refused("L2", "bad-leaf", "a leaf of an unknown type, or a statement with a number")
    return leaf


def _hash(value: Value) -> bytes:
    return take_bytes(value, 32)


def leaf_hash(raw: bytes) -> bytes:
    """The hash of a leaf (RFC 6962, 2.1)."""
    return sha256(b"\0" + raw)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node (RFC 6962, 2.1)."""
    return sha256(b"\1" + left + right)


@dataclass(frozen=True)
class Tree:
    """A Merkle tree by its size and frontier: the roots of its full subtrees, the largest first."""

    size: int = 0
    frontier: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> "Tree":
        """The tree with one more leaf, given by its hash."""
        stack, size = [*self.frontier, leaf], self.size + 1
        while size & 1 == 0:
            right = stack.pop()
            stack[-1] = node_hash(stack[-1], right)
            size >>= 1
        return Tree(self.size + 1, tuple(stack))

    @property
    def root(self) -> bytes:
        """The root of the tree; that of an empty one is SHA-256 of nothing."""
        if not self.frontier:
            return EMPTY_ROOT
        root = self.frontier[-1]
        for left in reversed(self.frontier[:-1]):
            root = node_hash(left, root)
        return root


def read_tree(size: int, frontier: Sequence[bytes]) -> Tree:
    """A tree as stored. Raises Refused L7 ``bad-log-state`` when the frontier cannot belong to the size."""
    if len(frontier) != size.bit_count() or any(len(value) != 32 for value in frontier):  # L7
        raise Refused("L7", "bad-log-state", "what is stored of the log does not hold together")
    return Tree(size, tuple(frontier))


def tree_over(hashes: Iterable[bytes]) -> Tree:
    """The tree over leaves given by their hashes."""
    tree = Tree()
    for value in hashes:
        tree = tree.append(value)
    return tree


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """The root over whole leaves, hashed here."""
    return tree_over(leaf_hash(leaf) for leaf in leaves).root


def anchor_entry(net: str, thread: bytes, seq: int, transcript: bytes) -> bytes:
    """One line of a daily anchor: thread and place are hidden, who knows both can find it."""
    return context_hash(net, "anchor", thread, seq, transcript)


def anchor_root(entries: Iterable[bytes]) -> bytes:
    """The value of a day's anchor: the root over the sorted entries of all threads."""
    return merkle_root(sorted(entries))


# --- tiles


@dataclass(frozen=True)
class TilePlace:
    """Tile ``index`` of ``level`` with ``width`` hashes; ``level`` None: a bundle of so many leaves."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Its path below the log's own (C2SP tlog-tiles)."""
        level = "entries" if self.level is None else str(self.level)
        part = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{index_path(self.index)}{part}"


def index_path(index: int) -> str:
    """1234067 → x001/x234/067."""
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03}")
    return "/".join(reversed(groups))


def read_index(path: str) -> int | None:
    """The number that ``index_path`` writes so, else None."""
    groups = path.split("/")
    digits = "".join(group.removeprefix("x") for group in groups)
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        return None
    return int(digits) if index_path(int(digits)) == path else None


def bundles(first: int, size: int) -> list[TilePlace]:
    """The bundles that hold the leaves from number ``first`` on, of a log of this size."""
    places = range(first // TILE_WIDTH, -(-size // TILE_WIDTH)) if first < size else range(0)
    return [TilePlace(None, index, min(TILE_WIDTH, size - index * TILE_WIDTH)) for index in places]


def write_bundle(leaves: Iterable[bytes]) -> bytes:
    """Leaves one after the other, each after its length in two bytes."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def read_bundle(data: bytes, width: int) -> list[bytes]:
    """The leaves of a bundle. Raises Refused L2 ``bad-leaf`` unless there are exactly so many."""
    leaves, place = [], 0
    while place < len(data):
        end = place + 2 + int.from_bytes(data[place : place + 2], "big")
        if end > len(data):  # L2
            raise Refused("L2", "bad-leaf", "a bundle of leaves is cut off")
        leaves.append(data[place + 2 : end])
        place = end
    if len(leaves) != width:  # L2
        raise Refused("L2", "bad-leaf", "a bundle does not hold the leaves that it should")
    return leaves


@dataclass
class FullTree:
    """A whole tree in memory: the hashes of all its leaves and nodes, to prove and to look up any size."""

    levels: list[list[bytes]] = field(default_factory=lambda: [[]])

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return len(self.levels[0])

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        self.levels[0].append(leaf)
        level = 0
        while len(self.levels[level]) % 2 == 0:
            if level + 1 == len(self.levels):
                self.levels.append([])
            left, right = self.levels[level][-2:]
            self.levels[level + 1].append(node_hash(left, right))
            level += 1

    def at(self, size: int) -> Tree:
        """The tree when it had this size, which it has reached."""
        frontier, start = [], 0
        for level in reversed(range(len(self.levels))):
            if size >> level & 1:
                frontier.append(self.levels[level][start >> level])
                start += 1 << level
        return Tree(size, tuple(frontier))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that leaf ``index`` stands in the tree of this size (RFC 6962, 2.1.1)."""
        return self._path(index, 0, size)

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        half = 1 << (end - start - 1).bit_length() - 1
        if index < start + half:
            return [*self._path(index, start, start + half), self._root(start + half, end)]
        return [*self._path(index, start + half, end), self._root(start, start + half)]

    def _root(self, start: int, end: int) -> bytes:
        span = end - start
        if span & (span - 1) == 0:
            level = span.bit_length() - 1
            return self.levels[level][start >> level]
        half = 1 << (span - 1).bit_length() - 1
        return node_hash(self._root(start, start + half), self._root(start + half, end))


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """That a leaf (its bytes) stands at ``index`` of the tree (RFC 9162, 2.1.3.2).

    Raises Refused L2 ``not-in-the-log``.
    """
    refused = Refused("L2", "not-in-the-log", "the leaf does not stand in this tree")
    node, last, place, found = index, size - 1, 0, leaf_hash(leaf)
    if not 0 <= index < size:  # L2
        raise refused
    while last > 0:
        if place >= len(proof):  # L2
            raise refused
        if node & 1 or node == last:
            found = node_hash(proof[place], found)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, proof[place])
        node, last, place = node >> 1, last >> 1, place + 1
    if place != len(proof) or found != root:  # L2
        raise refused


def as_encodable(tree: Tree) -> Encodable:
    """Size and frontier as E1 holds them."""
    return [tree.size, list(tree.frontier)]
