"""The daily anchors in a record show when a thread stood in the log, by hashes alone (L2, R2)."""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace

import pytest

from messaging.sealed.container import pack, unpack
from messaging.sealed.encoding import decode, encode
from messaging.sealed.record import make_thread_record
from messaging.sealed.record_anchors import LINK, Anchored, AnchorLine, anchor_path, anchor_paths, first_after
from messaging.sealed.record_check import Checked, check_thread_record
from messaging.sealed.record_log import log_parts
from messaging.sealed.record_one import Proven, check_message_record
from messaging.sealed.record_source import disclose, export_message, export_thread
from tests.sealed.anchors import (
    FIRST,
    SECOND,
    anchored_log,
    anchored_parts,
    anchored_record,
    entry,
    place,
    places,
    thread,
)
from tests.sealed.records import manifest_of, parts_of
from tests.sealed.test_client import started
from tests.sealed.test_record import VECTORS, found_in, heads
from tests.sealed.world import NET, START, seed, tampered, world


def with_parts(more: Mapping[str, bytes]) -> Checked:
    """The record with these parts, as its exporter would sign them."""
    parts = parts_of() | dict(more)
    return check_thread_record(make_thread_record(parts, manifest_of(parts)))


def test_l2_a_record_shows_on_which_days_the_log_held_the_thread() -> None:
    checked = check_thread_record(anchored_record())
    assert checked.faults == []
    assert checked.anchors == [Anchored(FIRST, 3), Anchored(SECOND, len(thread().raw))]
    assert with_parts({}).anchors == []


def test_l2_a_client_takes_only_anchors_that_hold() -> None:
    made, mailbox = started()
    real = place(FIRST, 3)
    lies = [
        replace(real, day=SECOND),
        replace(real, seq=2),
        replace(real, seq=900),
        replace(real, line=real.line + 1),
        replace(real, path=[bytes(32), *real.path[1:]]),
        replace(real, day=FIRST + 1),
    ]
    for given, days in (([real], [FIRST]), (lies, []), ([*lies, *places()], [FIRST, SECOND])):
        record = export_thread(
            mailbox,
            made.server.state.thread,
            envelopes={},
            authorities=(),
            log=anchored_log(),
            anchors=given,
            at=START,
        )
        checked = check_thread_record(record)
        assert [fault for fault in checked.faults if fault.part.startswith("log/")] == []
        assert [found.day for found in checked.anchors] == days


def altered(part: bytes, **changes: object) -> bytes:
    fields = decode(part)
    assert isinstance(fields, dict)
    return encode({**fields, **changes})  # type: ignore[dict-item]


def test_r2_an_anchor_of_another_day_end_or_log_is_named() -> None:
    parts, path = anchored_parts(), anchor_path(FIRST)
    second = parts[anchor_path(SECOND)]
    other = log_parts(
        NET,
        world().server_key.public,
        *anchored_log(days=[SECOND]),
        heads(world().a, world().b),
        (),
        [(one, entry(one.seq)) for one in places()],
    )
    for part, fault in (
        (second, "R2 wrong-place"),
        (altered(parts[path], seq=2), "L2 not-in-the-log"),
        (altered(parts[path], seq=0), "R2 wrong-place"),
        (altered(parts[path], seq=900), "R2 wrong-place"),
        (altered(parts[path], line=2**40), "L2 not-in-the-log"),
        (altered(parts[path], path=[seed("x")]), "L2 not-in-the-log"),
        (altered(parts[path], proof=[]), "L2 not-in-the-log"),
        (altered(second, seq=3), "R2 wrong-place"),
        (parts[next(name for name in parts if name.startswith("log/") and name.count("/") == 2)], None),
        (b"", "E1 bad-encoding"),
    ):
        checked = with_parts(parts | {path: part})
        assert {found[0] for found in found_in(checked)} == {path}
        if fault:
            assert found_in(checked) == {(path, *fault.split())}
        assert checked.anchors == [Anchored(SECOND, len(thread().raw))]
    moved = with_parts(parts | {anchor_path(SECOND): other[anchor_path(SECOND)]})
    assert found_in(moved) == {(anchor_path(SECOND), "L2", "not-in-the-log")}


def one(seq: int, anchors: list[AnchorLine]) -> bytes:
    """The record of one message, as a client makes it."""
    _, mailbox = started()
    found = mailbox.threads[thread().thread]
    message = next(each.message for each in found.applied if each.seq == seq)
    assert message is not None
    text = disclose(found, message)
    return export_message(found, mailbox.rings, seq, text, anchored_log(), None, anchors)


@pytest.mark.parametrize(("seq", "anchored"), [(2, Anchored(FIRST, 3)), (5, None)])
def test_l2_one_message_is_dated_by_the_first_anchor_after_it(seq: int, anchored: Anchored | None) -> None:
    expected = anchored or Anchored(SECOND, len(thread().raw))
    proven = check_message_record(one(seq, places()))
    assert isinstance(proven, Proven), proven
    assert proven.anchored == expected
    parts = unpack(one(seq, places())).parts
    assert anchor_paths(parts) == [anchor_path(expected.day)]
    without = check_message_record(one(seq, [replace(each, day=1) for each in places()]))
    assert isinstance(without, Proven)
    assert without.anchored is None


def test_r2_what_leads_from_one_message_to_its_anchor_is_checked_hash_by_hash() -> None:
    parts = unpack(one(2, places())).parts
    assert len(parts[LINK]) < 200
    for name in (LINK, anchor_path(FIRST)):
        for position in (0, len(parts[name]) // 2, len(parts[name]) - 2):
            changed = parts | {name: tampered(parts[name], position)}
            assert not isinstance(check_message_record(pack(changed)), Proven), (name, position)
        left = {path: part for path, part in parts.items() if path != name}
        assert not isinstance(check_message_record(pack(left)), Proven)
    further = parts | {anchor_path(SECOND): anchored_parts()[anchor_path(SECOND)]}
    assert not isinstance(check_message_record(pack(further)), Proven)
    longer = altered(parts[LINK], later=[seed("a"), seed("b")])
    assert not isinstance(check_message_record(pack(parts | {LINK: longer})), Proven)


def test_the_first_anchor_after_an_item_is_the_oldest_that_has_it() -> None:
    assert first_after(places(), 3) == place(FIRST, 3)
    assert first_after(places(), 4) == place(SECOND, len(thread().raw))
    assert first_after(places(), 900) is None


@pytest.mark.parametrize("name", ["typescript.json", "python.json"])
def test_l2_what_is_exported_is_dated(name: str) -> None:
    kept = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    checked = check_thread_record(b64decode(kept["open"]))
    assert checked.faults == []
    assert checked.thread is not None
    assert [found.day for found in checked.anchors] == [FIRST, SECOND]
    assert checked.anchors[-1].seq == len(checked.thread.raw)
    if name == "typescript.json":
        proven = check_message_record(b64decode(kept["message"]["record"]))
        assert isinstance(proven, Proven), proven
        assert proven.anchored == Anchored(SECOND, len(checked.thread.raw))
