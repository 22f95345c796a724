"""What stands in a record beside keyrings and items: who has opened the thread, and a contradiction."""

import json
from base64 import b64decode
from dataclasses import replace

import pytest

from messaging.sealed.correspondence import Correspondence, Item
from messaging.sealed.encoding import encode, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.evidence import make_evidence
from messaging.sealed.receipt import make_opened, make_receipt
from messaging.sealed.record import make_thread_record
from messaging.sealed.record_beside import EVIDENCE, Contradiction, Reader, opened_parts, opened_path
from messaging.sealed.record_check import Checked, check_thread_record
from messaging.sealed.record_one import Proven, check_message_record
from messaging.sealed.record_source import export_thread
from tests.sealed.records import manifest_of, parts_of
from tests.sealed.test_client import started
from tests.sealed.test_record import VECTORS, found_in
from tests.sealed.world import NET, START, forge, tampered, world


def with_parts(**parts: bytes) -> Checked:
    """The record with further parts, as its exporter would sign them."""
    whole = parts_of() | {name.replace("__", "/"): part for name, part in parts.items()}
    return check_thread_record(make_thread_record(whole, manifest_of(whole)))


def opened(seq: int | None = None, *, by_other: bool = False, transcript: bytes | None = None) -> bytes:
    """That authority B has opened the thread up to a place."""
    made = world()
    state = made.server.state
    place = state.seq if seq is None else seq
    return make_opened(
        NET,
        by=(made.a if by_other else made.b).by(),
        device=made.femi.id,
        key=made.femi.signing_key,
        thread=state.thread,
        seq=place,
        transcript=transcript or _verified().transcripts[place - 1],
        at=START + 7000,
    )


def _verified() -> Correspondence:
    thread = with_parts().thread
    assert thread is not None
    return thread


def test_r2_a_record_shows_who_has_opened_the_thread_and_up_to_where() -> None:
    made = world()
    checked = with_parts(**{opened_path(made.b.principal): opened(4)})
    assert checked.faults == []
    assert {principal: found.seq for principal, found in checked.opened.items()} == {made.b.principal: 4}


def test_r2_a_statement_of_another_or_for_another_place_is_named() -> None:
    made = world()
    path, other = opened_path(made.b.principal), opened_path(made.a.principal)
    for part, raw, fault in (
        (other, opened(), "R2 wrong-place"),
        (path, opened(by_other=True), "M1 unlisted-device"),
        (path, opened(transcript=bytes(32)), "M7 wrong-transcript"),
        (path, forge(opened(), made.femi, thread=bytes(32)), "M1 wrong-thread"),
        (path, tampered(opened(), len(opened()) - 3), "E2 bad-signature"),
    ):
        checked = with_parts(**{part: raw})
        assert found_in(checked) == {(part, *fault.split())}
        assert checked.opened == {}


def test_r2_what_the_server_only_says_of_having_opened_is_left_out() -> None:
    checked, made = with_parts(), world()
    thread = checked.thread
    assert thread is not None
    assert thread.state is not None
    reader = Reader(NET, made.server_key.public, thread.state, checked.keyrings, thread.transcript_at)
    garbage = [b"", encode({}), opened(transcript=bytes(32)), opened(by_other=True)]
    assert opened_parts(reader, [*garbage, opened(5)]) == {opened_path(made.b.principal): opened(5)}


# --- a contradiction


def stopped(*, signed: bool) -> Correspondence:
    """The thread after the server has handed out another item for a place: signed for, or not."""
    made, thread = world(), _verified()
    known = thread.raw[-1]
    other = made.server.items[-2].item
    transcript = bytes(32) if not signed else sha256(b"another transcript")
    receipt = make_receipt(
        NET,
        made.server_key if signed else made.dara.signing_key,
        thread=thread.thread,
        seq=known.seq,
        item=sha256(other),
        transcript=transcript,
        at=START + 9000,
    )
    with pytest.raises(Refused, match="T8 forked-thread"):
        thread.apply(
            Item(thread.thread, known.seq, "message", other, receipt, known.ciphertext),
            with_parts().keyrings,
            lambda _member: None,
        )
    return thread


def evidence(*, signed: bool = True) -> bytes:
    found = make_evidence(stopped(signed=signed))
    assert found is not None
    return found


def test_t8_a_record_of_a_stopped_thread_shows_both_versions_that_the_server_signed() -> None:
    seq = world().server.state.seq
    checked = with_parts(**{EVIDENCE: evidence()})
    assert checked.faults == []
    assert checked.contradiction == Contradiction(seq, is_signed=True)
    assert with_parts().contradiction is None


def test_t8_a_version_that_the_server_did_not_sign_proves_nothing_against_it() -> None:
    checked = with_parts(**{EVIDENCE: evidence(signed=False)})
    assert checked.faults == []
    assert checked.contradiction == Contradiction(world().server.state.seq, is_signed=False)


def test_t8_evidence_of_another_thread_or_no_evidence_is_named() -> None:
    thread = stopped(signed=True)
    foreign = make_evidence(replace(thread, thread=bytes(32), fork=thread.fork))
    assert foreign is not None
    for raw, code in ((foreign, ("R2", "wrong-place")), (encode({}), ("E2", "bad-statement"))):
        assert found_in(with_parts(**{EVIDENCE: raw})) == {(EVIDENCE, *code)}


def test_t8_a_stopped_thread_is_exported_as_far_as_it_was_verified_with_its_evidence() -> None:
    made, mailbox = started()
    thread = made.server.state.thread
    with pytest.raises(Refused, match="T8 forked-thread"):
        mailbox.apply_item(replace(made.server.items[1], item=made.server.items[2].item))
    record = export_thread(mailbox, thread, envelopes={}, authorities=(), at=START)
    checked = check_thread_record(record)
    assert checked.faults == []
    assert checked.contradiction == Contradiction(2, is_signed=False)
    assert checked.thread is not None
    assert len(checked.thread.raw) == len(made.server.items)


@pytest.mark.parametrize("name", ["typescript.json"])
def test_l2_what_the_browser_exports_shows_the_log_and_who_has_opened(name: str) -> None:
    kept = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    for kind in ("open", "sealed"):
        checked = check_thread_record(b64decode(kept[kind]))
        assert checked.faults == []
        assert checked.log is not None
        assert [found.seq for found in checked.opened.values()] == [len(checked.thread.raw) - 1]  # type: ignore[union-attr]
    proven = check_message_record(b64decode(kept["message"]["record"]))
    assert isinstance(proven, Proven)
    assert proven.log is not None
