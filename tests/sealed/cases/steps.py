"""Rules M10 to M12: steps in a case."""

from typing import Any

from messaging.sealed.encoding import encode
from messaging.sealed.plaintext import CIPHERTEXT_SIZES, OVERHEAD
from messaging.sealed.stage_rules import Step, facts_as_map
from tests.sealed.cases.base import NEWEST, T, W, refuse
from tests.sealed.cases.changes import JOINED, WORLDS
from tests.sealed.cases.messages import seal_padded
from tests.sealed.steps import (
    ACKNOWLEDGED,
    ANSWERED,
    CLOSED,
    CONFIRMED,
    CONSULTED_ON,
    DUE,
    REFUSED_IN_PART,
    SENT,
    facts_for,
    whole_case,
)
from tests.sealed.world import forge, payload_of

STEPPED = 4
"""Place of the case in the vectors."""


def _step(rule: str, code: str, why: str, place: int, /, *, now: int = DUE - 1,
          further: dict[str, Any] | None = None, **stage: Any) -> None:  # fmt: skip
    """The step that stands at a place, with another header, where it stood."""
    item = whole_case().server.items[place - 1]
    found = payload_of(item.item)
    changed = {**found["stage"], **stage} if found["stage"] else stage
    author = W.dara if found["by"]["principal"] == W.a.principal else W.femi
    raw = forge(item.item, author, **{"stage": changed, **(further or {})})
    assert item.ciphertext is not None
    refuse("message", rule, code, why, thread=STEPPED, before=place - 1, now=now, keyrings=NEWEST,
           item=raw, ciphertext=item.ciphertext)  # fmt: skip


def _headers() -> None:
    _step("M10", "unknown-stage", "a stage of nobody", SENT, code="returned")
    _step("M10", "unknown-stage", "a variant of nobody", SENT, variant="visit")
    _step("M10", "unknown-stage", "a stage of another variant", SENT, code="information-sent")
    _step("M10", "unknown-stage", "an override where nothing rests on one", SENT, override="other-treaty")
    _step("M10", "unknown-stage", "a consultation where nothing rests on one", SENT, consultation=1)
    refused: dict[str, Any] = {"consultation": None}
    _step("M10", "unknown-stage", "an override of nobody", REFUSED_IN_PART, **refused, override="urgent")
    _step("M10", "unknown-stage", "an override of extradition", REFUSED_IN_PART, **refused,
          override="not-appropriate")  # fmt: skip
    _step("M10", "unknown-stage", "an override and a consultation", REFUSED_IN_PART, override="other-treaty")
    _step("M10", "unknown-stage", "an answer to no consultation", ANSWERED, consultation=None)
    _step("M10", "unknown-stage", "no date of a consultation", CONSULTED_ON, further={"due": None})
    _step("M10", "unknown-stage", "a date of what has none", ACKNOWLEDGED, further={"due": DUE})
    _step("M10", "unknown-stage", "an urgency of what has none", ACKNOWLEDGED, further={"urgency": 1})
    _step("M10", "unknown-stage", "an urgent request without urgency", SENT, further={"urgency": 0})
    _step("M10", "unknown-stage", "a step in a note", SENT, further={"kind": "note"})
    _step("M10", "unknown-stage", "a step without its stage", SENT, further={"stage": None})
    _step("E2", "bad-statement", "a stage that is text", SENT, further={"stage": "sent"})
    _step("E2", "bad-statement", "a stage with a further field", SENT, reason="x")
    _step("E2", "bad-statement", "a place that is true", SENT, on=True)
    _elsewhere()


def _elsewhere() -> None:
    here = WORLDS[JOINED].at(1)
    first = whole_case().server.items[SENT - 1]
    state = here.server.state
    raw = forge(first.item, W.dara, thread=state.thread, head=state.head,
                after={"seq": 1, "hash": state.transcript})  # fmt: skip
    assert first.ciphertext is not None
    refuse("message", "M10", "not-a-case", "a step where practitioners can come", thread=JOINED, before=1,
           now=DUE, keyrings=NEWEST, item=raw, ciphertext=first.ciphertext)  # fmt: skip


