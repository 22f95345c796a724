"""R1 to R4: records that prove themselves, and reports that disclose what was written and nothing else."""

import json
import random
from base64 import b64decode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from messaging.sealed.checkpoint import make_checkpoint
from messaging.sealed.container import pack, unpack
from messaging.sealed.encoding import decode, encode, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keys import RecoveryKit
from messaging.sealed.message import (
    Message,
    Note,
    Plaintext,
    read_message,
    read_padded,
)
from messaging.sealed.record import (
    FACTS,
    KEYS,
    MANIFEST,
    WHOLE,
    Disclosed,
    OpeningCode,
    item_path,
    keyring_parts,
    make_thread_record,
    text_path,
)
from messaging.sealed.record_check import ARCHIVE, Checked, Key, check_thread_record, is_one_message, kind_of
from messaging.sealed.record_log import CHECKPOINT, LogProof, log_parts, proof_path
from messaging.sealed.record_one import Proven, check_message_record
from messaging.sealed.report import CAUSES, read_report
from messaging.sealed.transparency import FullTree, Leaf, leaf_hash
from tests.sealed.records import (
    CODE,
    disclosed_of,
    exported,
    facts_of,
    manifest_of,
    one,
    parts_of,
    record,
    report,
)
from tests.sealed.world import NET, START, Party, forge, seed, signed_by, tampered, world

VECTORS = Path(__file__).resolve().parents[1] / "vectors/records"


def rebuilt(**changes: bytes | None) -> bytes:
    """The record with parts changed after the export, in an archive that holds."""
    parts = unpack(record()).parts | {name: part for name, part in changes.items() if part is not None}
    return pack(
        {name: part for name, part in parts.items() if name not in changes or changes[name] is not None}
    )


def found_in(checked: Checked) -> set[tuple[str, str, str]]:
    return {(fault.part, fault.rule, fault.code) for fault in checked.faults}


def test_r2_a_record_holds_and_says_who_wrote_what() -> None:
    checked = check_thread_record(record())
    assert checked.faults == []
    assert checked.texts == world().server.plaintexts
    assert checked.exporter
    assert checked.exporter.device == world().elin.id
    names = [device.name for message in checked.messages() if (device := checked.device(message))]
    assert names == ["Dara", "Femi", "Elin"]
    assert kind_of(record()) == WHOLE


def test_r2_a_sealed_record_is_verified_without_a_key_and_shows_nothing() -> None:
    checked = check_thread_record(record(readable=False))
    assert checked.is_sound
    assert len(checked.messages()) == 3
    assert checked.texts == {}
    for text in (b"Begaran", "Begäran 17".encode(), b"A-17/2026", b"x" * 40):
        assert text not in record(readable=False)


@pytest.mark.parametrize("name", ["kit", "device", "first device", "code"])
def test_r2_a_sealed_record_opens_with_the_kit_a_device_or_its_code(name: str) -> None:
    made = world()
    keys: dict[str, Key | OpeningCode] = {
        "kit": Key(made.a.kit.id, made.a.kit.kem_key),
        "device": Key(made.elin.id, made.elin.kem_key),
        "first device": Key(made.dara.id, made.dara.kem_key),
        "code": OpeningCode.parse(NET, CODE.print().lower()),
    }
    checked = check_thread_record(record(readable=False), keys[name])
    assert checked.faults == []
    assert checked.texts == made.server.plaintexts


def test_r2_a_strangers_key_or_code_opens_nothing() -> None:
    made = world()
    for party in (made.b, made.c):
        checked = check_thread_record(record(readable=False), Key(party.kit.id, party.kit.kem_key))
        assert found_in(checked) == {(f"keyrings/{made.a.principal.hex()}", "R2", "cannot-open")}
        assert checked.texts == {}
    checked = check_thread_record(record(readable=False), OpeningCode(NET, seed("another")))
    assert found_in(checked) == {(KEYS, "E8", "cannot-open")}
    wrong = Key(made.elin.id, made.gita.kem_key)
    assert check_thread_record(record(readable=False), wrong).texts == {}


