"""Objects that break one rule each. Tests run them; the vectors carry them to the other implementation."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from messaging.sealed import envelopes as sealing
from messaging.sealed import keyring
from messaging.sealed.client import Device
from messaging.sealed.encoding import (
    ZERO,
    Encodable,
    context,
    context_hash,
    decode,
    derive_key,
    encode,
    sha256,
)
from messaging.sealed.keys import KemKey, RecoveryKit, SigningKey, aead_seal, seal
from messaging.sealed.message import Note, Plaintext, SealedMessage
from messaging.sealed.thread import By, ThreadState
from tests.sealed import world as w
from tests.sealed.world import NET, forge, payload_of, seed, sign_payload, tampered, with_envelopes, world

Data = bytes | str | int | None | list[bytes] | dict[str, int]


@dataclass(frozen=True)
class Case:
    """What is refused, by which rule with which code, and why; ``data`` as make_python.py describes."""

    kind: str
    rule: str
    code: str
    why: str
    data: dict[str, Data] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.rule} {self.code}: {self.why}"

    def as_json(self) -> dict[str, object]:
        data = {name: _hex(value) for name, value in self.data.items()}
        return {"kind": self.kind, "rule": self.rule, "code": self.code, "why": self.why, **data}


def _hex(value: Data) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return [part.hex() for part in value] if isinstance(value, list) else value


CASES: list[Case] = []


def refuse(kind: str, rule: str, code: str, why: str, **data: Data) -> None:
    CASES.append(Case(kind, rule, code, why, data))


def of_rule(rule: str) -> list[Case]:
    """The cases of a rule."""
    found = [case for case in CASES if case.rule == rule]
    assert found
    return found


W = world()


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


def _cose(raw: bytes) -> list[Encodable]:
    parts = decode(raw)
    assert isinstance(parts, list)
    return list(parts)


def _statement(code: str, why: str, raw: bytes, expect: str = "device", rule: str = "E2") -> None:
    refuse("statement", rule, code, why, bytes=raw, expect=expect)


def _statements() -> None:
    raw, device = W.dara.statement, W.dara
    parts = _cose(raw)
    protected, payload = parts[0], payload_of(raw)
    assert isinstance(protected, bytes)
    shapes: list[tuple[str, Encodable]] = [
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
    changes: list[tuple[str, str, dict[str, Encodable]]] = [
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
    changes: list[tuple[str, dict[str, Encodable]]] = [
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
    int.from_bytes(bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"), "little"),
    int.from_bytes(bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"), "little"),
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


# --- keyrings


def _keyring(
    rule: str,
    code: str,
    why: str,
    entry: bytes,
    *,
    label: str | None = "A",
    before: int = 1,
    statements: list[bytes] | None = None,
    envelopes: bytes | None = None,
) -> None:
    link = W.a.links[before] if before < len(W.a.links) else W.a.links[0]
    refuse(
        "keyring",
        rule,
        code,
        why,
        label=label if before else None,
        before=before,
        entry=entry,
        statements=list(link.statements) if statements is None else statements,
        envelopes=link.envelopes if envelopes is None else envelopes,
    )


def genesis(
    *,
    salt: bytes = W.a.salt,
    kind: str = "authority",
    devices: list[Encodable] | None = None,
    recovery: dict[str, Encodable] | None = None,
    **changes: Encodable,
) -> bytes:
    """A's genesis with changes; the principal id follows from them."""
    payload = payload_of(W.a.links[0].entry)
    rows = payload["devices"] if devices is None else devices
    key = payload["recovery"] if recovery is None else recovery
    principal = context_hash(NET, "principal", kind, salt, rows, key, None, None)
    given: dict[str, Encodable] = {
        "principal": principal, "kind": kind, "salt": salt, "devices": rows, "recovery": key, **changes,
    }  # fmt: skip
    return sign_payload(payload | given, W.dara.signing_key, W.dara.id)


