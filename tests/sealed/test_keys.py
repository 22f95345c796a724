"""E5 to E8: envelopes, seeds, keys that are refused, encryption; the recovery kit."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from messaging.sealed.errors import Refused
from messaging.sealed.keys import (
    KemKey,
    RecoveryKit,
    SigningKey,
    aead_open,
    aead_seal,
    check_kem_key,
    check_signing_key,
    device_words,
    fingerprint_digits,
    seal,
    verify_signature,
)
from tests.sealed.breaking import assert_refused, breaks
from tests.sealed.cases.base import Case
from tests.sealed.cases.formats import SMALL_ED25519, with_coefficient
from tests.sealed.world import NET, seed


@breaks("E5")
def test_e5_a_wrong_envelope_is_not_opened(case: Case) -> None:
    assert_refused(case)


def test_e5_an_envelope_opens_for_its_key_and_context() -> None:
    key = KemKey.generate()
    sealed = seal(key.public, bytes(range(32)), b"context")
    assert len(sealed) == 1168
    assert key.open(sealed, b"context") == bytes(range(32))


@breaks("E6")
def test_e6_a_mistyped_kit_is_refused(case: Case) -> None:
    assert_refused(case)


@given(some.binary(min_size=32, max_size=32))
def test_e6_a_printed_kit_can_be_typed_in_again(secret: bytes) -> None:
    kit = RecoveryKit(NET, secret)
    printed = kit.print()
    assert [len(group) for group in printed.split(" ")] == [5] * 12
    sloppy = printed.lower().replace(" ", "-").replace("0", "o").replace("1", "l")
    assert RecoveryKit.parse(NET, printed) == RecoveryKit.parse(NET, sloppy) == kit


def test_e6_a_key_follows_from_its_seed() -> None:
    assert KemKey(seed("x")).public == KemKey.from_seed(seed("x")).public
    assert SigningKey.from_seed(seed("x")).public == SigningKey(seed("x")).public
    assert SigningKey.generate().public != SigningKey.generate().public


@breaks("E7")
def test_e7_a_bad_key_is_refused(case: Case) -> None:
    assert_refused(case)


@pytest.mark.parametrize("text", SMALL_ED25519)
def test_e7_a_universal_signature_does_not_hold(text: str) -> None:
    universal = bytes([1]) + bytes(63)
    with pytest.raises(Refused, match="E7 weak-signing-key"):
        verify_signature(bytes.fromhex(text), universal, b"anything")


def test_e7_good_keys_pass() -> None:
    for number in range(20):
        check_signing_key(SigningKey(seed(f"{number}")).public)
        check_kem_key(KemKey(seed(f"{number}")).public)


@given(some.integers(0, 767), some.integers(0, 4095))
def test_e7_every_coefficient_is_looked_at(place: int, value: int) -> None:
    public = with_coefficient(KemKey(seed("x")).public, place, value)
    if value < 3329:
        check_kem_key(public)
        return
    with pytest.raises(Refused, match="E7 bad-kem-key"):
        check_kem_key(public)


def test_e7_nothing_is_sealed_to_a_bad_key() -> None:
    with pytest.raises(Refused, match="E7 bad-kem-key"):
        seal(KemKey(seed("x")).public[:1184] + bytes(32), bytes(32), b"")


@breaks("E8")
def test_e8_a_changed_text_is_not_opened(case: Case) -> None:
    assert_refused(case)


def test_e8_a_text_opens_with_its_key_and_context() -> None:
    assert aead_open(bytes(32), aead_seal(bytes(32), b"text", b"aad"), b"aad") == b"text"


def test_digits_to_compare() -> None:
    assert fingerprint_digits(bytes(32)) == " ".join(["00000"] * 12)
    assert fingerprint_digits(bytes(31) + b"\x7b") == " ".join(["00000"] * 11 + ["00123"])
    assert [len(group) for group in device_words(NET, bytes(32)).split(" ")] == [5] * 6
