"""The log of keys on the server: it grows with the keyrings, is handed out, and is never signed shorter."""

import base64
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from messaging.actions.log import anchor_threads, append_leaf, start_log
from messaging.log_key import label_key
from messaging.models import KeyringEntry, LogLeaf, LogState, LogTile, ThreadAnchor
from messaging.sealed.checkpoint import Signer, cosign, log_signers, make_note, read_checkpoint, split_note
from messaging.sealed.follower import Follower
from messaging.sealed.keys import SigningKey
from messaging.sealed.transparency import (
    FullTree,
    TilePlace,
    anchor_entry,
    anchor_root,
    bundles,
    check_inclusion,
    leaf_hash,
    log_label,
    read_bundle,
    read_leaf,
    tree_over,
)
from messaging.server_key import server_key
from network.errors import Conflict, Unavailable
from tests.factories import Offices, Workplace, answer, call, code_of, now, open_offices
from tests.personas import Cast, Persona

NET = settings.ORIGIN_NAME


def fresh_follower() -> Follower:
    """A device that knows the server's key and nothing of the log."""
    return Follower(NET, server_key().key.public, label_key())


def page(persona: Persona, first: int = 0) -> Any:
    """What a member is given who follows."""
    return answer(call(persona.client(), "GET", f"/log?from={first}"))


def leaves_of(body: Any) -> list[bytes]:
    """The leaves of a page."""
    return [base64.b64decode(leaf) for leaf in body["leaves"]]


def followed(persona: Persona) -> Follower:
    """A device that has followed to the end."""
    found = fresh_follower()
    body = page(persona)
    found.follow(body["checkpoint"], leaves_of(body), now=now())
    return found


def fill(count: int) -> None:
    """Put statements into the log until it is so long."""
    start_log()
    for number in range(LogState.objects.get().size, count):
        append_leaf("confirm", number.to_bytes(8, "big"), 0, bytes(32))


def stranger() -> Client:
    """A browser without a session."""
    return Client(headers={"host": "localhost"})


@pytest.fixture
def offices(cast: Cast) -> Offices:
    """Two authorities with keyrings."""
    return open_offices(cast)


def test_l1_an_entry_is_in_the_log_with_the_answer(cast: Cast, offices: Offices) -> None:
    found = followed(cast.officer_a)
    for entry in KeyringEntry.objects.all():
        pin = found.newest(bytes.fromhex(entry.principal_id))
        assert pin is not None
        assert pin.n >= entry.n
    own = offices.officer_a.mailbox.newest(offices.officer_a.mailbox.principal)
    assert own is not None
    found.check_sealing([own], now())


def test_l1_a_refused_entry_leaves_no_leaf(cast: Cast, offices: Offices) -> None:
    before = LogState.objects.get().size
    body = {"entry": base64.b64encode(b"x").decode(), "envelopes": "", "statements": []}
    path = f"/keyrings/{offices.officer_a.principal}/entries"
    assert call(cast.supervisor_a.client(), "POST", path, body).status_code == 422
    assert LogState.objects.get().size == before


def test_the_log_begins_with_what_was_there_before(cast: Cast, offices: Offices) -> None:
    heads = set(KeyringEntry.objects.values_list("head", flat=True))
    LogLeaf.objects.all().delete()
    LogState.objects.all().delete()
    start_log()
    leaves = [
        read_leaf(bytes(leaf)) for leaf in LogLeaf.objects.order_by("position").values_list("leaf", flat=True)
    ]
    assert [leaf.type for leaf in leaves[:1]] == ["server-key"]
    assert leaves[0].value == server_key().id
    assert {leaf.value.hex() for leaf in leaves[1:]} == heads
    start_log()
    assert LogState.objects.get().size == len(leaves)
    assert followed(cast.officer_b).tree.size == len(leaves)


def test_a_chained_leaf_is_written_once(offices: Offices) -> None:
    before = LogState.objects.get().size
    principal = bytes.fromhex(offices.officer_a.principal)
    head = bytes.fromhex(KeyringEntry.objects.get(principal_id=principal.hex(), n=0).head)
    append_leaf("keyring", principal, 0, head)
    assert LogState.objects.get().size == before


def test_l3_another_value_at_a_place_that_the_log_has_is_refused(offices: Offices) -> None:
    before = LogState.objects.get().size
    with pytest.raises(Conflict) as refused:
        append_leaf("keyring", bytes.fromhex(offices.officer_a.principal), 0, bytes(32))
    assert refused.value.code == "entry-lost"
    assert LogState.objects.get().size == before


