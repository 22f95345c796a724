"""What the secretariat has confirmed stands in a record, and shows whose keys they are (K8, L2)."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from messaging.sealed.confirmation import document_of
from messaging.sealed.container import pack, unpack
from messaging.sealed.encoding import encode, sha256
from messaging.sealed.record import keyring_parts, make_thread_record
from messaging.sealed.record_check import Checked, check_thread_record
from messaging.sealed.record_confirms import (
    NOTE,
    ExportedConfirms,
    Note,
    confirm_parts,
    confirms_path,
)
from messaging.sealed.record_log import CHECKPOINT, confirm_proof_path, log_parts
from messaging.sealed.record_one import Proven, check_message_record
from messaging.sealed.transparency import Leaf, statement_value
from messaging.sealed.trust import make_confirm
from tests.sealed.records import exported, manifest_of, one, parts_of
from tests.sealed.test_record import found_in, heads, logged
from tests.sealed.world import NET, START, seed, tampered, world

REFERENCE, DAY = "Note verbale 2026/7", "2026-11-03"
BLINDS = (seed("first blind"), seed("second blind"))


def confirm(person: str, blind: bytes, **changes: Any) -> bytes:
    """What a person of the secretariat signs about A's keys."""
    made = world()
    secretariat = made.secretariat
    device = secretariat.devices[person]
    fields: dict[str, Any] = {
        "authority": parties_of()[made.a.principal],
        "principal": made.a.principal,
        "head": None,
        "document": document_of(NET, blind, REFERENCE, DAY),
        "at": START + 3000,
    }
    return make_confirm(
        NET, by=secretariat.by(), device=device.id, key=device.signing_key, **(fields | changes)
    )


def parties_of() -> Mapping[bytes, str]:
    """How the record names its authorities."""
    facts = check_thread_record(make_thread_record(parts_of(), manifest_of(parts_of()))).facts
    assert facts is not None
    return {row.principal: row.id for row in facts.authorities}


def pair() -> list[bytes]:
    return [confirm("hugo", BLINDS[0]), confirm("ivan", BLINDS[1])]


def beside(statements: Iterable[bytes], note: Note | None = None) -> dict[str, bytes]:
    """The parts about A, with the secretariat's keyring, whether they hold or not."""
    made = world()
    found = note or Note(REFERENCE, DAY, BLINDS)
    parts = keyring_parts(exported(made.secretariat, sealed=False))
    parts |= {confirms_path(made.a.principal, sha256(raw).hex()): raw for raw in statements}
    parts[confirms_path(made.a.principal, NOTE)] = encode(
        {"reference": found.reference, "date": found.date, "blinds": list(found.blinds)}
    )
    return parts


def with_parts(more: Mapping[str, bytes]) -> Checked:
    whole = parts_of() | dict(more)
    return check_thread_record(make_thread_record(whole, manifest_of(whole)))


def test_k8_a_record_shows_by_whom_and_by_which_note_the_keys_were_confirmed() -> None:
    made = world()
    checked = with_parts(beside(pair()))
    assert checked.faults == []
    found = checked.confirmed[made.a.principal]
    assert (found.note.reference, found.note.date, found.at) == (REFERENCE, DAY, START + 3000)
    assert found.secretariat == made.secretariat.principal
    ring = checked.keyrings.rings[found.secretariat]
    assert sorted(ring.devices[device].name for device in found.devices) == ["Hugo", "Ivan"]
    assert made.b.principal not in checked.confirmed


@pytest.mark.parametrize(
    "statements",
    [
        lambda: pair()[:1],
        lambda: [confirm("hugo", BLINDS[0]), confirm("hugo", BLINDS[1])],
        lambda: [confirm("hugo", BLINDS[0]), confirm("ivan", seed("another blind"))],
        lambda: [confirm("hugo", BLINDS[0]), confirm("ivan", BLINDS[1], authority="another")],
        lambda: [
            confirm(person, blind, authority="another")
            for person, blind in zip(("hugo", "ivan"), BLINDS, strict=True)
        ],
        lambda: [
            confirm(person, blind, principal=world().b.principal)
            for person, blind in zip(("hugo", "ivan"), BLINDS, strict=True)
        ],
    ],
    ids=["one", "one person twice", "another note", "not the same", "another authority", "other keys"],
)
def test_k8_what_two_persons_have_not_confirmed_is_named(statements: Any) -> None:
    checked = with_parts(beside(statements()))
    assert found_in(checked) == {(confirms_path(world().a.principal, NOTE), "K8", "not-confirmed")}
    assert checked.confirmed == {}


