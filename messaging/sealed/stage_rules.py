"""Steps in a case: what a step's header says, what may follow what, what it has to say (rules M10 to M12)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from messaging.sealed.encoding import Encodable, Value
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Keyrings
from messaging.sealed.stages import (
    ANSWER_SECONDS,
    BEGIN,
    CLOSED,
    CONFIRMING,
    CONSULTATION,
    CONSULTED,
    FACTS,
    GROUNDS,
    LINE_LIMIT,
    NEXT,
    ORAL,
    OVERRIDES,
    STAGES,
    FactRule,
    Side,
    facts_of,
    grounds_for,
)
from messaging.sealed.statement import Fields, take_list, take_text, take_uint

KIND = "stage"
NAME_LIMIT = 20
BLANK = " \t\r\n"
"""What is no text."""
LAST_DATE = 253_402_300_799
"""The end of the year 9999, as of dates wanted."""
PARTIES = 2
"""A case begins between two authorities: one asks, the other is asked."""
Fact = str | int | tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """What the signed header of a step says, and the server sees.

    ``on``: the place of the newest step that its author had seen, 0 before the first. ``consultation``: the
    place of the consultation that is answered by it, or that it rests on; ``override``: why it rests on none.
    """

    variant: str
    code: str
    on: int
    consultation: int | None = None
    override: str | None = None

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in the header."""
        return {
            "code": self.code,
            "consultation": self.consultation,
            "on": self.on,
            "override": self.override,
            "variant": self.variant,
        }


@dataclass(frozen=True)
class Taken:
    """A step that stands in the thread; ``at`` is when the server received it."""

    step: Step
    seq: int
    by: bytes
    at: int


@dataclass(frozen=True)
class Case:
    """Where a case stands, folded from the headers of its steps.

    ``on``: the place of the newest step. ``requesting``, ``requested``: the principals, once known.
    ``consultations``: by place, until when an answer was asked for; None once it was answered.
    ``is_unconfirmed``: an urgent request still waits for its confirmation (18(14)).
    """

    variant: str | None = None
    stage: str = BEGIN
    on: int = 0
    requesting: bytes | None = None
    requested: bytes | None = None
    consultations: Mapping[int, int | None] = field(default_factory=dict)
    is_unconfirmed: bool = False
    steps: tuple[Taken, ...] = ()

    def side_of(self, principal: bytes, keyrings: Keyrings) -> Side | None:
        """Which side this principal is, or succeeds (K12); "either" while nobody has asked for anything."""
        if self.requesting is None:
            return "either"
        for line in _line(principal, keyrings):
            if line == self.requesting:
                return "requesting"
            if line == self.requested:
                return "requested"
        return None

    def following(self) -> tuple[str, ...]:
        """The steps that the table has from here; of a case without steps, for any variant."""
        if self.variant is None:
            return tuple(dict.fromkeys(code for table in NEXT.values() for code in table[BEGIN]))
        return NEXT[self.variant][self.stage]

    def is_settled(self, consultation: int | None, now: int | None) -> bool:
        """Whether this consultation was answered, or its time is over by ``now`` (18(26))."""
        if consultation is None or consultation not in self.consultations:
            return False
        until = self.consultations[consultation]
        return until is None or (now is not None and now > until)


def _line(principal: bytes, keyrings: Keyrings) -> list[bytes]:
    """A principal and those it succeeds, as far as they are known."""
    line: list[bytes] = []
    following: bytes | None = principal
    while following is not None and following not in line:
        line.append(following)
        keyring = keyrings.newest(following)
        following = keyring.succeeds if keyring else None
    return line


# --- the header


def read_step(fields: Fields) -> Step | None:
    """The step of a header, or None. Raises Refused E2; M10 ``unknown-stage``."""
    if fields.any("stage") is None:
        return None
    found = fields.map("stage", "code", "consultation", "on", "override", "variant")
    step = Step(
        variant=found.text("variant", NAME_LIMIT),
        code=found.text("code", NAME_LIMIT),
        on=found.uint("on"),
        consultation=found.optional("consultation", found.uint),
        override=found.optional("override", lambda name: found.text(name, NAME_LIMIT)),
    )
    check_step(step)
    return step


def check_step(step: Step) -> None:
    """M10: a stage, variant and override of the table; a consultation or an override where the stage rests on
    one, and nowhere else. Raises Refused.
    """
    table = NEXT.get(step.variant, {})
    if not any(step.code in following for following in table.values()):  # M10
        raise Refused("M10", "unknown-stage", "the variant has no such stage")
    if step.override is not None and step.variant not in OVERRIDES.get(step.override, ()):  # M10
        raise Refused("M10", "unknown-stage", "no override of this variant")
    stage = STAGES[step.code]
    names = (step.consultation is not None) + (step.override is not None)
    if step.code == CONSULTED and (step.consultation is None or names != 1):  # M10
        raise Refused("M10", "unknown-stage", "an answer names the consultation")
    if stage.consults and names > 1:  # M10
        raise Refused("M10", "unknown-stage", "a consultation or an override, not both")
    if not stage.consults and step.code != CONSULTED and names:  # M10
        raise Refused("M10", "unknown-stage", "this stage rests on no consultation")


def check_step_handling(kind: str, step: Step | None, urgency: int, due: int | None) -> None:
    """M10: a step exactly with its kind, urgency and date just where its stage has them. Raises Refused."""
    if (kind == KIND) != (step is not None):  # M10
        raise Refused("M10", "unknown-stage", "a stage stands with a message of this kind, and no other")
    if step is None:
        return
    stage = STAGES[step.code]
    if stage.due != (due is not None) or stage.urgent != (urgency > 0):  # M10
        raise Refused("M10", "unknown-stage", "an urgency or date that this stage does not have, or lacks")


