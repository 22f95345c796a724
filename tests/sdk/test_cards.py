"""Programs write the cards of threads they have verified, for every device of their authority."""

import time

from messaging.sdk.cards import CardFacts
from messaging.sdk.client import Client
from messaging.sealed.stage_rules import Step
from tests.sdk.conftest import HEAD_A, HEAD_B, OFFICER_A, Desks, Pair, listed_device, next_message, until
from tests.sealed.steps import facts_for


async def card_of(client: Client) -> CardFacts:
    """Return the only card."""
    (card,) = [card async for card in client.cards.list_cards()]
    return card


async def until_current(client: Client, turn: str) -> None:
    """Wait until the card says whose turn it is, at the end of the thread."""

    async def is_there() -> bool:
        card = await card_of(client)
        return (card.standing, card.turn) == ("current", turn)

    await until(is_there)


async def test_each_side_s_card_says_what_its_own_thread_is_about(pair: Pair) -> None:
    await until_current(pair.a, "them")
    await until_current(pair.b, "us")
    assert (await card_of(pair.b)).subject == "A question"
    await pair.b.send(pair.opened.thread, "An answer.", own_reference="B-7/2026")
    await next_message(pair.a)
    await until_current(pair.a, "us")
    assert (await card_of(pair.a)).foreign_reference == "B-7/2026"


async def test_a_step_passes_the_turn_keeps_it_or_ends_it(pair: Pair) -> None:
    async def take(client: Client, code: str, theirs: str, ours: str, due: int | None = None) -> None:
        facts = facts_for(Step("assistance", code, 0))
        await client.cases.take(pair.opened.thread, code, facts, variant="assistance", due=due)
        await until_current(pair.a, theirs)
        await until_current(pair.b, ours)

    await take(pair.a, "sent", "them", "us")
    await take(pair.b, "accepted", "them", "us")
    due = int(time.time()) + 86_400
    await take(pair.b, "more-asked", "us", "them", due=due)
    assert (await card_of(pair.a)).due == due
    await take(pair.a, "withdrawn", "nobody", "nobody")
    assert (await card_of(pair.a)).due is None


async def test_a_new_colleague_finds_by_words_what_he_has_never_opened(pair: Pair, desks: Desks) -> None:
    await pair.a.open_thread(
        pair.b.principal or "", "Another.", subject="Écoute, Genève", own_reference="A-12"
    )

    async def are_written() -> bool:
        return [card.standing async for card in pair.a.cards.list_cards()] == ["current", "current"]

    await until(are_written)
    colleague = await listed_device(desks, OFFICER_A, pair.a)
    assert [card.subject for card in await colleague.cards.search("ECOUTE geneve")] == ["Écoute, Genève"]
    assert [card.subject for card in await colleague.cards.search("a-12")] == ["Écoute, Genève"]
    assert len(await colleague.cards.search("")) == 2
    assert await colleague.cards.search("nothing like this") == []


async def test_a_program_that_was_away_makes_older_cards_anew(pair: Pair, desks: Desks) -> None:
    await until_current(pair.a, "them")
    await pair.a.close()
    await pair.b.send(pair.opened.thread, "While you were away.")
    again = await desks.open(HEAD_A)
    await next_message(again)
    await until_current(again, "us")


async def test_who_has_no_keyring_has_no_cards(desks: Desks) -> None:
    client = await desks.open(HEAD_B)
    assert [card async for card in client.cards.list_cards()] == []
