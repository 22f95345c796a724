"""The treaty's steps: which stages a request has, who takes them, what each says, what follows what.

One table, as plain data. The client's copy and the table in STAGES.md are generated from it (`manage.py
protocol`); the rules M10 to M12 that hold others to it stand in stage_rules. Articles are those of the
Convention against Transnational Organized Crime, unless said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Side = Literal["requesting", "requested", "either"]
FactKind = Literal["text", "list", "date", "ground"]
Turn = Literal["stays", "passes", "ends"]

VARIANTS: Final = (
    "assistance", "extradition", "confiscation", "transfer", "preservation", "vessel", "information", "joint",
)  # fmt: skip
"""What is asked for: mutual legal assistance; extradition; freezing and confiscation; transfer of a sentenced
person; preservation of data; measures on a vessel; spontaneous information; a joint investigation."""

OTHER_TREATY: Final = "other-treaty"
NOT_APPROPRIATE: Final = "not-appropriate"
OVERRIDES: Final[Mapping[str, tuple[str, ...]]] = {
    OTHER_TREATY: VARIANTS,
    NOT_APPROPRIATE: ("extradition",),
}
"""Why a request may be refused or postponed without consultation, and for which variants: another treaty
governs (18(6), 18(7)); consultation is not appropriate (16(16), which 18(26) does not say)."""

BEGIN: Final = ""
"""The stage of a case in which no step was taken yet."""
CLOSED: Final = "closed"
CONSULTATION: Final = "consultation"
CONSULTED: Final = "consulted"
ORAL: Final = "sent-urgently"
ANSWER_SECONDS: Final = 86_400
"""What a consultation leaves the other side at least, to answer."""
CONFIRMING: Final = ("confirmed", "confirmation-waived")
"""What an urgent or oral request waits for (18(14)): nothing is closed before."""


OUTCOMES: Final = ("executed", "executed-in-part", "refused", "withdrawn", "otherwise")
"""What the outcome of a closed case is: a code that each side reads in its own language, or other words."""
QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("in-time", "late", "too-late"),
    "use": ("wholly", "partly", "not-at-all"),
    "ease": (),
}
"""What the evaluation of a closed case asks, with the codes of its answers; without some it is answered in
words. A line of it is ``question: answer``; whatever is written otherwise is words."""


@dataclass(frozen=True)
class FactRule:
    """What a fact is: a text (characters) or a list (lines) from ``least`` to ``most``, a date, a ground."""

    kind: FactKind
    least: int = 1
    most: int = 4000


TEXT: Final = FactRule("text")
MAYBE: Final = FactRule("text", least=0)
LONG: Final = FactRule("text", least=0, most=8000)
"""The longest parts of a draft request; together all have to fit into one message."""
SHORT: Final = FactRule("text", most=200)
LIST: Final = FactRule("list", most=50)
MAYBE_LIST: Final = FactRule("list", least=0, most=50)
DATE: Final = FactRule("date", least=0, most=0)
GROUND: Final = FactRule("ground", most=20)
LINE_LIMIT: Final = 500
"""Characters of one line of a list."""

FACTS: Final[Mapping[str, FactRule]] = {
    "actions": LIST,
    "alternatives": MAYBE,
    "annexes": MAYBE_LIST,
    "answer": TEXT,
    "assets": LIST,
    "assistance": LONG,
    "authority": SHORT,
    "channel": SHORT,
    "conditions": LIST,
    "confirmation_due": DATE,
    "consents": LIST,
    "delivery": LIST,
    "ending": DATE,
    "evaluation": MAYBE_LIST,
    "expected": DATE,
    "ground": GROUND,
    "languages": LIST,
    "measures": LIST,
    "next_step": TEXT,
    "open": LIST,
    "outcome": TEXT,
    "override_reason": TEXT,
    "persons": MAYBE,
    "points": LIST,
    "procedure": MAYBE,
    "proceeding": MAYBE,
    "progress": TEXT,
    "purpose": MAYBE,
    "question": TEXT,
    "reasons": TEXT,
    "relied_on": TEXT,
    "requesting_authority": MAYBE,
    "result": TEXT,
    "review": DATE,
    "summary": LONG,
    "topic": TEXT,
    "treaty": SHORT,
    "until": DATE,
    "use_limits": MAYBE_LIST,
    "version": SHORT,
}

DRAFT: Final = "draft-shared"
REQUEST_FACTS: Final = (
    "requesting_authority", "proceeding", "summary", "assistance", "persons", "purpose",
)  # fmt: skip
"""What a request contains, (a) to (f) of 18(15); a draft may leave any of it open."""
DRAFT_FACTS: Final = ("version", *REQUEST_FACTS)
FORMALLY: Final = "formally"
ABOUT: Final = (*DRAFT_FACTS, FORMALLY)
"""What a note says of the message that it is about: something on a part of a shared draft (`version`: on the
whole), or that what stands there is to be asked for by a request."""


@dataclass(frozen=True)
class Stage:
    """A stage: who takes the step to it, on what basis, and what the step says.

    ``facts`` are sealed. ``due``: the date wanted stands in the header, where the server reads it to remind;
    ``urgent``: so does an urgency. ``stays``: said beside, without moving the case from where it stands.
    ``consults``: rests on a consultation that was answered, or whose time is over, or on an override.
    ``turn``: whose next word is waited for after it: that of whom it was before, the other side's, nobody's.
    """

    code: str
    side: Side
    basis: str
    facts: tuple[str, ...]
    due: bool = False
    urgent: bool = False
    stays: bool = False
    consults: bool = False
    turn: Turn = "stays"


def _stages(*stages: Stage) -> dict[str, Stage]:
    return {stage.code: stage for stage in stages}


STAGES: Final[Mapping[str, Stage]] = _stages(
    Stage("inquiry", "either", "18(13)", ("topic",), turn="passes"),
    Stage(DRAFT, "requesting", "18(15)", DRAFT_FACTS, turn="passes"),
    Stage("sent", "requesting", "18(14)", ("channel", "languages", "annexes"), turn="passes"),
    Stage(
        ORAL,
        "requesting",
        "18(13), 18(14)",
        ("channel", "reasons", "confirmation_due"),
        due=True,
        urgent=True,
        turn="passes",
    ),
    Stage("confirmed", "requesting", "18(14)", ("channel", "languages", "annexes"), stays=True),
    Stage("confirmation-waived", "requested", "18(14)", ("reasons",), stays=True),
    Stage("acknowledged", "requested", "18(13)", ("next_step", "expected")),
    Stage("screening", "requested", "18(15)", ("result",)),
    Stage("more-asked", "requested", "18(16)", ("points",), due=True, turn="passes"),
    Stage("more-supplied", "requesting", "18(16)", ("points",), turn="passes"),
    Stage("accepted", "requested", "18(13), 18(17)", ("measures", "procedure")),
    Stage("conditions-set", "requested", "18(26)", ("conditions",), turn="passes"),
    Stage("conditions-agreed", "requesting", "18(26)", ("conditions",), turn="passes"),
    Stage("transmitted", "requested", "18(13)", ("authority",)),
    Stage("in-execution", "requested", "18(24)", ("progress",)),
    Stage("partly-executed", "requested", "18(24)", ("delivery", "open")),
    Stage("executed", "requested", "18(17), 18(19), 18(24)", ("delivery", "use_limits"), turn="ends"),
    Stage(
        CONSULTATION,
        "requested",
        "16(16), 18(26)",
        ("ground", "question"),
        due=True,
        stays=True,
        turn="passes",
    ),
    Stage(CONSULTED, "requesting", "16(16), 18(26)", ("answer",), stays=True, turn="passes"),
    Stage("postponed", "requested", "18(25)", ("ground", "reasons", "review"), consults=True, turn="ends"),
    Stage(
        "refused",
        "requested",
        "18(21), 18(23)",
        ("ground", "reasons", "alternatives"),
        consults=True,
        turn="ends",
    ),
    Stage(
        "refused-in-part", "requested", "18(21), 18(23)", ("ground", "reasons", "alternatives"), consults=True
    ),
    Stage("withdrawn", "requesting", "18(24)", ("reasons",), turn="ends"),
    Stage(CLOSED, "either", "18(24)", ("outcome", "evaluation"), turn="ends"),
    # extradition
    Stage(
        "arrest-asked", "requesting", "16(9)", ("reasons",), due=True, urgent=True, stays=True, turn="passes"
    ),
    Stage("surrender-decided", "requested", "16(7), 16(8)", ("outcome", "conditions")),
    Stage("surrendered", "requested", "16", ("delivery", "use_limits"), turn="ends"),
    Stage(
        "refused-nationality",
        "requested",
        "16(10), 16(12)",
        ("ground", "reasons", "next_step"),
        consults=True,
        turn="ends",
    ),
    # freezing and confiscation
    Stage(
        "freezing-asked",
        "requesting",
        "13(2), 13(3)(c)",
        ("assets", "relied_on", "actions"),
        due=True,
        urgent=True,
        stays=True,
        turn="passes",
    ),
    Stage("frozen", "requested", "13(2)", ("assets", "until")),
    Stage(
        "freezing-ending", "requested", "13(2)", ("reasons", "ending"), due=True, stays=True, turn="passes"
    ),
    Stage("reasons-presented", "requesting", "13(2)", ("answer",), stays=True, turn="passes"),
    Stage("confiscated", "requested", "13(1)", ("assets", "reasons")),
    Stage("sharing-agreed", "either", "14(2), 14(3)", ("assets", "outcome"), turn="ends"),
    # transfer of a sentenced person
    Stage("consents-recorded", "either", "17", ("consents",), stays=True),
    Stage("transferred", "requested", "17", ("delivery",), turn="ends"),
    # preservation of data
    Stage("preserved", "requested", "18(3)", ("measures", "until"), turn="passes"),
    Stage("request-followed", "requesting", "18(3)", ("channel",), stays=True, turn="ends"),
    Stage("lapsed", "requested", "18(3)", ("reasons",), turn="ends"),
    # a vessel
    Stage(
        "registry-answered", "requested", "Protocol against Smuggling of Migrants, 8(2), 8(4)", ("answer",)
    ),
    Stage(
        "vessel-authorized",
        "requested",
        "Protocol against Smuggling of Migrants, 8(2), 8(5)",
        ("measures", "conditions"),
        turn="passes",
    ),
    Stage(
        "authorization-denied",
        "requested",
        "Protocol against Smuggling of Migrants, 8(2), 8(4)",
        ("reasons",),
        turn="ends",
    ),
    Stage(
        "result-reported",
        "requesting",
        "Protocol against Smuggling of Migrants, 8(3)",
        ("result",),
        turn="ends",
    ),
    # spontaneous information
    Stage("information-sent", "requesting", "18(4), 18(5)", ("topic", "use_limits"), turn="ends"),
    Stage("use-notified", "requested", "18(5)", ("reasons",), stays=True, turn="ends"),
    # a joint investigation
    Stage("agreement-signed", "either", "19", ("authority", "conditions")),
    Stage("investigation-ended", "either", "19", ("outcome",), turn="ends"),
)
PASSING: Final = tuple(code for code, stage in STAGES.items() if stage.turn == "passes")
"""The steps that wait for a word of the other side, as a note does."""
ENDING: Final = tuple(code for code, stage in STAGES.items() if stage.turn == "ends")
"""The steps after which nobody's word is waited for."""

