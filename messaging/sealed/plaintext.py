"""The sealed text of a message: its bodies, limits, padding, and what a reader takes (M3, M5, M12)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from messaging.sealed.attachment import File, FileHeader, read_files
from messaging.sealed.encoding import Encodable, Value, decode, encode
from messaging.sealed.errors import Refused
from messaging.sealed.marks import OLD_CHECKPOINT, check_marks
from messaging.sealed.stage_rules import (
    Fact,
    Step,
    check_facts,
    check_step,
    check_step_handling,
    facts_as_map,
    read_facts,
)
from messaging.sealed.stages import ABOUT
from messaging.sealed.statement import take_bytes, take_map, take_uint, type_of

KINDS = ("note", "acknowledgement", "statement", "stage")
CIPHERTEXT_SIZES = (512, 1024, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 40960)
OVERHEAD = 48
"""Bytes of a ciphertext that are not padded text: the blind (32) and the tag (16)."""
ID_SIZE = 16
SUBJECT_LIMIT = 200
REFERENCE_LIMIT = 100
LANGUAGE_LIMIT = 35
REASON_LIMIT = 200
PART_LIMIT = 20
TERMS_LIMIT = 10_000
"""Characters of the text of a mandate, and of what a consent says why."""
CHECKPOINT_LIMIT = 8_192
"""Characters of a signed checkpoint."""
ENCLOSED: Mapping[str, Collection[tuple[str, ...]]] = {
    "accept": [()],
    "consent": [(), ("text",)],
    "mandate": [("blind", "text")],
    "pins": [()],
}
"""Types of statements that travel in a sealed text, and what may stand with each."""
URGENCIES = (0, 1, 2)
"""Ordinary; urgent; at once, because liberty, evidence or assets are at risk."""
LAST_DUE = 253_402_300_799
"""The end of the year 9999: no reader's calendar goes further."""


@dataclass(frozen=True)
class About:
    """What a note is about: the message ``of`` (its id) at ``seq``, and which ``part`` of it, of ABOUT."""

    of: bytes
    seq: int
    part: str

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in the body."""
        return {"of": self.of, "part": self.part, "seq": self.seq}


@dataclass(frozen=True)
class Note:
    """A plain text.

    ``urgency`` and ``due`` (unix seconds) stand in the signed header, where the server reads them to remind;
    the ``reason``, which an urgency or a date always has, stays in the sealed text. Of ``files`` the header
    has padded sizes and roots. ``about``: which part of a shared draft it comments on, or what is to be asked
    for formally. ``moment`` (unix seconds): when all are to act together; sealed, too.
    """

    text: str
    urgency: int = 0
    due: int | None = None
    reason: str | None = None
    files: tuple[File, ...] = ()
    about: About | None = None
    moment: int | None = None

    kind = "note"

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in the plaintext."""
        sealed: dict[str, Encodable] = {"type": self.kind, "text": self.text}
        if self.reason is not None:
            sealed["reason"] = self.reason
        if self.files:
            sealed["files"] = [file.as_map() for file in self.files]
        if self.about is not None:
            sealed["about"] = self.about.as_map()
        if self.moment is not None:
            sealed["moment"] = self.moment
        return sealed


@dataclass(frozen=True)
class Acknowledgement:
    """A named officer confirms the message ``of`` (its id) at ``seq``."""

    of: bytes
    seq: int

    kind = "acknowledgement"
    urgency = 0
    due = None
    files = ()

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in the plaintext."""
        return {"type": self.kind, "of": self.of, "seq": self.seq}


@dataclass(frozen=True)
class Enclosure:
    """A signed statement on its way to the others, or to the own colleagues in the ledger.

    A mandate comes with what its ``terms`` commit to: ``blind`` (32 bytes) and ``text``. A consent may come
    with a ``text`` alone, which says why.
    """

    statement: bytes
    blind: bytes | None = None
    text: str | None = None

    kind = "statement"
    urgency = 0
    due = None
    files = ()

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in the plaintext."""
        sealed: dict[str, Encodable] = {"type": self.kind, "statement": self.statement}
        beside: dict[str, Encodable] = {"blind": self.blind, "text": self.text}
        return sealed | {name: value for name, value in beside.items() if value is not None}