@pytest.mark.parametrize("name", ["python", "typescript"])
def test_r2_the_records_of_both_implementations_hold_and_open(name: str) -> None:
    document = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    net, opened = document["net"], b64decode(document["open"])
    assert texts_of(check_thread_record(opened)) == document["texts"]
    kit = RecoveryKit.parse(net, document["kit"])
    for key in (Key(kit.id, kit.kem_key), OpeningCode.parse(net, document["code"])):
        assert texts_of(check_thread_record(b64decode(document["sealed"]), key)) == document["texts"]
    assert texts_of(check_thread_record(b64decode(document["sealed"]))) == []
    proven = check_message_record(b64decode(document["message"]["record"]))
    assert isinstance(proven, Proven)
    assert (proven.receipt.seq, proven.sender.name) == (
        document["message"]["seq"],
        document["message"]["name"],
    )
    reported = read_report(net, b64decode(document["report"]["statement"]))
    assert (reported.cause, reported.device.hex()) == (
        document["report"]["cause"],
        document["report"]["device"],
    )


def texts_of(checked: Checked) -> list[str]:
    assert checked.faults == []
    bodies = [checked.texts[seq].body for seq in sorted(checked.texts)]
    return [body.text for body in bodies if isinstance(body, Note)]


def test_r1_a_code_typed_wrong_is_said() -> None:
    printed = CODE.print()
    for wrong in (printed[:-1], "0" * 60, printed.replace(printed[0], "9" if printed[0] != "9" else "8", 1)):
        with pytest.raises(Refused, match="E6 opening-code-mistyped"):
            OpeningCode.parse(NET, wrong)


