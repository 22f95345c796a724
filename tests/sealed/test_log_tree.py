"""The tree of the log, its leaves and tiles, and its signed checkpoints (L2, L4, L5)."""

import hashlib

import pytest

from messaging.sealed.checkpoint import (
    LOG,
    Signer,
    cosign,
    log_signers,
    make_body,
    make_checkpoint,
    make_note,
    read_checkpoint,
    read_signer,
    sign_note,
    split_note,
    write_line,
)
from messaging.sealed.encoding import encode
from messaging.sealed.errors import Refused
from messaging.sealed.keys import SigningKey
from messaging.sealed.transparency import (
    EMPTY_ROOT,
    FullTree,
    Leaf,
    TilePlace,
    Tree,
    anchor_entry,
    anchor_root,
    bundles,
    check_inclusion,
    index_path,
    leaf_hash,
    read_bundle,
    read_index,
    read_leaf,
    statement_value,
    tree_over,
    write_bundle,
)
from tests.sealed.log_world import WITNESSES
from tests.sealed.world import NET, START, seed


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    return f"{refused.value.rule} {refused.value.code}"


# --- the tree (RFC 6962)

KNOWN_LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_l2_the_roots_are_those_of_the_known_answers() -> None:
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT == Tree().root
    full = FullTree()
    for size, leaf in enumerate(KNOWN_LEAVES, start=1):
        full.append(leaf_hash(leaf))
        assert full.at(size).root.hex() == KNOWN_ROOTS[size - 1]
        assert tree_over(full.levels[0]).root.hex() == KNOWN_ROOTS[size - 1]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257, 600])