def _keyring_genesis() -> None:
    zero = {"before": 0}
    dara = W.dara.id
    raw = W.a.links[0].entry
    elin = forge(W.elin.statement, W.elin, principal=None, salt=seed("other salt")[:16])
    stranger = w.make_device("stranger", salt=W.a.salt)
    _keyring("K1", "missing-entry", "a keyring starting at n = 1", forge(raw, W.dara, n=1), **zero)
    _keyring(
        "K1", "wrong-predecessor", "a genesis with a predecessor", forge(raw, W.dara, prev=seed("x")), **zero
    )
    _keyring(
        "K2",
        "not-a-steward",
        "signed by a device it does not list",
        sign_payload(payload_of(raw), W.femi.signing_key, W.femi.id),
        **zero,
    )
    _keyring(
        "E2",
        "bad-signature",
        "signed by another key under the steward's id",
        sign_payload(payload_of(raw), W.femi.signing_key, dara),
        **zero,
    )
    _keyring(
        "K3",
        "wrong-principal",
        "the id of another principal",
        forge(raw, W.dara, principal=W.b.principal),
        **zero,
    )
    _keyring("K3", "wrong-principal", "the salt exchanged", forge(raw, W.dara, salt=bytes(16)), **zero)
    for why, code, entry in (
        ("an unknown kind", "unknown-kind", genesis(kind="practitioner")),
        ("an unknown reason", "unknown-reason", forge(raw, W.dara, reason="recover")),
        ("no genesis at the start", "unexpected-change", forge(raw, W.dara, reason="add")),
        ("no salt", "unexpected-change", forge(raw, W.dara, salt=None)),
        ("no recovery key", "unexpected-change", forge(raw, W.dara, recovery=None)),
        ("a history", "bad-history", forge(raw, W.dara, history={"of": 0, "wrap": bytes(48)})),
        ("a sponsor", "unknown-field-value", forge(raw, W.dara, sponsor=bytes(32))),
        ("a predecessor authority", "unknown-field-value", forge(raw, W.dara, succeeds=bytes(32))),
        (
            "a sponsored practitioner",
            "unknown-field-value",
            forge(raw, W.dara, sponsored=[[bytes(32), bytes(32)]]),
        ),
        ("an act", "unknown-act", forge(raw, W.dara, acts=[bytes(32)])),
        ("an unknown role", "unknown-role", genesis(devices=[[dara, ["admin", "steward"]]])),
        ("no role", "unknown-role", genesis(devices=[[dara, []]])),
        ("unsorted roles", "not-sorted", genesis(devices=[[dara, ["steward", "officer"]]])),
        ("a role twice", "not-sorted", genesis(devices=[[dara, ["steward", "steward"]]])),
        ("a device twice", "not-sorted", genesis(devices=[[dara, ["steward"]], [dara, ["steward"]]])),
        (
            "unsorted devices",
            "not-sorted",
            genesis(devices=sorted([[dara, ["steward"]], [W.femi.id, ["officer"]]], reverse=True)),
        ),
        ("no steward", "no-steward", genesis(devices=[[dara, ["officer", "supervisor"]]])),
        ("no devices", "no-steward", genesis(devices=[])),
    ):
        _keyring("K3", code, why, entry, **zero)
    _keyring("K3", "missing-statement", "a device without a statement", raw, statements=[], **zero)
    _keyring(
        "K3",
        "wrong-statement",
        "a statement for another genesis",
        _two(sha256(elin)),
        statements=[W.dara.statement, elin],
        **zero,
    )
    _keyring(
        "K5",
        "reused-key",
        "two devices with one key",
        _two(_twin().id),
        statements=[W.dara.statement, _twin().statement],
        **zero,
    )
    _keyring(
        "K5",
        "reused-key",
        "a device key as recovery key",
        genesis(recovery={"sig": W.dara.signing_key.public, "kem": W.a.kit.public.kem}),
        **zero,
    )
    _keyring("K4", "wrong-floor", "a floor", forge(raw, W.dara, floor=1), **zero)
    _keyring(
        "E7",
        "weak-signing-key",
        "a recovery key of small order",
        genesis(recovery={"sig": bytes(32), "kem": W.a.kit.public.kem}),
        **zero,
    )
    _keyring(
        "E7",
        "bad-kem-key",
        "a mailbox key with coefficients not below q",
        forge(raw, W.dara, mailbox=b"\xff" * 1216),
        **zero,
    )
    _keyring(
        "K4",
        "wrong-recipients",
        "a listed device without envelope",
        _two(stranger.id),
        statements=[W.dara.statement, stranger.statement],
        **zero,
    )


def _two(other: bytes) -> bytes:
    rows: list[Encodable] = [
        *sorted([[W.dara.id, ["officer", "steward", "supervisor"]], [other, ["officer"]]])
    ]
    return genesis(devices=rows)


def _twin() -> Device:
    return replace(W.dara, statement=forge(W.dara.statement, W.dara, name="Twin"))


