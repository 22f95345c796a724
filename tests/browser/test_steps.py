"""A step in a case that a program takes is said in plain words in every browser, at once and later."""

from collections.abc import Coroutine
from typing import Any

from playwright.sync_api import Locator, expect

from messaging.sdk.client import Client
from messaging.sealed.stage_rules import Step
from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.browser.test_key_alarms import Program, desks
from tests.sealed.steps import facts_for

__all__ = ["desks"]


def taking(client: Client, thread: str, code: str) -> Coroutine[Any, Any, Any]:
    facts = facts_for(Step("assistance", code, 0))
    return client.cases.take(thread, code, facts, variant="assistance")


def step_on(desk: Desk, words: str) -> Locator:
    """The line of a step on an open thread."""
    lines = desk.page.locator("#messages > li")
    return lines.filter(has_text="took a step in the case").filter(has_text=words)


def test_steps_of_a_program_are_said_in_plain_words(desks: tuple[Desk, Desk, Program]) -> None:
    own, partner, program = desks
    own.open_thread_with(STATE_C.name, subject="Bank records", text="A request follows.")
    partner.open_thread("Bank records")
    partner.sees("A request follows.")
    thread = own.page.url.rstrip("/").rsplit("/", 1)[-1]
    program.run(taking(program.client, thread, "sent"))
    for desk in (own, partner):
        said = step_on(desk, "Request sent")
        expect(said.filter(has_text=program.client.session.name)).to_be_visible(timeout=PATIENCE)
    partner.write("We have it.")
    own.sees("We have it.")
    program.run(taking(program.client, thread, "withdrawn"))
    partner.page.reload()
    for words in ("Request sent", "Request withdrawn"):
        expect(step_on(partner, words)).to_be_visible(timeout=PATIENCE)
    assert partner.faults == []
