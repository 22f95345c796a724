"""Checks the audit chain, and an export of it, with nothing but Python's standard library.

`python -m network.audit_check FILE` checks an export without the server. It proves that each entry is the
one whose hash the server gave out, and that entries next to each other belong together. It cannot prove that
none was left out between two others: an authority is given only what concerns it. For that, compare entries
of the same number with another authority's export, and have the operator run `manage.py audit_verify --noted`
with the head of the export.
"""

import hashlib
import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = "audit-export/1"
# How many rows put in or taken out at one place are still told apart from changed ones.
FAR = 8
# Beyond so many doubtful rows they are named as changed, without asking where each belongs.
SUSPECTS_MOST = 200
FAULTS_MOST = 1000


class Reason(StrEnum):
    """What is wrong at a place of the chain."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    CUT_OFF = "cut-off"  # the head knows of later entries
    HEAD = "head"  # the head row says something else than the last entry
    CONCERNS = "concerns"  # the rows by which an authority finds the entry say something else than the entry


class Fault(NamedTuple):
    """One place at which the chain does not hold: from number `n` up to `last`."""

    n: int
    reason: Reason
    last: int = 0

    def __str__(self) -> str:
        return f"{self.n}-{self.last}: {self.reason}" if self.last > self.n else f"{self.n}: {self.reason}"


class Entry(NamedTuple):
    """One audit entry as it is hashed: times in ISO 8601 (UTC), ids in hexadecimal."""

    n: int
    at: str
    membership: str | None
    authority: str | None
    act: str
    subject: str
    facts: Any
    concerns: Any
    hash: str

    def hash_after(self, previous: str, n: int | None = None) -> str:
        """Return what the hash is if this is entry `n` (its own number) after the one with this hash."""
        fields = [previous, self.n if n is None else n, *self[1:7]]
        if self.concerns:  # entries of the first release had no such field
            fields.append(self.concerns)
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


class _Suspect(NamedTuple):
    """A row that does not hold where it stands, after the row with this hash."""

    entry: Entry
    previous: str

    def belongs_at(self, other: "_Suspect") -> bool:
        """Answer whether this row was made for the place at which the other one stands."""
        place = other.entry.n
        return any(
            self.entry.hash_after(h, place) == self.entry.hash for h in (other.previous, other.entry.hash)
        )


class ChainCheck:
    """Takes the rows in the order of their numbers, in constant memory, and names what does not hold."""

    def __init__(self) -> None:
        self.n = 0
        self.hash = ""
        self._hashes: deque[str] = deque([""], maxlen=FAR + 2)  # of the newest rows
        self._by_content: str | None = None  # what the newest row's hash would be by what it says
        self._shift = 0  # so many places later stand the rows than they were made for
        self._doubt: tuple[int, list[int], _Suspect] | None = None  # a shift that the next row must confirm
        self._found: dict[int, Reason] = {}
        self._gaps: list[Fault] = []
        self._suspects: list[_Suspect] = []

    def take(self, entry: Entry) -> None:
        """Take the next row."""
        if entry.n > self.n + 1:
            self._gaps = [*self._gaps[:FAULTS_MOST], Fault(self.n + 1, Reason.MISSING, entry.n - 1)]
            self._doubt = None  # nor can anything be said of how this row follows
        elif self._holds(entry):
            self._doubt = None
        elif not self._explains(entry):
            self._suspect(_Suspect(entry, self.hash))
        self._by_content = entry.hash_after(self.hash, entry.n - self._shift)
        self.n, self.hash = entry.n, entry.hash
        self._hashes.append(entry.hash)

    def _holds(self, entry: Entry) -> bool:
        place = entry.n - self._shift
        follows = (self.hash, self._by_content or self.hash)
        return any(entry.hash_after(previous, place) == entry.hash for previous in follows)

    def _explains(self, entry: Entry) -> bool:
        """Find rows put in or taken out just before, the later ones numbered anew."""
        if self._doubt:
            self._shift, wrong, first = self._doubt
            self._doubt = None
            doubtful = {one.entry.n for one in self._suspects}
            for n in wrong:
                if n in doubtful:
                    self._found[n] = Reason.CHANGED
                else:
                    self._found.pop(n, None)
            self._suspect(first)
            if self._holds(entry):
                return True
        place = entry.n - self._shift
        if self.n > place + FAR * 2 or len(self._found) > FAULTS_MOST:
            return False
        for count in range(1, FAR + 1):
            if len(self._hashes) > count and entry.hash_after(self._hashes[-1 - count], place - count) == (
                entry.hash
            ):
                rows = list(range(entry.n - count, entry.n))
                return self._shifted(entry, count, rows, Reason.INSERTED)
            if entry.hash_after(self.hash, place + count) == entry.hash:
                return self._shifted(entry, -count, [entry.n - 1], Reason.MISSING)
        return False

    def _shifted(self, entry: Entry, by: int, rows: list[int], reason: Reason) -> bool:
        self._doubt = (self._shift, rows, _Suspect(entry, self.hash))
        self._shift += by
        self._found.update(dict.fromkeys(rows, reason))
        return True

    def _suspect(self, suspect: _Suspect) -> None:
        if len(self._found) <= FAULTS_MOST:
            self._found.setdefault(suspect.entry.n, Reason.CHANGED)
        if len(self._suspects) < SUSPECTS_MOST:
            self._suspects.append(suspect)

    def _settle(self) -> None:
        """Tell rows that stand at another's place, and those only next to one, from changed ones."""
        changed = [one for one in self._suspects if self._found.get(one.entry.n) == Reason.CHANGED]
        hashes = [one.entry.hash for one in self._suspects]
        for one in changed:
            if any(one.belongs_at(other) for other in self._suspects if other is not one):
                self._found[one.entry.n] = Reason.REORDERED
            elif any(one.entry.hash_after(previous) == one.entry.hash for previous in hashes):
                del self._found[one.entry.n]

    def close(self, head_n: int, head_hash: str, hash_at_head: str | None) -> list[Fault]:
        """Return all faults, given the head row and the hash of the entry with the head's number, if any."""
        self._settle()
        faults = [*self._gaps, *(Fault(n, reason) for n, reason in self._found.items())]
        is_shifted_end = self.n - self._shift == head_n and self.hash == head_hash
        if head_n > self.n and not is_shifted_end:
            faults.append(Fault(self.n + 1, Reason.CUT_OFF, head_n))
        elif head_n < self.n and not is_shifted_end:
            faults.append(Fault(head_n + 1, Reason.INSERTED, self.n))
        known = {one.entry.hash for one in self._suspects} | {hash_at_head, self._by_content}
        if hash_at_head is not None and head_hash not in known and not is_shifted_end:
            faults.append(Fault(head_n, Reason.HEAD))
        return sorted(faults)[:FAULTS_MOST]