def _keyring_addition() -> None:
    raw, dara = W.a.links[1].entry, W.dara
    rows = payload_of(raw)["devices"]
    assert isinstance(rows, list)
    for why, code, entry in (
        ("an entry known already", "stale-epoch", W.a.links[0].entry),
        ("a skipped entry", "missing-entry", forge(raw, dara, n=2)),
        ("another predecessor", "wrong-predecessor", forge(raw, dara, prev=seed("x"))),
        ("another principal", "wrong-predecessor", forge(raw, dara, principal=W.b.principal)),
    ):
        _keyring("K1", code, why, entry)
    _keyring("K1", "stale-epoch", "a second entry for the same place", raw, before=2)
    by_elin = sign_payload(payload_of(raw), W.elin.signing_key, W.elin.id)
    _keyring("K2", "not-a-steward", "an added device adding itself", by_elin)
    by_kit = sign_payload(payload_of(raw), W.a.kit.signing_key, W.a.kit.id)
    _keyring("K2", "not-a-steward", "the recovery key", by_kit)
    _keyring("E2", "bad-signature", "a turned bit in the signature", tampered(raw))
    dara_only = [row for row in rows if isinstance(row, list) and row[0] == dara.id]
    elin_only = [row for row in rows if isinstance(row, list) and row[0] != dara.id]
    lowered = sorted([[dara.id, ["steward"]], *elin_only])
    for why, code, entry in (
        ("a device removed", "no-steward", forge(raw, dara, devices=elin_only)),
        ("a role lowered", "unexpected-change", forge(raw, dara, devices=lowered)),
        ("nothing added", "unexpected-change", forge(raw, dara, devices=dara_only)),
        ("a kind changed", "unexpected-change", forge(raw, dara, kind="secretariat")),
        (
            "a recovery key changed",
            "unexpected-change",
            forge(raw, dara, recovery=payload_of(W.b.links[0].entry)["recovery"]),
        ),
        ("a recovery key dropped", "unexpected-change", forge(raw, dara, recovery=None)),
        ("a salt", "unexpected-change", forge(raw, dara, salt=W.a.salt)),
        ("a second genesis", "unexpected-change", forge(raw, dara, reason="genesis")),
        ("a reason of later parts", "unknown-reason", forge(raw, dara, reason="rotate")),
        ("no history", "bad-history", forge(raw, dara, history=None)),
        ("a history to itself", "bad-history", forge(raw, dara, history={"of": 1, "wrap": bytes(48)})),
    ):
        _keyring("K3", code, why, entry)
    stranger = w.make_device("stranger", principal=W.b.principal)
    listed: Encodable = sorted([*dara_only, [stranger.id, ["officer"]]])
    _keyring(
        "K3",
        "wrong-statement",
        "a device of another principal",
        forge(raw, dara, devices=listed),
        statements=[stranger.statement],
    )
    _keyring("K3", "missing-statement", "an added device without a statement", raw, statements=[])
    for why, change in (
        ("the mailbox of the entry before", {"mailbox": W.a.links[0].state.mailbox}),
        ("the commit of the entry before", {"commit": W.a.links[0].state.commit}),
        ("a device key as mailbox", {"mailbox": dara.kem_key.public}),
    ):
        _keyring("K5", "reused-key", why, forge(raw, dara, **change))
    twin = replace(dara, statement=forge(dara.statement, dara, principal=W.a.principal, salt=None))
    doubled: Encodable = sorted([*dara_only, [twin.id, ["officer"]]])
    _keyring(
        "K5",
        "reused-key",
        "a listed device's keys again",
        forge(raw, dara, devices=doubled),
        statements=[twin.statement],
    )
    _keyring(
        "E7",
        "bad-kem-key",
        "a mailbox of low order",
        forge(raw, dara, mailbox=W.a.newest.mailbox[:1184] + bytes(32)),
    )
    _keyring("K4", "wrong-floor", "a raised floor", forge(raw, dara, floor=1))


def _rows(blob: bytes) -> list[list[Encodable]]:
    rows = decode(blob)
    assert isinstance(rows, list)
    return [list(row) for row in rows if isinstance(row, list)]


def broken_envelopes(blob: bytes, stranger: bytes) -> list[tuple[str, str, bytes]]:
    """Blobs that an entry may be signed for and that are not its envelopes."""
    rows = _rows(blob)
    box = rows[0][1]
    assert isinstance(box, bytes)
    shapes: list[tuple[str, str, Encodable]] = [
        ("one is missing", "wrong-recipients", rows[1:]),
        ("one too many", "wrong-recipients", sorted([*rows, [stranger, box]], key=lambda row: bytes(row[0]))),  # type: ignore[arg-type]
        ("unsorted", "wrong-recipients", rows[::-1]),
        ("one twice", "wrong-recipients", [rows[0], *rows]),
        ("another recipient", "wrong-recipients", [[stranger, box], *rows[1:]]),
        ("not pairs", "wrong-recipients", [[*row, 1] for row in rows]),
        ("not a list", "wrong-recipients", {}),
        ("recipient is text", "wrong-recipients", [["x", box], *rows[1:]]),
        ("one byte short", "bad-envelope-size", [[rows[0][0], box[:-1]], *rows[1:]]),
    ]
    return [(why, code, encode(shape)) for why, code, shape in shapes]


def _keyring_envelopes() -> None:
    link = W.a.links[1]
    for why, code, blob in broken_envelopes(link.envelopes, seed("x")):
        entry = with_envelopes(link.entry, W.dara, blob)
        _keyring("K4", code, f"envelopes: {why}", entry, envelopes=blob)
    rows = _rows(link.envelopes)
    rows[0][1] = tampered(bytes(rows[0][1]))  # type: ignore[arg-type]
    _keyring("K4", "wrong-sealed", "envelopes exchanged after signing", link.entry, envelopes=encode(rows))
    _keyring(
        "E1", "bad-encoding", "envelopes with trailing bytes", link.entry, envelopes=link.envelopes + b"\0"
    )