_FORM: Final = ("R-FORM", "R-SOV", "R-LAW", "R-SYS", "R-DUAL", "R-TREATY")
_OF_VARIANT: Final[Mapping[str, tuple[str, ...]]] = {
    "extradition": ("X-PERSEC", "X-NAT", "X-PEN"),
    "confiscation": ("C-SCOPE", "C-3P"),
}
TREATY_GROUND: Final = "R-TREATY"
GROUNDS: Final[Mapping[str, str]] = {
    "R-FORM": "18(21)(a)",
    "R-SOV": "18(21)(b)",
    "R-LAW": "18(21)(c)",
    "R-SYS": "18(21)(d)",
    "R-DUAL": "18(9)",
    TREATY_GROUND: "18(6), 18(7)",
    "X-PERSEC": "16(14)",
    "X-NAT": "16(10)",
    "X-PEN": "16(7)",
    "C-SCOPE": "13(7)",
    "C-3P": "13(8)",
    "P-ONGOING": "18(25)",
}
"""Codes of grounds and the articles they rest on. Bank secrecy (18(8)) and fiscal matters (18(22), 16(15))
are none."""


def grounds_for(variant: str, code: str) -> tuple[str, ...]:
    """The grounds that a step to this stage can name."""
    refusing = (*_FORM, *_OF_VARIANT.get(variant, ()))
    if code == "postponed":
        return ("P-ONGOING", TREATY_GROUND)
    if code == "refused-nationality":
        return ("X-NAT",)
    return (*refusing, "P-ONGOING") if code == CONSULTATION else refusing


