"""Two national systems take the steps of a case, each side its own, through a real server."""

import time
from typing import Any

import pytest

from messaging.sdk.cases import CaseFacts
from messaging.sdk.client import Client
from messaging.sdk.errors import InvalidMessage, NotSent
from messaging.sealed.plaintext import About
from messaging.sealed.stage_rules import Fact, Step
from messaging.sealed.stages import DRAFT, DRAFT_FACTS, NEXT, STAGES
from tests.sdk.conftest import HEAD_C, OFFICER_A, Desks, Pair, listed_device, next_message
from tests.sealed.steps import facts_for

TWO_DAYS = 2 * 86_400


def said(variant: str, code: str, override: str | None = None) -> dict[str, Fact]:
    return facts_for(Step(variant, code, 0, None, override))


def wanted(code: str) -> dict[str, Any]:
    """The date and urgency that a step of this stage has."""
    date = {"due": int(time.time()) + TWO_DAYS} if STAGES[code].due else {}
    return {**date, **({"urgency": 1} if STAGES[code].urgent else {})}


async def take(client: Client, thread: str, code: str, consultation: int | None = None) -> int:
    facts = said("assistance", code)
    sent = await client.cases.take(
        thread, code, facts, variant="assistance", consultation=consultation, **wanted(code)
    )
    return sent.seq


async def test_two_authorities_take_a_case_from_its_urgent_request_to_its_end(pair: Pair) -> None:
    a, b = pair.a, pair.b
    authority = next(one for one in await a.list_authorities() if one.principal == b.principal)
    facts = said("assistance", "sent-urgently")
    asked = await a.cases.open(
        authority, "assistance", "sent-urgently", facts, subject="Bank records", **wanted("sent-urgently")
    )
    thread = asked.thread
    arrived = await next_message(b)
    assert (arrived.kind, arrived.subject, arrived.urgency) == ("stage", "Bank records", 1)
    assert arrived.step == Step("assistance", "sent-urgently", 0)
    assert arrived.facts == facts

    found = await b.cases.view(thread)
    assert (found.side, found.stage, found.is_unconfirmed) == ("requested", "sent-urgently", True)
    assert {"acknowledged", "consultation", "confirmation-waived"} <= set(found.may)
    assert not {"withdrawn", "closed"} & set(found.may)

    await take(b, thread, "acknowledged")
    with pytest.raises(NotSent, match="consultation-needed"):
        await take(b, thread, "refused")
    consultation = await take(b, thread, "consultation")
    assert (await a.cases.view(thread)).waits_for_answer == (consultation,)
    await take(a, thread, "consulted", consultation)
    await take(b, thread, "refused-in-part", consultation)
    await take(b, thread, "in-execution")
    await take(b, thread, "executed")
    with pytest.raises(NotSent, match="confirmation-needed"):
        await take(a, thread, "closed")
    await take(a, thread, "confirmed")
    await take(a, thread, "closed")

    ours, theirs = await a.cases.view(thread), await b.cases.view(thread)
    assert (ours.side, theirs.side) == ("requesting", "requested")
    assert ours.steps == theirs.steps
    assert [step.code for step in ours.steps] == [
        "sent-urgently", "acknowledged", "consultation", "consulted", "refused-in-part", "in-execution",
        "executed", "confirmed", "closed",
    ]  # fmt: skip
    assert ours.steps[6].facts["delivery"] == said("assistance", "executed")["delivery"]
    assert (ours.may, theirs.may, ours.is_unconfirmed) == ((), (), False)


async def test_case_that_nobody_began_can_be_begun_by_either_side(pair: Pair) -> None:
    found = await pair.b.cases.view(pair.opened.thread)
    assert (found.variant, found.stage, found.side, found.steps) == (None, "", "either", ())
    assert {"sent", "information-sent"} <= set(found.may)
    await pair.b.cases.take(
        pair.opened.thread, "information-sent", said("information", "information-sent"), variant="information"
    )
    assert (await pair.a.cases.view(pair.opened.thread)).side == "requested"


