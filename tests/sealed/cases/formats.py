"""Rules E1, E2, E5 to E8: bytes, statements, keys."""

from typing import Any

from messaging.sealed.encoding import context, decode, encode
from messaging.sealed.keys import KemKey, RecoveryKit, SigningKey, aead_seal, seal
from tests.sealed.cases.base import W, refuse
from tests.sealed.world import NET, forge, payload_of, seed, sign_payload, tampered

# --- E1

E1 = {
    "nothing": "",
    "half float": "f93c00",
    "single float": "fa3f800000",
    "double float": "fb3ff0000000000000",
    "not a number": "f97e00",
    "tag": "c074323032362d31312d32325430303a30303a30305a",
    "self-described tag": "d9d9f700",
    "negative number": "20",
    "large negative number": "3903e7",
    "undefined": "f7",
    "simple value 0": "e0",
    "simple value 255": "f8ff",
    "break alone": "ff",
    "indefinite bytes": "5f4100ff",
    "indefinite text": "7f6161ff",
    "indefinite array": "9f00ff",
    "indefinite map": "bf616100ff",
    "reserved length": "1c",
    "0 in two bytes": "1800",
    "23 in two bytes": "1817",
    "255 in three bytes": "1900ff",
    "65535 in five bytes": "1a0000ffff",
    "2^32 - 1 in nine bytes": "1b00000000ffffffff",
    "byte length longer than needed": "580100",
    "text length longer than needed": "780161",
    "array length longer than needed": "980100",
    "map length longer than needed": "b801616100",
    "2^53": "1b0020000000000000",
    "2^64 - 1": "1bffffffffffffffff",
    "unsorted keys": "a2616200616100",
    "keys sorted by text, not by encoding": "a262616100616200",
    "duplicate key": "a2616100616100",
    "number as key": "a10000",
    "bytes as key": "a1416100",
    "null as key": "a1f600",
    "key of 24 bytes": "a17818" + "61" * 24 + "00",
    "trailing byte": "0000",
    "text that is not UTF-8": "61ff",
    "overlong UTF-8": "62c080",
    "surrogate in UTF-8": "63eda080",
    "key that is not UTF-8": "a161ff00",
    "depth 9": "81" * 8 + "00",
    "depth 9 of maps": "a16161" * 8 + "00",
    "depth 5000": "81" * 5000 + "00",
    "cut off in a length": "19ff",
    "cut off in bytes": "4401",
    "cut off in text": "6261",
    "cut off in an array": "8201",
    "cut off in a map": "a16161",
    "enormous array": "9b001fffffffffffff",
    "enormous bytes": "5b001fffffffffffff",
}
for _why, _bytes in E1.items():
    refuse("encoding", "E1", "bad-encoding", _why, bytes=bytes.fromhex(_bytes))


# --- E2


def _cose(raw: bytes) -> list[Any]:
    parts: Any = decode(raw)
    return list(parts)


def _statement(code: str, why: str, raw: bytes, expect: str = "device", rule: str = "E2") -> None:
    refuse("statement", rule, code, why, bytes=raw, expect=expect)


def _statements() -> None:
    raw, device = W.dara.statement, W.dara
    parts = _cose(raw)
    protected, payload = parts[0], payload_of(raw)
    assert isinstance(protected, bytes)
    shapes: list[tuple[str, Any]] = [
        ("five parts", [*parts, b""]),
        ("a map", {"a": 1}),
        ("unprotected header", [protected, {"x": 1}, *parts[2:]]),
        ("unprotected null", [protected, None, *parts[2:]]),
        ("other algorithm (-8)", [bytes.fromhex("a2012704") + protected[4:], *parts[1:]]),
        ("no kid", [bytes.fromhex("a10132"), *parts[1:]]),
        ("kid of 16 bytes", [protected[:4] + encode(bytes(16)), *parts[1:]]),
        ("kid that is text", [protected[:4] + encode(""), *parts[1:]]),
        ("further header", [b"\xa3" + protected[1:] + b"\x05\x00", *parts[1:]]),
        ("signature of 63 bytes", [*parts[:3], bytes(63)]),
        ("payload null", [*parts[:2], None, parts[3]]),
        ("payload array", [*parts[:2], encode([1]), parts[3]]),
    ]
    for why, shape in shapes:
        _statement("bad-statement", why, encode(shape))
    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("unknown-type", "unknown type", {"t": "gadget"}),
        ("wrong-type", "another type", {"t": "receipt"}),
        ("unknown-suite", "suite 2", {"suite": 2}),
        ("unknown-suite", "suite 0", {"suite": 0}),
        ("unknown-suite", "suite true", {"suite": True}),
        ("bad-statement", "version 2", {"v": 2}),
        ("bad-statement", "version true", {"v": True}),
        ("bad-statement", "further field", {"x": None}),
        ("bad-statement", "time as text", {"at": "1"}),
        ("bad-statement", "time true", {"at": True}),
        ("bad-statement", "type is a number", {"t": 1}),
        ("wrong-network", "another network", {"net": "other.example/s1"}),
        ("wrong-network", "network is a number", {"net": 1}),
    ]
    for code, why, change in changes:
        _statement(code, why, forge(raw, device, **change))
    for missing in ("person", "net", "at", "t"):
        code = "wrong-network" if missing == "net" else "bad-statement"
        rest = {name: value for name, value in payload.items() if name != missing}
        _statement(
            code,
            f"without {missing}",
            sign_payload(rest, device.signing_key, b"", aad_type="device", aad_net=NET),
        )
    _statement("bad-encoding", "payload is not E1", encode([*parts[:2], b"\xff", parts[3]]), rule="E1")
    _statement("bad-encoding", "tagged COSE_Sign1", b"\xd2" + raw, rule="E1")


