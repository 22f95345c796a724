"""A case from its urgent request to its end, made from the same seeds as world.py."""

from functools import cache
from typing import Any

from messaging.sealed.plaintext import About, Note, Plaintext, StageChange
from messaging.sealed.stage_rules import Fact, Step
from messaging.sealed.stages import FACTS, STAGES, facts_of, grounds_for
from tests.sealed.changes import DAY, NOW, Changing
from tests.sealed.world import world

SENT, ACKNOWLEDGED, CONSULTED_ON, ANSWERED, REFUSED_IN_PART, AT_WORK, EXECUTED, CONFIRMED, CLOSED = range(
    2, 11
)
"""Places of the steps of ``whole_case``."""
DUE = NOW + 2 * DAY


def facts_for(step: Step) -> dict[str, Fact]:
    """Facts that hold for this step."""
    ground = next(iter(grounds_for(step.variant, step.code)))
    found: dict[str, Fact] = {}
    for name in facts_of(step.code, step.override, ground if "ground" in STAGES[step.code].facts else None):
        kind = FACTS[name].kind
        values: dict[str, Fact] = {
            "text": f"Words on {name}. 数 نص",
            "list": (f"First of {name}", "Second"),
            "date": DUE,
            "ground": ground,
        }
        found[name] = values[kind]
    return found


def step_text(step: Step, **facts: Fact) -> Plaintext:
    """A step that says what it has to."""
    stage = STAGES[step.code]
    body = StageChange(
        step, facts_for(step) | facts, urgency=int(stage.urgent), due=DUE if stage.due else None
    )
    return Plaintext(body, "en")


@cache
def whole_case() -> Changing:
    """A asks B urgently; B consults A, refuses a part, does the rest; A confirms at last, closes; B asks."""
    made = world()
    here = Changing(kind="case")
    here.open("steps")
    a: Any = (made.a, made.dara)
    b: Any = (made.b, made.femi)
    story: list[tuple[str, Any, int | None]] = [
        ("sent-urgently", a, None),
        ("acknowledged", b, None),
        ("consultation", b, None),
        ("consulted", a, CONSULTED_ON),
        ("refused-in-part", b, CONSULTED_ON),
        ("in-execution", b, None),
        ("executed", b, None),
        ("confirmed", a, None),
        ("closed", a, None),
    ]
    for code, (party, device), consultation in story:
        on = here.server.state.seq if here.server.state.seq > 1 else 0
        step = Step("assistance", code, on, consultation)
        here.write(step_text(step), party, device)
    here.write(Plaintext(Note("Which day?", about=About(bytes(range(16)), CLOSED, "summary")), "en"), *b)
    return here