_REFUSED: Final = ("postponed", "refused", "refused-in-part")
_BESIDE: Final = ("confirmed", "confirmation-waived", CONSULTATION, CONSULTED)
_LATE: Final = ("confirmed", "confirmation-waived", CLOSED)
_GRANTED: Final = ("accepted", "conditions-set", "transmitted")
_WORK: Final = ("in-execution", "partly-executed", "executed")

_REQUEST: Final[Mapping[str, tuple[str, ...]]] = {
    BEGIN: ("inquiry", "draft-shared", "sent", ORAL),
    "inquiry": ("inquiry", "draft-shared", "sent", ORAL, CLOSED),
    "draft-shared": ("inquiry", "draft-shared", "sent", ORAL, "withdrawn"),
    "sent": ("acknowledged", "screening", "more-asked", *_GRANTED, *_REFUSED, "withdrawn", *_BESIDE),
    ORAL: ("acknowledged", "screening", "more-asked", *_GRANTED, *_REFUSED, "withdrawn", *_BESIDE),
    "acknowledged": ("screening", "more-asked", *_GRANTED, *_REFUSED, "withdrawn", *_BESIDE),
    "screening": ("more-asked", *_GRANTED, *_REFUSED, "withdrawn", *_BESIDE),
    "more-asked": ("more-asked", "more-supplied", *_GRANTED, *_REFUSED, "withdrawn", *_BESIDE),
    "more-supplied": ("screening", "more-asked", *_GRANTED, *_WORK, *_REFUSED, "withdrawn", *_BESIDE),
    "accepted": ("more-asked", "conditions-set", "transmitted", *_WORK, *_REFUSED, "withdrawn", *_BESIDE),
    "conditions-set": ("conditions-set", "conditions-agreed", "accepted", *_REFUSED, "withdrawn", *_BESIDE),
    "conditions-agreed": ("more-asked", "transmitted", *_WORK, *_REFUSED, "withdrawn", *_BESIDE),
    "transmitted": ("more-asked", "conditions-set", *_WORK, *_REFUSED, "withdrawn", *_BESIDE),
    "in-execution": ("more-asked", "conditions-set", *_WORK, *_REFUSED, "withdrawn", *_BESIDE),
    "partly-executed": (
        "more-asked",
        "conditions-set",
        *_WORK,
        "postponed",
        "refused-in-part",
        "withdrawn",
        *_BESIDE,
    ),
    "executed": _LATE,
    "postponed": ("more-asked", *_GRANTED, *_WORK, *_REFUSED, "withdrawn", *_BESIDE),
    "refused-in-part": ("more-asked", *_GRANTED, *_WORK, "withdrawn", *_BESIDE),
    "refused": _LATE,
    "withdrawn": _LATE,
    CLOSED: (),
}
"""What may follow what in every request; the variants below add to it."""