PAIR = w.found("pair", "ines", "juri")


def _approvals() -> None:
    for role in ("steward", "supervisor"):
        device, made = w.make_addition(PAIR, f"kim-{role}", role)
        refuse(
            "keyring", "K6", "approval-needed", f"a {role} added by one of two stewards", label="pair", before=1,
            entry=made.entry, statements=[device.statement], envelopes=made.envelopes,
        )  # fmt: skip


def remade(
    link: w.Link, device: Device, secret: bytes, blob_secret: bytes, **changes: Encodable
) -> tuple[bytes, bytes]:
    """A's entry 1 sealing ``blob_secret``, with the commit and mailbox of ``secret``."""
    read = keyring.read_entry(NET, link.entry)
    commit = changes.get("commit", context_hash(NET, "mailbox commit", read.principal, read.n, secret))
    recipients = {row.id: row.kem for row in link.state.devices} | {W.a.kit.id: W.a.kit.public.kem}
    blob, sealed = sealing.make(
        NET, blob_secret, recipients,
        lambda to: context(NET, "keyring envelope", read.principal, read.n, read.prev, commit, to, device.id),
    )  # fmt: skip
    mailbox = keyring.mailbox_key(NET, read.principal, read.n, secret).public
    return forge(
        link.entry, device, **({"commit": commit, "sealed": sealed, "mailbox": mailbox} | changes)
    ), blob


def _generations() -> None:
    link, other = W.a.links[1], seed("other secret")
    cases = {
        "wrong-commit": remade(link, W.dara, other, link.secret),
        "wrong-mailbox": remade(link, W.dara, other, other, mailbox=KemKey(seed("x")).public),
    }
    for code, (entry, blob) in cases.items():
        refuse("generation", "K7", code, code, label="A", n=1, entry=entry, envelopes=blob, device="elin")
    refuse("generation", "E5", "cannot-open", "the envelope of another device", label="A", n=1, entry=link.entry,
           envelopes=link.envelopes, device="femi", recipient=W.elin.id)  # fmt: skip
    for why, wrap, of in (
        ("not a wrap of this secret", bytes(48), 0),
        (
            "another secret in it",
            sealing.wrap(NET, "keyring history", W.a.principal, 1, link.secret, 0, other).wrap,
            0,
        ),
    ):
        entry = forge(link.entry, W.dara, history={"of": of, "wrap": wrap})
        refuse("keyring-history", "K7", "wrong-history", why, label="A", entry=entry, secret=link.secret)


_keyring_genesis()
_keyring_addition()
_keyring_envelopes()
_approvals()
_generations()


# --- threads

T = W.server
NEWEST = {"A": 1, "B": 0, "C": 0, "secretariat": 0}
OLD = NEWEST | {"A": 0}


def _thread(
    rule: str, code: str, why: str, entry: bytes, *, before: int = 3, keyrings: dict[str, int] = NEWEST,
    envelopes: bytes | None = None,
) -> None:  # fmt: skip
    blob = T.items[3 if before else 0].envelopes if envelopes is None else envelopes
    refuse("thread", rule, code, why, before=before, keyrings=keyrings, entry=entry, envelopes=blob)


def _members(*changes: dict[str, Encodable]) -> list[dict[str, Encodable]]:
    rows = payload_of(T.items[0].item)["members"]
    assert isinstance(rows, list)
    return [dict(row) | change for row, change in zip(rows, changes, strict=False) if isinstance(row, dict)]


def thread_genesis(members: Encodable = None, *, kind: str = "case", **changes: Encodable) -> bytes:
    """The genesis with changes; the thread id follows from them."""
    payload = payload_of(T.items[0].item)
    rows = payload["members"] if members is None else members
    thread = context_hash(NET, "thread", payload["salt"], kind, None, rows, W.dara.id)
    return forge(T.items[0].item, W.dara, **({"members": rows, "kind": kind, "thread": thread} | changes))


def _row(state: keyring.KeyringState, **changes: Encodable) -> dict[str, Encodable]:
    row: dict[str, Encodable] = {
        "principal": state.principal, "keyring_n": state.n, "keyring_head": state.head, "role": "party",
        "mandate": None,
    }  # fmt: skip
    return row | changes


def _sorted(*rows: dict[str, Encodable]) -> list[dict[str, Encodable]]:
    return sorted(rows, key=lambda row: bytes(row["principal"]))  # type: ignore[arg-type]


