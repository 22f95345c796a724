"""E6: a recovery kit in three parts, of which any two are needed."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from messaging.sealed.errors import Refused
from messaging.sealed.keys import RecoveryKit
from messaging.sealed.kit import KitShare, join_shares, split_kit
from tests.sealed.world import NET, seed

FOLDER = Path(__file__).resolve().parents[1] / "vectors/kits"


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^E6 {code}")


@pytest.mark.parametrize("name", ["python", "typescript"])
def test_e6_the_shares_of_both_implementations_make_their_kits(name: str) -> None:
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert document["kits"]
    for row in document["kits"]:
        kit = RecoveryKit(document["net"], bytes.fromhex(row["secret"]))
        assert kit.print() == row["printed"]
        made = split_kit(kit, slopes=bytes.fromhex(row["slopes"]))
        assert [share.print() for share in made] == row["shares"]
        for one, other in permutations(row["shares"], 2):
            assert join_shares(kit.net, KitShare.parse(one), KitShare.parse(other)) == kit


@given(some.binary(min_size=32, max_size=32))
def test_e6_any_two_shares_make_the_kit(secret: bytes) -> None:
    kit = RecoveryKit(NET, secret)
    shares = [KitShare.parse(share.print().lower().replace(" ", "-")) for share in split_kit(kit)]
    assert [share.number for share in shares] == [1, 2, 3]
    assert all(join_shares(NET, one, other) == kit for one, other in permutations(shares, 2))


@given(some.binary(min_size=32, max_size=32), some.binary(min_size=32, max_size=32))
def test_e6_one_share_says_nothing_about_the_kit(secret: bytes, other: bytes) -> None:
    share = split_kit(RecoveryKit(NET, secret))[0]
    # For every other kit there is a line through the same share.
    slopes = bytes(a ^ b for a, b in zip(other, share.values, strict=True))
    assert split_kit(RecoveryKit(NET, other), slopes=slopes)[0].values == share.values


def test_e6_shares_that_do_not_belong_together_are_refused() -> None:
    one, two, three = split_kit(RecoveryKit(NET, seed("kit")))
    stranger = split_kit(RecoveryKit(NET, seed("another kit")))[1]
    with refused("recovery-shares-differ"):
        join_shares(NET, one, one)
    with refused("recovery-shares-differ"):
        join_shares(NET, one, stranger)
    wrong = KitShare(3, bytes([three.values[0] ^ 1]) + three.values[1:], three.mark)
    with refused("recovery-share-mistyped"):
        join_shares(NET, two, wrong)
    with refused("recovery-share-mistyped"):
        join_shares("another network", one, two)


@pytest.mark.parametrize("change", ["", "short", "long", "number", "tail", "letter"])
def test_e6_a_mistyped_share_is_refused(change: str) -> None:
    printed = split_kit(RecoveryKit(NET, seed("kit")))[0].print()
    typed = {
        "": "",
        "short": printed[1:],
        "long": printed + "0",
        "number": "4" + printed[1:],
        "tail": printed[:-1] + "1",
        "letter": "U" + printed[1:],
    }
    with refused("recovery-share-mistyped"):
        KitShare.parse(typed[change])