def test_r1_one_altered_byte_in_any_part_is_found_and_named() -> None:
    for name, part in unpack(record()).parts.items():
        for position in {0, 7, len(part) // 2, len(part) - 1}:
            checked = check_thread_record(rebuilt(**{name: tampered(part, position)}))
            assert name in {fault.part for fault in checked.faults}, (name, position)


def test_r1_one_altered_byte_anywhere_in_the_file_is_found() -> None:
    data = record(readable=False)
    chosen = random.Random(17).sample(range(len(data)), 300)
    for position in chosen:
        assert not check_thread_record(tampered(data, position)).is_sound, position


def test_r1_between_the_parts_nothing_can_be_changed() -> None:
    data = record()
    for position in (4, 10, 11, 26, len(data) - 1, len(data) - 8, len(data) - 30):
        checked = check_thread_record(tampered(data, position))
        assert any(fault.part == ARCHIVE for fault in checked.faults), position
    for odd in (data + b"\0", data[:-1], b"PK" + data, b"", b"PK\x03\x04", data[: len(data) // 2]):
        assert not check_thread_record(odd).is_sound
    with pytest.raises(Refused, match="R1 bad-container"):
        unpack(b"no record")


def test_r1_parts_that_are_missing_added_or_swapped_are_named() -> None:
    two, four = (unpack(record()).parts[item_path(seq)] for seq in (2, 3))
    first, last = item_path(2), item_path(5)
    missing = check_thread_record(rebuilt(**{last: None}))
    assert (last, "R1", "missing-part") in found_in(missing)
    added = check_thread_record(rebuilt(**{"items/00000006": two, "more.txt": b"x"}))
    assert ("more.txt", "R1", "unexpected-part") in found_in(added)
    swapped = check_thread_record(rebuilt(**{item_path(2): four, item_path(3): two}))
    assert {(first, "R1", "altered-part"), (item_path(3), "R1", "altered-part")} <= found_in(swapped)
    assert {fault.part for fault in check_thread_record(rebuilt(**{MANIFEST: None})).faults} == {MANIFEST}
    assert {fault.part for fault in check_thread_record(rebuilt(**{FACTS: None})).faults} == {FACTS}


def test_r1_only_a_member_s_device_exports_and_says_where_the_thread_ends() -> None:
    made, parts = world(), parts_of()
    wrong: list[tuple[str, bytes]] = [
        ("unknown-exporter", signed_by(made.gita, manifest_of(parts))),
        ("unknown-exporter", signed_by(made.gita, manifest_of(parts), by=made.c.by().as_map())),
        ("wrong-end", manifest_of(parts, seq=4)),
        ("wrong-end", manifest_of(parts, transcript=seed("x"))),
        ("wrong-end", manifest_of(parts, thread=seed("x"))),
        ("bad-signature", tampered(manifest_of(parts))),
    ]
    for code, manifest in wrong:
        checked = check_thread_record(make_thread_record(parts, manifest))
        assert [(fault.part, fault.code) for fault in checked.faults] == [(MANIFEST, code)], code


def resigned(**changes: bytes | None) -> Checked:
    """A record whose exporter lies: the manifest fits, the parts do not."""
    parts = {name: part for name, part in (parts_of() | changes).items() if part is not None}
    return check_thread_record(make_thread_record(parts, manifest_of(parts)))


def item_with(seq: int, **changes: object) -> bytes:
    found = decode(parts_of()[item_path(seq)])
    assert isinstance(found, dict)
    return encode({**found, **changes})  # type: ignore[dict-item]


def test_r2_an_exporter_who_lies_is_found() -> None:
    made = world()
    items = made.server.items
    forged = forge(items[1].item, made.dara, urgency=1)
    lies: list[tuple[str, dict[str, bytes | None]]] = [
        ("a message changed and signed anew", {item_path(2): item_with(2, item=forged)}),
        ("a receipt of another place", {item_path(2): item_with(2, receipt=items[2].receipt)}),
        (
            "a receipt of another server",
            {item_path(2): item_with(2, receipt=made.server.receipt(2, b"x", seed("x")))},
        ),
        ("a message dropped", {item_path(3): None}),
        ("the last message dropped", {item_path(5): None, text_path(5): None}),
        (
            "the genesis of another thread",
            {item_path(1): item_with(1, item=made.make_genesis(made.a, made.c).entry)},
        ),
        ("a keyring cut short", {f"keyrings/{made.a.principal.hex()}/00000001": None}),
        ("a device statement left out", {f"statements/{made.femi.id.hex()}": None}),
        ("a text of another message", {text_path(2): parts_of()[text_path(5)]}),
        ("a text without a message", {"texts/00000009": parts_of()[text_path(5)]}),
        (
            "another server key",
            {FACTS: replace(facts_of(WHOLE), server_key=made.dara.signing_key.public).encode()},
        ),
        ("another network", {FACTS: replace(facts_of(WHOLE), net="other.example/s1").encode()}),
        ("another thread", {FACTS: replace(facts_of(WHOLE), thread=seed("x")).encode()}),
    ]
    for why, changes in lies:
        assert not resigned(**changes).is_sound, why
    assert resigned().is_sound


def test_r3_a_text_is_the_committed_one() -> None:
    found, _ = disclosed_of(2)
    for wrong in (
        Disclosed(seed("x"), found.padded),
        Disclosed(found.blind, tampered(found.padded, 5)),
        Disclosed(found.blind, found.padded + b"\0"),
        Disclosed(found.blind, b""),
        disclosed_of(5)[0],
    ):
        checked = resigned(**{text_path(2): wrong.encode()})
        assert found_in(checked) == {(text_path(2), "M5", "wrong-plain")}
        assert 2 not in checked.texts


# --- one message


def test_r2_one_message_is_proven_without_key_other_messages_or_colleagues() -> None:
    data = one(5, n=1)
    assert is_one_message(data)
    proven = check_message_record(data)
    assert isinstance(proven, Proven)
    assert proven.plaintext == Plaintext(Note("x" * 1000), "en")
    assert (proven.sender.name, proven.receipt.seq) == ("Elin", 5)
    assert b"Dara" not in data
    assert "Begäran".encode() not in data
    assert sum(name.startswith("items/") for name in unpack(data).parts) == 1


def test_r2_one_altered_byte_of_one_message_is_found_and_named() -> None:
    data = one(5, n=1)
    for name, part in unpack(data).parts.items():
        for position in {0, len(part) // 3, len(part) // 2, len(part) - 1}:
            parts = unpack(data).parts | {name: tampered(part, position)}
            assert not isinstance(check_message_record(pack(parts)), Proven), (name, position)
    for position in random.Random(5).sample(range(len(data)), 200):
        assert not isinstance(check_message_record(tampered(data, position)), Proven), position


def test_r2_what_does_not_belong_to_one_message_is_refused() -> None:
    parts = unpack(one()).parts
    made = world()
    other = unpack(one(5, n=1)).parts
    links = made.a.links
    ghost = keyring_parts(replace(exported(made.a, sealed=False), statements=[made.gita.statement]))
    odd: list[tuple[str, dict[str, bytes | None]]] = [
        ("another message's text", {text_path(2): other[text_path(5)]}),
        ("at another place", {item_path(2): None, item_path(4): parts[item_path(2)]}),
        ("more than one message", {item_path(5): other[item_path(5)]}),
        (
            "envelopes",
            {
                f"keyrings/{made.a.principal.hex()}/00000000": encode(
                    {"entry": links[0].entry, "envelopes": links[0].envelopes}
                )
            },
        ),
        (
            "a later entry",
            {
                f"keyrings/{made.a.principal.hex()}/00000001": encode(
                    {"entry": links[1].entry, "envelopes": None}
                )
            },
        ),
        ("no entry", {f"keyrings/{made.a.principal.hex()}/00000000": None}),
        ("another device", {f"statements/{made.dara.id.hex()}": None, **ghost}),
        ("a whole thread's facts", {FACTS: facts_of(WHOLE).encode()}),
        ("no facts", {FACTS: None}),
    ]
    for why, changes in odd:
        wanted = {name: part for name, part in (parts | changes).items() if part is not None}
        assert not isinstance(check_message_record(pack(wanted)), Proven), why
    assert isinstance(check_message_record(pack(parts)), Proven)
    assert not check_thread_record(one()).is_sound


# --- reports


def test_r4_a_report_names_its_cause_and_its_messages() -> None:
    found = read_report(NET, report())
    assert [seq for seq, _ in found.messages] == [2, 5]
    assert (found.cause, found.words, found.device) == ("pressure", "They threaten us.", world().femi.id)
    assert list(CAUSES) == sorted(CAUSES)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("unknown-cause", {"cause": "because"}),
        ("wrong-messages", {"messages": []}),
        ("wrong-messages", {"messages": [[5, seed("a")], [2, seed("b")]]}),
        ("wrong-messages", {"messages": [[2, seed("a")], [2, seed("a")]]}),
        ("wrong-messages", {"messages": [[seq, seed("a")] for seq in range(1, 22)]}),
        ("bad-statement", {"messages": [[2]]}),
        ("bad-statement", {"messages": [2]}),
        ("bad-statement", {"words": "x" * 2001}),
    ],
)
def test_r4_an_odd_report_is_refused(code: str, changes: dict[str, object]) -> None:
    with pytest.raises(Refused, match=code):
        read_report(NET, report(**changes))


def test_r3_of_ten_thousand_disclosures_exactly_the_true_ones_hold() -> None:
    chance = random.Random(2026)
    server = world().server
    known = [
        (read_message(NET, server.items[seq - 1].item), disclosed_of(seq)[0]) for seq in server.plaintexts
    ]
    for _ in range(10_000):
        message, true = chance.choice(known)
        _, other = chance.choice(known)
        padded = bytearray(true.padded)
        padded[chance.randrange(len(padded))] ^= 1 << chance.randrange(8)
        candidate = chance.choice(
            [true, other, Disclosed(true.blind, bytes(padded)), Disclosed(other.blind, true.padded)]
        )
        assert holds(message, candidate) == (candidate == true)


def holds(message: Message, disclosed: Disclosed) -> bool:
    with suppress(Refused):
        read_padded(NET, message, disclosed.blind, disclosed.padded)
        return True
    return False


# --- the log of keys in a record


def logged(
    *, without: bytes = b"", more: bytes = b"", further: Sequence[bytes] = ()
) -> tuple[str, list[bytes]]:
    """A log in which the entries of A, B and C stand, with further leaves, and its checkpoint."""
    made = world()
    parties = (made.a, made.b, made.c)
    entries = [(n, sha256(link.entry)) for party in parties for n, link in enumerate(party.links)]
    values = [(n, value) for n, value in entries if value != without]
    leaves = [Leaf("keyring", seed(f"label {value.hex()}"), n, value).encode() for n, value in values]
    leaves += [Leaf("keyring", seed("x"), 0, more).encode()] if more else []
    leaves += further
    tree = FullTree()
    for raw in leaves:
        tree.append(leaf_hash(raw))
    root = tree.at(tree.size).root
    return make_checkpoint(NET, made.server_key, size=tree.size, root=root, at=START + 4000), leaves


def heads(*parties: Party) -> dict[tuple[bytes, int], bytes]:
    rows = [(party.principal, n, link) for party in parties for n, link in enumerate(party.links)]
    return {(principal, n): sha256(link.entry) for principal, n, link in rows}


def log_root() -> bytes:
    """The root of the whole log."""
    tree = FullTree()
    for raw in logged()[1]:
        tree.append(leaf_hash(raw))
    return tree.at(tree.size).root


def proofs() -> dict[str, bytes]:
    made = world()
    return log_parts(NET, made.server_key.public, *logged(), heads(made.a, made.b))


def test_l2_a_record_shows_that_its_keys_stood_in_the_log() -> None:
    parts = parts_of() | proofs()
    checked = check_thread_record(make_thread_record(parts, manifest_of(parts)))
    assert checked.faults == []
    assert checked.log == LogProof(4, START + 4000, log_root())
    assert check_thread_record(record()).log is None


def test_l2_one_message_shows_that_its_sender_s_keys_stood_in_the_log() -> None:
    made = world()
    log = log_parts(NET, made.server_key.public, *logged(), heads(made.a))
    proven = check_message_record(pack(unpack(one(5, n=1)).parts | log))
    assert isinstance(proven, Proven)
    assert proven.log == LogProof(4, START + 4000, log_root())
    for name in log:
        parts = unpack(one(5, n=1)).parts | log
        for position in (0, len(log[name]) // 2, len(log[name]) - 2):
            altered = parts | {name: tampered(log[name], position)}
            assert not isinstance(check_message_record(pack(altered)), Proven), (name, position)
        assert name.startswith("log/")
        left = {path: part for path, part in parts.items() if path != name}
        assert not isinstance(check_message_record(pack(left)), Proven)


def test_l2_an_entry_that_is_not_in_the_log_is_not_passed_off_as_if_it_were() -> None:
    made = world()
    missing = sha256(made.a.links[1].entry)
    public = made.server_key.public
    with pytest.raises(Refused, match="L2 not-in-the-log"):
        log_parts(NET, public, *logged(without=missing), heads(made.a))
    note, leaves = logged()
    with pytest.raises(Refused, match="L2 not-in-the-log"):
        log_parts(NET, public, note, [*leaves[:-1], leaves[0]], heads(made.a))
    with pytest.raises(Refused, match="L5 bad-checkpoint"):
        log_parts(NET, made.dara.signing_key.public, note, leaves, heads(made.a))
    other = log_parts(NET, public, *logged(more=seed("y")), heads(made.a, made.b))
    mixed = {**proofs(), CHECKPOINT: other[CHECKPOINT]}
    swapped = {**proofs(), proof_path(made.a.principal, 1): proofs()[proof_path(made.b.principal, 0)]}
    lost = {path: part for path, part in proofs().items() if path != proof_path(made.b.principal, 0)}
    for parts in (mixed, swapped, lost, {**proofs(), CHECKPOINT: b"\xff"}):
        assert {fault.part for fault in resigned(**parts).faults} == {CHECKPOINT}
