"""A program follows the log of keys, and seals nothing where it is silent, old or lies (L1 to L8, M9)."""

import asyncio
import base64
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from messaging.sdk.client import Client
from messaging.sdk.errors import Distrusted
from messaging.sdk.outbox import now
from messaging.sealed.checkpoint import log_signers, make_checkpoint
from messaging.sealed.keys import SigningKey
from messaging.sealed.message import LogPlace
from messaging.sealed.transparency import Leaf, leaf_hash, log_label, read_leaf, tree_over
from messaging.tools import verify_log, witness
from tests.sdk.conftest import (
    HEAD_A,
    HEAD_B,
    HEAD_C,
    OFFICER_A,
    Desks,
    Pair,
    listed_device,
    next_message,
)
from tests.secretariat import confirm_everybody
from tests.server import PreparedState, Server

pytestmark = pytest.mark.any_database
DAY = 24 * 3600


def lie(client: Client, change: Callable[[dict[str, Any]], None], path: str = "/api/log") -> None:
    """Let the server's answers about the log be changed on their way to this client."""
    real = client.http.get

    async def get(asked: str, **query: Any) -> Any:
        found = await real(asked, **query)
        if asked == path:
            change(found)
        return found

    client.http.get = get  # type: ignore[assignment, method-assign]


def resign(desks: Desks, *, size: int, root: bytes, at: int | None = None) -> str:
    """A checkpoint with the server's own key: a lying server can sign whatever it likes."""
    key = SigningKey.from_seed(bytes.fromhex((desks.server.state / "server.key").read_text().strip()))
    return make_checkpoint("network.example/s1", key, size=size, root=root, at=at or now())


def forget(client: Client) -> None:
    """Let the client ask the log again before it seals the next time."""
    client._core.log._followed_at = float("-inf")


async def test_messages_say_which_log_their_sender_saw(pair: Pair, desks: Desks) -> None:
    sent = await pair.a.open_thread(pair.b.principal or "", "With the log.")
    arrived = await next_message(pair.b)
    assert arrived.text == "With the log."
    message = pair.b.mailbox.threads[bytes.fromhex(sent.thread)].applied[sent.seq - 1].message
    assert message is not None
    follower = pair.a._core.log.follower
    assert message.log == LogPlace(follower.tree.size, follower.tree.root)
    assert pair.b.mailbox.log is not None
    pair.b.mailbox.log.check_message(message.log)
    assert not pair.a._core.log.is_watched


async def test_l7_a_restarted_program_goes_on_where_it_stood(pair: Pair, desks: Desks) -> None:
    await pair.a.open_thread(pair.b.principal or "", "Before.")
    size = pair.a._core.log.follower.tree.size
    await pair.a.close()
    again = await desks.open(HEAD_A)
    await again.wait_until_ready()
    asked: list[int] = []
    real = again.http.get

    async def get(path: str, **query: Any) -> Any:
        if path == "/api/log":
            asked.append(int(query["from"]))
        return await real(path, **query)

    again.http.get = get  # type: ignore[method-assign]
    await again.open_thread(pair.b.principal or "", "After.")
    assert asked[0] == size


async def test_l5_a_smaller_log_is_refused_and_nothing_is_sealed(
    pair: Pair, desks: Desks, caplog: Any
) -> None:
    await pair.a.open_thread(pair.b.principal or "", "Before.")
    forget(pair.a)
    lie(pair.a, lambda page: page.update(checkpoint=resign(desks, size=1, root=bytes(32)), leaves=[]))
    with caplog.at_level(logging.WARNING), pytest.raises(Distrusted, match="L5"):
        await pair.a.open_thread(pair.b.principal or "", "Not sent.")
    assert "the log of keys is not trusted" in caplog.text
    assert len(await pair.b.list_threads()) == 2
    assert pair.a._core.log.follower.evidence


async def test_l5_after_a_refusal_nothing_is_sealed_by_what_was_known(pair: Pair, desks: Desks) -> None:
    sent = await pair.a.open_thread(pair.b.principal or "", "Before.")
    await pair.a._core.log.follow()
    lie(pair.a, lambda page: page.update(checkpoint=resign(desks, size=1, root=bytes(32)), leaves=[]))
    for act in (pair.a._core.log.follow(), pair.a.send(sent.thread, "Not sent.")):
        with pytest.raises(Distrusted, match="L5"):
            await act


async def test_l8_a_log_begun_anew_is_refused(pair: Pair, desks: Desks) -> None:
    sent = await pair.a.open_thread(pair.b.principal or "", "Before.")
    forget(pair.a)
    raw = [Leaf("confirm", bytes(32), 0, bytes([number]) * 32).encode() for number in range(90)]
    tree = tree_over(map(leaf_hash, raw))
    size = pair.a._core.log.follower.tree.size
    rest = [base64.b64encode(leaf).decode() for leaf in raw[size:]]
    lie(pair.a, lambda page: page.update(checkpoint=resign(desks, size=90, root=tree.root), leaves=rest))
    with pytest.raises(Distrusted, match="L5 inconsistent-log"):
        await pair.a.send(sent.thread, "Not sent.")


async def test_l4_an_old_checkpoint_is_not_enough(pair: Pair, desks: Desks) -> None:
    sent = await pair.a.open_thread(pair.b.principal or "", "Before.")
    forget(pair.a)
    tree = pair.a._core.log.follower.tree
    pair.a._core.log.follower.fresh_at = 0
    old = resign(desks, size=tree.size, root=tree.root, at=now() - DAY - 60)
    lie(pair.a, lambda page: page.update(checkpoint=old, leaves=[]))
    with pytest.raises(Distrusted, match="L4 stale-checkpoint"):
        await pair.a.send(sent.thread, "Not sent.")


