"""What each implementation says of a log is followed by this one in the same way (L1 to L7)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from messaging.sealed.checkpoint import read_signer
from messaging.sealed.errors import Refused
from messaging.sealed.follower import Follower, load_follower
from messaging.sealed.gossip import check_sent
from messaging.sealed.message import LogPlace
from messaging.sealed.transparency import (
    Leaf,
    Tree,
    check_inclusion,
    leaf_hash,
    log_label,
    read_leaf,
)
from tests.sealed.world import found
from tests.vectors.make_logs import make_logs

FOLDER = Path(__file__).resolve().parents[1] / "vectors/logs"
FILES = ("python", "typescript")
STATE = found("A", "dara").newest


@pytest.fixture(params=FILES, scope="module")
def document(request: pytest.FixtureRequest) -> Any:
    """Each file; both are there, always."""
    return json.loads((FOLDER / f"{request.param}.json").read_text(encoding="utf-8"))


def test_the_file_of_this_implementation_is_what_it_makes_today() -> None:
    assert json.loads((FOLDER / "python.json").read_text(encoding="utf-8")) == make_logs()


def test_l2_leaves_labels_and_roots(document: Any) -> None:
    key = bytes.fromhex(document["label_key"])
    for row in document["labels"]:
        assert log_label(key, row["type"], bytes.fromhex(row["subject"])).hex() == row["label"]
    tree = Tree()
    for row, root in zip(document["leaves"], document["roots"][1:], strict=True):
        raw = bytes.fromhex(row["leaf"])
        leaf = Leaf(row["type"], bytes.fromhex(row["label"]), row["n"], bytes.fromhex(row["value"]))
        assert read_leaf(raw) == leaf
        assert leaf.encode() == raw
        assert leaf_hash(raw).hex() == row["hash"]
        tree = tree.append(leaf_hash(raw))
        assert tree.root.hex() == root
    for row in document["inclusion"]:
        raw = bytes.fromhex(document["leaves"][row["leaf"]]["leaf"])
        proof = [bytes.fromhex(step) for step in row["proof"]]
        check_inclusion(raw, row["leaf"], row["size"], proof, bytes.fromhex(row["root"]))


def test_l4_signers(document: Any) -> None:
    assert document["signers"]
    for row in document["signers"]:
        signer = read_signer(row["line"])
        assert (signer.name, signer.public.hex(), signer.kind) == (row["name"], row["public"], row["kind"])
        assert (signer.id.hex(), signer.line) == (row["id"], row["line"])


def follower_of(document: Any, story: Any, stored: bytes | None = None) -> Follower:
    keys = (bytes.fromhex(document["server"]), bytes.fromhex(document["label_key"]))
    witnesses = [read_signer(line) for line in story["witnesses"]]
    return load_follower(document["net"], *keys, stored, witnesses=witnesses, quorum=story["quorum"])


def do(client: Follower, step: Any) -> None:
    """Do one step of a story."""
    match step["do"]:
        case "follow":
            client.follow(step["note"], [bytes.fromhex(leaf) for leaf in step["leaves"]], now=step["now"])
        case "refresh":
            client.refresh(step["note"], now=step["now"])
        case "fresh":
            client.check_fresh(step["now"])
        case "newest":
            client.check_newest(_state(step))
        case "message":
            client.check_message(LogPlace(step["size"], bytes.fromhex(step["root"])), step.get("note"))
        case "sent":
            place = LogPlace(step["size"], bytes.fromhex(step["root"]))
            check_sent(client.net, client.server_key, step["note"], place)
        case "urgent":
            client.allow_urgent(step["hours"])
            client.check_fresh(step["now"], urgent=True)


def _state(step: Any) -> Any:
    return replace(
        STATE, principal=bytes.fromhex(step["principal"]), n=step["n"], head=bytes.fromhex(step["head"])
    )


def test_l1_l2_l3_l4_l5_l6_l7_stories(document: Any) -> None:
    said_once = set()
    for story in document["stories"]:
        client = follower_of(document, story)
        for number, step in enumerate(story["steps"]):
            said = ""
            try:
                if step["do"] == "reload":
                    client = follower_of(document, story, client.export_state())
                else:
                    do(client, step)
            except Refused as refused:
                said = f"{refused.rule} {refused.code}"
            assert said == step["said"], (story["name"], number, step["do"])
            said_once.add(said)
    assert {
        "",
        "L1 not-logged",
        "L2 withheld-entry",
        "L3 contradicting-leaves",
        "L4 stale-checkpoint",
    } <= said_once
    assert {"L5 forked-log", "L5 smaller-checkpoint", "L6 other-log"} <= said_once
