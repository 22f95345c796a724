"""Verifies a network's log of keys from outside, trusting nothing but the log's key; no account is needed.

    python -m messaging.tools.verify_log https://network.example --log NAME+ID+KEY
        [--state FILE] [--note FILE ...]

It reads every line of the log and computes the state that was signed; it reads the tiles and compares them;
it looks for lines that contradict each other. With --state it goes on from the last time and refuses a log
that was shortened or rewritten since. With --note it compares with checkpoints that others have seen (a
device's, a witness's, a colleague's in another country): two that cannot both be true prove that the server
lied.
Ends with 0 when everything holds, 1 when something does not, 2 when it could not be asked.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from messaging.sealed.checkpoint import read_checkpoint
from messaging.sealed.errors import Refused
from messaging.sealed.follower import Follower
from messaging.sealed.transparency import TILE_WIDTH, FullTree, TilePlace, leaf_hash, read_leaf
from messaging.tools.following import follow, open_state, read_log_key, save_state, words_of
from messaging.tools.log_site import LogSite, NoAnswer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    asked = _parser().parse_args(arguments)
    try:
        return _verify(asked)
    except Refused as refused:
        _print(f"WRONG: {words_of(refused)}")
        return 1
    except (NoAnswer, OSError, ValueError) as error:
        _print(f"This could not be asked: {error}")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m messaging.tools.verify_log", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("site", help="https://network.example")
    parser.add_argument("--log", required=True, help="the key of the log, as its operator publishes it")
    parser.add_argument("--state", type=Path, help="what was verified, for the next time")
    parser.add_argument(
        "--note", type=Path, action="append", default=[], help="a checkpoint others have seen"
    )
    return parser


def _verify(asked: argparse.Namespace) -> int:
    site, log = LogSite(asked.site), read_log_key(asked.log)
    follower = open_state(log, asked.state)
    before = follower.tree.size
    try:
        note = follow(site, follower)
    finally:
        save_state(follower, asked.state)
    size = follower.tree.size
    _print(f"{log.name}: {size} lines lead to the state that is signed, {size - before} of them new.")
    full = FullTree()
    counted: dict[str, int] = {}
    for raw in site.leaves(0, size):
        full.append(leaf_hash(raw))
        kind = read_leaf(raw).type
        counted[kind] = counted.get(kind, 0) + 1
    _print("  " + ", ".join(f"{kind} {count}" for kind, count in sorted(counted.items())))
    faults = [
        *_compare_whole(full, follower),
        *_compare_tiles(site, full),
        *_compare_notes(asked, full, note),
        *_contradictions(follower),
    ]
    for fault in faults:
        _print(f"WRONG: {fault}")
    if not faults:
        _print("Everything holds.")
    return 1 if faults else 0


def _compare_whole(full: FullTree, follower: Follower) -> list[str]:
    """The lines from the first on are those that were followed."""
    if full.at(follower.tree.size).root == follower.tree.root:
        return []
    return ["The lines read anew are not those that were followed before."]


def _compare_tiles(site: LogSite, full: FullTree) -> list[str]:
    """The tiles of hashes that are handed out are those of the lines."""
    faults, level, hashes = [], 0, full.levels[0]
    while hashes:
        for start in range(0, len(hashes), TILE_WIDTH):
            expected = b"".join(hashes[start : start + TILE_WIDTH])
            place = TilePlace(level, start // TILE_WIDTH, len(expected) // 32)
            if site.tile(place) != expected:
                faults.append(f"{place.path} does not hold the hashes of its lines.")
        level += 1
        height = 8 * level
        hashes = full.levels[height] if height < len(full.levels) else []
    return faults


def _compare_notes(asked: argparse.Namespace, full: FullTree, newest: str) -> list[str]:
    """Each checkpoint somebody has seen is a state this log has passed."""
    log = read_log_key(asked.log)
    faults = []
    for file in asked.note:
        found = read_checkpoint(log.name, log.public, file.read_text(encoding="utf-8"))
        if found.size > full.size:
            faults.append(
                f"{file.name}: the log has signed {found.size} lines there, and shows {full.size} here."
            )
        elif full.at(found.size).root != found.root:
            faults.append(
                f"{file.name}: the log has signed another state of {found.size} lines there. "
                f"Both are signed: keep {file.name} and this one as proof.\n{newest}"
            )
    return faults


def _contradictions(follower: Follower) -> list[str]:
    if not follower.frozen:
        return []
    return [
        f"Two lines say different things of label {label.hex()}. (L3 contradicting-leaves)"
        for label in sorted(follower.frozen)
    ]


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
