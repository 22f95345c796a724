"""A prosecutor's and a judge's programs: sponsored, admitted by a mandate, and out again at once."""

from dataclasses import replace

import pytest

from messaging.sdk.client import Client
from messaging.sdk.errors import ApprovalNeeded, Distrusted, NotSent, ServerRefused
from messaging.sdk.outbox import now
from messaging.sealed.mandate import Admitted
from messaging.sealed.membership import mandate_hash
from messaging.sealed.plaintext import Enclosure
from network.demo import JUDGE_B, PROSECUTOR_A
from tests.sdk.conftest import HEAD_A, HEAD_B, Desks, next_message, until
from tests.secretariat import confirm_all


async def begin(practitioner: Client, supervisor: Client) -> str:
    """Let a practitioner begin with a supervisor who answers; returns the principal."""
    words = await practitioner.practice.ask()
    (asking,) = [one for one in await supervisor.practice.list() if one.words == words]
    await supervisor.practice.sponsor(asking)
    await practitioner.wait_until_ready(seconds=20)
    principal = await supervisor.practice.enlist(asking.device, seconds=20)
    assert principal == practitioner.principal
    return principal


async def two_authorities(desks: Desks) -> tuple[Client, Client, str]:
    """Give the supervisors of A and B, and a thread in which practitioners can be admitted."""
    a, b = await desks.with_keyring(HEAD_A), await desks.with_keyring(HEAD_B)
    confirm_all(desks.server)
    opened = await a.open_thread(b.principal or "", "Let them talk.", kind="direct")
    await next_message(b)
    return a, b, opened.thread


async def admitted(desks: Desks) -> tuple[Client, Client, Client, str, str]:
    """Give A, B, A's prosecutor in their thread, the thread and the mandate."""
    a, b, thread = await two_authorities(desks)
    prosecutor = await desks.open(PROSECUTOR_A)
    principal = await begin(prosecutor, a)
    mandate = await a.membership.propose_mandate(thread, [principal], "Bank records of one account.")
    proposed = await next_message(b)
    assert proposed.text == "Bank records of one account."
    await a.membership.consent_to_mandate(thread, mandate)
    await b.membership.consent_to_mandate(thread, mandate)
    await b.membership.admit(thread, mandate)
    return a, b, prosecutor, thread, mandate


async def test_a_practitioner_writes_under_a_mandate_until_it_is_withdrawn(desks: Desks) -> None:
    a, b, prosecutor, thread, mandate = await admitted(desks)
    await prosecutor.send(thread, "Written directly.")
    read = await next_message(b)
    while read.kind == "statement":
        read = await next_message(b)
    assert (read.text, read.principal) == ("Written directly.", prosecutor.principal)
    await b.send(thread, "Answered directly.")
    assert (await next_message(prosecutor)).text == "Answered directly."
    await b.membership.withdraw_mandate(thread, mandate)
    with pytest.raises(NotSent):  # at once, on the socket that is open
        await prosecutor.send(thread, "Too late.")
    await a.send(thread, "Without the prosecutor.")
    known = a.mailbox.threads[bytes.fromhex(thread)].state
    assert known is not None
    assert bytes.fromhex(prosecutor.principal or "") not in {row.principal for row in known.members}
    with pytest.raises(ServerRefused):
        await prosecutor.http.post(f"/api/threads/{thread}/delivered", {"seq": known.seq})
    page = await prosecutor.http.get(f"/api/threads/{thread}/items", after=0)
    assert page["items"][-1]["seq"] < known.seq


async def test_whom_nobody_answers_for_any_more_writes_nothing_and_is_dropped(desks: Desks) -> None:
    a, b, prosecutor, thread, mandate = await admitted(desks)
    principal = prosecutor.principal or ""
    await a.practice.end(principal)
    with pytest.raises((NotSent, Distrusted)):
        await prosecutor.send(thread, "Too late.")
    await b.send(thread, "Only for A.")
    known = b.mailbox.threads[bytes.fromhex(thread)].state
    assert known is not None
    assert [member.role for member in known.members] == ["party", "party"]
    # The mandate is spent, and nobody answers: there is no way back in.
    with pytest.raises(Distrusted, match=r"consent-spent|sponsor-ended"):
        await b.membership.admit(thread, mandate)


async def test_nobody_is_admitted_without_every_consent_or_a_sponsor(desks: Desks) -> None:
    a, b, thread = await two_authorities(desks)
    prosecutor, judge = await desks.open(PROSECUTOR_A), await desks.open(JUDGE_B)
    principal, other = await begin(prosecutor, a), await begin(judge, b)
    mandate = await a.membership.propose_mandate(thread, [principal, other], "Two of them.")
    await a.membership.consent_to_mandate(thread, mandate)
    with pytest.raises(Distrusted, match="consent-missing"):
        await a.membership.admit(thread, mandate)
    await b.membership.consent_to_mandate(thread, mandate)
    await b.practice.end(other)
    with pytest.raises(Distrusted, match="sponsor-ended"):
        await a.membership.admit(thread, mandate)


async def test_m5_a_text_that_its_mandate_does_not_commit_to_is_not_consented_to(
    desks: Desks,
) -> None:
    a, b, thread = await two_authorities(desks)
    prosecutor = await desks.open(PROSECUTOR_A)
    principal = bytes.fromhex(await begin(prosecutor, a))
    admitted = [Admitted(principal, bytes.fromhex(a.principal or ""))]
    made = a.mailbox.membership.mandate(bytes.fromhex(thread), admitted, "One account.", at=now() - 1)
    assert isinstance(made.body, Enclosure)
    await a._outbox.send(thread, replace(made, body=replace(made.body, text="All accounts.")))
    shown = await next_message(b)
    assert (shown.kind, shown.text) == ("statement", None)
    with pytest.raises(NotSent, match="unknown-mandate"):
        await b.membership.consent_to_mandate(thread, mandate_hash(made).hex())


async def test_a_practitioner_sees_own_threads_and_nothing_else(desks: Desks) -> None:
    a, b, prosecutor, thread, _ = await admitted(desks)
    await a.open_thread(b.principal or "", "Not for practitioners.")
    await a.send(thread, "For everybody in it.")
    assert (await next_message(prosecutor)).text == "For everybody in it."
    assert [row.thread for row in await prosecutor.list_threads()] == [thread]
    assert {row.device for row in await prosecutor.practice.list()} == {prosecutor.mailbox.device.id.hex()}
    with pytest.raises(ServerRefused):
        await prosecutor.http.get("/api/threads", own="true", before="x" * 200)
    own = await prosecutor.http.get("/api/threads", own="true")
    assert own["threads"] == []


async def test_a_practitioners_further_device_needs_the_sponsor(desks: Desks) -> None:
    a, b, prosecutor, thread, _ = await admitted(desks)
    second = await desks.open(PROSECUTOR_A, name="second")
    await second.request_device()
    (request,) = await prosecutor.list_device_requests()
    with pytest.raises(ApprovalNeeded):
        await prosecutor.practice.add_device(request)
    assert await a.practice.approve_devices(prosecutor.principal or "") == 1
    await prosecutor.practice.add_device(request)
    await second.wait_until_ready(seconds=20)
    await b.send(thread, "For both devices.")
    await until(lambda: second.mailbox.threads.get(bytes.fromhex(thread)) is not None)
    assert second.principal == prosecutor.principal
