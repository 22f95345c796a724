"""Two national systems write to each other through a real server."""

import asyncio
import re

import pytest

from messaging.sdk.errors import DeviceExists, NotReady, ServerRefused, SignInFailed
from messaging.sealed.keys import RecoveryKit
from network.demo import STATE_B, STATE_C, DemoPerson
from tests.sdk.conftest import (
    HEAD_A,
    HEAD_B,
    HEAD_C,
    OFFICER_A,
    Desks,
    Pair,
    listed_device,
    next_message,
    until,
)
from tests.server import Server


async def test_requested_authority_reads_what_the_requesting_one_wrote(pair: Pair) -> None:
    assert pair.first.text == "May we send you a request?"
    assert pair.first.subject == "A question"
    assert pair.first.name == HEAD_A.name
    assert pair.first.authority is not None
    assert pair.first.authority.state_name == "State A"
    assert pair.first.marks == ()


async def test_requesting_authority_sees_delivered_opened_and_acknowledged_apart(pair: Pair) -> None:
    async def progress() -> tuple[int, int]:
        (thread,) = await pair.a.list_threads()
        return thread.progress.get(pair.b.principal or "", (0, 0))

    async def is_delivered() -> bool:
        return (await progress())[0] >= pair.opened.seq

    await until(is_delivered)
    assert (await progress())[1] == 0
    await pair.b.mark_opened(pair.first)
    assert (await progress())[1] == pair.opened.seq
    await pair.b.acknowledge(pair.first)
    answer = await next_message(pair.a)
    assert (answer.kind, answer.acknowledges, answer.text) == ("acknowledgement", pair.opened.id, None)


async def test_each_side_answers_in_one_thread_in_order(pair: Pair) -> None:
    thread = pair.opened.thread
    for number in range(5):
        await pair.b.send(thread, f"answer {number}")
        assert (await next_message(pair.a)).text == f"answer {number}"
        await pair.a.send(thread, f"question {number}")
        assert (await next_message(pair.b)).text == f"question {number}"


async def test_colleague_sees_what_the_own_authority_sent(pair: Pair, desks: Desks) -> None:
    officer = await listed_device(desks, OFFICER_A, pair.a)
    sent = await pair.a.send(pair.opened.thread, "for the file")
    found = [await next_message(officer) for _ in range(2)]
    assert [message.text for message in found] == ["May we send you a request?", "for the file"]
    assert found[-1].is_own_authority
    assert found[-1].seq == sent.seq


async def test_steward_lists_a_device_after_comparing_its_words(desks: Desks) -> None:
    steward = await desks.with_keyring(HEAD_A)
    officer = await desks.open(OFFICER_A)
    words = await officer.request_device()
    assert re.fullmatch(r"\d{5}( \d{5}){5}", words)
    assert not officer.is_ready
    request = await anext(steward.device_requests())
    assert (request.words, request.name) == (words, OFFICER_A.name)
    await steward.approve_device(request)
    await officer.wait_until_ready(seconds=20)
    assert officer.is_ready


async def test_steward_declines_a_device(desks: Desks) -> None:
    steward = await desks.with_keyring(HEAD_A)
    officer = await desks.open(OFFICER_A)
    await officer.request_device()
    await steward.decline_device(await anext(steward.device_requests()))
    assert await steward.list_device_requests() == []
    with pytest.raises(NotReady):
        await officer.wait_until_ready(seconds=0.3)


async def test_officer_cannot_write_before_a_steward_has_listed_the_device(pair: Pair, desks: Desks) -> None:
    officer = await desks.open(OFFICER_A)
    await officer.request_device()
    with pytest.raises(NotReady):
        await officer.send(pair.opened.thread, "too early")


async def test_officer_cannot_make_a_keyring(desks: Desks) -> None:
    officer = await desks.open(OFFICER_A)
    with pytest.raises(ServerRefused) as refused:
        await officer.create_keyring()
    assert refused.value.status == 403
    assert officer.principal is None


async def test_nobody_can_write_to_an_authority_without_a_keyring(pair: Pair) -> None:
    found = {authority.id: authority for authority in await pair.a.list_authorities()}
    assert found[STATE_B.authority_id.hex].principal == pair.b.principal
    assert found[STATE_B.authority_id.hex].functions == ("CNF", "EXT", "MLA")
    with pytest.raises(NotReady):
        await pair.a.open_thread(found[STATE_C.authority_id.hex], "Is anybody there?")


async def test_third_authority_sees_nothing_of_the_thread(pair: Pair, desks: Desks) -> None:
    third = await desks.with_keyring(HEAD_C)
    assert await third.list_threads() == []
    with pytest.raises(ServerRefused) as refused:
        await third.http.get(f"/api/threads/{pair.opened.thread}/items", after=0)
    assert refused.value.status == 404


async def test_recovery_kit_is_one_that_can_be_typed_in_again(desks: Desks) -> None:
    client = await desks.open(HEAD_A)
    printed = await client.create_keyring()
    kit = RecoveryKit.parse(client.session.net, printed)
    own = client.mailbox.newest(client.mailbox.principal)
    assert own is not None
    assert own.recovery == kit.public


async def test_stranger_is_not_let_in(desks: Desks) -> None:
    stranger = DemoPerson("nobody@nowhere.example", "Nobody", "", ("officer",))
    with pytest.raises(SignInFailed):
        await desks.open(stranger)


async def test_messages_of_the_whole_length_and_every_script_arrive(pair: Pair) -> None:
    for text in ("", "سلام، 你好, здравствуйте, ¿qué tal? 🕊", "x" * 40_000):
        await pair.a.send(
            pair.opened.thread, text, own_reference="A/1", foreign_reference="B/2", language="ar"
        )
        found = await next_message(pair.b)
        assert (found.text, found.own_reference, found.foreign_reference) == (text, "A/1", "B/2")


async def test_head_cannot_make_a_second_keyring(desks: Desks) -> None:
    client = await desks.with_keyring(HEAD_B)
    with pytest.raises(DeviceExists):
        await client.create_keyring()


async def test_client_says_so_when_its_standing_has_ended(desks: Desks, server: Server) -> None:
    client = await desks.with_keyring(HEAD_A)
    await asyncio.to_thread(server.manage, "end_membership", str(HEAD_A.membership_id))
    with pytest.raises(SignInFailed):
        async with asyncio.timeout(40):
            await anext(client.messages())
