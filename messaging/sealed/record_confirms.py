"""What the secretariat has confirmed about the keys in a record (K8, R2): whose they are, by a State's note.

confirms/PRINCIPAL/HASH     a confirm; two of them, by two persons
confirms/PRINCIPAL/note     {reference, date, blinds}: the notification both have read
log/confirm/HASH            {leaf, index, proof}: that a confirm stood in the log of keys (record_log)

The keyring of the secretariat stands among the others; that it is its own, only its fingerprint shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from messaging.sealed.confirmation import note_digest
from messaging.sealed.encoding import Encodable, decode, encode, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import Keyrings
from messaging.sealed.statement import take_bytes, take_map
from messaging.sealed.trust import Confirm, check_confirms, note_hash

PREFIX = "confirms/"
NOTE = "note"
REFERENCE_LIMIT = 100


@dataclass(frozen=True)
class Note:
    """The State's notification: reference, day (YYYY-MM-DD), and a blind for each confirm."""

    reference: str
    date: str
    blinds: tuple[bytes, ...]

    @property
    def hash(self) -> bytes:
        """What the confirms commit to, each with its own blind."""
        return note_digest(self.reference, self.date)


@dataclass(frozen=True)
class Confirmed:
    """That these keys are the authority's: two persons of the secretariat say so, by this note.

    ``at``: unix seconds of the later confirm; ``devices`` signed, and ``hashes`` are those of the statements,
    for the log.
    """

    principal: bytes
    secretariat: bytes
    authority: str
    note: Note
    devices: tuple[bytes, ...]
    at: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True)
class ExportedConfirms:
    """What goes into a record about one principal, as the server hands it out."""

    principal: bytes
    statements: Sequence[bytes]
    note: Note


def confirms_path(principal: bytes, name: str) -> str:
    """Where a confirm, by its hash, or the note of a principal stands."""
    return f"{PREFIX}{principal.hex()}/{name}"


def confirm_parts(net: str, given: ExportedConfirms, keyrings: Keyrings) -> dict[str, bytes]:
    """The parts of confirms that hold; none where they do not: then they say nothing."""
    parts = {confirms_path(given.principal, sha256(raw).hex()): raw for raw in given.statements}
    fields: dict[str, Encodable] = {
        "reference": given.note.reference,
        "date": given.note.date,
        "blinds": list(given.note.blinds),
    }
    parts[confirms_path(given.principal, NOTE)] = encode(fields)
    try:
        read_confirmed(net, given.principal, parts, keyrings)
    except Refused:
        return {}
    return parts


def principals_in(parts: Iterable[str]) -> list[bytes]:
    """Whose keys the confirms among these parts are about, sorted."""
    named = {path.split("/")[1] for path in parts if path.startswith(PREFIX) and path.count("/") == 2}
    return sorted(bytes.fromhex(name) for name in named if len(name) == 64 and _is_hex(name))


def read_confirmed(net: str, principal: bytes, parts: Mapping[str, bytes], keyrings: Keyrings) -> Confirmed:
    """What two persons have confirmed about a principal.

    Raises Refused E1, E2; R1 ``missing-part``; K8 ``not-confirmed`` where it does not hold.
    """
    prefix = confirms_path(principal, "")
    names = sorted(path.removeprefix(prefix) for path in parts if path.startswith(prefix))
    if NOTE not in names:  # R1
        raise Refused("R1", "missing-part", "the note that was confirmed is missing")
    raws = [parts[prefix + name] for name in names if name != NOTE]
    if any(sha256(parts[prefix + name]).hex() != name for name in names if name != NOTE):  # R2
        raise Refused("R2", "wrong-place", "a confirm under another name than its own")
    note = _read_note(parts[prefix + NOTE])
    found = list(check_confirms(net, raws, keyrings, principal=principal, reading=True))
    _check_note(net, found, note)
    return Confirmed(
        principal=principal,
        secretariat=found[0].by.principal,
        authority=found[0].authority,
        note=note,
        devices=tuple(confirm.statement.kid for confirm in found),
        at=max(confirm.statement.at for confirm in found),
        hashes=tuple(confirm.statement.hash for confirm in found),
    )


def _read_note(raw: bytes) -> Note:
    fields = take_map(decode(raw), "reference", "date", "blinds")
    blinds = tuple(take_bytes(value, 32) for value in fields.items("blinds"))
    return Note(fields.text("reference", REFERENCE_LIMIT), fields.text("date", 10), blinds)


def _check_note(net: str, confirms: Sequence[Confirm], note: Note) -> None:
    """Each confirm was signed for this note, with one of the blinds."""
    documents = {note_hash(net, blind, note.hash) for blind in note.blinds}
    if any(confirm.document not in documents for confirm in confirms):  # K8
        raise Refused("K8", "not-confirmed", "another notification than this was confirmed")


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)