def _devices() -> None:
    raw, device = W.dara.statement, W.dara
    changes: list[tuple[str, dict[str, Any]]] = [
        ("name too long", {"name": "n" * 201}),
        ("office is null", {"office": None}),
        ("sig of 31 bytes", {"sig": bytes(31)}),
        ("kem of 32 bytes", {"kem": bytes(32)}),
        ("principal and salt", {"principal": bytes(32)}),
        ("neither principal nor salt", {"salt": None}),
        ("salt of 32 bytes", {"salt": bytes(32)}),
    ]
    for why, change in changes:
        refuse("device", "E2", "bad-statement", why, statement=forge(raw, device, **change))
    kid = sign_payload(payload_of(raw), device.signing_key, bytes(32))
    refuse("device", "E2", "bad-statement", "kid is not empty", statement=kid)
    signature: list[tuple[str, bytes]] = [
        ("turned bit", tampered(raw)),
        ("signed by another key", sign_payload(payload_of(raw), W.femi.signing_key, b"")),
        (
            "signed for another type",
            sign_payload(payload_of(raw), device.signing_key, b"", aad_type="opened"),
        ),
        ("signed for another network", sign_payload(payload_of(raw), device.signing_key, b"", aad_net="x")),
    ]
    for why, statement in signature:
        refuse("device", "E2", "bad-signature", why, statement=statement)
    weak = sign_payload(payload_of(raw) | {"sig": bytes([1]) + bytes(31)}, device.signing_key, b"")
    refuse("device", "E7", "weak-signing-key", "device key of small order", statement=weak)
    bad = sign_payload(payload_of(raw) | {"kem": b"\xff" * 1216}, device.signing_key, b"")
    refuse("device", "E7", "bad-kem-key", "device KEM key with coefficients not below q", statement=bad)


_statements()
_devices()


# --- E5 to E8

P = 2**255 - 19
SMALL_ED25519 = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]
LOW_X25519 = [
    0, 1, P - 1, P, P + 1, 2**255, 2**255 + 1, 2**255 + P - 1,
    0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
    0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
]  # fmt: skip


def with_coefficient(public: bytes, place: int, value: int) -> bytes:
    """The KEM key with one ML-KEM coefficient changed."""
    packed = int.from_bytes(public[:1152], "little")
    packed &= ~(0xFFF << 12 * place)
    return (packed | value << 12 * place).to_bytes(1152, "little") + public[1152:]


def _keys() -> None:
    for text in SMALL_ED25519:
        refuse(
            "signing-key",
            "E7",
            "weak-signing-key",
            f"small order {text[:8]}…{text[-2:]}",
            bytes=bytes.fromhex(text),
        )
    for y in (P, P + 1, P + 5, 2**255 - 1):
        for sign in (0, 2**255):
            data = (y | sign).to_bytes(32, "little")
            refuse(
                "signing-key",
                "E7",
                "weak-signing-key",
                f"not canonical, p + {y - P}, sign {sign > 0}",
                bytes=data,
            )
    refuse("signing-key", "E7", "weak-signing-key", "31 bytes", bytes=SigningKey(seed("x")).public[:31])
    public = KemKey(seed("x")).public
    for place in (0, 1, 2, 383, 766, 767):
        for value in (3329, 3330, 4095):
            data = with_coefficient(public, place, value)
            refuse("kem-key", "E7", "bad-kem-key", f"coefficient {place} is {value}", bytes=data)
    for u in LOW_X25519:
        data = public[:1184] + u.to_bytes(32, "little")
        refuse("kem-key", "E7", "bad-kem-key", f"low order X25519 {u % 2**32:x}", bytes=data)
    for size in (0, 32, 1215, 1217):
        refuse("kem-key", "E7", "bad-kem-key", f"{size} bytes", bytes=(public + b"\0")[:size])


def _kits() -> None:
    printed = RecoveryKit(NET, seed("A kit")).print()
    wrong = "0" if printed[0] != "0" else "1"
    texts = {
        "one character wrong": wrong + printed[1:],
        "two characters exchanged": printed[:-3] + printed[-2] + printed[-3] + printed[-1],
        "too short": printed[:-1],
        "too long": printed + "0",
        "last bits not zero": printed[:-1] + "1",
        "letter U": "U" + printed[1:],
        "nothing": "",
        "made for another network": RecoveryKit("other.example/s1", seed("A kit")).print(),
    }
    for why, text in texts.items():
        refuse("recovery-kit", "E6", "recovery-kit-mistyped", why, printed=text)


def _boxes() -> None:
    one, info = seed("sealed"), context(NET, "some info", 1)
    box = seal(KemKey(one).public, seed("the secret"), info)
    for why, given, sealed in (
        ("other info", context(NET, "some info", 2), box),
        ("turned bit in the ciphertext", info, tampered(box)),
        ("turned bit in the X25519 half", info, tampered(box, 1100)),
        ("turned bit in the ML-KEM half", info, tampered(box, 5)),
        ("cut off", info, box[:-1]),
        ("too short for a key", info, box[:100]),
    ):
        refuse("sealed", "E5", "cannot-open", why, seed=one, info=given, sealed=sealed)
    key, aad = seed("aead"), context(NET, "some aad")
    text = aead_seal(key, b"some text", aad)
    for why, given_key, given_aad, sealed in (
        ("other key", seed("x"), aad, text),
        ("other context", key, b"", text),
        ("turned bit", key, aad, tampered(text)),
        ("shorter than a tag", key, aad, text[:15]),
    ):
        refuse("aead", "E8", "cannot-open", why, key=given_key, aad=given_aad, sealed=sealed)


_keys()
_kits()
_boxes()
