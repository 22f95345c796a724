"""The cases that a demonstration begins with, written and sealed by officers of States A and B."""

import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from messaging.demo.helpers import open_client, say
from messaging.sdk.client import Client
from messaging.sdk.facts import Sent
from messaging.sealed.stages import FACTS, STAGES
from network.demo import STATE_A, STATE_B

CASES: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("cases.toml").read_text(encoding="utf-8")
)["case"]
LANGUAGES = {"a": "en", "b": "fr"}
DAY = 86_400
# What a step has besides its facts.
HANDLING = ("by", "code", "comments", "consultation", "due", "urgency")


@dataclass(frozen=True)
class Step:
    """One step of a case, as the SDK takes it."""

    by: str  # "a" or "b"
    code: str
    facts: dict[str, Any]
    urgency: int
    due: int | None
    rests_on_consultation: bool
    comments: tuple[tuple[str, str], ...]
    """What the other side says of a shared draft: of which part, and the words."""


def step_of(case: Mapping[str, Any], row: Mapping[str, Any], now: int) -> Step:
    """Read a step of the file; days become dates. Raises KeyError for a code or fact that does not exist."""

    def date(days: str) -> int:
        return now + int(days) * DAY

    other = "b" if case["asks"] == "a" else "a"
    sides = {"requesting": case["asks"], "requested": other}
    facts = {name: value for name, value in row.items() if name not in HANDLING}
    return Step(
        by=row.get("by") or sides[STAGES[row["code"]].side],
        code=row["code"],
        facts={name: date(value) if FACTS[name].kind == "date" else value for name, value in facts.items()},
        urgency=row.get("urgency", 0),
        due=date(row["due"]) if "due" in row else None,
        rests_on_consultation=row.get("consultation", False),
        comments=tuple((said["part"], said["text"]) for said in row.get("comments", ())),
    )


async def write_cases(origin: str, folder: Path) -> None:
    """Write every case that this demonstration has not begun yet; a file of each says that it was."""
    begun = folder / "cases"
    begun.mkdir(mode=0o700, exist_ok=True)
    wanted = [case for case in CASES if not _mark(begun, case).exists()]
    if not wanted:
        return
    desks = {"a": STATE_A.persons[0], "b": STATE_B.persons[0]}
    async with (
        await open_client(origin, folder, desks["a"]) as a,
        await open_client(origin, folder, desks["b"]) as b,
    ):
        for client in (a, b):
            if not client.is_ready:
                await client.request_device()
            await client.wait_until_ready()
        await a.ledger.wait_until_compared(b.principal or "")
        await b.ledger.wait_until_compared(a.principal or "")
        for case in wanted:
            _mark(begun, case).touch()  # before it is written: a case cut short is better than one told twice
            await _write({"a": a, "b": b}, case)
    say(f"  {len(wanted)} cases between States A and B written, sealed by officers of both")


def _mark(folder: Path, case: Mapping[str, Any]) -> Path:
    return folder / str(case["references"][case["asks"]]).replace("/", "-")


async def _write(clients: Mapping[str, Client], case: Mapping[str, Any]) -> None:
    steps = [step_of(case, row, int(time.time())) for row in case["steps"]]
    first, *others = steps
    sent = await clients[first.by].cases.open(
        clients["b" if first.by == "a" else "a"].principal or "",
        case["variant"],
        first.code,
        first.facts,
        urgency=first.urgency,
        due=first.due,
        subject=case["subject"],
        own_reference=case["references"].get(first.by),
        language=LANGUAGES[first.by],
    )
    await _comment(clients, first, sent)
    consultation = None
    for step in others:
        taken = await clients[step.by].cases.take(
            sent.thread,
            step.code,
            step.facts,
            consultation=consultation if step.rests_on_consultation or step.code == "consulted" else None,
            urgency=step.urgency,
            due=step.due,
            subject=case["subject"],
            own_reference=case["references"].get(step.by),
            language=LANGUAGES[step.by],
        )
        consultation = taken.seq if step.code == "consultation" else consultation
        await _comment(clients, step, taken)


async def _comment(clients: Mapping[str, Client], step: Step, taken: Sent) -> None:
    """Let the other side say what it thinks of a draft."""
    other = "b" if step.by == "a" else "a"
    for part, words in step.comments:
        await clients[other].cases.comment(taken, part, words, language=LANGUAGES[other])