def test_whoever_has_no_account_reads_tiles_and_learns_no_name(offices: Offices) -> None:
    fill(300)
    public = stranger()
    note = public.get("/log/checkpoint").content.decode()
    found = read_checkpoint(NET, server_key().key.public, note)
    full, raw = FullTree(), []
    for place in bundles(0, found.size):
        response = public.get(f"/log/{place.path}")
        assert response.status_code == 200
        raw += read_bundle(response.content, place.width)
    for leaf in raw:
        full.append(leaf_hash(leaf))
    assert full.at(found.size).root == found.root
    first = public.get("/log/tile/0/000")
    assert first.content == b"".join(full.levels[0][:256])
    assert first.headers["Cache-Control"].startswith("public, max-age=31536000")
    assert public.get(f"/log/{TilePlace(0, 1, found.size - 256).path}").content == b"".join(
        full.levels[0][256:]
    )
    above = public.get("/log/tile/1/000.p/1").content
    assert above == tree_over(full.levels[0][:256]).root == bytes(LogTile.objects.get().hash)
    for principal in KeyringEntry.objects.values_list("principal_id", flat=True):
        hidden = log_label(label_key(), "keyring", bytes.fromhex(principal))
        assert any(hidden in leaf for leaf in raw)
        assert not any(bytes.fromhex(principal) in leaf for leaf in raw)