_UNDER_WAY: Final = (
    "accepted", "conditions-agreed", "transmitted", "in-execution", "partly-executed", "refused-in-part",
)  # fmt: skip
_ASKED: Final = ("sent", ORAL, "acknowledged", "screening", "more-asked", "more-supplied")


def _added(*rows: tuple[tuple[str, ...], tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """What is added, of (from any of these, to each of those)."""
    found: dict[str, tuple[str, ...]] = {}
    for froms, tos in rows:
        for stage in froms:
            found[stage] = (*found.get(stage, ()), *tos)
    return found


_ADDED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "assistance": {},
    "extradition": _added(
        ((*_ASKED, "postponed"), ("arrest-asked", "refused-nationality")),
        (_UNDER_WAY, ("surrender-decided", "refused-nationality")),
        (("surrender-decided",), ("surrendered", "postponed", "withdrawn", *_BESIDE)),
        (("surrendered", "refused-nationality"), _LATE),
    ),
    "confiscation": _added(
        (_ASKED, ("freezing-asked", "frozen", "confiscated")),
        (_UNDER_WAY, ("freezing-asked", "frozen", "confiscated")),
        (
            ("frozen",),
            (
                "freezing-ending",
                "reasons-presented",
                "frozen",
                "confiscated",
                "more-asked",
                *_GRANTED,
                *_WORK,
                *_REFUSED,
                "withdrawn",
                *_BESIDE,
            ),
        ),
        (("confiscated",), ("sharing-agreed", "executed", *_BESIDE)),
        (("executed", "sharing-agreed"), ("sharing-agreed",)),
        (("sharing-agreed",), _LATE),
    ),
    "transfer": _added(
        ((*_ASKED, *_UNDER_WAY, "conditions-set", "postponed"), ("consents-recorded",)),
        (_UNDER_WAY, ("transferred",)),
        (("transferred",), _LATE),
    ),
    "preservation": _added(
        (_ASKED, ("preserved",)),
        (("accepted", "transmitted"), ("preserved",)),
        (("preserved",), ("preserved", "request-followed", "lapsed", "executed", "withdrawn", *_BESIDE)),
        (("lapsed",), _LATE),
    ),
    "vessel": _added(
        (_ASKED, ("registry-answered", "vessel-authorized", "authorization-denied")),
        (
            ("registry-answered",),
            ("registry-answered", "vessel-authorized", "authorization-denied", "withdrawn", *_BESIDE, CLOSED),
        ),
        (("vessel-authorized",), ("vessel-authorized", "result-reported", "withdrawn", *_BESIDE)),
        (("authorization-denied", "result-reported"), _LATE),
    ),
    "information": {},
    "joint": _added(
        (_UNDER_WAY, ("agreement-signed",)),
        (("agreement-signed",), ("in-execution", "investigation-ended", "withdrawn", *_BESIDE)),
        (("in-execution",), ("investigation-ended",)),
        (("investigation-ended",), _LATE),
    ),
}
_INFORMATION: Final[Mapping[str, tuple[str, ...]]] = {
    BEGIN: ("information-sent",),
    "information-sent": ("acknowledged", "use-notified", "withdrawn", CLOSED),
    "acknowledged": ("use-notified", "withdrawn", CLOSED),
    "withdrawn": (CLOSED,),
    CLOSED: (),
}
"""Who gives information asks for nothing: nothing is refused or executed."""


def _following(variant: str) -> dict[str, tuple[str, ...]]:
    if variant == "information":
        return dict(_INFORMATION)
    added = _ADDED[variant]
    froms = [*_REQUEST, *(stage for stage in added if stage not in _REQUEST)]
    return {stage: tuple(dict.fromkeys((*_REQUEST.get(stage, ()), *added.get(stage, ())))) for stage in froms}


NEXT: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    variant: _following(variant) for variant in VARIANTS
}
"""By variant and present stage: the steps that may be taken."""


def facts_of(code: str, override: str | None, ground: object) -> tuple[str, ...]:
    """The facts that a step to this stage has, exactly: with an override its reason, with another treaty its
    name.
    """
    extra = ("override_reason",) if override is not None else ()
    named = ("treaty",) if override == OTHER_TREATY or ground == TREATY_GROUND else ()
    return (*STAGES[code].facts, *extra, *named)