async def test_l3_a_ghost_in_the_log_freezes_the_authority(pair: Pair, desks: Desks) -> None:
    sent = await pair.a.open_thread(pair.b.principal or "", "Before.")
    forget(pair.a)
    follower = pair.a._core.log.follower
    other = bytes.fromhex(pair.b.principal or "")
    ghost = Leaf("keyring", log_label(follower.label_key, "keyring", other), 0, bytes(32)).encode()
    grown = follower.tree.append(leaf_hash(ghost))
    leaves = [base64.b64encode(ghost).decode()]
    lie(
        pair.a,
        lambda page: page.update(checkpoint=resign(desks, size=grown.size, root=grown.root), leaves=leaves),
    )
    with pytest.raises(Distrusted, match="L3 contradicting-leaves"):
        await pair.a.send(sent.thread, "Not sent.")


async def test_l1_a_keyring_the_log_does_not_have_is_not_sealed_to(pair: Pair, desks: Desks) -> None:
    """The server shows an entry to one authority, and keeps it out of the log that it shows there."""
    third = await desks.open(HEAD_C)
    real = third.http.get

    async def get(path: str, **query: Any) -> Any:
        if path != "/api/log":
            return await real(path, **query)
        page = await real(path, **{"from": 0})
        label_key = base64.b64decode(page["label_key"])
        hidden = log_label(label_key, "keyring", bytes.fromhex(pair.b.principal or ""))
        raw = [base64.b64decode(leaf) for leaf in page["leaves"]]
        kept = [leaf for leaf in raw if read_leaf(leaf).label != hidden]
        note = resign(desks, size=len(kept), root=tree_over(map(leaf_hash, kept)).root)
        leaves = [base64.b64encode(leaf).decode() for leaf in kept[query["from"] :]]
        return {**page, "leaves": leaves, "checkpoint": note}

    third.http.get = get  # type: ignore[method-assign]
    await third.create_keyring()
    third.kit_is_safe()
    await confirm_everybody(desks.server)
    with pytest.raises(Distrusted, match="L1 not-logged"):
        await third.open_thread(pair.b.principal or "", "Not sent.")


async def test_l2_a_withheld_entry_is_asked_for_and_missed(pair: Pair, desks: Desks) -> None:
    sent = await pair.b.open_thread(pair.a.principal or "", "To begin with.")

    def stop_at_the_old_entry(page: dict[str, Any]) -> None:
        page["entries"] = [row for row in page["entries"] if row["n"] == 0]

    lie(pair.b, stop_at_the_old_entry, f"/api/keyrings/{pair.a.principal}")
    await listed_device(desks, OFFICER_A, pair.a)
    forget(pair.b)
    with pytest.raises(Distrusted, match="L2 withheld-entry"):
        await pair.b.send(sent.thread, "Not sent.")


async def test_l6_a_sender_who_saw_another_log_stops_the_thread(pair: Pair, desks: Desks) -> None:
    sent = await pair.a.open_thread(pair.b.principal or "", "Before.")
    await next_message(pair.b)
    await pair.b.send(sent.thread, "Seen.")
    follower = pair.a._core.log.follower
    other = Leaf("confirm", bytes(32), 0, bytes(32)).encode()
    fork = follower.tree.append(leaf_hash(other))
    forget(pair.a)
    page = {
        "checkpoint": resign(desks, size=fork.size, root=fork.root),
        "leaves": [base64.b64encode(other).decode()],
    }
    lie(pair.a, lambda found: found.update(page))
    await pair.a.send(sent.thread, "From another log.")
    with pytest.raises(Distrusted, match="L6 log-withheld"):
        await pair.b._inbox.pull(sent.thread)


async def test_l4_a_witness_is_asked_for_where_one_is_named(
    prepared_state: PreparedState, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way: the operator names a witness, it follows and signs from outside, programs seal."""
    key, line = tmp_path / "witness.key", ""
    assert witness.main(["--make-key", str(key)]) == 0
    assert witness.main(["--show", "--key", str(key), "--name", "west.example"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    described = Server.unlimited(prepared_state, tmp_path / "watched", NETWORK_LOG_WITNESSES=line)
    with described as server:
        seed = bytes.fromhex((described.state / "server.key").read_text().strip())
        log, _ = log_signers("network.example/s1", SigningKey.from_seed(seed).public)
        desks = Desks(server, tmp_path / "desks")
        async with desks.stack:
            a, b = await desks.with_keyring(HEAD_A), await desks.with_keyring(HEAD_B)
            with pytest.raises(Distrusted, match="L4 stale-checkpoint"):
                await a.open_thread(b.principal or "", "Nobody has looked yet.")
            options = ["--key", str(key), "--name", "west.example", "--state", str(tmp_path / "state")]
            signing = [server.origin, "--log", log.line, *options]
            assert await asyncio.to_thread(witness.main, signing) == 0
            forget(a)
            await a.open_thread(b.principal or "", "Somebody has.")
            assert (await next_message(b)).text == "Somebody has."
            assert a._core.log.is_watched
        assert await asyncio.to_thread(verify_log.main, [server.origin, "--log", log.line]) == 0
