"""Cases that take steps: helpers for tests that need a case somewhere."""

from dataclasses import replace
from typing import Any

from messaging.sealed.plaintext import Plaintext, StageChange
from messaging.sealed.stage_rules import Step
from messaging.sealed.stages import STAGES
from messaging.taken_steps import read_cases
from tests.factories import Offices, Workplace, now, on_wire
from tests.sealed.steps import facts_for

DAY = 86_400


def begin(offices: Offices) -> str:
    found = offices.officer_a.open_thread(offices.officer_b, None)
    offices.officer_b.read(found)
    return found


def text_of(step: Step, **changes: Any) -> Plaintext:
    stage = STAGES[step.code]
    due = now() + 2 * DAY if stage.due else None
    return Plaintext(replace(StageChange(step, facts_for(step), int(stage.urgent), due), **changes), "en")


def sealed_step(desk: Workplace, thread: str, step: Step) -> dict[str, str]:
    """Seal a step that the desk's own rules allow."""
    return on_wire(desk.mailbox.seal(bytes.fromhex(thread), text_of(step), at=now()))


def last_on(thread: str) -> int:
    return read_cases([thread])[thread].on


def take(offices: Offices, thread: str, step: Step) -> int:
    """Take a step by the side whose step it is; return its place."""
    desk = offices.officer_b if STAGES[step.code].side == "requested" else offices.officer_a
    desk.read(thread)
    (result,) = desk.append(sealed_step(desk, thread, step))
    assert "receipt" in result, (step, result)
    return int(result["seq"])


def step_to(variant: str, code: str, on: int) -> Step:
    override = "other-treaty" if STAGES[code].consults else None
    return Step(variant, code, on, on if code == "consulted" else None, override)