def test_l2_every_leaf_can_be_proven_and_no_other(size: int) -> None:
    full = FullTree()
    leaves = [number.to_bytes(2, "big") for number in range(size)]
    for leaf in leaves:
        full.append(leaf_hash(leaf))
    root = full.at(size).root
    for index in {0, size // 3, size // 2, size - 1}:
        proof = full.inclusion(index, size)
        check_inclusion(leaves[index], index, size, proof, root)
        wrong = [
            (b"another", index, proof),
            (leaves[index], index + 1, proof),
            (leaves[index], index, [*proof, bytes(32)]),
        ]
        if proof:
            wrong += [(leaves[index], index, proof[:-1]), (leaves[index], index, [bytes(32), *proof[1:]])]
        for leaf, place, path in wrong:
            with pytest.raises(Refused) as refused:
                check_inclusion(leaf, place, size, path, root)
            assert code(refused) == "L2 not-in-the-log"


def test_l2_tiles_have_the_paths_of_their_specification() -> None:
    assert index_path(1234067) == "x001/x234/067"
    assert [index_path(number) for number in (0, 999, 1000)] == ["000", "999", "x001/000"]
    assert (read_index("x001/x234/067"), read_index("067")) == (1234067, 67)
    assert {read_index(path) for path in ("67", "x000/067", "001/067", "", "x001")} == {None}
    assert [place.path for place in bundles(255, 600)] == [
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/88",
    ]  # fmt: skip
    assert bundles(5, 5) == []
    assert TilePlace(1, 7, 3).path == "tile/1/007.p/3"


def test_l2_a_bundle_gives_back_its_leaves_and_no_fewer() -> None:
    data = write_bundle([b"one", b"", b"three"])
    assert read_bundle(data, 3) == [b"one", b"", b"three"]
    for raw, width in ((data, 2), (data[:-1], 3), (data + b"\0", 3), (b"\xff\xff", 1)):
        with pytest.raises(Refused) as refused:
            read_bundle(raw, width)
        assert code(refused) == "L2 bad-leaf"


@pytest.mark.parametrize(
    "leaf",
    [
        ["S1", "leaf", "keyring", bytes(32), 0],
        ["S1", "leaf", "keyring", bytes(32), 0, bytes(31)],
        ["S1", "leaf", "keyring", bytes(31), 0, bytes(32)],
        ["S1", "leaf", "keyring", bytes(32), True, bytes(32)],
        ["S1", "leaf", "other", bytes(32), 0, bytes(32)],
        ["S1", "leaf", "confirm", bytes(32), 1, bytes(32)],
        ["S2", "leaf", "keyring", bytes(32), 0, bytes(32)],
        {},
    ],
)
def test_l2_a_leaf_of_another_form_is_refused(leaf: list[object]) -> None:
    with pytest.raises(Refused) as refused:
        read_leaf(encode(leaf))  # type: ignore[arg-type]
    assert code(refused) == "L2 bad-leaf"


def test_l2_a_leaf_reads_as_it_was_written() -> None:
    for leaf in (
        Leaf("keyring", seed("l"), 7, seed("v")),
        Leaf("mandate", seed("l"), 0, statement_value(NET, seed("s"))),
    ):
        assert read_leaf(leaf.encode()) == leaf


def test_the_anchor_does_not_depend_on_the_order() -> None:
    entries = [anchor_entry(NET, seed(name), 3, seed("x")) for name in "abc"]
    assert anchor_root(entries) == anchor_root(entries[::-1])
    assert anchor_root([]) == EMPTY_ROOT


# --- checkpoints


def test_l5_a_checkpoint_reads_as_it_was_signed() -> None:
    key = SigningKey(seed("log"))
    signer, witness_key = WITNESSES["north.example"]
    note = make_checkpoint(NET, key, size=5, root=seed("root"), at=START)
    body = split_note(note)[0]
    unknown = Signer("other.example", key.public)
    note += cosign(body, signer, witness_key, at=START + 7) + cosign(body, unknown, key, at=START + 8)
    found = read_checkpoint(NET, key.public, note, [signer])
    assert (found.size, found.root, found.at) == (5, seed("root"), START)
    assert [(each.name, each.at) for each in found.witnesses] == [(signer.line, START + 7)]


def test_l5_a_checkpoint_that_does_not_hold_is_refused() -> None:
    key, other = SigningKey(seed("log")), SigningKey(seed("other"))
    root = seed("root")
    log, clock = log_signers(NET, key.public)
    body = make_body(NET, 5, root)
    signed, timed = sign_note(body, log, key), cosign(body, clock, key, at=START)
    signer, witness_key = WITNESSES["north.example"]
    broken = {
        "by another key": make_checkpoint(NET, other, size=5, root=root, at=START),
        "another key under the log's id": make_note(body, [sign_note(body, log, other), timed]),
        "of another log": make_checkpoint("other.example/s1", key, size=5, root=root, at=START),
        "without the log's signature": make_note(body, [timed]),
        "without a time": make_note(body, [signed]),
        "an altered size": make_note(body, [signed, timed]).replace("\n5\n", "\n6\n"),
        "a cosignature over another body": make_note(
            body, [signed, timed, cosign(make_body(NET, 4, root), signer, witness_key, at=START)]
        ),
        "a witness's line by another key": make_note(
            body, [signed, timed, cosign(body, signer, other, at=START)]
        ),
        "an altered time": make_note(body, [signed, _moved(timed)]),
        "a size with a zero before it": _resigned(body.replace("\n5\n", "\n05\n"), key),
        "more lines": _resigned(body + "more\n", key),
        "a short root": _resigned(f"{NET}\n5\nAAAA\n", key),
        "no signatures": body,
        "no dash": make_note(body, [signed.replace("\u2014", "-"), timed]),
        "nothing": "",
        "too long": make_note(body, [signed, timed, *[timed] * 100]),
    }
    for why, note in broken.items():
        with pytest.raises(Refused) as refused:
            read_checkpoint(NET, key.public, note, [signer])
        assert code(refused) == "L5 bad-checkpoint", why


def _resigned(body: str, key: SigningKey) -> str:
    log, clock = log_signers(NET, key.public)
    return make_note(body, [sign_note(body, log, key), cosign(body, clock, key, at=START)])


def _moved(line: str) -> str:
    """A cosignature line that says another time."""
    name, signature = split_note(f"x\n\n{line}")[1][0]
    raw = bytearray(signature)
    raw[11] ^= 1
    return write_line(name, bytes(raw))


def test_l4_a_verifier_reads_as_it_is_handed_out() -> None:
    signer = WITNESSES["north.example"][0]
    assert read_signer(signer.line) == signer
    log = Signer(NET, SigningKey(seed("log")).public, LOG)
    assert read_signer(log.line) == log
    wrong = ["", "a+b+c", signer.line.replace("north", "south"), signer.line[:-4], "a b" + signer.line]
    for line in wrong:
        with pytest.raises(Refused) as refused:
            read_signer(line)
        assert code(refused) == "L4 bad-verifier"
