"""What comes in over the wire is strict JSON or it is refused with a code."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from network.errors import Invalid
from network.frames import Body, blob, parse_json

pytestmark = pytest.mark.any_database
Bytes8 = blob(8)


class Sample(Body):
    data: Bytes8  # type: ignore[valid-type]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'"\xff"',
        b'"\\ud800"',
        b"[" * 17 + b"]" * 17,
        b"[" * 100_000,
        ("{" + ",".join(f'"k{i}":1' for i in range(65)) + "}").encode(),
    ],
)
def test_malformed_json_is_refused_with_a_code(text: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_json(text)
    assert refusal.value.code == "malformed-frame"


def test_the_largest_allowed_shapes_pass() -> None:
    assert parse_json("[" * 16 + "]" * 16)
    assert len(parse_json("{" + ",".join(f'"k{i}":1' for i in range(64)) + "}")) == 64


@given(st.binary(max_size=300))
def test_any_bytes_give_a_value_or_the_one_refusal(data: bytes) -> None:
    with suppress(Invalid):  # any other exception fails the test
        parse_json(data)


@pytest.mark.parametrize("value", ["AAAA=", "A A=", "*", 7, None, "QUJDREVGR0hJ", "QUJD\n"])
def test_a_blob_that_is_not_base64_or_too_long_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate({"data": value})


def test_a_blob_survives_the_wire() -> None:
    sample = Sample.model_validate({"data": "QUJD"})
    assert sample.data == b"ABC"
    assert sample.model_dump(mode="json") == {"data": "QUJD"}


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate({"data": "QUJD", "extra": 1})
