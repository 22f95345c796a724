"""What the directory says against what was verified, and how distrust is shown."""

import asyncio
from typing import Any

import pytest

from messaging.sdk import inbox
from messaging.sdk.client import Client
from messaging.sdk.core import Core
from messaging.sdk.device_file import DeviceFile
from messaging.sdk.errors import Distrusted, ServerRefused
from messaging.sdk.facts import Authority
from network.demo import STATE_B, STATE_C
from tests.sdk.conftest import (
    COLLEAGUE_A,
    COST,
    HEAD_B,
    HEAD_C,
    OFFICER_A,
    PASSPHRASE,
    Desks,
    Pair,
    listed_device,
    next_message,
)

# What the client refuses: the same on any database.
pytestmark = pytest.mark.any_database

STATE_B_ID, STATE_C_ID = STATE_B.authority_id.hex, STATE_C.authority_id.hex


async def directory(client: Client) -> dict[str, Authority]:
    """Return the authorities by id."""
    return {row.id: row for row in await client.list_authorities()}


def with_rows(client: Client, **rows: str) -> None:
    """Let the directory give other principals: `rows` are authority ids (with an a before) and principals."""
    real = client.http.get

    async def get(path: str, **query: Any) -> Any:
        found = await real(path, **query)
        if path == "/api/authorities":
            for row in found["authorities"]:
                row["principal"] = rows.get("a" + row["id"], row["principal"])
        return found

    client.http.get = get  # type: ignore[method-assign]


async def test_k8_thread_goes_to_the_chosen_authority_only(pair: Pair, desks: Desks) -> None:
    third = await desks.with_keyring(HEAD_C)
    assert third.principal is not None
    with_rows(pair.a, **{"a" + STATE_B_ID: third.principal})  # C's keys under B's name
    row = (await directory(pair.a))[STATE_B_ID]
    with pytest.raises(Distrusted, match="K8 changed-principal"):
        await pair.a.open_thread(row, "for State B only")
    assert await third.list_threads() == []


async def test_k8_authority_met_for_the_first_time_must_be_the_one_its_keyring_names(
    pair: Pair, desks: Desks
) -> None:
    await desks.with_keyring(HEAD_C)
    with_rows(pair.a, **{"a" + STATE_C_ID: pair.b.principal or ""})  # B's keys under C's name
    row = (await directory(pair.a))[STATE_C_ID]
    with pytest.raises(Distrusted, match="K8 changed-principal"):
        await pair.a.open_thread(row, "for State C only")


async def test_k8_honest_row_and_verified_principal_can_be_written_to(pair: Pair) -> None:
    for to in ((await directory(pair.a))[STATE_B_ID], pair.b.principal or ""):
        await pair.a.open_thread(to, "to State B")
        message = await next_message(pair.b)
        assert message.authority is not None
        assert (message.text, message.authority.principal) == ("to State B", pair.a.principal)


@pytest.mark.parametrize("shown", ["id", "principal"])
async def test_k8_message_is_not_named_after_a_changed_row(pair: Pair, desks: Desks, shown: str) -> None:
    await pair.a.send(pair.opened.thread, "who am I?")
    await pair.b.close()
    back = await opened_with_changed_rows(desks, pair.a.principal or "", shown)
    if shown == "id":
        assert "K8 changed-principal" in str(back.distrusted[pair.opened.thread])
        return
    message = await next_message(back)
    assert message.authority is not None
    assert message.authority.principal == pair.a.principal


async def opened_with_changed_rows(desks: Desks, principal: str, shown: str) -> Client:
    """Open B's client where A's keyring comes under another authority, or with another principal."""
    change = {"id": STATE_C_ID, "principal": "00" * 32}[shown]
    real = Core._apply_keyring

    def apply(self: Core, found_principal: bytes, found: dict[str, Any]) -> None:
        if found_principal.hex() == principal:
            found = {**found, "authority": {**found["authority"], shown: change}}
        real(self, found_principal, found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Core, "_apply_keyring", apply)
        return await desks.open(HEAD_B)


async def test_older_page_is_read_though_the_newest_is_handled(
    pair: Pair, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pair.b.close()
    await pair.a.send(pair.opened.thread, "on the older page")
    newer = await pair.a.open_thread(pair.b.principal or "", "on the newest page")
    file = DeviceFile.open(desks.file_of(HEAD_B), PASSPHRASE, cost=COST)
    file.contents.handled[newer.thread] = newer.seq  # the process died between the two pages
    file.save()
    file.close()
    monkeypatch.setattr(inbox, "PAGE", 1)
    back = await desks.open(HEAD_B)
    monkeypatch.undo()
    assert (await next_message(back)).text == "on the older page"


async def test_client_that_cannot_begin_says_why(
    pair: Pair, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pair.b.close()
    for error in (Distrusted("K10"), ServerRefused(403, "forbidden", "No."), KeyError("entries")):

        async def refuse(_: Client, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(Client, "_become_ready", refuse)
        with pytest.raises(type(error)):
            await asyncio.wait_for(desks.open(HEAD_B), 20)


async def test_temporary_refusal_at_the_beginning_is_waited_for(
    pair: Pair, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pair.b.close()
    real, errors = (
        Client._become_ready,
        [ServerRefused(422, "signed-out", "No."), ServerRefused(500, "x", "No.")],
    )

    async def refuse_twice(client: Client) -> None:
        if errors:
            raise errors.pop()
        await real(client)

    monkeypatch.setattr(Client, "_become_ready", refuse_twice)
    assert (await asyncio.wait_for(desks.open(HEAD_B), 30)).is_ready


async def test_own_keyring_that_does_not_hold_ends_the_client(
    pair: Pair, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = await listed_device(desks, OFFICER_A, pair.a)
    await next_message(officer)
    waiting = await desks.open(COLLEAGUE_A)

    async def lie(_: bytes) -> None:
        raise Distrusted("K10: another entry stands at a known place")

    for client in (officer, waiting):
        monkeypatch.setattr(client._core, "load_keyring", lie)
    reading = asyncio.create_task(next_message(officer))
    await waiting.request_device()
    becoming: asyncio.Task[object] = asyncio.create_task(waiting.wait_until_ready(seconds=60))
    (request,) = await pair.a.list_device_requests()
    await pair.a.approve_device(request)
    for task in (reading, becoming):
        with pytest.raises(Distrusted, match="K10"):
            await asyncio.wait_for(task, 20)
    with pytest.raises(Distrusted, match="K10"):
        await officer.send(pair.opened.thread, "nothing goes out")
