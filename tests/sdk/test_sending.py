"""What is sent goes out once, is refused in clear words, and waits for nobody else's trouble."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from messaging.sdk.device_file import Outgoing
from messaging.sdk.errors import ClientError, Distrusted, InvalidMessage, ServerRefused, Unreachable
from tests.sdk.conftest import Pair, next_message, until
from tests.server import Server

REFUSED = ServerRefused(422, "refused", "No.")


def failing_first(real: Callable[..., Any], *errors: BaseException) -> Callable[..., Any]:
    """Return the function, raising each of the errors once before it works."""
    left = list(errors)

    async def call(*arguments: Any, **more: Any) -> Any:
        if left:
            raise left.pop(0)
        return await real(*arguments, **more)

    return call


def outbox_of(pair: Pair) -> list[Outgoing]:
    """Return what is on its way at A in the thread of the two; the ledger is written by itself."""
    outbox = pair.a._core.file.contents.outbox
    return [outgoing for outgoing in outbox if outgoing.thread == pair.opened.thread]


UNREADABLE: list[dict[str, Any]] = [
    {"subject": "s" * 201},
    {"own_reference": "r" * 101},
    {"language": "l" * 36},
    {"text": "x" * 50_000},
    {"text": "half a pair: \ud800"},
    {"urgency": 1},
    {"due": 1_800_000_000},
    {"reason": "for nothing"},
    {"urgency": 3, "reason": "too much"},
]


async def test_text_nobody_could_read_is_refused_before_anything_is_signed(pair: Pair) -> None:
    before = pair.a.mailbox.export_state()
    for more in UNREADABLE:
        given: dict[str, Any] = {"text": "hello", **more}
        with pytest.raises(InvalidMessage):
            await pair.a.send(pair.opened.thread, **given)
        with pytest.raises(InvalidMessage):
            await pair.a.open_thread(pair.b.principal or "", **given)
    assert (pair.a.mailbox.export_state(), outbox_of(pair)) == (before, [])
    await pair.a.send(pair.opened.thread, "readable")
    assert (await next_message(pair.b)).text == "readable"


async def test_urgency_and_date_wanted_arrive_with_their_sealed_reason(pair: Pair, server: Server) -> None:
    why = "The suspect is released tomorrow."
    await pair.a.send(pair.opened.thread, "Please hurry.", urgency=2, due=1_800_000_000, reason=why)
    message = await next_message(pair.b)
    assert (message.urgency, message.due, message.reason) == (2, 1_800_000_000, why)
    stored = server.sql("SELECT urgency, due FROM messaging_threaditem WHERE urgency > 0")
    assert stored == [(2, 1_800_000_000)]


async def test_how_a_message_is_to_be_handled_arrives_sealed(pair: Pair) -> None:
    chosen = ("with-consent", "formal", "confidential")
    await pair.a.send(pair.opened.thread, "The request.", marks=chosen)
    message = await next_message(pair.b)
    assert message.marks == ("formal", "confidential", "with-consent")
    for wrong in (("formal", "informal"), ("secret",)):
        with pytest.raises(InvalidMessage):
            await pair.a.send(pair.opened.thread, "Not sent.", marks=wrong)


async def test_message_sent_when_the_sign_in_has_ended_goes_out_after_the_next(
    pair: Pair, server: Server
) -> None:
    server.sql("UPDATE network_signin SET ended_at = CURRENT_TIMESTAMP")
    sent = await asyncio.wait_for(pair.a.send(pair.opened.thread, "signed in again"), 30)
    message = await next_message(pair.b)
    assert (message.text, message.seq, message.marks) == ("signed in again", sent.seq, ())
    assert outbox_of(pair) == []


@pytest.mark.parametrize("code", ["signed-out", "csrf"])
async def test_same_bytes_are_repeated_while_signing_in_again(
    pair: Pair, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[Any] = []
    real = pair.a._outbox._append

    async def refuse_twice(command: Any) -> Any:
        commands.append(command)
        if len(commands) < 3:
            raise ServerRefused(403, code, "Not yet.")
        return await real(command)

    monkeypatch.setattr(pair.a._outbox, "_append", refuse_twice)
    await pair.a.send(pair.opened.thread, "patience")
    assert (await next_message(pair.b)).text == "patience"
    assert commands == [commands[0]] * 3


async def test_thread_is_opened_though_the_csrf_token_is_lost(pair: Pair) -> None:
    pair.a.http._http.cookies.delete("csrftoken")
    await pair.a.open_thread(pair.b.principal or "", "with a new token")
    assert (await next_message(pair.b)).text == "with a new token"


async def test_refusal_of_an_older_message_is_no_refusal_of_a_new_one(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pair.a._outbox._append
    never = asyncio.Event()

    async def hang(_: Any) -> Any:
        await never.wait()

    monkeypatch.setattr(pair.a._outbox, "_append", hang)
    older = asyncio.create_task(pair.a.send(pair.opened.thread, "older"))
    await until(lambda: bool(outbox_of(pair)))
    older.cancel()
    (left,) = outbox_of(pair)

    async def refuse_older(command: Any) -> Any:
        if command["messages"][0]["item"] == left.item:
            raise REFUSED
        return await real(command)

    monkeypatch.setattr(pair.a._outbox, "_append", refuse_older)
    await asyncio.wait({older})
    await pair.a.send(pair.opened.thread, "newer")
    message = await next_message(pair.b)
    assert (message.text, message.marks) == ("newer", ())
    assert [(thread, refused.code) for thread, refused in pair.a.not_sent] == [
        (pair.opened.thread, "refused")
    ]


async def test_distrusted_thread_does_not_keep_other_leftovers_back(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[str] = []

    async def settle(thread: str) -> None:
        settled.append(thread)
        if thread != "cc":
            raise {"aa": Distrusted("T8"), "bb": ClientError("not opened again")}[thread]

    monkeypatch.setattr(pair.a._outbox, "_settle", settle)
    pair.a._core.file.contents.outbox.extend(Outgoing(thread, "", "", "") for thread in ("aa", "bb", "cc"))
    await pair.a._outbox.send_leftovers()
    assert sorted(settled) == ["aa", "bb", "cc"]
    assert set(pair.a.distrusted) == {"aa"}


async def test_refused_thread_does_not_keep_other_confirmations_back(pair: Pair) -> None:
    told: list[str] = []

    class Wire:
        async def command(self, _: str, body: dict[str, Any]) -> None:
            if body["thread"] == "refused":
                raise REFUSED
            if body["thread"] == "later":
                raise ServerRefused(429, "too-many", "Wait.")
            told.append(body["thread"])

    inbox = pair.b._inbox
    for thread in ("refused", "later", "good"):
        inbox.confirm(thread, 1)
    await inbox._confirm_all(Wire())  # type: ignore[arg-type]
    assert "good" in told
    assert inbox._to_confirm == {"later": 1}


async def test_opened_is_repeated_until_it_is_taken(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = ServerRefused(409, "stale-author-keyring", "Look again.")
    call = failing_first(pair.b._socket.command, stale, Unreachable("cut off"), stale)
    monkeypatch.setattr(pair.b._socket, "command", call)
    await pair.b.mark_opened(pair.first)
    (thread,) = await pair.a.list_threads()
    assert thread.progress[pair.b.principal or ""][1] == pair.opened.seq


async def test_opened_refused_for_good_is_said(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair.b._socket, "command", failing_first(pair.b._socket.command, REFUSED))
    with pytest.raises(ServerRefused, match="refused"):
        await pair.b.mark_opened(pair.first)


async def test_message_refused_again_and_again_is_dropped(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stale(_: Any) -> Any:
        raise ServerRefused(409, "stale-epoch", "Too late.")

    real = pair.a._outbox._append
    monkeypatch.setattr(pair.a._outbox, "_append", stale)
    with pytest.raises(ClientError, match="stale-epoch"):
        await pair.a.send(pair.opened.thread, "always too late")
    assert outbox_of(pair) == []
    monkeypatch.setattr(pair.a._outbox, "_append", real)
    await pair.a.send(pair.opened.thread, "in time")
    assert (await next_message(pair.b)).text == "in time"