def test_r1_r2_confirms_without_their_note_or_under_another_name_are_named() -> None:
    made = world()
    path = confirms_path(made.a.principal, NOTE)
    parts = beside(pair())
    left = {name: part for name, part in parts.items() if name != path}
    assert found_in(with_parts(left)) == {(path, "R1", "missing-part")}
    names = [name for name in parts if name.startswith("confirms/") and name != path]
    swapped = {**parts, names[0]: parts[names[1]], names[1]: parts[names[0]]}
    assert found_in(with_parts(swapped)) == {(path, "R2", "wrong-place")}
    altered = {**parts, names[0]: tampered(parts[names[0]], 200)}
    assert with_parts(altered).confirmed == {}
    assert with_parts(altered).faults != []


def test_k8_what_the_server_only_says_is_left_out() -> None:
    checked = with_parts(beside([]) | {confirms_path(world().a.principal, NOTE): b""})
    given = ExportedConfirms(world().a.principal, pair()[:1], Note(REFERENCE, DAY, BLINDS))
    assert confirm_parts(NET, given, checked.keyrings) == {}
    whole = ExportedConfirms(world().a.principal, pair(), Note(REFERENCE, DAY, BLINDS))
    assert len(confirm_parts(NET, whole, checked.keyrings)) == 3
    other = ExportedConfirms(world().a.principal, pair(), Note("Another note", DAY, BLINDS))
    assert confirm_parts(NET, other, checked.keyrings) == {}


def proofs(*, without: bytes | None = None, whole: bool = True) -> dict[str, bytes]:
    """The log's word for every keyring of the record, the secretariat's too, and for the confirms."""
    made = world()
    hashes = [sha256(raw) for raw in pair()]
    leaves = [
        Leaf("confirm", seed("label of A"), 0, statement_value(NET, one)).encode()
        for one in hashes
        if one != without
    ]
    entries = [
        Leaf("keyring", seed("label of the secretariat"), n, sha256(link.entry)).encode()
        for n, link in enumerate(made.secretariat.links)
    ]
    note, found = logged(further=[*entries, *leaves])
    parties = (made.a, made.b, made.secretariat) if whole else (made.a, made.secretariat)
    return log_parts(NET, made.server_key.public, note, found, heads(*parties), hashes)


def test_l2_the_confirms_stood_in_the_log() -> None:
    parts = beside(pair()) | proofs()
    checked = with_parts(parts)
    assert checked.faults == []
    assert checked.log is not None
    path = confirm_proof_path(sha256(pair()[0]))
    left = {name: part for name, part in parts.items() if name != path}
    assert found_in(with_parts(left)) == {(CHECKPOINT, "R1", "missing-part")}
    other = confirm_proof_path(sha256(pair()[1]))
    assert found_in(with_parts({**parts, path: parts[other]})) == {(CHECKPOINT, "L2", "not-in-the-log")}


def test_k8_one_message_shows_who_confirmed_its_sender_s_keys() -> None:
    bare = unpack(one(5, n=1)).parts
    more = beside(pair())
    for log in ({}, proofs(whole=False)):
        proven = check_message_record(pack(bare | more | log))
        assert isinstance(proven, Proven), proven
        assert proven.confirmed is not None
        assert proven.confirmed.note.reference == REFERENCE
        assert sorted(officer.name for officer in proven.officers) == ["Hugo", "Ivan"]
        assert (proven.log is not None) is bool(log)
    for name in more:
        altered = check_message_record(pack(bare | more | {name: tampered(more[name], len(more[name]) // 2)}))
        assert not isinstance(altered, Proven), name
    stray = {name: part for name, part in more.items() if not name.startswith("confirms/")}
    assert not isinstance(check_message_record(pack(bare | stray)), Proven)
