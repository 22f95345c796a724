"""An authority that has lost all devices and its kit begins anew; its counterpart goes on (K12, T10)."""

import pytest

from messaging.sdk.client import Client
from messaging.sdk.errors import ClientError, DeviceExists, NotReady, NotSent
from messaging.sdk.facts import Authority
from tests.sdk.conftest import HEAD_A, HEAD_B, OFFICER_B, Desks, Pair, next_message
from tests.secretariat import confirm_everybody


async def as_listed(client: Client, of: Client) -> Authority:
    """Return an authority as the directory has it now."""
    wanted = of.session.authority.id
    (found,) = [row for row in await client.list_authorities() if row.id == wanted]
    return found


async def test_an_authority_that_lost_everything_begins_anew_and_both_go_on(desks: Desks, pair: Pair) -> None:
    a, before, thread = pair.a, pair.b, pair.opened.thread
    old = before.principal or ""
    # Another computer, with an empty file: nothing of the old keys is left.
    after = await desks.open(HEAD_B, name="anew")
    kit = await after.begin_anew()
    assert await after.begin_anew() == kit
    new = after.principal or ""
    assert new != old
    with pytest.raises(NotReady, match="secretariat"):
        await after.open_thread(await as_listed(after, a), "Too early.")
    # Nothing has changed for the counterpart: it writes to the old keys, and cannot to the new ones.
    assert (await as_listed(a, before)).waiting == new
    await a.send(thread, "Still to the old keys.")
    assert (await next_message(before)).text == "Still to the old keys."
    with pytest.raises(ClientError):
        await a.open_thread(new, "To keys that nobody compared.")
    # The secretariat confirms them by a new note: they are in force, and nothing is sealed to the old ones.
    await confirm_everybody(desks.server)
    await after.wait_until_ready(seconds=30)
    after.kit_is_safe()
    with pytest.raises(ClientError, match="succeeded"):
        await a.send(thread, "To nobody.")
    # A supervisor of the counterpart compares the fingerprint, and puts the new keys in.
    with pytest.raises(NotSent, match="accepted"):
        await a.membership.succeed(thread, old)
    await a.ledger.accept(await as_listed(a, before), how="voice")
    assert await a.membership.succeed(thread, old) == new
    await a.send(thread, "After the loss.")
    assert (await next_message(after)).text == "After the loss."
    await after.send(thread, "With the new keys.")
    assert (await next_message(a)).text == "With the new keys."


async def test_devices_of_keys_that_have_ended_ask_anew(desks: Desks) -> None:
    before = await desks.with_keyring(HEAD_B)
    with pytest.raises(DeviceExists):
        await before.begin_anew()
    after = await desks.open(HEAD_B, name="anew")
    with pytest.raises(NotReady):
        await (await desks.open(HEAD_A)).begin_anew()  # it never had keys
    await after.begin_anew()
    await confirm_everybody(desks.server)
    await after.wait_until_ready(seconds=30)
    await before.keys._load()
    with pytest.raises(NotReady, match="taken the place"):
        await before.open_thread(after.principal or "", "With the old keys.")
    before.forget_device()
    await before.request_device()
    assert before.principal == after.principal
    colleague = await desks.open(OFFICER_B)
    await colleague.request_device()
    for request in await after.list_device_requests():
        await after.approve_device(request)
    await colleague.wait_until_ready()
    await before.wait_until_ready()
