"""E1 and E4: one encoding for each value, and contexts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from messaging.sealed.encoding import (
    Encodable,
    Value,
    context,
    context_hash,
    decode,
    derive_key,
    encode,
    sha256,
)
from messaging.sealed.errors import Refused
from tests.sealed.breaking import assert_refused, breaks
from tests.sealed.cases.base import Case
from tests.sealed.world import NET

leaves = (
    some.none()
    | some.booleans()
    | some.integers(0, 2**53 - 1)
    | some.binary(max_size=300)
    | some.text(max_size=80)
)
keys = some.text(max_size=23).filter(lambda text: len(text.encode()) <= 23)
values = some.recursive(
    leaves,
    lambda inner: some.lists(inner, max_size=30) | some.dictionaries(keys, inner, max_size=30),
    max_leaves=40,
)


def depth(value: Encodable) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 1


@given(values.filter(lambda value: depth(value) <= 8))
def test_e1_every_value_comes_back_as_it_was(value: Any) -> None:
    back = decode(encode(value))
    assert back == value
    assert encode(back) == encode(value)


def decoded(data: bytes) -> list[Value]:
    """The value, or nothing where the bytes are refused; any other failure comes through."""
    try:
        return [decode(data)]
    except Refused:
        return []


@given(some.binary(max_size=60))
def test_e1_what_decodes_has_only_this_encoding(data: bytes) -> None:
    assert all(encode(value) == data for value in decoded(data))


@breaks("E1")
def test_e1_other_bytes_are_refused(case: Case) -> None:
    assert_refused(case)


@pytest.mark.parametrize(
    "value",
    [
        1.0, -1, 2**53, float("nan"), {1: 2}, {b"a": 1}, {"k" * 24: 1}, {1, 2}, bytearray(b"a"), object(),
        "\ud800", {"\ud800": 1}, [[[[[[[[1]]]]]]]], range(3), {None: 1}, {True: 1},
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_e1_other_values_are_not_encoded(value: Any) -> None:
    with pytest.raises(Refused, match="E1 bad-encoding"):
        encode(value)


def test_e1_true_is_not_one() -> None:
    assert encode(True) == b"\xf5"
    assert decode(b"\xf5") is True
    assert type(decode(b"\x01")) is int


def test_e1_keys_are_sorted_by_their_encoding() -> None:
    assert encode({"aa": 1, "b": 2, "": 3}).hex() == "a360036162026261" + "6101"


def test_e3_a_hash_is_over_the_bytes_as_sent() -> None:
    assert sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_e4_contexts_differ_in_purpose_network_and_parts() -> None:
    made = {
        context_hash(NET, "a", 1, b"x"), context_hash(NET, "b", 1, b"x"), context_hash("other", "a", 1, b"x"),
        context_hash(NET, "a", 1, "x"), context_hash(NET, "a", 1), context_hash(NET, "a", [1, b"x"]),
    }  # fmt: skip
    assert len(made) == 6
    assert context_hash(NET, "a", 1) == sha256(context(NET, "a", 1))


def test_e4_keys_differ_in_secret_and_context() -> None:
    made = {derive_key(NET, secret, purpose) for secret in (bytes(32), b"\1" * 32) for purpose in ("a", "b")}
    assert len(made) == 4