def _thread_genesis() -> None:
    raw = T.items[0].item
    a, b, c = W.a.links[0].state, W.b.newest, W.c.newest
    zero = {"before": 0, "keyrings": OLD}

    def refuse_genesis(rule: str, code: str, why: str, entry: bytes) -> None:
        _thread(rule, code, why, entry, before=0, keyrings=OLD)

    refuse_genesis("T1", "missing-entry", "a thread starting at n = 1", forge(raw, W.dara, n=1))
    refuse_genesis(
        "T1", "wrong-predecessor", "a genesis with a predecessor", forge(raw, W.dara, prev=seed("x"))
    )
    refuse_genesis(
        "T1",
        "stale-transcript",
        "a genesis after something",
        forge(raw, W.dara, after={"seq": 1, "hash": ZERO}),
    )
    refuse_genesis(
        "T1",
        "unknown-member-keyring",
        "a head that is not on the keyring",
        thread_genesis(_sorted(_row(a), _row(b, keyring_head=seed("x")))),
    )
    refuse_genesis(
        "T1",
        "unknown-member-keyring",
        "a principal nobody knows",
        thread_genesis(_sorted(_row(a), _row(b, principal=seed("ghost")))),
    )
    _thread(
        "T1",
        "stale-member-keyring",
        "a member's entry that is not the newest",
        raw,
        before=0,
        keyrings=NEWEST,
    )
    refuse_genesis("T2", "not-a-member", "an author who is no member", thread_genesis(_sorted(_row(b))))
    refuse_genesis(
        "T2",
        "unlisted-device",
        "a device not listed",
        sign_payload(payload_of(thread_genesis()), W.femi.signing_key, W.femi.id),
    )
    refuse_genesis(
        "T2",
        "stale-author-keyring",
        "a head not on the author's keyring",
        forge(raw, W.dara, by=By(a.principal, 0, seed("x")).as_map()),
    )
    refuse_genesis("T2", "unexpected-change", "no salt", forge(raw, W.dara, salt=None))
    refuse_genesis("T2", "unexpected-change", "no kind", forge(raw, W.dara, kind=None))
    refuse_genesis("T2", "unexpected-change", "a refresh at the start", forge(raw, W.dara, reason="refresh"))
    refuse_genesis(
        "E2",
        "bad-signature",
        "signed by another key",
        sign_payload(payload_of(raw), W.femi.signing_key, W.dara.id),
    )
    refuse_genesis("T3", "wrong-thread", "another id", forge(raw, W.dara, thread=seed("x")))
    for why, code, entry in (
        ("a kind of later parts", "unknown-kind", thread_genesis(kind="direct")),
        ("a reason of later parts", "unknown-reason", forge(raw, W.dara, reason="join")),
        ("an act", "unknown-act", forge(raw, W.dara, acts=[bytes(32)])),
        ("a link", "unknown-field-value", forge(raw, W.dara, link=bytes(32))),
        ("a role of later parts", "unknown-role", thread_genesis(_sorted(_row(a), _row(b, role="observer")))),
        ("a mandate", "unknown-field-value", thread_genesis(_sorted(_row(a), _row(b, mandate=bytes(32))))),
        ("three parties", "wrong-members", thread_genesis(_sorted(_row(a), _row(b), _row(c)))),
        ("no party", "wrong-members", thread_genesis([])),
        ("unsorted members", "wrong-members", thread_genesis(_sorted(_row(a), _row(b))[::-1])),
        ("a member twice", "wrong-members", thread_genesis([_row(a), _row(a)])),
        ("the secretariat", "not-an-authority", thread_genesis(_sorted(_row(a), _row(W.secretariat.newest)))),
    ):
        refuse_genesis("T3", code, why, entry)
    history = {"of": 0, "wrap": bytes(48)}
    refuse_genesis("T6", "bad-history", "a history at the start", forge(raw, W.dara, history=history))
    assert T.items[0].envelopes is not None
    for why, code, blob in broken_envelopes(T.items[0].envelopes, seed("x")):
        _thread("T1", code, f"envelopes: {why}", with_envelopes(raw, W.dara, blob), envelopes=blob, **zero)  # type: ignore[arg-type]
    rows = _rows(T.items[0].envelopes)
    rows[0][1] = tampered(bytes(rows[0][1]))  # type: ignore[arg-type]
    _thread("T1", "wrong-sealed", "envelopes exchanged after signing", raw, envelopes=encode(rows), **zero)  # type: ignore[arg-type]


