"""What the two watchers of a log share: the state file, following, and the words for what is wrong."""

import os
import time
from pathlib import Path

from messaging.sealed.checkpoint import LOG, Signer, read_signer
from messaging.sealed.errors import Refused
from messaging.sealed.follower import Follower, load_follower
from messaging.sealed.transparency import Leaf, read_leaf
from messaging.tools.log_site import LogSite

NO_LABELS = bytes(32)  # who watches from outside cannot tell whom a line is about

WORDS = {
    "bad-checkpoint": "The checkpoint is not signed by the key of this log.",
    "bad-leaf": "A line of the log cannot be read.",
    "bad-log-state": "The state file does not hold together.",
    "bad-verifier": "This is no key of a log or witness: name+id+key.",
    "forked-log": "The log has signed two different states of one size.",
    "future-checkpoint": "The checkpoint is of the future; or the clock here is wrong.",
    "inconsistent-log": "The lines of the log do not lead to the state it has signed.",
    "missing-leaves": "Lines of the log are missing.",
    "smaller-checkpoint": "The log is shorter than it was.",
}


def words_of(refused: Refused) -> str:
    """The sentence for a refusal, with rule and code."""
    return f"{WORDS.get(refused.code, refused.detail)} ({refused.rule} {refused.code})"


def read_log_key(line: str) -> Signer:
    """The key of the log as its operator publishes it. Raises Refused L4 ``bad-verifier``."""
    signer = read_signer(line)
    if signer.kind != LOG:
        raise Refused("L4", "bad-verifier", "the key of a witness, not of a log")
    return signer


def open_state(log: Signer, file: Path | None) -> Follower:
    """What was followed before, or nothing. Raises Refused L7."""
    stored = file.read_bytes() if file and file.exists() else None
    return load_follower(log.name, log.public, NO_LABELS, stored)


def save_state(follower: Follower, file: Path | None) -> None:
    """Replace the state file; when this returns, a power cut finds the new content."""
    if file is None:
        return
    fresh = file.with_name(file.name + ".new")
    with fresh.open("wb") as opened:
        opened.write(follower.export_state())
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)


def read_public_log(origin: str, log: Signer) -> list[Leaf]:
    """Every line of a site's log, which lead to the checkpoint that this key has signed.

    Raises Refused L2, L5; `NoAnswer`; ValueError for what is no address of a site.
    """
    site, follower = LogSite(origin), open_state(log, None)
    now = int(time.time())
    note = site.checkpoint()
    leaves = list(site.leaves(0, follower.read(note, now=now).size))
    follower.follow(note, leaves, now=now)
    return [read_leaf(raw) for raw in leaves]


def follow(site: LogSite, follower: Follower) -> str:
    """Follow to the newest checkpoint; returns its note. Raises Refused L2, L5; `NoAnswer`."""
    now = int(time.time())
    note = site.checkpoint()
    found = follower.read(note, now=now)
    leaves = list(site.leaves(follower.tree.size, found.size))
    follower.follow(note, leaves, now=now)
    return note
