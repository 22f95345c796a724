"""Cases: the treaty's steps in a correspondence, taken and read (messaging/STAGES.md)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from messaging.sdk.core import Core
from messaging.sdk.errors import InvalidMessage, NotReady, protocol_rules
from messaging.sdk.facts import Arrived, Authority, Sent
from messaging.sdk.inbox import Inbox
from messaging.sdk.outbox import Outbox
from messaging.sealed.errors import Refused
from messaging.sealed.message import About, Note, Plaintext, check_plaintext
from messaging.sealed.own_cases import OwnCase, see_case
from messaging.sealed.plaintext import StageChange
from messaging.sealed.stage_rules import Fact, Step
from messaging.sealed.stages import Side


@dataclass(frozen=True)
class StepFacts:
    """A step that was taken: at which place of the thread, when the server received it, and what it says.

    `failed`: why what it says cannot be read or does not hold. The case stands where the step has led.
    """

    seq: int
    code: str
    principal: str
    at: int
    consultation: int | None
    override: str | None
    facts: Mapping[str, Fact]
    failed: str | None


@dataclass(frozen=True)
class CaseFacts:
    """Where a case stands, from the own side. `on`: the place of its newest step; `may`: what can come next.

    `waits_for_answer`: the places of consultations without an answer yet. `is_unconfirmed`: an urgent request
    was neither confirmed in writing, nor was that waived.
    """

    thread: str
    variant: str | None
    stage: str
    on: int
    side: Side | None
    steps: tuple[StepFacts, ...]
    may: tuple[str, ...]
    waits_for_answer: tuple[int, ...]
    is_unconfirmed: bool


class Cases:
    """Takes steps in cases, and says where they stand."""

    def __init__(self, core: Core, inbox: Inbox, outbox: Outbox) -> None:
        self._core = core
        self._inbox = inbox
        self._outbox = outbox

    async def open(
        self,
        authority: Authority | str,
        variant: str,
        code: str,
        facts: Mapping[str, Fact],
        *,
        urgency: int = 0,
        due: int | None = None,
        subject: str | None = None,
        own_reference: str | None = None,
        language: str = "en",
    ) -> Sent:
        """Open a correspondence with an authority by the first step of a case.

        Raises `NotSent`, `InvalidMessage`, `NotReady`, `Distrusted`.
        """
        chosen, principal = (
            (None, authority) if isinstance(authority, str) else (authority.id, authority.principal)
        )
        if principal is None:
            raise NotReady("This authority has no keyring yet, so nothing can be sealed to it.")
        body = StageChange(Step(variant, code, 0), facts, urgency, due)
        plaintext = _checked(Plaintext(body, language, subject, own_reference))
        return await self._outbox.open_thread(bytes.fromhex(principal), plaintext, authority=chosen)

    async def take(
        self,
        thread: str,
        code: str,
        facts: Mapping[str, Fact],
        *,
        variant: str | None = None,
        on: int | None = None,
        consultation: int | None = None,
        override: str | None = None,
        urgency: int = 0,
        due: int | None = None,
        subject: str | None = None,
        own_reference: str | None = None,
        foreign_reference: str | None = None,
        language: str = "en",
    ) -> Sent:
        """Take a step in a case; `variant` is said at the first one only.

        `on`: the place of the newest step that was looked at; by default the newest that has arrived. Raises
        `NotSent` with the code of the rule: `stale-stage` when somebody was first, `forbidden-stage`,
        `wrong-side`, `consultation-needed`, `confirmation-needed`; `InvalidMessage` when what the step has to
        say is missing.
        """
        found = await self.view(thread)
        named = found.variant or variant
        if named is None:
            raise InvalidMessage("The first step of a case says which kind of case it is.")
        place = found.on if on is None else on
        body = StageChange(Step(named, code, place, consultation, override), facts, urgency, due)
        text = _checked(Plaintext(body, language, subject, own_reference, foreign_reference))
        return await self._outbox.send(thread, text)

    async def comment(self, draft: Sent | Arrived, part: str, text: str, *, language: str = "en") -> Sent:
        """Say something of a shared draft: of one of its facts, or of all of it (`version`).

        Raises `NotSent`, `InvalidMessage`, `NotReady`, `Distrusted`.
        """
        about = About(bytes.fromhex(draft.id), draft.seq, part)
        plaintext = _checked(Plaintext(Note(text, about=about), language))
        await self._inbox.pull(draft.thread)
        return await self._outbox.send(draft.thread, plaintext)

    async def view(self, thread: str) -> CaseFacts:
        """Return where a case stands, verified to its end. Raises `Distrusted`, `NotReady`."""
        if not self._core.is_ready:
            raise NotReady("This device cannot read yet.")
        await self._inbox.pull(thread)
        mailbox = self._core.mailbox
        with protocol_rules():
            found, _ = mailbox.verified(bytes.fromhex(thread))
            return _facts(thread, see_case(mailbox, found, int(time.time())))


def _facts(thread: str, own: OwnCase) -> CaseFacts:
    case = own.case
    steps = tuple(
        StepFacts(
            seq=one.taken.seq,
            code=one.taken.step.code,
            principal=one.taken.by.hex(),
            at=one.taken.at,
            consultation=one.taken.step.consultation,
            override=one.taken.step.override,
            facts=one.facts,
            failed=one.failed,
        )
        for one in own.steps
    )
    return CaseFacts(
        thread=thread,
        variant=case.variant,
        stage=case.stage,
        on=case.on,
        side=own.side,
        steps=steps,
        may=tuple(dict.fromkeys(step.code for step in own.may)),
        waits_for_answer=tuple(seq for seq, until in case.consultations.items() if until is not None),
        is_unconfirmed=case.is_unconfirmed,
    )


def _checked(plaintext: Plaintext) -> Plaintext:
    """Return what every reader will take; raises `InvalidMessage`."""
    try:
        check_plaintext(plaintext)
    except Refused as refused:
        raise InvalidMessage(f"This step lacks something, or says too much: {refused.detail}.") from refused
    return plaintext