async def test_every_forbidden_step_is_refused_before_it_is_signed(pair: Pair) -> None:
    thread = pair.opened.thread
    await take(pair.a, thread, "sent")
    await take(pair.b, thread, "acknowledged")
    found = await pair.b.cases.view(thread)
    signed = pair.b.mailbox.signed[bytes.fromhex(thread)].counter
    tried = 0
    for code in {code for row in NEXT["assistance"].values() for code in row}:
        if code in found.may or code in {"consulted", *(one for one in STAGES if STAGES[one].consults)}:
            continue
        with pytest.raises(NotSent, match=r"forbidden-stage|wrong-side"):
            await take(pair.b, thread, code)
        tried += 1
    assert tried > 10
    assert pair.b.mailbox.signed[bytes.fromhex(thread)].counter == signed
    assert (await pair.a.cases.view(thread)).stage == "acknowledged"


async def test_a_step_that_lacks_what_it_has_to_say_is_not_signed(pair: Pair) -> None:
    thread = pair.opened.thread
    await take(pair.a, thread, "sent")
    nothing: list[dict[str, Fact]] = [{}, {"delivery": (), "use_limits": ()}, {"delivery": ("x",), "x": "y"}]
    for facts in nothing:
        with pytest.raises(InvalidMessage):
            await pair.b.cases.take(thread, "executed", facts)
    consultation = await take(pair.b, thread, "consultation")
    await take(pair.a, thread, "consulted", consultation)
    for change in ({"ground": "R-BANK"}, {"ground": "X-PEN"}, {"reasons": " "}):
        with pytest.raises(InvalidMessage):
            await pair.b.cases.take(
                thread, "refused", said("assistance", "refused") | change, consultation=consultation
            )
    assert (await pair.a.cases.view(thread)).stage == "sent"


async def test_another_treaty_may_govern_and_is_named(pair: Pair) -> None:
    thread = pair.opened.thread
    await take(pair.a, thread, "sent")
    facts = said("assistance", "refused", "other-treaty")
    await pair.b.cases.take(thread, "refused", facts, override="other-treaty")
    last = (await pair.a.cases.view(thread)).steps[-1]
    assert (last.code, last.override, last.failed) == ("refused", "other-treaty", None)
    assert {"treaty", "override_reason"} <= last.facts.keys()


async def test_officer_who_had_not_seen_a_colleague_s_step_is_refused(pair: Pair, desks: Desks) -> None:
    colleague = await listed_device(desks, OFFICER_A, pair.a)
    thread = pair.opened.thread
    before: CaseFacts = await colleague.cases.view(thread)
    await take(pair.a, thread, "sent")
    with pytest.raises(NotSent, match="stale-stage"):
        await colleague.cases.take(
            thread, "draft-shared", said("assistance", "draft-shared"), variant="assistance", on=before.on
        )
    assert [step.code for step in (await colleague.cases.view(thread)).steps] == ["sent"]


async def test_a_draft_is_shared_and_the_other_side_says_what_it_thinks_of_a_part(pair: Pair) -> None:
    known = {"version": "1", "summary": "Paid on 5 May."}
    facts: dict[str, Fact] = {name: known.get(name, "") for name in DRAFT_FACTS}
    shared = await pair.a.cases.take(pair.opened.thread, DRAFT, facts, variant="assistance")
    arrived = await next_message(pair.b)
    while arrived.step is None:
        arrived = await next_message(pair.b)
    assert arrived.facts == facts
    await pair.b.cases.comment(arrived, "summary", "Of which year?")
    said = await next_message(pair.a)
    assert (said.kind, said.text) == ("note", "Of which year?")
    assert said.about == About(bytes.fromhex(shared.id), shared.seq, "summary")
    with pytest.raises(InvalidMessage):
        await pair.b.cases.comment(arrived, "title", "There is none.")
    assert (await pair.b.cases.view(pair.opened.thread)).stage == DRAFT  # and nothing is formal


async def test_third_authority_has_no_case(pair: Pair, desks: Desks) -> None:
    stranger = await desks.with_keyring(HEAD_C)
    await take(pair.a, pair.opened.thread, "sent")
    with pytest.raises(Exception, match="not"):
        await stranger.cases.view(pair.opened.thread)