@dataclass(frozen=True)
class StageChange:
    """A step in a case. ``step``, ``urgency`` and ``due`` stand in the signed header; ``facts`` are sealed.

    ``step`` is None only while a reader has not yet looked at the header.
    """

    step: Step | None
    facts: Mapping[str, Fact]
    urgency: int = 0
    due: int | None = None

    kind = "stage"
    files = ()

    def as_map(self) -> dict[str, Encodable]:
        """As it stands in the plaintext."""
        return {"type": self.kind, "facts": facts_as_map(self.facts)}


Body = Note | Acknowledgement | Enclosure | StageChange


@dataclass(frozen=True)
class Plaintext:
    """What only members read. Subject at most 200 characters, references 100.

    ``checkpoint`` is the log's signed note that the header's ``log`` names; whoever seals sets it (gossip).
    ``marks`` are of MARKS.
    """

    body: Body
    language: str
    subject: str | None = None
    own_reference: str | None = None
    foreign_reference: str | None = None
    checkpoint: str | None = None
    marks: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """E1 bytes, not yet padded."""
        return encode(
            {
                "body": self.body.as_map(),
                "checkpoint": self.checkpoint,
                "foreign_reference": self.foreign_reference,
                "language": self.language,
                "marks": list(self.marks),
                "own_reference": self.own_reference,
                "subject": self.subject,
            }
        )


def check_handling(kind: str, urgency: int, due: int | None, step: Step | None = None) -> None:
    """M3: a known urgency and a date that calendars have, both only with a note or a step; M10: a step stands
    exactly with its kind, with what its stage has of both. Raises Refused.
    """
    is_known = urgency in URGENCIES and (due is None or 0 < due <= LAST_DUE)
    is_handled = urgency != 0 or due is not None
    if not is_known or (is_handled and kind not in {Note.kind, StageChange.kind}):  # M3
        raise Refused("M3", "unknown-field-value", "an unknown urgency or date, or not with a note")
    check_step_handling(kind, step, urgency, due)  # M10


def step_in(body: Body) -> Step | None:
    """The step that the header of a message with this body has."""
    return body.step if isinstance(body, StageChange) else None


def pad(text: bytes) -> bytes:
    """Padded to the smallest size that fits: text, 0x80, zeros. Raises Refused M3 ``bad-size``."""
    for size in CIPHERTEXT_SIZES:
        if len(text) < size - OVERHEAD:
            return (text + b"\x80").ljust(size - OVERHEAD, b"\0")
    raise Refused("M3", "bad-size", "the text is too long for a message")  # M3


def unpad(padded: bytes) -> bytes:
    """The text of ``pad``. Raises Refused M5 ``wrong-body``."""
    text, mark, zeros = padded.rpartition(b"\x80")
    if not mark or zeros.strip(b"\0") or len(pad(text)) != len(padded):  # M5
        raise Refused("M5", "wrong-body", "wrong padding")
    return text


def with_handling(plaintext: Plaintext, urgency: int, due: int | None, step: Step | None = None) -> Plaintext:
    """The text with what its header says. M5: a reason stands exactly with an urgency or a date; M12: a step
    has its facts.
    """
    if OLD_CHECKPOINT in plaintext.marks and urgency == 0:  # L4 M5
        raise Refused("M5", "wrong-body", "an old checkpoint in a message that is not urgent")
    if isinstance(plaintext.body, StageChange) and step is not None:
        check_facts(step, plaintext.body.facts)  # M12
        return replace(plaintext, body=replace(plaintext.body, step=step, urgency=urgency, due=due))
    if not isinstance(plaintext.body, Note):
        return plaintext
    is_explained = plaintext.body.reason is not None
    if is_explained != (urgency != 0 or due is not None):  # M5
        raise Refused("M5", "wrong-body", "a reason stands exactly with an urgency or a date wanted")
    return replace(plaintext, body=replace(plaintext.body, urgency=urgency, due=due))


def check_plaintext(plaintext: Plaintext) -> bytes:
    """Its E1 bytes, if every reader will take them. Raises Refused M3, M5, M10, M12."""
    body = plaintext.body
    step = step_in(body)
    check_handling(body.kind, body.urgency, body.due, step)  # M3
    if step is not None:
        check_step(step)  # M10
    try:
        text = plaintext.encode()
    except Refused as refused:
        raise Refused("M5", "wrong-body", refused.detail) from None  # M5
    pad(text)
    headers = tuple(file.header for file in body.files)
    with_handling(read_text(text, headers), body.urgency, body.due, step)  # M5
    return text