def _thread_refresh() -> None:
    raw, elin = T.items[3].item, W.elin
    after = payload_of(raw)["after"]
    a, b = W.a.newest, W.b.newest
    for why, code, entry in (
        ("an entry known already", "stale-epoch", T.items[0].item),
        ("a skipped entry", "missing-entry", forge(raw, elin, n=2)),
        ("another predecessor", "wrong-predecessor", forge(raw, elin, prev=seed("x"))),
        ("another thread", "wrong-predecessor", forge(raw, elin, thread=seed("x"))),
        ("another transcript", "stale-transcript", forge(raw, elin, after={"seq": 3, "hash": seed("x")})),
        (
            "an older end",
            "stale-transcript",
            forge(raw, elin, after={"seq": 2, "hash": T.states[1].transcript}),
        ),
    ):
        _thread("T1", code, why, entry)
    _thread("T1", "stale-epoch", "a second entry for the same place", raw, before=4)
    _thread("T1", "stale-transcript", "an item came between", raw, before=2)
    assert after is not None
    older = _sorted(_row(W.a.links[0].state), _row(b))
    _thread("T1", "stale-member-keyring", "sealed to an older mailbox", forge(raw, elin, members=older))
    _thread(
        "T2",
        "stale-author-keyring",
        "an author's entry that is not the newest",
        sign_payload(payload_of(raw) | {"by": W.a.by(0).as_map()}, W.dara.signing_key, W.dara.id),
    )
    gita = sign_payload(
        payload_of(raw) | {"by": W.c.by().as_map()}, W.c.devices["gita"].signing_key, W.c.devices["gita"].id
    )
    _thread("T2", "not-a-member", "an author of another principal", gita)
    _thread(
        "T2",
        "unlisted-device",
        "a device of the other party under this one's name",
        sign_payload(payload_of(raw), W.femi.signing_key, W.femi.id),
    )
    for why, change in (
        ("a member dropped", {"members": [_row(a)]}),
        ("a member exchanged", {"members": _sorted(_row(a), _row(W.c.newest))}),
        ("a salt", {"salt": bytes(16)}),
        ("a kind", {"kind": "case"}),
        ("a second genesis", {"reason": "genesis"}),
    ):
        _thread("T2", "unexpected-change", why, forge(raw, elin, **change))  # type: ignore[arg-type]
    _thread("T3", "unknown-reason", "a reason of later parts", forge(raw, elin, reason="repair"))
    _thread("T6", "bad-history", "no history", forge(raw, elin, history=None))
    _thread(
        "T6", "bad-history", "a history to itself", forge(raw, elin, history={"of": 1, "wrap": bytes(48)})
    )
    _thread("E2", "bad-signature", "a turned bit in the signature", tampered(raw))
    _thread(
        "E2", "bad-statement", "a history of 47 bytes", forge(raw, elin, history={"of": 0, "wrap": bytes(47)})
    )


def _epochs() -> None:
    raw, other = T.items[3].item, seed("other epoch")
    payload = payload_of(raw)
    boxes = {W.a.principal: W.a.newest.mailbox, W.b.principal: W.b.newest.mailbox}
    heads = {W.a.principal: W.a.newest.head, W.b.principal: W.b.newest.head}
    place = (payload["thread"], 1, payload["prev"], payload["commit"])
    blob, _ = sealing.make(
        NET, other, boxes, lambda to: context(NET, "thread envelope", *place, to, heads[to], W.elin.id)
    )
    entry = with_envelopes(raw, W.elin, blob)
    refuse(
        "epoch",
        "T7",
        "wrong-commit",
        "another secret in the envelope",
        entry=entry,
        envelopes=blob,
        member="B",
    )
    refuse("epoch", "E5", "cannot-open", "sealed in another context", entry=forge(raw, W.elin, prev=seed("x")),
           envelopes=T.items[3].envelopes, member="B")  # fmt: skip
    thread = bytes(payload["thread"])  # type: ignore[arg-type]
    wrong = sealing.wrap(NET, "thread history", thread, 1, T.secrets[1], 0, other)
    for why, wrap in (("not a wrap of this secret", bytes(48)), ("another secret in it", wrong.wrap)):
        entry = forge(raw, W.elin, history={"of": 0, "wrap": wrap})
        refuse("thread-history", "T7", "wrong-history", why, entry=entry, secret=T.secrets[1])


_thread_genesis()
_thread_refresh()
_epochs()


# --- messages


def _message(
    rule: str, code: str, why: str, item: bytes, *, before: int = 4, keyrings: dict[str, int] = NEWEST,
    ciphertext: bytes | None = None,
) -> None:  # fmt: skip
    text = T.items[before].ciphertext if ciphertext is None else ciphertext
    refuse("message", rule, code, why, before=before, keyrings=keyrings, item=item, ciphertext=text)


NOTE = Plaintext(Note("another"), "en")


def _sealed(state: ThreadState, device: Device, by: By, **facts: object) -> SealedMessage:
    return w.seal(state, T.secrets[state.n], by, device, NOTE, label="new", **facts)  # type: ignore[arg-type]


