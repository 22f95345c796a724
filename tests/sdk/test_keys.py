"""A program changes the keys of its authority: who is removed is out, and a kit takes everything over."""

import shutil
from typing import Any

import pytest

from messaging.sdk import core
from messaging.sdk.errors import ApprovalNeeded, Distrusted, NotReady, ServerRefused
from messaging.sdk.http import Http
from messaging.sealed.errors import Refused
from messaging.sealed.message import Note, Plaintext
from network.demo import STATE_A
from tests.sdk.conftest import HEAD_A, HEAD_B, OFFICER_A, Desks, Pair, listed_device, next_message, until

ADMINISTRATOR_A = next(person for person in STATE_A.persons if "administrator" in person.roles)


async def test_a_removed_device_with_all_its_old_state_opens_nothing_sent_afterwards(desks: Desks) -> None:
    head, other = await desks.with_keyring(HEAD_A), await desks.with_keyring(HEAD_B)
    officer = await listed_device(desks, OFFICER_A, head)
    opened = await officer.open_thread(other.principal or "", "Before.")
    await next_message(other)
    await next_message(head)
    lost = officer.mailbox
    lost.log = None  # whoever has stolen it takes what there is
    await head.keys.remove_devices([lost.device.id.hex()])
    await other.send(opened.thread, "After.")  # re-keyed by itself before it is written
    arrived = await next_message(head)
    assert arrived.text == "After."
    thread = bytes.fromhex(opened.thread)
    correspondence = head.mailbox.threads[thread]
    known = len(lost.threads[thread].raw)
    ring = head.mailbox.rings[lost.principal]
    rows = [(entry.statement.raw, ring.envelopes[entry.n]) for entry in ring.entries]
    lost.apply_keyring(lost.principal, rows, [device.raw for device in ring.devices.values()])
    applied = [lost.apply_item(item) for item in correspondence.raw[known:]]
    assert applied[-1].message is not None
    assert [row.plaintext for row in applied if row.message] == [None]
    assert max(lost.threads[thread].epochs) < correspondence.state.n  # type: ignore[union-attr]
    with pytest.raises(Refused, match="not-verified"):
        lost.seal(thread, Plaintext(Note("Still here?"), "en"), at=0)


async def test_who_loses_a_device_can_send_nothing_any_more(desks: Desks) -> None:
    head, other = await desks.with_keyring(HEAD_A), await desks.with_keyring(HEAD_B)
    officer = await listed_device(desks, OFFICER_A, head)
    opened = await officer.open_thread(other.principal or "", "Before.")
    await head.keys.remove_devices([officer.mailbox.device.id.hex()])
    await until(lambda: not officer.is_ready)
    with pytest.raises((NotReady, Distrusted)):
        await officer.send(opened.thread, "After.")


async def test_everything_is_made_anew_and_goes_on(desks: Desks) -> None:
    head, other = await desks.with_keyring(HEAD_A), await desks.with_keyring(HEAD_B)
    opened = await head.open_thread(other.principal or "", "Before.")
    await next_message(other)
    await head.keys.rotate()
    await other.send(opened.thread, "After.")
    assert (await next_message(head)).text == "After."


async def test_with_the_kit_a_new_device_reads_everything_and_others_see_it(desks: Desks) -> None:
    head = await desks.open(HEAD_A)
    kit = await head.create_keyring()
    head.kit_is_safe()
    other = await desks.with_keyring(HEAD_B)
    opened = await head.open_thread(other.principal or "", "Before everything was lost.")
    await next_message(other)
    await other.send(opened.thread, "And this.")
    await next_message(head)
    assert await head.keys.try_kit(kit)
    principal = head.principal or ""
    await head.close()
    shutil.rmtree(desks.file_of(HEAD_A).parent)
    new = await desks.open(HEAD_A)
    with pytest.raises(Distrusted):
        await new.keys.recover(kit[:-1] + ("0" if kit[-1] != "0" else "1"))
    printed = await new.keys.recover(kit)
    assert printed != kit
    assert new.holds_kit
    new.kit_is_safe()
    assert [(await next_message(new)).text for _ in range(2)] == ["Before everything was lost.", "And this."]
    await until(lambda: other.keys.is_unconfirmed(principal))
    with pytest.raises(Distrusted, match="unconfirmed-recovery"):
        await other.send(opened.thread, "Who are you?")
    (row,) = [row for row in await other.list_authorities() if row.principal == principal]
    await other.ledger.accept(row, how="voice")
    assert not other.keys.is_unconfirmed(principal)
    await other.send(opened.thread, "We have compared.")
    assert (await next_message(new)).text == "We have compared."
    with pytest.raises(Distrusted, match="other-kit"):
        await new.keys.try_kit(kit)
    assert await new.keys.try_kit(printed)


async def test_k10_a_keyring_that_comes_in_pages_is_compared_when_it_is_whole(
    desks: Desks, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this device has seen before may stand on a later page."""
    await pair.b.keys.rotate()
    await pair.a.send(pair.opened.thread, "To the new keys.")
    await pair.a.close()
    real = Http.get

    async def get(http: Http, path: str, **query: Any) -> Any:
        found = await real(http, path, **query)
        return found | {"entries": found["entries"][:1]} if path.startswith("/api/keyrings/") else found

    monkeypatch.setattr(Http, "get", get)
    monkeypatch.setattr(core, "PAGE", 1)
    again = await desks.open(HEAD_A)
    await again.send(pair.opened.thread, "Still to the new keys.")
    assert [(await next_message(pair.b)).text for _ in range(2)] == [
        "To the new keys.",
        "Still to the new keys.",
    ]


async def test_two_stewards_agree_on_what_gives_power_over_the_keys(desks: Desks) -> None:
    first = await desks.with_keyring(ADMINISTRATOR_A)
    head = await desks.open(HEAD_A)
    await head.request_device()
    await first.approve_device(await anext(first.device_requests()), ("officer", "steward"))
    await head.wait_until_ready(seconds=20)
    with pytest.raises(ApprovalNeeded) as caught:
        await head.keys.change_roles({head.mailbox.device.id.hex(): ("officer", "steward", "supervisor")})
    await head.keys.propose(caught.value.change)
    (waiting,) = await first.keys.list_waiting()
    assert waiting.reason == "role"
    assert list(waiting.does.changed.values()) == [("officer", "steward", "supervisor")]
    await first.keys.agree(waiting)
    await until(lambda: head.mailbox.newest(head.mailbox.principal).n == 2)  # type: ignore[union-attr]
    assert await first.keys.list_waiting() == []
    with pytest.raises(ServerRefused, match="no-proposal"):
        await first.keys.withdraw(waiting)


async def test_a_kit_that_is_replaced_is_kept_until_it_is_safe(desks: Desks) -> None:
    head = await desks.open(HEAD_A)
    old = await head.create_keyring()
    head.kit_is_safe()
    printed = await head.keys.replace_kit()
    assert head.holds_kit
    head.kit_is_safe()
    assert await head.keys.try_kit(printed)
    with pytest.raises(Distrusted, match="other-kit"):
        await head.keys.try_kit(old)
