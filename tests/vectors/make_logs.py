"""Writes logs/python.json: what a device meets that follows the log, for the other implementation to follow.

Run: .venv/bin/python tests/vectors/make_logs.py; `node tests/run.mjs logs` of the client writes the other.
Byte strings are lowercase hex, notes text, times unix seconds. Shape:

    net, server (the log's public key), label_key
    labels     [{type, subject, label}]
    leaves     [{type, label, n, value, leaf, hash}]
    roots      [root of the first 0, 1, 2, … of these leaves]
    inclusion  [{leaf: number, size, proof, root}]
    signers    [{line, name, public, kind, id}]
    stories    [{name, witnesses: [line], quorum, steps}]; each step has `do` and `said`: "" or "rule code"
        follow   note, leaves, now      refresh  note, now          fresh    now
        newest   principal, n, head     message  size, root, note?  reload   (from what was stored)
        sent     size, root, note: a text's checkpoint, against the header's
        urgent   hours, now: whether an urgent message may be sealed
"""

import json
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from messaging.sealed.checkpoint import make_checkpoint, sign_note, split_note
from messaging.sealed.follower import FRESH_SECONDS, FUTURE_SECONDS
from messaging.sealed.keys import SigningKey
from messaging.sealed.transparency import EMPTY_ROOT, FullTree, Leaf, leaf_hash, log_label
from tests.sealed.log_world import LABELS, WITNESSES, LogServer
from tests.sealed.world import NET, START, seed

FILE = Path(__file__).resolve().parent / "logs/python.json"
NORTH, SOUTH = WITNESSES
PRINCIPALS = {name: seed(f"principal {name}") for name in ("A", "B", "C")}
Step = dict[str, Any]


def keyring(name: str, n: int, head: str = "") -> Leaf:
    """A keyring leaf of a principal."""
    return Leaf("keyring", log_label(LABELS, "keyring", PRINCIPALS[name]), n, seed(f"{name} {n}{head}"))


def server_of(*leaves: Leaf) -> LogServer:
    """A log with these leaves."""
    log = LogServer(SigningKey(seed("log")))
    for leaf in leaves:
        log.append(leaf)
    return log


FIRST = [
    Leaf("server-key", log_label(LABELS, "server-key", b"server-key"), 0, seed("server key")),
    keyring("A", 0), keyring("B", 0), keyring("A", 1),
    Leaf("confirm", log_label(LABELS, "confirm", b"authority"), 0, seed("confirm 1")),
    Leaf("confirm", log_label(LABELS, "confirm", b"authority"), 0, seed("confirm 2")),
    Leaf("anchor", log_label(LABELS, "anchor", b"anchor"), 20_000, seed("anchor")),
]  # fmt: skip


def follow(log: LogServer, first: int, size: int | None = None, said: str = "", **options: Any) -> Step:
    """Follow an honest answer."""
    at = options.pop("at", START)
    note = log.note(size, at=at, **options)
    return given(note, log.leaves[first:size], said, now=at)


def given(note: str, leaves: list[bytes], said: str = "", now: int = START) -> Step:
    """Follow whatever is given."""
    return {"do": "follow", "note": note, "leaves": [leaf.hex() for leaf in leaves], "now": now, "said": said}


def newest(name: str, n: int, said: str = "", head: str = "") -> Step:
    """Ask for sealing to an entry."""
    principal, value = PRINCIPALS[name].hex(), seed(f"{name} {n}{head}").hex()
    return {"do": "newest", "principal": principal, "n": n, "head": value, "said": said}


def message(size: int, root: bytes, said: str = "", **note: str) -> Step:
    """Read what a message says of the log."""
    return {"do": "message", "size": size, "root": root.hex(), **note, "said": said}


def sent(log: LogServer, note: str, said: str = "", size: int = 7) -> Step:
    """Hold a checkpoint that came in a text against its header."""
    return {"do": "sent", "size": size, "root": log.tree.at(size).root.hex(), "note": note, "said": said}


def urgent(hours: int, now: int, said: str = "") -> Step:
    """Ask whether an urgent message may be sealed."""
    return {"do": "urgent", "hours": hours, "now": now, "said": said}


def fresh(now: int, said: str = "") -> Step:
    """Ask whether the log is fresh."""
    return {"do": "fresh", "now": now, "said": said}


def refresh(note: str, said: str = "", now: int = START) -> Step:
    """Take the word of witnesses under a state passed before."""
    return {"do": "refresh", "note": note, "now": now, "said": said}


RELOAD: Step = {"do": "reload", "said": ""}