def _messages() -> None:
    raw, elin, dara = T.items[4].item, W.elin, W.dara
    state = T.states[3]
    a = W.a.newest
    thread = {"thread": seed("x")}
    _message("M1", "wrong-thread", "replayed into another thread", forge(raw, elin, **thread))
    _message("M1", "wrong-epoch", "an epoch to come", forge(raw, elin, n=2))
    _message("M1", "wrong-epoch", "another head", forge(raw, elin, head=seed("x")))
    _message("T4", "stale-epoch", "an epoch gone by", forge(raw, elin, n=0, head=T.states[0].head))
    _message(
        "M1",
        "not-a-member",
        "an author of another principal",
        sign_payload(
            payload_of(raw) | {"by": W.c.by().as_map()},
            W.c.devices["gita"].signing_key,
            W.c.devices["gita"].id,
        ),
    )
    _message(
        "M1",
        "unlisted-device",
        "a device not listed",
        sign_payload(payload_of(raw), W.femi.signing_key, W.femi.id),
    )
    _message(
        "M1",
        "stale-author-keyring",
        "a head not on the keyring",
        forge(raw, elin, by=By(a.principal, 1, seed("x")).as_map()),
    )
    _message(
        "M1",
        "stale-author-keyring",
        "an entry that is not the newest",
        sign_payload(payload_of(raw) | {"by": W.a.by(0).as_map()}, dara.signing_key, dara.id),
    )
    _message(
        "M1",
        "author-keyring-fell",
        "an entry older than the thread's",
        sign_payload(payload_of(raw) | {"by": W.a.by(0).as_map()}, dara.signing_key, dara.id),
        keyrings=OLD,
    )
    repeated = forge(raw, elin, id=seed("first id")[:16])
    _message("M2", "repeated-id", "the id of an earlier message", repeated)
    _message("E2", "bad-signature", "a turned bit in the signature", tampered(raw))
    text = T.items[4].ciphertext
    assert text is not None
    _message("M3", "wrong-cipher", "a turned bit in the ciphertext", raw, ciphertext=tampered(text))
    for size in (0, 511, 513, 1023, 49152):
        data = bytes(size)
        _message(
            "M3",
            "bad-size",
            f"a ciphertext of {size} bytes",
            forge(raw, elin, cipher=sha256(data)),
            ciphertext=data,
        )
    for why, code, change in (
        ("a kind of later parts", "unknown-kind", {"kind": "request"}),
        ("a stage", "unknown-field-value", {"stage": "sent"}),
        ("an urgency", "unknown-field-value", {"urgency": 1}),
        ("a due date", "unknown-field-value", {"due": 1}),
        ("a file", "unknown-field-value", {"files": [{}]}),
        ("a log size", "unknown-field-value", {"log": {"size": 1, "root": ZERO}}),
        ("an act", "unknown-act", {"acts": [ZERO]}),
    ):
        _message("M3", code, why, forge(raw, elin, **change))  # type: ignore[arg-type]
    _message("E2", "bad-statement", "an urgency that is true", forge(raw, elin, urgency=True))
    _message("E2", "bad-statement", "an id of 15 bytes", forge(raw, elin, id=bytes(15)))
    one = seed("void")[:16]
    for why, code, change in (
        ("a counter that skips", "counter-gap", {"counter": 1}),
        ("a void without its count", "counter-gap", {"void": [one]}),
        ("a void named twice", "counter-gap", {"void": [one, one], "counter": 2}),
        ("a first message after something", "wrong-previous", {"prev": seed("x")}),
    ):
        _message("M4", code, why, forge(raw, elin, **change))  # type: ignore[arg-type]
    itself: dict[str, Encodable] = {"void": [payload_of(raw)["id"]], "counter": 1}
    _message("M4", "never-delivered", "names itself as refused", forge(raw, elin, **itself))
    again = _sealed(T.states[2], dara, W.a.by(0), counter=0)
    _message(
        "M4",
        "counter-gap",
        "a second first message",
        again.item,
        before=3,
        keyrings=OLD,
        ciphertext=again.ciphertext,
    )
    other = _sealed(T.states[2], dara, W.a.by(0), counter=1, prev=seed("x"))
    _message(
        "M4",
        "wrong-previous",
        "another message before",
        other.item,
        before=3,
        keyrings=OLD,
        ciphertext=other.ciphertext,
    )
    for why, seq, found in (
        ("another transcript", state.seq, seed("x")),
        ("a place to come", state.seq + 1, state.transcript),
        ("no place", 0, ZERO),
        ("another place's transcript", 2, T.states[2].transcript),
    ):
        _message("M7", "wrong-transcript", why, forge(raw, elin, after={"seq": seq, "hash": found}))
    early = _sealed(T.states[0], dara, W.a.by(0), counter=1, prev=sha256(T.items[1].item))
    _message(
        "M7",
        "wrong-transcript",
        "before the device's own message",
        early.item,
        before=3,
        keyrings=OLD,
        ciphertext=early.ciphertext,
    )


def seal_padded(
    padded: bytes, blind: bytes = seed("b"), plain: bytes | None = None, **changes: Encodable
) -> SealedMessage:
    """Elin's note with any padded text, whatever it says."""
    payload = payload_of(T.items[4].item)
    given = context_hash(NET, "plain", blind, padded) if plain is None else plain
    place = (payload["thread"], payload["n"], payload["id"], W.elin.id)
    key = derive_key(NET, T.secrets[1], "message key", *place, given)
    text = aead_seal(key, blind + padded, context(NET, "message", *place))
    return SealedMessage(forge(T.items[4].item, W.elin, plain=given, cipher=sha256(text), **changes), text)


def _pad(text: bytes, size: int = 512 - 48) -> bytes:
    return (text + b"\x80").ljust(size, b"\0")