def _order() -> None:
    _step("M11", "forbidden-stage", "an acknowledgement first", SENT, code="acknowledged",
          further={"due": None, "urgency": 0})  # fmt: skip
    _step("M11", "forbidden-stage", "executed before it was accepted", ACKNOWLEDGED, code="executed")
    _step("M11", "forbidden-stage", "a case that turns into another", ACKNOWLEDGED, variant="transfer")
    _step("M11", "forbidden-stage", "work after the end", CLOSED, code="in-execution")
    _step("M11", "forbidden-stage", "a confirmation where nothing waits", CLOSED, code="confirmed")
    _step("M11", "forbidden-stage", "an answer to what was not asked", ANSWERED, consultation=ACKNOWLEDGED)
    _step("M11", "stale-stage", "a step of who had not seen the one before", ACKNOWLEDGED, on=0)
    _step("M11", "stale-stage", "a step that names one to come", ACKNOWLEDGED, on=3)
    _step("M11", "wrong-side", "a request withdrawn by the other side", ACKNOWLEDGED, code="withdrawn")
    _step("M11", "wrong-side", "who asks waives the confirmation", CONFIRMED, code="confirmation-waived")
    _step("M11", "consultation-needed", "a refusal without consultation", ACKNOWLEDGED, code="refused")
    _step("M11", "consultation-needed", "a postponement without one", ACKNOWLEDGED, code="postponed")
    _step("M11", "consultation-needed", "a consultation that is none", REFUSED_IN_PART, consultation=SENT)
    _step("M11", "consultation-too-short", "a consultation without time", CONSULTED_ON, further={"due": 1})
    _step("M11", "consultation-too-short", "an hour too little", CONSULTED_ON, now=DUE - 23 * 3600)
    _step("M11", "confirmation-needed", "closed before it was confirmed", CONFIRMED, code="closed")


def _pad(text: bytes) -> bytes:
    size = next(size for size in CIPHERTEXT_SIZES if size - OVERHEAD > len(text)) - OVERHEAD
    return (text + b"\x80").ljust(size, b"\0")


def _facts() -> None:
    plain: dict[str, Any] = {
        "checkpoint": None, "foreign_reference": None, "language": "en", "marks": [], "own_reference": None,
        "subject": None,
    }  # fmt: skip
    refusal = Step("assistance", "refused", 5, 3)
    treaty = Step("extradition", "refused", 5, None, "other-treaty")
    executed = Step("assistance", "executed", 5)
    good, other, done = facts_for(refusal), facts_for(treaty), facts_for(executed)
    cases: list[tuple[str, str, Step, dict[str, Any]]] = [
        ("wrong-facts", "a refusal without reasons", refusal, good | {"reasons": " \n"}),
        ("wrong-facts", "a refusal that lacks its reasons", refusal, _without(good, "reasons")),
        ("wrong-facts", "a refusal with a further fact", refusal, good | {"topic": "x"}),
        ("wrong-facts", "reasons of 4,001 characters", refusal, good | {"reasons": "r" * 4001}),
        ("wrong-facts", "reasons in a list", refusal, good | {"reasons": ("r",)}),
        ("wrong-facts", "an override without its reason", treaty, _without(other, "override_reason")),
        ("wrong-facts", "another treaty without its name", treaty, _without(other, "treaty")),
        ("wrong-facts", "a reason for no override", refusal, good | {"override_reason": "x"}),
        ("wrong-facts", "executed without a delivery list", executed, done | {"delivery": ()}),
        ("wrong-facts", "an empty line of a delivery list", executed, done | {"delivery": ("One", " ")}),
        ("wrong-facts", "a delivery that is a number", executed, done | {"delivery": 7}),
        ("wrong-ground", "a ground of nobody", refusal, good | {"ground": "R-BANK"}),
        ("wrong-ground", "a ground of extradition", refusal, good | {"ground": "X-PEN"}),
        ("wrong-ground", "a ground to postpone", refusal, good | {"ground": "P-ONGOING"}),
        ("wrong-facts", "no name of the treaty that is the ground", refusal, good | {"ground": "R-TREATY"}),
    ]
    for code, why, step, facts in cases:
        text = encode(plain | {"body": {"type": "stage", "facts": facts_as_map(facts)}})
        sealed = seal_padded(_pad(text), kind="stage", stage=step.as_map())
        refuse("open-message", "M12", code, why, item=sealed.item, ciphertext=sealed.ciphertext,
               secret=T.secrets[1])  # fmt: skip
    _bodies(plain, refusal)


def _bodies(plain: dict[str, Any], step: Step) -> None:
    bodies: list[tuple[str, Any]] = [
        ("a step with a note's text", {"type": "note", "text": "x"}),
        ("facts in a list", {"type": "stage", "facts": []}),
        ("facts with null", {"type": "stage", "facts": {"reasons": None}}),
        ("a step with a further field", {"type": "stage", "facts": {}, "text": "x"}),
    ]
    for why, body in bodies:
        sealed = seal_padded(_pad(encode(plain | {"body": body})), kind="stage", stage=step.as_map())
        refuse("open-message", "M5", "wrong-body", why, item=sealed.item, ciphertext=sealed.ciphertext,
               secret=T.secrets[1])  # fmt: skip
    step_in_note = seal_padded(_pad(encode(plain | {"body": {"type": "stage", "facts": {}}})))
    refuse("open-message", "M5", "wrong-body", "a step in a note", item=step_in_note.item,
           ciphertext=step_in_note.ciphertext, secret=T.secrets[1])  # fmt: skip


def _without(facts: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: fact for key, fact in facts.items() if key != name}


_headers()
_order()
_facts()
