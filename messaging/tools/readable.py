"""A record for reading: one page without script, in the reader's language, and in its direction."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from messaging.sealed.keys import fingerprint_digits
from messaging.sealed.marks import by_group
from messaging.sealed.message import Acknowledgement, Message, Note, Plaintext, StageChange
from messaging.sealed.record import Facts, NamedAuthority
from messaging.sealed.stage_names import (
    ANSWER_NAMES,
    FACT_NAMES,
    MARK_GROUP_NAMES,
    MARK_NAMES,
    OUTCOME_NAMES,
    QUESTION_NAMES,
    STAGE_NAMES,
)
from messaging.sealed.stage_rules import Fact
from messaging.sealed.stages import facts_of
from messaging.tools.words import RIGHT_TO_LEFT, Say, moment, say_in

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}"
    "article{border:1px solid #999;border-radius:.4rem;padding:.5rem 1rem;margin:1rem 0;break-inside:avoid}"
    "header{color:#444;border-block-end:1px solid #ccc}h2{font-size:1.1rem}p{margin:.4rem 0}"
    "dt{color:#444}dd{margin-inline-start:1rem}.digits{font-family:monospace}.care{font-weight:bold}"
    "@page{margin:2cm}@media print{body{font-size:11pt;max-width:none;margin:0;padding:0}}"
)


@dataclass(frozen=True)
class ReadMessage:
    """A verified message for reading; ``plaintext`` None: it cannot be opened with what is at hand."""

    message: Message
    plaintext: Plaintext | None
    name: str
    office: str
    received_at: int


def tag(name: str, *inside: str, **attributes: str) -> str:
    """Return an element; what stands inside is HTML already."""
    said = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{said}>{''.join(inside)}</{name}>"


def make_page(facts: Facts, messages: list[ReadMessage], language: str) -> bytes:
    """Return the page as bytes of HTML."""
    _ = say_in(language)
    names = {row.principal: row for row in facts.authorities}
    subject = next((each.plaintext.subject for each in messages if each.plaintext), None)
    title = escape(subject or _("Record of a thread"))
    hint = _(
        "Everything here was checked against the signatures in the record. To check it again, use the file "
        "of the record, not this page."
    )
    articles = [_article(each, names.get(each.message.by.principal), _) for each in messages]
    body = tag("body", tag("h1", title, dir="auto"), tag("p", escape(hint)), _parties(facts, _), *articles)
    head = tag("head", '<meta charset="utf-8">', tag("title", title), tag("style", STYLE))
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    return ("<!doctype html>" + tag("html", head, body, lang=language, dir=direction)).encode()


def _parties(facts: Facts, _: Say) -> str:
    rows = [
        tag("dt", tag("bdi", escape(name_of(row, row.principal))))
        + tag("dd", fingerprint_digits(row.principal), class_="digits", dir="ltr")
        for row in facts.authorities
    ]
    return tag("h2", escape(_("Parties, with the fingerprints of their keys"))) + tag("dl", *rows)


def name_of(row: NamedAuthority | None, principal: bytes) -> str:
    """Return an authority's name and State, or the start of its fingerprint."""
    if row is None:
        return fingerprint_digits(principal)[:17]
    return f"{row.name} ({row.state})" if row.state else row.name


def _article(each: ReadMessage, authority: NamedAuthority | None, _: Say) -> str:
    message = each.message
    persons = (each.name, each.office, name_of(authority, message.by.principal))
    who = ", ".join(tag("bdi", escape(name)) for name in persons)
    received = escape(_("received by the server {time}").format(time=moment(each.received_at)))
    header = tag("header", f"{message.seq} · ", who, " · ", received)
    marks = [tag("p", escape(mark_words(mark, _)), class_="care") for mark in message.marks]
    return tag("article", header, *marks, *_text(each, _), id=f"message-{message.seq}")


def mark_words(mark: str, _: Say) -> str:
    """Return what a reader must know of a message that does not fit its device's own count."""
    if mark == "never-delivered":
        return _("The sender's device had named this message as never delivered.")
    return _("A message of the sender's device is missing before this one, or another one stood there.")


def _text(each: ReadMessage, _: Say) -> Iterator[str]:
    if each.plaintext is None:
        sealed = _("The text is sealed, and cannot be opened with what is at hand.")
        yield tag("p", escape(sealed), class_="care")
        return
    body = each.plaintext.body
    if isinstance(body, Acknowledgement):
        yield tag("p", escape(_("Acknowledges message {number}.").format(number=body.seq)))
    elif isinstance(body, Note):
        yield from _note(each.plaintext, body, _)
    elif isinstance(body, StageChange):
        yield from _step(each.plaintext, body, _)
    else:
        yield tag("p", escape(_("A signed statement.")))


def _step(text: Plaintext, body: StageChange, _: Say) -> Iterator[str]:
    """The stage by its name, then what the step says, fact by fact."""
    step = body.step
    if step is None:
        return
    name = _(STAGE_NAMES[step.code])
    yield tag("p", escape(_("Step in the case: {stage}.").format(stage=name)), class_="care")
    said = [
        (fact, [tag("p", escape(line), dir="auto") for line in _lines(fact, body.facts[fact], _)])
        for fact in facts_of(step.code, step.override, body.facts.get("ground"))
    ]
    rows = [
        tag("dt", escape(_(FACT_NAMES[fact]))) + tag("dd", *lines, lang=text.language)
        for fact, lines in said
        if lines
    ]
    yield tag("dl", *rows)


def _lines(name: str, fact: Fact, _: Say) -> list[str]:
    if isinstance(fact, int):
        return [moment(fact)[:10]]
    lines = fact.splitlines() if isinstance(fact, str) else fact
    return [closing_words(name, line, _) for line in lines if line.strip()]


def closing_words(name: str, line: str, _: Say) -> str:
    """Return what closing a case says by a code in words; anything else as it was written."""
    if name == "outcome":
        return _(OUTCOME_NAMES[line]) if line in OUTCOME_NAMES else line
    question, _colon, answer = line.partition(": ")
    if name != "evaluation" or question not in QUESTION_NAMES:
        return line
    return f"{_(QUESTION_NAMES[question])} {_(ANSWER_NAMES[answer]) if answer in ANSWER_NAMES else answer}"


def _note(text: Plaintext, body: Note, _: Say) -> Iterator[str]:
    rows = [
        (_("Subject"), text.subject),
        (_("Sender's reference"), text.own_reference),
        (_("Recipient's reference"), text.foreign_reference),
        (_("Urgent, or a date wanted, because"), body.reason),
        (_("Date wanted"), None if body.due is None else moment(body.due)[:10]),
        *((_(MARK_GROUP_NAMES[group]), _(MARK_NAMES[mark])) for group, mark in by_group(text.marks)),
        (_("Common moment"), None if body.moment is None else moment(body.moment)),
    ]
    if about := body.about:
        words = _("About message {number}: {part}")
        yield tag("p", escape(words.format(number=about.seq, part=_(FACT_NAMES[about.part]))))
    facts = [tag("dt", escape(name)) + tag("dd", escape(value), dir="auto") for name, value in rows if value]
    lines = [tag("p", escape(line), dir="auto") for line in body.text.splitlines() if line.strip()]
    yield tag("dl", *facts)
    yield tag("div", *lines, lang=text.language)
    if body.files:
        yield tag("h3", escape(_("Files, which are kept beside the record")))
        yield tag(
            "ul",
            *(
                tag("li", tag("bdi", escape(file.name)), f", {file.size}, SHA-256 {file.digest.hex()}")
                for file in body.files
            ),
        )