class BadExport(Exception):
    """The file is not an export of this program, or not one it can read."""


def _line(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadExport(f"a line is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadExport("a line is not an object")
    return found


def faults_of_export(lines: Iterable[str]) -> Iterator[str]:
    """Give a sentence for everything that does not hold in an export; raises `BadExport`."""
    rows = iter(lines)
    manifest = _line(next(rows, "{}"))
    if manifest.get("format") != FORMAT:
        raise BadExport(f"the first line does not say that this is {FORMAT}")
    count, newer, newer_previous = 0, 0, ""
    for text in rows:
        found = _line(text)
        try:
            previous, entry = str(found.pop("previous")), Entry(**found)
        except (KeyError, TypeError) as error:
            raise BadExport(f"line {count + 2} is not an entry: {error}") from error
        count += 1
        if entry.hash_after(previous) != entry.hash:
            yield f"entry {entry.n}: is not what its hash was made of"
        if newer and entry.n >= newer:
            yield f"entry {entry.n}: stands out of order"
        if newer == entry.n + 1 and newer_previous != entry.hash:
            yield f"entry {newer}: does not follow entry {entry.n}"
        if entry.n == manifest["head"]["n"] and entry.hash != manifest["head"]["hash"]:
            yield f"entry {entry.n}: is the newest of all, and not the one that the manifest names"
        newer, newer_previous = entry.n, previous
    if count != manifest["count"]:
        yield f"the manifest names {manifest['count']} entries, the file holds {count}"


def main(arguments: Sequence[str]) -> int:
    """Check one export and say what was found; 0 when it holds, 1 when not, 2 when it cannot be read."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m network.audit_check FILE\n")
        return 2
    try:
        with Path(arguments[0]).open(encoding="utf-8") as lines:
            found = list(faults_of_export(lines))
    except (BadExport, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"error: {arguments[0]} cannot be checked: {error}\n")
        return 2
    for fault in found:
        sys.stdout.write(fault + "\n")
    if not found:
        sys.stdout.write(
            "Every entry is what its hash was made of, and entries in a row follow each other.\n"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