def make_stories() -> list[dict[str, Any]]:
    """What happens to devices."""
    log = server_of(*FIRST)
    grown = server_of(*FIRST, keyring("C", 0))
    ghost = server_of(*FIRST, keyring("A", 1, " ghost"))
    fork = server_of(*FIRST[:-1], keyring("C", 0))
    signed = make_checkpoint(NET, SigningKey(seed("other")), size=7, root=log.tree.at(7).root, at=START)
    unsigned = split_note(log.note())[0] + "\n" + sign_note("x", *_other())
    tell = {"witnesses": (NORTH, SOUTH)}
    old = log.note(3, at=START + 9, witnesses=tell["witnesses"])
    late = START + FRESH_SECONDS
    return [
        _story("an honest log", [
            fresh(START, "L4 stale-checkpoint"), newest("A", 1, "L1 not-logged"), follow(log, 0, 3),
            follow(log, 3), newest("A", 1), newest("A", 0, "L2 withheld-entry"), newest("B", 0),
            newest("C", 0, "L1 not-logged"),
            fresh(late), fresh(late + 1, "L4 stale-checkpoint"), RELOAD, newest("A", 1), follow(grown, 7),
            newest("C", 0), message(3, log.tree.at(3).root), message(8, grown.tree.at(8).root),
            message(5, seed("root"), "L6 other-log"), message(9, seed("root"), "L6 log-withheld"),
        ]),
        _story("a log that lies", [
            given(log.note(), log.leaves[:-1], "L2 missing-leaves"),
            given(log.note(), [*log.leaves[:-1], b"\xff"], "L2 bad-leaf"),
            given(log.note(), log.leaves[::-1], "L5 inconsistent-log"),
            given(signed, log.leaves, "L5 bad-checkpoint"), given(unsigned, log.leaves, "L5 bad-checkpoint"),
            given("", [], "L5 bad-checkpoint"),
            follow(log, 0), given(log.note(2), [], "L5 smaller-checkpoint"),
            given(log.note(at=START + FUTURE_SECONDS + 1), [], "L5 future-checkpoint"), follow(log, 7),
            newest("A", 1, "L3 contradicting-leaves", " other"), newest("A", 1, "L3 contradicting-leaves"),
            newest("B", 0), given(fork.note(), [], "L5 forked-log"), fresh(START, "L5 forked-log"), RELOAD,
            fresh(START, "L5 forked-log"), newest("A", 1, "L3 contradicting-leaves"),
        ]),
        _story("a ghost", [
            follow(ghost, 0), newest("A", 1, "L3 contradicting-leaves"), newest("B", 0), fresh(START), RELOAD,
            newest("A", 1, "L3 contradicting-leaves"),
        ]),
        _story("two witnesses", [
            follow(log, 0), fresh(START, "L4 stale-checkpoint"), refresh(old, now=START + 9),
            fresh(START + 9), RELOAD, fresh(START + 9),
            refresh(fork.note(at=START + 9, witnesses=tell["witnesses"]), "L5 forked-log", now=START + 9),
        ], witnesses=[NORTH, SOUTH], quorum=2),
        _story("one of two", [
            follow(log, 0, witnesses=(NORTH,)), fresh(START, "L4 stale-checkpoint"),
        ], witnesses=[NORTH, SOUTH], quorum=2),
        _story("what messages carry", [
            follow(log, 0), sent(log, log.note()), sent(log, log.note(3), size=3),
            sent(log, log.note(3), "L6 wrong-checkpoint"), sent(log, signed, "L6 wrong-checkpoint"),
            sent(log, "", "L6 wrong-checkpoint"), sent(log, fork.note(), "L6 wrong-checkpoint"),
            message(7, fork.tree.at(7).root, "L6 other-log"), fresh(START),
            message(7, log.tree.at(7).root, note=log.note()), fresh(START),
            message(7, fork.tree.at(7).root, "L6 other-log", note=fork.note()),
            fresh(START, "L5 forked-log"), RELOAD, fresh(START, "L5 forked-log"),
        ]),
        _story("urgent on an older checkpoint", [
            follow(log, 0), urgent(24, late), urgent(24, late + 1, "L4 stale-checkpoint"),
            urgent(72, late + 1), fresh(late + 1, "L4 stale-checkpoint"), urgent(48, START + 48 * 3600),
            urgent(48, START + 48 * 3600 + 1, "L4 stale-checkpoint"), urgent(1000, START + 72 * 3600),
            urgent(1000, START + 72 * 3600 + 1, "L4 stale-checkpoint"), urgent(0, late),
        ]),
        _story("too few", [follow(log, 0), fresh(START, "L4 too-few-witnesses")], quorum=1),
    ]  # fmt: skip


def _other() -> Any:
    return WITNESSES[NORTH]


def _story(
    name: str, steps: list[Step], *, witnesses: list[str] | None = None, quorum: int = 0
) -> dict[str, Any]:
    lines = [WITNESSES[each][0].line for each in witnesses or []]
    return {"name": name, "witnesses": lines, "quorum": quorum, "steps": steps}


def make_logs() -> dict[str, object]:
    """Return the document."""
    full, roots = FullTree(), [EMPTY_ROOT.hex()]
    leaves = []
    for leaf in FIRST:
        raw = leaf.encode()
        full.append(leaf_hash(raw))
        roots.append(full.at(full.size).root.hex())
        leaves.append(
            {
                "type": leaf.type,
                "label": leaf.label.hex(),
                "n": leaf.n,
                "value": leaf.value.hex(),
                "leaf": raw.hex(),
                "hash": leaf_hash(raw).hex(),
            }
        )
    proofs = [
        {"leaf": index, "size": size, "proof": [step.hex() for step in full.inclusion(index, size)]}
        for size in (1, 4, 6, 7)
        for index in range(size)
    ]
    return {
        "net": NET,
        "server": SigningKey(seed("log")).public.hex(),
        "label_key": LABELS.hex(),
        "labels": [
            {"type": "keyring", "subject": value.hex(), "label": log_label(LABELS, "keyring", value).hex()}
            for value in PRINCIPALS.values()
        ],
        "leaves": leaves,
        "roots": roots,
        "inclusion": [{**row, "root": roots[int(str(row["size"]))]} for row in proofs],
        "signers": [
            {
                "line": each.line,
                "name": each.name,
                "public": each.public.hex(),
                "kind": each.kind,
                "id": each.id.hex(),
            }
            for each, _ in WITNESSES.values()
        ],
        "stories": make_stories(),
    }


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(make_logs(), indent=1) + "\n", encoding="utf-8")