# --- what may follow what


def accept_step(
    case: Case,
    step: Step,
    *,
    kind: str,
    parties: tuple[bytes, ...],
    by: bytes,
    seq: int,
    due: int | None,
    now: int | None,
    keyrings: Keyrings,
) -> Case:
    """The case after a step at ``seq`` of a thread of this kind. ``now``: when the server received it.

    Raises Refused M10, M11.
    """
    _check_place(case, kind, parties)
    check_following(case, step, case.side_of(by, keyrings), now)
    if step.code == CONSULTATION and (due or 0) - (now or 0) < ANSWER_SECONDS:  # M11
        raise Refused("M11", "consultation-too-short", "a consultation leaves a day at least to answer")
    return repeat_step(case, step, parties=lambda: parties, by=by, seq=seq, due=due, now=now or 0)


def _check_place(case: Case, kind: str, parties: tuple[bytes, ...]) -> None:
    if kind != "case":  # M10
        raise Refused("M10", "not-a-case", "steps are taken in a case")
    if case.requesting is None and len(parties) != PARTIES:  # M10
        raise Refused("M10", "not-a-case", "a case begins between two authorities")


def check_following(case: Case, step: Step, side: Side | None, now: int | None) -> None:
    """M11: one step after the other, each by the side whose step it is. Raises Refused."""
    if case.variant not in {None, step.variant}:  # M11
        raise Refused("M11", "forbidden-stage", "this case is of another variant")
    if step.on != case.on:  # M11
        raise Refused("M11", "stale-stage", "another step was taken in the meantime")
    if step.code not in NEXT[step.variant][case.stage]:  # M11
        raise Refused("M11", "forbidden-stage", "this step does not follow")
    stage = STAGES[step.code]
    if side is None or (side != stage.side and "either" not in {side, stage.side}):  # M11
        raise Refused("M11", "wrong-side", "this step is the other side's")
    if step.code in CONFIRMING and not case.is_unconfirmed:  # M11
        raise Refused("M11", "forbidden-stage", "nothing waits for a confirmation")
    if step.code == CLOSED and case.is_unconfirmed:  # M11
        raise Refused("M11", "confirmation-needed", "an urgent request is confirmed or that is waived first")
    if step.code == CONSULTED and case.consultations.get(step.consultation or 0) is None:  # M11
        raise Refused("M11", "forbidden-stage", "no such consultation waits for an answer")
    if stage.consults and step.override is None and not case.is_settled(step.consultation, now):  # M11
        raise Refused("M11", "consultation-needed", "no consultation, or neither answered nor over")


def repeat_step(
    case: Case,
    step: Step,
    *,
    parties: Callable[[], tuple[bytes, ...]],
    by: bytes,
    seq: int,
    due: int | None,
    now: int,
) -> Case:
    """The case after a step that was judged before. ``parties``: those of the thread at the time; the other
    one of them is asked for something by the first step of who asks.
    """
    stage = STAGES[step.code]
    consultations = dict(case.consultations)
    if step.code == CONSULTATION:
        consultations[seq] = due
    if step.code == CONSULTED and step.consultation is not None:
        consultations[step.consultation] = None
    after = replace(
        case,
        variant=step.variant,
        stage=case.stage if stage.stays else step.code,
        on=seq,
        consultations=consultations,
        is_unconfirmed=(case.is_unconfirmed or step.code == ORAL) and step.code not in CONFIRMING,
        steps=(*case.steps, Taken(step, seq, by, now)),
    )
    if case.requesting is None and stage.side == "requesting":
        other = next(party for party in parties() if party != by)
        return replace(after, requesting=by, requested=other)
    return after


# --- the sealed part


def read_facts(value: Value) -> dict[str, Fact]:
    """The facts of a step, each of a shape that some fact has. Raises Refused."""
    if not isinstance(value, dict):  # M5
        raise Refused("M5", "wrong-body", "the facts of a step are a map")
    return {name: _take_fact(found) for name, found in value.items()}


def _take_fact(value: Value) -> Fact:
    if isinstance(value, list):
        return tuple(take_text(line, LINE_LIMIT) for line in take_list(value))
    return value if isinstance(value, str) else take_uint(value)


def facts_as_map(facts: Mapping[str, Fact]) -> dict[str, Encodable]:
    """As they stand in the sealed body."""
    return {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in facts.items()}


def check_facts(step: Step, facts: Mapping[str, Fact]) -> None:
    """M12: exactly the facts of the stage, none empty, the ground one of its list. Raises Refused."""
    wanted = facts_of(step.code, step.override, facts.get("ground"))
    if set(facts) != set(wanted):  # M12
        raise Refused("M12", "wrong-facts", f"this step says exactly: {', '.join(sorted(wanted))}")
    for name, fact in facts.items():
        if not _is_fitting(FACTS[name], fact):  # M12
            raise Refused("M12", "wrong-facts", f"{name} is empty, too long, or of another shape")
    ground = facts.get("ground")
    if ground is not None and ground not in grounds_for(step.variant, step.code):  # M12
        raise Refused("M12", "wrong-ground", f"no ground for this step, of {', '.join(GROUNDS)}")


def _is_fitting(rule: FactRule, fact: Fact) -> bool:
    match rule.kind, fact:
        case (("text" | "ground"), str()):
            return rule.least <= len(fact.strip(BLANK)) and len(fact) <= rule.most
        case "list", tuple():
            lines = all(line.strip(BLANK) and len(line) <= LINE_LIMIT for line in fact)
            return lines and rule.least <= len(fact) <= rule.most
        case "date", int():
            return 0 < fact <= LAST_DATE
    return False
