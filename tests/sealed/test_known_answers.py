"""Primitives against published vectors: RFC 5869, RFC 8032, the hybrid KEM of the HPKE drafts, AES-GCM."""

import json
from importlib.resources import files
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from messaging.sealed.keys import KemKey, SigningKey, aead_seal, verify_signature


def test_e4_hkdf_as_rfc_5869_case_1() -> None:
    salt, info = bytes(range(13)), bytes(range(0xF0, 0xFA))
    derived = HKDF(algorithm=hashes.SHA256(), length=42, salt=salt, info=info).derive(b"\x0b" * 22)
    assert derived.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_e6_ed25519_as_rfc_8032_test_2() -> None:
    key = SigningKey(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    assert key.public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = key.sign(b"\x72")
    assert signature.hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verify_signature(key.public, signature, b"\x72")
    assert not verify_signature(key.public, signature, b"\x73")


def test_e6_raw_seed_keys_as_the_hpke_draft() -> None:
    text = files("cryptography_vectors").joinpath("HPKE/hpke-pq-test-vectors.json").read_text()
    vectors: list[dict[str, Any]] = [vector for vector in json.loads(text) if vector["kem_id"] == 0x647A]
    assert vectors
    for vector in vectors:
        assert KemKey(bytes.fromhex(vector["skRm"])).public.hex() == vector["pkRm"]


def test_e8_aes_256_gcm_as_the_gcm_specification_case_14() -> None:
    sealed = aead_seal(bytes(32), bytes(16), b"")
    assert sealed.hex() == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
