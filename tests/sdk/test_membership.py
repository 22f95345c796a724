"""Programs of three authorities: who joins with everybody's consent, who leaves, notes of one's own."""

import pytest

from messaging.sdk.errors import Distrusted, ServerRefused
from tests.sdk.conftest import HEAD_C, Desks, Pair, next_message


async def test_a_third_authority_joins_with_every_consent_and_leaves(pair: Pair, desks: Desks) -> None:
    thread = pair.opened.thread
    c = await desks.with_keyring(HEAD_C)
    principal = c.principal or ""
    await pair.a.membership.consent(thread, principal, "party", reason="C knows the case.")
    proposed = await next_message(pair.b)
    assert (proposed.kind, proposed.text) == ("statement", "C knows the case.")
    with pytest.raises(Distrusted, match="consent-missing"):
        await pair.a.membership.let_in(thread, principal, "party")
    await pair.b.membership.consent(thread, principal, "party")
    await pair.a.membership.let_in(thread, principal, "party")
    await pair.b.send(thread, "With C.")
    assert (await next_message(c)).text == "With C."  # and nothing of what was before
    await c.send(thread, "From C.", moment=1_900_000_000)
    while (arrived := await next_message(pair.a)).text != "From C.":
        assert arrived.moment is None
    assert arrived.moment == 1_900_000_000
    await c.membership.note(thread, "Ask the police first.")
    assert await c.membership.notes(thread) == ["Ask the police first."]
    assert await pair.a.membership.notes(thread) == []
    await c.membership.leave(thread)
    await pair.a.send(thread, "Without C.")
    with pytest.raises(ServerRefused):
        await c.http.post(f"/api/threads/{thread}/handler", {})
    found = await c.list_threads()
    assert [row.thread for row in found] == [thread]
    state = c.mailbox.threads[bytes.fromhex(thread)].state
    assert state is not None
    assert bytes.fromhex(principal) not in state.parties


async def test_notes_and_accepts_stay_with_the_own_authority(pair: Pair) -> None:
    thread = pair.opened.thread
    await pair.a.membership.note(thread, "Ask the prosecutor first.")
    await pair.a.membership.note(thread, "Asked.")
    assert await pair.a.membership.notes(thread) == ["Ask the prosecutor first.", "Asked."]
    assert await pair.b.membership.notes(thread) == []
    (b,) = [row for row in await pair.a.list_authorities() if row.principal == pair.b.principal]
    await pair.a.ledger.accept(b, how="voice")
    await pair.a.ledger.pin()
    assert await pair.a.ledger.accepted() == {b.id: b.principal}
    assert await pair.b.ledger.accepted() == {}
    assert [row.thread for row in await pair.a.list_threads()] == [thread]
    assert [row.thread for row in await pair.b.list_threads()] == [thread]