def read_text(text: bytes, headers: Sequence[FileHeader]) -> Plaintext:
    """M5: a text of another shape is a wrong body, whatever the shape lacks."""
    try:
        return _read_plaintext(decode(text), headers)
    except Refused as refused:
        if refused.code == "wrong-files":  # M5
            raise
        raise Refused("M5", "wrong-body", refused.detail) from None  # M5


def _read_plaintext(value: Value, headers: Sequence[FileHeader]) -> Plaintext:
    names = ("body", "checkpoint", "foreign_reference", "language", "marks", "own_reference", "subject")
    found = take_map(value, *names)
    return Plaintext(
        body=_read_body(found.any("body"), headers),
        language=found.text("language", LANGUAGE_LIMIT),
        subject=found.optional("subject", lambda name: found.text(name, SUBJECT_LIMIT)),
        own_reference=found.optional("own_reference", lambda name: found.text(name, REFERENCE_LIMIT)),
        foreign_reference=found.optional("foreign_reference", lambda name: found.text(name, REFERENCE_LIMIT)),
        checkpoint=found.optional("checkpoint", lambda name: found.text(name, CHECKPOINT_LIMIT)),
        marks=check_marks(found.items("marks")),  # M5
    )


def _read_body(value: Value, headers: Sequence[FileHeader]) -> Body:
    match value:
        case {"type": "note", **rest}:
            further = sorted({"about", "files", "moment", "reason"} & rest.keys())
            return _read_note(value, further, headers)
        case {"type": "acknowledgement", "of": of, "seq": seq, **rest} if not rest:
            return Acknowledgement(take_bytes(of, ID_SIZE), take_uint(seq))
        case {"type": "statement", "statement": bytes(enclosed), **rest}:
            return _read_enclosure(value, enclosed, tuple(sorted(map(str, rest))))
        case {"type": "stage", "facts": facts, **rest} if not rest:
            return StageChange(None, read_facts(facts))
    raise Refused("M5", "wrong-body", "unknown body")  # M5


def _read_enclosure(value: Value, enclosed: bytes, beside: tuple[str, ...]) -> Enclosure:
    """M5: a statement of a type that travels so, with what stands beside it: of a mandate its text, of a
    consent why, in words.
    """
    if beside not in ENCLOSED.get(type_of(enclosed), ()):  # M5
        raise Refused("M5", "wrong-body", "not a statement that is sent like this")
    fields = take_map(value, "type", "statement", *beside)
    blind = fields.data("blind") if "blind" in beside else None
    text = fields.text("text", TERMS_LIMIT) if "text" in beside else None
    if text == "" and blind is None:  # M5
        raise Refused("M5", "wrong-body", "a consent that says why, without words")
    return Enclosure(enclosed, blind, text)


def _read_note(value: Value, further: Sequence[str], headers: Sequence[FileHeader]) -> Note:
    """M5: a reason has words; files are those that the header names, and the field stands only with some;
    what the note is about is a part that messages have; a moment is one that calendars have.
    """
    fields = take_map(value, "type", "text", *further)
    reason = fields.text("reason", REASON_LIMIT) if "reason" in further else None
    if reason == "":  # M5
        raise Refused("M5", "wrong-body", "a reason without words")
    values = fields.items("files") if "files" in further else []
    if "files" in further and not values:  # M5
        raise Refused("M5", "wrong-files", "a list of files without one")
    moment = fields.uint("moment") if "moment" in further else None
    if moment is not None and not 0 < moment <= LAST_DUE:  # M5
        raise Refused("M5", "wrong-body", "a moment that no calendar has")
    text = fields.text("text", CIPHERTEXT_SIZES[-1])
    about = _read_about(fields.any("about")) if "about" in further else None
    return Note(text, reason=reason, files=read_files(values, headers), about=about, moment=moment)


def _read_about(value: Value) -> About:
    fields = take_map(value, "of", "part", "seq")
    part = fields.text("part", PART_LIMIT)
    if part not in ABOUT:  # M5
        raise Refused("M5", "wrong-body", "about a part that no message has")
    return About(fields.data("of", ID_SIZE), fields.uint("seq"), part)
