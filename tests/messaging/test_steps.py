"""M10 and M11 at the server's door: every forbidden step is tried, and of two at once one is taken."""

import base64
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import ThreadItem
from messaging.refusals import SENTENCES
from messaging.sealed.message import read_message
from messaging.sealed.own_cases import see_case
from messaging.sealed.stage_rules import Step
from messaging.sealed.stages import BEGIN, NEXT, STAGES
from messaging.taken_steps import read_cases
from tests.factories import Offices, Workplace, now, to_text
from tests.messaging.case_steps import DAY, begin, last_on, sealed_step, step_to, take
from tests.sealed.world import forge

NET = "network.example/s1"
AT_ONCE = 16


@pytest.fixture
def thread(offices: Offices) -> str:
    """Give a case of A and B, read to its end by an officer on each side."""
    return begin(offices)


def refused(desk: Workplace, *forms: dict[str, str]) -> list[str | None]:
    """Send messages; return the code of each refusal."""
    results = desk.append(*forms)
    return [result.get("error", {}).get("code") for result in results]


def blank(desk: Workplace, thread: str) -> dict[str, str]:
    """A sealed note that is never sent, to put other headers on."""
    form = desk.seal(thread, "Whatever it says.")
    desk.mailbox.mark_refused(bytes.fromhex(thread))
    return form


def forged(desk: Workplace, thread: str, step: Step, form: dict[str, str]) -> dict[str, str]:
    """A message of this device with the header of a step, which its own client would not seal."""
    stage = STAGES[step.code]
    due = now() + 2 * DAY if stage.due else None
    fields = {"kind": "stage", "stage": step.as_map(), "due": due, "urgency": int(stage.urgent)}
    item = forge(base64.b64decode(form["item"]), desk.mailbox.device, **fields)
    return {**form, "item": to_text(item)}


def path_to(variant: str, stage: str) -> list[str]:
    """The shortest way from the beginning to a stage."""
    ways: dict[str, list[str]] = {BEGIN: []}
    for place in ways_from(ways, variant):
        if place == stage:
            break
    return ways[stage]


def ways_from(ways: dict[str, list[str]], variant: str) -> Iterator[str]:
    found = list(ways)
    for place in found:
        yield place
        for code in NEXT[variant][place]:
            if not STAGES[code].stays and code not in ways:
                ways[code] = [*ways[place], code]
                found.append(code)


def every_stage() -> Iterator[tuple[str, str]]:
    """Each stage once, in the first variant that has it."""
    seen = set()
    for variant, table in NEXT.items():
        for stage in table:
            if stage not in seen:
                seen.add(stage)
                yield variant, stage


def test_m11_every_forbidden_step_is_refused_and_changes_nothing(offices: Offices) -> None:
    tried = [try_every_step(offices, variant, stage) for variant, stage in every_stage()]
    assert len(tried) > 30
    assert sum(tried) > 1_500


def try_every_step(offices: Offices, variant: str, stage: str) -> int:
    """Bring a case to a stage, and try from both sides what does not follow; return how much that was."""
    thread = begin(offices)
    for code in path_to(variant, stage):
        take(offices, thread, step_to(variant, code, last_on(thread)))
    case = read_cases([thread])[thread]
    assert case.stage == stage
    codes = [code for code in STAGES if any(code in row for row in NEXT[variant].values())]
    tried = 0
    for desk, side in ((offices.officer_a, "requesting"), (offices.officer_b, "requested")):
        desk.read(thread)
        form = blank(desk, thread)
        attempts = [
            (code, "wrong-side" if code in NEXT[variant][stage] else "forbidden-stage")
            for code in codes
            if code not in NEXT[variant][stage]
            or (case.requesting is not None and STAGES[code].side not in {"either", side})
        ]
        for start in range(0, len(attempts), AT_ONCE):
            some = attempts[start : start + AT_ONCE]
            forms = [forged(desk, thread, step_to(variant, code, case.on), form) for code, _ in some]
            assert refused(desk, *forms) == [expected for _, expected in some]
        tried += len(attempts)
    assert read_cases([thread])[thread] == case
    return tried


def test_m11_nothing_is_refused_without_a_consultation_or_before_its_time(
    offices: Offices, thread: str
) -> None:
    sent = take(offices, thread, Step("assistance", "sent", 0))
    desk = offices.officer_b
    for code in ("refused", "refused-in-part", "postponed"):
        desk.read(thread)
        form = blank(desk, thread)
        for consultation in (None, sent, 999):
            step = Step("assistance", code, sent, consultation)
            assert refused(desk, forged(desk, thread, step, form)) == ["consultation-needed"]
    consultation = take(offices, thread, Step("assistance", "consultation", sent))
    desk.read(thread)
    form = blank(desk, thread)
    early = Step("assistance", "refused", consultation, consultation)
    assert refused(desk, forged(desk, thread, early, form)) == ["consultation-needed"]
    answered = take(offices, thread, Step("assistance", "consulted", consultation, consultation))
    take(offices, thread, Step("assistance", "refused", answered, consultation))
    assert read_cases([thread])[thread].stage == "refused"


def test_m11_a_consultation_without_an_answer_settles_by_its_date(offices: Offices, thread: str) -> None:
    sent = take(offices, thread, Step("assistance", "sent", 0))
    consultation = take(offices, thread, Step("assistance", "consultation", sent))
    row = ThreadItem.objects.get(thread_id=thread, seq=consultation)
    case = read_cases([thread])[thread]
    assert row.due is not None
    assert not case.is_settled(consultation, row.due)
    assert case.is_settled(consultation, row.due + 1)


