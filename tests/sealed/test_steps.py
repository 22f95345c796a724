"""M10 to M12: the treaty's steps. Every forbidden step is tried, as the table counts them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from messaging.sealed.errors import Refused
from messaging.sealed.keyring import NewestKeyrings
from messaging.sealed.plaintext import check_plaintext
from messaging.sealed.stage_rules import Case, Fact, Step, check_facts, check_following, check_step
from messaging.sealed.stages import (
    ABOUT,
    BEGIN,
    CLOSED,
    CONFIRMING,
    DRAFT,
    DRAFT_FACTS,
    FACTS,
    GROUNDS,
    NEXT,
    OVERRIDES,
    STAGES,
    VARIANTS,
    Side,
    facts_of,
    grounds_for,
)
from messaging.stage_words import FACT_NAMES, STAGE_NAMES, VARIANT_NAMES
from tests.sealed.breaking import assert_refused, breaks
from tests.sealed.cases import base
from tests.sealed.changes import NOW
from tests.sealed.steps import CONSULTED_ON, DUE, facts_for, step_text, whole_case
from tests.sealed.world import world

SIDES: tuple[Side, ...] = ("requesting", "requested")
CONSULTATION_AT = 7


@breaks("M10")
def test_m10_a_step_is_one_of_the_table(case: base.Case) -> None:
    assert_refused(case)


@breaks("M11")
def test_m11_one_step_follows_the_other(case: base.Case) -> None:
    assert_refused(case)


@breaks("M12")
def test_m12_a_step_says_what_its_stage_demands(case: base.Case) -> None:
    assert_refused(case)


def standing(variant: str, stage: str, *, is_unconfirmed: bool = False) -> Case:
    """A case that stands there, with a consultation that was answered."""
    begun = {"requesting": b"a", "requested": b"b", "variant": variant} if stage else {}
    answered = {CONSULTATION_AT: None} if stage else {}
    return Case(stage=stage, on=9, consultations=answered, is_unconfirmed=is_unconfirmed, **begun)  # type: ignore[arg-type]


def step_to(variant: str, code: str) -> Step:
    """The step that names what it must."""
    rests = STAGES[code].consults or code == "consulted"
    return Step(variant, code, 9, CONSULTATION_AT if rests else None)


def refused_by(case: Case, step: Step, side: Side | None, now: int | None = NOW) -> str | None:
    """The code with which a step is refused, or None."""
    try:
        check_following(case, step, side, now)
    except Refused as refused:
        return refused.code
    return None


def every_step() -> Iterator[tuple[str, str, str, Side]]:
    """Each variant, stage, step of that variant, and side."""
    for variant in VARIANTS:
        for stage in NEXT[variant]:
            for code in STAGES:
                if any(code in row for row in NEXT[variant].values()):
                    yield from ((variant, stage, code, side) for side in SIDES)


def test_m11_every_step_is_allowed_or_refused_as_the_table_says() -> None:
    tried = allowed = 0
    for variant, stage, code, side in every_step():
        case = standing(variant, stage, is_unconfirmed=code in CONFIRMING)
        if code == "consulted":
            case = replace(case, consultations={CONSULTATION_AT: DUE})
        found = refused_by(case, step_to(variant, code), side)
        follows = code in NEXT[variant][stage]
        is_theirs = STAGES[code].side in {"either", side}
        expected = None if follows and is_theirs else "wrong-side" if follows else "forbidden-stage"
        assert found == expected, (variant, stage, code, side)
        tried, allowed = tried + 1, allowed + (found is None)
    assert tried > 8_000
    assert 1_000 < allowed < tried / 4


@pytest.mark.parametrize("code", [code for code, stage in STAGES.items() if stage.consults])
def test_m11_nothing_is_refused_or_postponed_without_consultation(code: str) -> None:
    variants = [variant for variant in VARIANTS if any(code in row for row in NEXT[variant].values())]
    assert variants
    for variant in variants:
        for stage, following in NEXT[variant].items():
            if code not in following:
                continue
            case = replace(standing(variant, stage), consultations={CONSULTATION_AT: DUE})
            step = step_to(variant, code)
            assert refused_by(case, step, "requested", DUE) == "consultation-needed"
            assert refused_by(case, step, "requested", None) == "consultation-needed"
            assert refused_by(case, step, "requested", DUE + 1) is None
            assert refused_by(case, replace(step, consultation=None), "requested") == "consultation-needed"
            other = replace(step, consultation=None, override="other-treaty")
            assert refused_by(case, other, "requested") is None


def test_m10_an_override_is_of_its_variants() -> None:
    for override, variants in OVERRIDES.items():
        for variant in VARIANTS:
            if variant == "information":
                continue
            step = Step(variant, "refused", 9, None, override)
            if variant in variants:
                check_step(step)
            else:
                with pytest.raises(Refused, match="M10 unknown-stage"):
                    check_step(step)


def test_m11_what_was_sent_urgently_is_confirmed_or_that_is_waived_before_the_end() -> None:
    for variant in VARIANTS:
        for stage, following in NEXT[variant].items():
            if CLOSED in following and stage:
                waiting = standing(variant, stage, is_unconfirmed=True)
                assert refused_by(waiting, step_to(variant, CLOSED), "requesting") == "confirmation-needed"
                assert refused_by(standing(variant, stage), step_to(variant, CLOSED), "requesting") is None


def test_m11_a_step_of_who_has_not_seen_the_one_before_is_stale() -> None:
    case = standing("assistance", "sent")
    assert (
        refused_by(case, replace(step_to("assistance", "acknowledged"), on=8), "requested") == "stale-stage"
    )


def test_m11_a_third_party_takes_no_step() -> None:
    made = world()
    case = whole_case().server.states[CONSULTED_ON - 1].case
    assert case is not None
    nobody = NewestKeyrings({})
    assert case.side_of(made.a.principal, nobody) == "requesting"
    assert case.side_of(made.b.principal, nobody) == "requested"
    assert case.side_of(made.c.principal, nobody) is None
    assert refused_by(case, Step("assistance", "accepted", CONSULTED_ON), None) == "wrong-side"


def test_m11_who_succeeds_a_side_takes_its_steps() -> None:
    made = world()
    case = whole_case().server.states[CONSULTED_ON - 1].case
    assert case is not None
    heir = replace(made.c.newest, succeeds=made.b.principal)
    assert case.side_of(made.c.principal, NewestKeyrings({made.c.principal: heir})) == "requested"


@pytest.mark.parametrize("code", STAGES)
def test_m12_what_a_step_has_to_say_is_asked_of_each_stage(code: str) -> None:
    variant = next(one for one in VARIANTS if any(code in row for row in NEXT[one].values()))
    step = step_to(variant, code)
    check_plaintext(step_text(step))
    facts = facts_for(step)
    for name in facts:
        lacking = {key: fact for key, fact in facts.items() if key != name}
        with pytest.raises(Refused, match="M12"):
            check_facts(step, lacking)
        if FACTS[name].least > 0:
            empty = () if FACTS[name].kind == "list" else " "
            with pytest.raises(Refused, match="M12"):
                check_facts(step, facts | {name: empty})


def test_m12_a_ground_is_one_of_the_stage_and_variant() -> None:
    for variant in VARIANTS:
        for code in (code for code, stage in STAGES.items() if "ground" in stage.facts):
            if not any(code in row for row in NEXT[variant].values()):
                continue
            step = step_to(variant, code)
            good = facts_for(step)
            for ground in GROUNDS:
                treaty = {"treaty": "A treaty"} if ground == "R-TREATY" else {}
                facts = {**good, "ground": ground, **treaty}
                if ground in grounds_for(variant, code):
                    check_facts(step, facts)
                else:
                    with pytest.raises(Refused, match="M12 wrong-ground"):
                        check_facts(step, facts)


def test_the_case_is_folded_from_its_steps() -> None:
    case = whole_case().server.state.case
    assert case is not None
    made = world()
    assert (case.variant, case.stage, case.requesting) == ("assistance", CLOSED, made.a.principal)
    assert case.requested == made.b.principal
    assert not case.is_unconfirmed
    assert case.consultations == {CONSULTED_ON: None}
    codes = (
        "sent-urgently acknowledged consultation consulted refused-in-part in-execution executed confirmed"
    )
    assert [taken.step.code for taken in case.steps] == [*codes.split(), "closed"]


def test_m12_a_draft_may_leave_open_what_a_request_contains() -> None:
    draft = step_to("assistance", DRAFT)
    empty: dict[str, Fact] = {name: "1" if name == "version" else "" for name in DRAFT_FACTS}
    check_facts(draft, empty)
    for wrong in ({"version": " "}, {"summary": "x" * 8001}, {"purpose": "x" * 4001}):
        with pytest.raises(Refused, match="M12"):
            check_facts(draft, empty | wrong)


def test_the_table_is_whole() -> None:
    assert STAGE_NAMES.keys() == STAGES.keys()
    assert FACT_NAMES.keys() == {*FACTS, *ABOUT, "due"}
    assert VARIANT_NAMES.keys() == set(VARIANTS)
    for variant in VARIANTS:
        reached = {BEGIN}
        while grown := {code for stage in reached for code in NEXT[variant][stage] if _moves(code)} - reached:
            reached |= grown
        assert reached == NEXT[variant].keys()  # every stage of the table can be come to
        assert all(CLOSED in reached_from(variant, stage) for stage in NEXT[variant] if stage != CLOSED)
    named = {code for table in NEXT.values() for row in table.values() for code in row}
    assert named == STAGES.keys()
    assert all(len(code) <= 20 for code in STAGES)
    assert {fact for stage in STAGES.values() for fact in stage.facts} | {"override_reason", "treaty"} == set(
        FACTS
    )
    assert set(facts_of("refused", "other-treaty", "R-SOV")) >= {"override_reason", "treaty", "reasons"}


def _moves(code: str) -> bool:
    return not STAGES[code].stays


def reached_from(variant: str, stage: str) -> set[str]:
    """Where a case that stands there can come to."""
    found = {stage}
    while grown := {code for one in found for code in NEXT[variant][one] if _moves(code)} - found:
        found |= grown
    return found
