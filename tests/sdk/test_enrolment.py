"""Making a keyring and asking for a device: no kit, no key and no request is lost on the way."""

import asyncio
from typing import Any

import pytest

from messaging.sdk.client import Client
from messaging.sdk.device_file import DeviceFile
from messaging.sdk.errors import DeviceExists, Distrusted, NotReady, ServerRefused, Unreachable
from messaging.sealed.keys import RecoveryKit
from tests.sdk.conftest import COST, HEAD_A, OFFICER_A, PASSPHRASE, Desks, until


class Died(BaseException):
    """The process ends here."""


def assert_kit_fits(client: Client, printed: str) -> None:
    """The kit is the one of the keyring in force."""
    own = client.mailbox.newest(client.mailbox.principal)
    assert own is not None
    assert own.recovery == RecoveryKit.parse(client.session.net, printed).public


def losing_answers(client: Client, *, times: int = 1, reaching: bool = True) -> list[Any]:
    """Let the next posts lose their answers, or not even reach the server; gives the bodies posted."""
    real, bodies = client.http.post, list[Any]()

    async def post(path: str, body: Any) -> Any:
        if path == "/api/threads":
            return await real(path, body)  # the ledger, once the keyring is heard of
        bodies.append(body)
        answer = await real(path, body) if reaching or len(bodies) > times else None
        if len(bodies) <= times:
            raise Unreachable("cut off")
        return answer

    client.http.post = post  # type: ignore[method-assign]
    return bodies


@pytest.mark.parametrize("reaching", [True, False])
async def test_same_keyring_is_posted_until_there_is_an_answer(desks: Desks, reaching: bool) -> None:
    client = await desks.open(HEAD_A)
    bodies = losing_answers(client, times=2, reaching=reaching)
    printed = await client.create_keyring()
    assert bodies == [bodies[0]] * 3
    assert_kit_fits(client, printed)
    assert client.is_ready


async def test_kit_is_given_again_by_the_next_process_until_it_is_safe(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await desks.open(HEAD_A)
    real = client.http.post

    async def die(path: str, body: Any) -> Any:
        await real(path, body)
        raise Died  # the process ends between the server's yes and the printer

    monkeypatch.setattr(client.http, "post", die)
    with pytest.raises(Died):
        await client.create_keyring()
    await client.close()
    again = await desks.open(HEAD_A)
    assert again._core.file.contents.founding
    printed = await again.create_keyring()
    assert_kit_fits(again, printed)
    assert await again.create_keyring() == printed
    again.kit_is_safe()
    assert not again.holds_kit
    with pytest.raises(DeviceExists):
        await again.create_keyring()
    await again.close()
    file = DeviceFile.open(desks.file_of(HEAD_A), PASSPHRASE, cost=COST)
    assert printed not in file.contents.to_json().decode()
    file.close()


async def test_keyring_the_server_never_heard_of_is_sent_by_the_next_process(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await desks.open(HEAD_A)

    async def die(path: str, body: Any) -> Any:
        raise Died

    monkeypatch.setattr(client.http, "post", die)
    with pytest.raises(Died):
        await client.create_keyring()
    principal = client.principal
    await client.close()
    again = await desks.open(HEAD_A)
    with pytest.raises(NotReady):
        again.kit_is_safe()
    assert_kit_fits(again, await again.create_keyring())
    assert again.principal == principal


async def test_kit_is_returned_whatever_the_server_shows_afterwards(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await desks.open(HEAD_A)

    async def lie(_: bytes) -> None:
        raise Distrusted("K10")

    monkeypatch.setattr(client._core, "load_keyring", lie)
    printed = await client.create_keyring()
    monkeypatch.undo()
    await client._core.load_keyring(client.mailbox.principal)
    assert_kit_fits(client, printed)


async def test_refused_keyring_leaves_nothing_behind(desks: Desks) -> None:
    client = await desks.open(OFFICER_A)
    with pytest.raises(ServerRefused):
        await client.create_keyring()
    assert (client.principal, client.holds_kit) == (None, False)


async def test_refusal_after_the_keyring_was_taken_does_not_lose_it(desks: Desks) -> None:
    client = await desks.open(HEAD_A)
    real = client.http.post

    async def post(path: str, body: Any) -> Any:
        await real(path, body)
        raise ServerRefused(403, "forbidden", "Your role has changed.")

    client.http.post = post  # type: ignore[method-assign]
    assert_kit_fits(client, await client.create_keyring())


async def test_request_that_never_left_is_made_by_the_next_process(desks: Desks) -> None:
    steward = await desks.with_keyring(HEAD_A)
    officer = await desks.open(OFFICER_A)
    losing_answers(officer, times=1000, reaching=False)
    asking = asyncio.create_task(officer.request_device())
    await until(lambda: officer.principal is not None)
    asking.cancel()
    await asyncio.wait({asking})
    await officer.close()
    assert await steward.list_device_requests() == []
    again = await desks.open(OFFICER_A)
    request = await anext(steward.device_requests())
    assert request.words == again.device_words
    await steward.approve_device(request)
    await again.wait_until_ready(seconds=20)


async def test_second_device_in_one_file_is_refused(desks: Desks) -> None:
    await desks.with_keyring(HEAD_A)
    officer = await desks.open(OFFICER_A)
    words = await officer.request_device()
    with pytest.raises(DeviceExists):
        await officer.request_device()
    with pytest.raises(DeviceExists):
        await officer.create_keyring()
    assert officer.device_words == words


async def test_request_that_was_refused_may_be_made_again(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desks.with_keyring(HEAD_A)
    officer = await desks.open(OFFICER_A)

    async def refuse(_: str, __: Any) -> Any:
        raise ServerRefused(409, "reused-key", "No.")

    monkeypatch.setattr(officer.http, "post", refuse)
    with pytest.raises(ServerRefused):
        await officer.request_device()
    monkeypatch.undo()
    assert officer.principal is None
    assert await officer.request_device()


async def test_declined_device_can_be_forgotten_and_a_listed_one_not(desks: Desks) -> None:
    steward = await desks.with_keyring(HEAD_A)
    officer = await desks.open(OFFICER_A)
    words = await officer.request_device()
    await steward.decline_device(await anext(steward.device_requests()))
    officer.forget_device()
    assert await officer.request_device() != words
    with pytest.raises(DeviceExists):
        steward.forget_device()