def _bodies() -> None:
    plain: dict[str, Encodable] = {
        "body": {"type": "note", "text": "x"}, "checkpoint": None, "foreign_reference": None, "language": "en",
        "marks": [], "own_reference": None, "subject": None,
    }  # fmt: skip

    def refuse_open(code: str, why: str, sealed: SealedMessage) -> None:
        refuse(
            "open-message",
            "M5",
            code,
            why,
            item=sealed.item,
            ciphertext=sealed.ciphertext,
            secret=T.secrets[1],
        )

    refuse_open("wrong-plain", "another text than signed", seal_padded(_pad(encode(plain)), plain=seed("x")))
    acknowledgement: Encodable = {"type": "acknowledgement", "of": bytes(16), "seq": 2}
    bodies: list[tuple[str, Encodable]] = [
        ("a body of another kind than the header", plain | {"body": acknowledgement}),
        ("an unknown body", plain | {"body": {"type": "request", "text": "x"}}),
        ("a body with a further field", plain | {"body": {"type": "note", "text": "x", "y": 1}}),
        ("a text that is bytes", plain | {"body": {"type": "note", "text": b"x"}}),
        ("a further field", plain | {"x": 1}),
        ("a missing field", {name: value for name, value in plain.items() if name != "subject"}),
        ("a subject of 201 characters", plain | {"subject": "s" * 201}),
        ("a reference of 101 characters", plain | {"own_reference": "s" * 101}),
        ("a mark", plain | {"marks": ["x"]}),
        ("a checkpoint", plain | {"checkpoint": "x"}),
        ("no language", plain | {"language": None}),
    ]
    for why, body in bodies:
        refuse_open("wrong-body", why, seal_padded(_pad(encode(body))))
    good = encode(plain)
    for why, padded in (
        ("no padding", good.ljust(464, b"\0")),
        ("wrong padding", (good + b"\x80").ljust(463, b"\0") + b"\1"),
        ("more padding than needed", _pad(good, 1024 - 48)),
        ("not E1", _pad(b"\xff")),
    ):
        refuse_open("wrong-body", why, seal_padded(padded))
    other = forge(T.items[4].item, W.elin, id=seed("x")[:16])
    refuse("open-message", "E8", "cannot-open", "the ciphertext of another id", item=other,
           ciphertext=T.items[4].ciphertext, secret=T.secrets[1])  # fmt: skip


_messages()
_bodies()


# --- receipts and opened


def _receipts() -> None:
    item, state = T.items[1], T.states[1]
    right = {"seq": 2, "item": item.item, "transcript": state.transcript}
    made: list[tuple[str, Callable[[], bytes]]] = [
        ("another place", lambda: T.receipt(3, item.item, state.transcript)),
        ("another item", lambda: T.receipt(2, T.items[2].item, state.transcript)),
        ("another transcript", lambda: T.receipt(2, item.item, seed("x"))),
        ("another thread", lambda: T.receipt(2, item.item, state.transcript, thread=seed("x"))),
    ]
    assert right["seq"] == 2
    for why, make in made:
        refuse("receipt", "T8", "wrong-receipt", why, receipt=make(), seq=2)
    refuse("receipt", "E2", "bad-signature", "a turned bit", receipt=tampered(item.receipt), seq=2)
    other = sign_payload(
        payload_of(item.receipt),
        SigningKey(seed("x")),
        context_hash(NET, "server key", SigningKey(seed("x")).public),
    )
    refuse("receipt", "E2", "bad-signature", "another server", receipt=other, seq=2)


def _openeds() -> None:
    state = T.states[4]
    payload: dict[str, Encodable] = {
        "t": "opened", "v": 1, "suite": 1, "net": NET, "at": w.START, "by": W.a.by().as_map(),
        "thread": state.thread, "seq": 5, "transcript": state.transcript,
    }  # fmt: skip
    changes: list[tuple[str, str, str, dict[str, Encodable], Device]] = [
        ("M7", "wrong-transcript", "another transcript", {"transcript": seed("x")}, W.elin),
        ("M7", "wrong-transcript", "a place to come", {"seq": 6}, W.elin),
        ("M7", "wrong-transcript", "no place", {"seq": 0}, W.elin),
        ("M1", "wrong-thread", "another thread", {"thread": seed("x")}, W.elin),
        ("M1", "not-a-member", "another principal", {"by": W.c.by().as_map()}, W.c.devices["gita"]),
        ("M1", "unlisted-device", "a device of the other party", {}, W.femi),
    ]
    for rule, code, why, change, device in changes:
        signed = sign_payload(payload | change, device.signing_key, device.id)
        refuse("opened", rule, code, f"opened: {why}", opened=signed, before=5, keyrings=NEWEST)
    signed = sign_payload(payload, W.dara.signing_key, W.elin.id)
    refuse(
        "opened",
        "E2",
        "bad-signature",
        "opened: signed by another device",
        opened=signed,
        before=5,
        keyrings=NEWEST,
    )


_receipts()
_openeds()
