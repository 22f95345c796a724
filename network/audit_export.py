"""The forms in which the audit record is given out: JSON lines that can be checked, and a table to read."""

import csv
import io
import json
from collections.abc import Callable, Iterable

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network.acts import in_words
from network.audit_check import FORMAT, Entry
from network.errors import Sentence
from network.policy import Actor
from network.queries.audit import EXPORT_MOST, Wanted, audit_head, list_audit_to_export

# A spreadsheet takes what begins so for a formula, and would carry it out.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


# Of the table: it is read by people; what programs check keeps its names.
HEADINGS: tuple[Sentence, ...] = (
    _("Number"),
    _("Date and time (UTC)"),
    _("Code of the act"),
    _("What was done"),
    _("Membership"),
    _("Authority"),
    _("Object"),
    _("Facts"),
    _("Hash"),
)


def as_json_lines(actor: Actor, wanted: Wanted) -> str:
    """Return a manifest and one entry a line; `python -m network.audit_check` checks them anywhere."""
    n, head = audit_head()
    lines = [
        json.dumps({**entry._asdict(), "previous": previous}, sort_keys=True)
        for previous, entry in list_audit_to_export(actor, wanted)
    ]
    manifest = {
        "format": FORMAT,
        "authority": actor.authority_id.hex,
        "made_at": timezone.now().isoformat(),
        "count": len(lines),
        "is_complete": len(lines) < EXPORT_MOST,
        "head": {"n": n, "hash": head},
    }
    return "\n".join((json.dumps(manifest, sort_keys=True), *lines, ""))


def as_table(actor: Actor, wanted: Wanted) -> str:
    """Return comma-separated values with a line of headings; no cell is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow([safe_cell(heading) for heading in HEADINGS])
    writer.writerows(
        [safe_cell(cell) for cell in _cells(entry)] for _before, entry in list_audit_to_export(actor, wanted)
    )
    return text.getvalue()


def _cells(entry: Entry) -> Iterable[object]:
    facts = json.dumps(entry.facts, sort_keys=True)
    who = (entry.membership, entry.authority)
    return (entry.n, entry.at, entry.act, in_words(entry.act), *who, entry.subject, facts, entry.hash)


def safe_cell(value: object) -> str:
    """Return a cell that a spreadsheet shows and does not carry out."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULAS) else text


FORMS: dict[str, tuple[str, str, Callable[[Actor, Wanted], str]]] = {
    "json": ("application/jsonl; charset=utf-8", "jsonl", as_json_lines),
    "csv": ("text/csv; charset=utf-8", "csv", as_table),
}
