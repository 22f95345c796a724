"""Cases as one device sees them: where they stand, what it may do next, and that it does nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from messaging.sealed.correspondence import Correspondence
from messaging.sealed.errors import Refused
from messaging.sealed.plaintext import Body, StageChange
from messaging.sealed.stage_rules import Case, Fact, Step, Taken, accept_step, check_following
from messaging.sealed.stages import CONSULTED, NEXT, OVERRIDES, STAGES, Side
from messaging.sealed.thread_entry import ThreadState

if TYPE_CHECKING:
    from messaging.sealed.client import Mailbox


@dataclass(frozen=True)
class TakenStep:
    """A step of a verified thread. ``failed``: why its sealed part could not be read or does not hold (M12):
    the case stands where the header says, and what the step says is wanting.
    """

    taken: Taken
    facts: Mapping[str, Fact] = field(default_factory=dict)
    failed: str | None = None


@dataclass(frozen=True)
class OwnCase:
    """A case from one side: ``side`` is the own one, "either" while nobody has asked for anything."""

    case: Case
    side: Side | None
    steps: tuple[TakenStep, ...]
    may: tuple[Step, ...]
    """The steps that this side can take now; one that rests on a consultation, once for each of them."""


def see_case(mailbox: "Mailbox", thread: Correspondence, at: int) -> OwnCase:
    """Where a verified thread's case stands for its reader. Raises Refused M9 ``not-verified``."""
    state = thread.check_end()
    case = state.case or Case()
    side = case.side_of(mailbox.principal, mailbox)
    may = tuple(step for step in _possible(case) if _is_allowed(case, step, side, at))
    return OwnCase(case, side, tuple(_taken(thread, taken) for taken in case.steps), may)


def _taken(thread: Correspondence, taken: Taken) -> TakenStep:
    applied = thread.applied[taken.seq - 1]
    body = applied.plaintext.body if applied.plaintext else None
    facts = body.facts if isinstance(body, StageChange) else {}
    return TakenStep(taken, facts, applied.failed)


def _possible(case: Case) -> list[Step]:
    variants = NEXT if case.variant is None else (case.variant,)
    return [
        Step(variant, code, case.on, consultation, override)
        for variant in variants
        for code in NEXT[variant][case.stage]
        for consultation, override in _grounds(case, variant, code)
    ]


def _grounds(case: Case, variant: str, code: str) -> list[tuple[int | None, str | None]]:
    """What a step to this stage can rest on."""
    consultations: list[tuple[int | None, str | None]] = [(seq, None) for seq in case.consultations]
    overrides = [(None, name) for name, variants in OVERRIDES.items() if variant in variants]
    if STAGES[code].consults:
        return [*consultations, *overrides]
    return consultations if code == CONSULTED else [(None, None)]


def _is_allowed(case: Case, step: Step, side: Side | None, at: int) -> bool:
    try:
        check_following(case, step, side, at)
    except Refused:
        return False
    return True


def check_own_step(state: ThreadState, body: Body, mailbox: "Mailbox", at: int) -> None:
    """Nothing is signed that every reader would refuse. Raises Refused M10, M11."""
    if not isinstance(body, StageChange) or body.step is None:
        return
    accept_step(
        state.case or Case(),
        body.step,
        kind=state.kind,
        parties=state.parties,
        by=mailbox.principal,
        seq=state.seq + 1,
        due=body.due,
        now=at,
        keyrings=mailbox,
    )