def test_m11_a_consultation_leaves_time_to_answer(offices: Offices, thread: str) -> None:
    sent = take(offices, thread, Step("assistance", "sent", 0))
    desk = offices.officer_b
    desk.read(thread)
    form = blank(desk, thread)
    fields = {
        "kind": "stage",
        "stage": Step("assistance", "consultation", sent).as_map(),
        "due": now() + DAY - 60,
    }
    item = to_text(forge(base64.b64decode(form["item"]), desk.mailbox.device, **fields))
    assert refused(desk, {**form, "item": item}) == ["consultation-too-short"]


def test_m11_what_was_sent_urgently_is_confirmed_before_the_end(offices: Offices, thread: str) -> None:
    on = take(offices, thread, Step("assistance", "sent-urgently", 0))
    on = take(offices, thread, Step("assistance", "withdrawn", on))
    desk = offices.officer_b
    desk.read(thread)
    form = blank(desk, thread)
    closing = Step("assistance", "closed", on)
    assert refused(desk, forged(desk, thread, closing, form)) == ["confirmation-needed"]
    on = take(offices, thread, Step("assistance", "confirmation-waived", on))
    take(offices, thread, Step("assistance", "closed", on))


def test_m11_of_two_officers_who_act_at_once_one_takes_the_step(offices: Offices, thread: str) -> None:
    sent = take(offices, thread, Step("assistance", "sent", 0))
    first, second = offices.officer_b, offices.supervisor_b
    for desk in (first, second):
        desk.read(thread)
    step = Step("assistance", "acknowledged", sent)
    ours, theirs = sealed_step(first, thread, step), sealed_step(second, thread, step)
    (taken,) = first.append(ours)
    (late,) = second.append(theirs)
    assert "receipt" in taken
    assert late["error"] == {"code": "stale-stage", "message": str(SENTENCES["stale-stage"])}
    assert first.append(ours) == [taken]  # M2: the same bytes are answered as the first time
    assert [each.step.code for each in read_cases([thread])[thread].steps] == ["sent", "acknowledged"]


def test_m2_a_step_goes_out_once_under_its_id(offices: Offices, thread: str) -> None:
    desk = offices.officer_a
    form = blank(desk, thread)
    sent = forged(desk, thread, Step("assistance", "sent", 0), form)
    again = forged(desk, thread, Step("extradition", "sent", 0), form)
    assert refused(desk, sent, again) == [None, "id-reused"]
    assert len(read_cases([thread])[thread].steps) == 1


def test_m10_a_step_is_one_of_the_table(offices: Offices, thread: str) -> None:
    desk = offices.officer_a
    form = blank(desk, thread)
    raw = base64.b64decode(form["item"])
    good = Step("assistance", "sent", 0).as_map()
    for fields in (
        {"kind": "stage", "stage": good | {"code": "returned"}},
        {"kind": "stage", "stage": good | {"variant": "visit"}},
        {"kind": "stage", "stage": good | {"override": "other-treaty"}},
        {"kind": "stage", "stage": good, "urgency": 1},
        {"kind": "stage", "stage": None},
        {"kind": "note", "stage": good},
    ):
        item = to_text(forge(raw, desk.mailbox.device, **fields))
        (result,) = desk.append({**form, "item": item})
        assert result["error"] == {"code": "unknown-stage", "message": str(SENTENCES["unknown-stage"])}


def test_m10_steps_are_taken_in_cases_of_two(offices: Offices) -> None:
    desk = offices.officer_a
    own = desk.mailbox
    made = own.open_thread([], None, at=now())
    desk.post(
        "/threads", {"entry": to_text(made.entry), "envelopes": to_text(made.envelopes), "messages": []}
    )
    alone = made.thread.hex()
    desk.read(alone)
    form = blank(desk, alone)
    assert refused(desk, forged(desk, alone, Step("assistance", "sent", 0), form)) == ["not-a-case"]


def test_outsider_cannot_take_a_step(offices: Offices, thread: str) -> None:
    form = sealed_step(offices.officer_a, thread, Step("assistance", "sent", 0))
    assert refused(offices.supervisor_c, form) == ["not-found"]
    assert refused(offices.officer_b, form) != [None]
    assert read_cases([thread])[thread].steps == ()


def test_the_server_sees_the_stage_and_nothing_of_what_the_step_says(offices: Offices, thread: str) -> None:
    place = take(offices, thread, Step("assistance", "sent", 0))
    row = ThreadItem.objects.get(thread_id=thread, seq=place)
    assert (row.kind, row.stage) == ("stage", "sent")
    header = read_message(NET, bytes(row.item))
    assert header.step == Step("assistance", "sent", 0)
    for word in ("Words on", "channel", "Second"):
        assert word.encode() not in bytes(row.item) + bytes(row.ciphertext or b"")


def test_both_sides_see_the_same_case(offices: Offices, thread: str) -> None:
    on = take(offices, thread, Step("extradition", "sent", 0))
    take(offices, thread, Step("extradition", "acknowledged", on))
    seen = []
    for desk in (offices.officer_a, offices.officer_b):
        desk.read(thread)
        seen.append(see_case(desk.mailbox, desk.mailbox.threads[bytes.fromhex(thread)], now()))
    assert [one.side for one in seen] == ["requesting", "requested"]
    assert seen[0].case == seen[1].case == read_cases([thread])[thread]
    assert [step.code for step in seen[0].may] == ["withdrawn", "arrest-asked"]
    assert {"accepted", "consultation"} <= {step.code for step in seen[1].may}
    at = timezone.now() - timedelta(minutes=5)
    assert all(taken.taken.at > at.timestamp() and taken.failed is None for taken in seen[0].steps)