@pytest.mark.parametrize(
    "path",
    ["tile/0/001", "tile/0/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/0", "tile/0/x000/000",
     "tile/9/000", "tile/entries/000.p/x", "tile/entries/000.p/99", "tile/data/000",
     f"tile/0/{'x999/' * 30}999"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(offices: Offices, path: str) -> None:
    assert stranger().get(f"/log/{path}").status_code == 404


def test_a_stranger_is_not_given_the_label_key(offices: Offices, cast: Cast) -> None:
    assert call(stranger(), "GET", "/log").status_code == 401
    assert call(cast.moderator.client(), "GET", "/log").status_code == 403


def test_a_page_of_leaves_is_limited_and_goes_on(cast: Cast, offices: Offices) -> None:
    fill(1_050)
    first = page(cast.officer_a)
    assert len(first["leaves"]) == 1_000
    rest = page(cast.officer_a, 1_000)
    found = fresh_follower()
    found.follow(rest["checkpoint"], leaves_of(first) + leaves_of(rest), now=now())
    assert found.tree.size == 1_050
    assert page(cast.officer_a, 5_000)["leaves"] == []


def test_the_day_is_anchored_once(cast: Cast, offices: Offices) -> None:
    thread = offices.officer_a.open_thread(offices.officer_b)
    assert anchor_threads(20_000)
    assert not anchor_threads(20_000)
    leaf = read_leaf(bytes(LogLeaf.objects.get(type="anchor").leaf))
    state = offices.officer_a.mailbox.threads[bytes.fromhex(thread)].state
    assert state is not None
    assert leaf.n == 20_000
    assert leaf.value == anchor_root([anchor_entry(NET, state.thread, state.seq, state.transcript)])
    assert not anchor_threads(19_999)
    assert followed(cast.officer_a).tree.size == LogState.objects.get().size


def anchor_places(member: Workplace, thread: str, seq: int | None = None) -> list[dict[str, Any]]:
    return list(member.post(f"/threads/{thread}/record", {"seq": seq})["anchors"])


def test_a_member_is_told_where_a_thread_stands_in_the_anchors(cast: Cast, offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    thread = a.open_thread(b)
    other = a.open_thread(b)
    assert anchor_threads(20_000)
    assert anchor_threads(20_001)  # neither has grown: the first anchor is the better one
    b.read(thread)
    b.send(thread, "Later.")
    assert anchor_threads(20_002)
    found = anchor_places(b, thread)
    a.read(thread)
    known = a.mailbox.threads[bytes.fromhex(thread)]
    assert [(row["day"], row["seq"], row["lines"]) for row in found] == [(20_000, 2, 2), (20_002, 3, 2)]
    leaves = [read_leaf(bytes(row.leaf)) for row in LogLeaf.objects.filter(type="anchor")]
    values = {leaf.n: leaf.value for leaf in leaves}
    for row in found:
        end = known.transcript_at(row["seq"])
        assert end is not None
        entry = anchor_entry(NET, known.thread, row["seq"], end)
        path = [base64.b64decode(one) for one in row["path"]]
        check_inclusion(entry, row["line"], row["lines"], path, values[row["day"]])
    assert [row["day"] for row in anchor_places(b, thread, 2)] == [20_000]
    assert [row["day"] for row in anchor_places(b, thread, 3)] == [20_002]
    assert [row["day"] for row in anchor_places(b, other)] == [20_000]
    assert ThreadAnchor.objects.count() == 3
    b.send(thread, "Not anchored yet.")
    assert anchor_places(b, thread, 4) == []
    foreign = call(offices.supervisor_c.http, "POST", f"/threads/{thread}/record", {})
    assert foreign.status_code == 404
    assert b"anchors" not in foreign.content


# --- witnesses

WITNESS = SigningKey.from_seed(bytes(range(32)))
SIGNER = Signer("witness.example", WITNESS.public)


def cosigned(note: str, *, at: int, signer: Signer = SIGNER, key: SigningKey = WITNESS) -> str:
    """The note as a witness hands it in: with the log's own lines, so that the log knows its word again."""
    return note + cosign(split_note(note)[0], signer, key, at=at)


def said(response: Any) -> tuple[int, str]:
    """Status and code of a refusal in plain text, as a witness is given it."""
    return response.status_code, response.content.decode()


def hand_in(note: str) -> Any:
    """Post it without an account."""
    return stranger().generic("POST", "/log/cosignatures", note.encode(), "text/plain")


def test_l4_a_witness_signs_and_members_are_given_its_word(
    cast: Cast, offices: Offices, settings: Any
) -> None:
    settings.LOG_WITNESSES, settings.LOG_QUORUM = [SIGNER.line], 1
    assert page(cast.officer_a)["witnessed"] is None
    note = stranger().get("/log/checkpoint").content.decode()
    assert hand_in(cosigned(note, at=now() - 5)).status_code == 204
    body = page(cast.officer_a)
    found = read_checkpoint(NET, server_key().key.public, body["witnessed"], [SIGNER])
    assert [each.name for each in found.witnesses] == [SIGNER.line]
    assert (body["witnesses"], body["quorum"]) == ([SIGNER.line], 1)
    assert "witness.example" in stranger().get("/log/checkpoint").content.decode()
    follower = Follower(NET, server_key().key.public, label_key(), (SIGNER,), 1)
    follower.follow(body["checkpoint"], leaves_of(body), now=now())
    follower.check_fresh(now())


def test_l4_only_a_known_witness_s_word_counts(cast: Cast, offices: Offices, settings: Any) -> None:
    settings.LOG_WITNESSES, settings.LOG_QUORUM = [SIGNER.line], 1
    note = stranger().get("/log/checkpoint").content.decode()
    unknown = SigningKey.generate()
    stranger_s = Signer("other.example", unknown.public)
    assert said(hand_in(cosigned(note, at=now(), signer=stranger_s, key=unknown))) == (
        422,
        "unknown-witness",
    )
    assert said(hand_in(cosigned(note, at=now(), key=unknown))) == (422, "bad-checkpoint")
    assert said(hand_in("nonsense")) == (422, "bad-checkpoint")
    assert hand_in("x" * 100_000).status_code in {413, 422}
    assert page(cast.officer_a)["witnessed"] is None


def test_l5_a_witness_cannot_bring_a_state_the_log_has_not_signed(offices: Offices, settings: Any) -> None:
    settings.LOG_WITNESSES, settings.LOG_QUORUM = [SIGNER.line], 1
    log, _ = log_signers(NET, server_key().key.public)
    body = f"{NET}\n1\n{base64.b64encode(bytes(32)).decode()}\n"
    forged = make_note(body, [cosign(body, SIGNER, WITNESS, at=now())])
    assert said(hand_in(forged)) == (422, "bad-checkpoint")
    assert log.name == NET


def test_l4_an_older_word_does_not_replace_a_newer_one(offices: Offices, settings: Any) -> None:
    settings.LOG_WITNESSES, settings.LOG_QUORUM = [SIGNER.line], 1
    old = stranger().get("/log/checkpoint").content.decode()
    append_leaf("confirm", b"x", 0, bytes(32))
    new = stranger().get("/log/checkpoint").content.decode()
    for note in (cosigned(new, at=now() - 9), cosigned(old, at=now())):
        assert hand_in(note).status_code == 204
    body = stranger().get("/log/checkpoint").content.decode()
    assert "witness.example" in body


# --- L8: never signed shorter


def test_l8_a_log_put_back_to_an_earlier_day_is_not_signed(
    cast: Cast, offices: Offices, settings: Any, tmp_path: Path
) -> None:
    settings.LOG_MARK_FILE = tmp_path / "log.mark"
    append_leaf("confirm", b"x", 0, bytes(32))
    assert stranger().get("/log/checkpoint").status_code == 200
    kept = LogState.objects.get()
    size = kept.size
    last = LogLeaf.objects.order_by("position").last()
    assert last is not None
    last.delete()
    hashes = [bytes(value) for value in LogLeaf.objects.order_by("position").values_list("hash", flat=True)]
    LogState.objects.update(size=size - 1, frontier=b"".join(tree_over(hashes).frontier))
    assert code_of(call(cast.officer_a.client(), "GET", "/log")) == (503, "log-rolled-back")
    assert stranger().get("/log/checkpoint").status_code == 503
    with pytest.raises(Unavailable):
        append_leaf("confirm", b"y", 0, bytes(32))
    last.position = size - 1
    LogLeaf.objects.bulk_create([last])
    kept.save()
    assert stranger().get("/log/checkpoint").status_code == 200


def test_l8_another_log_of_the_same_size_is_not_signed(
    offices: Offices, settings: Any, tmp_path: Path
) -> None:
    settings.LOG_MARK_FILE = tmp_path / "log.mark"
    assert stranger().get("/log/checkpoint").status_code == 200
    state = LogState.objects.get()
    LogState.objects.update(frontier=bytes(len(bytes(state.frontier))))
    assert stranger().get("/log/checkpoint").status_code == 503
