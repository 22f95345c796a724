"""What a refused case is, and what the cases share. They are gathered in tests/sealed/cases/gathered.py."""

from dataclasses import dataclass, field
from typing import Any

from messaging.sealed.encoding import decode, encode
from tests.sealed.world import world

Data = bytes | str | int | None | list[bytes] | dict[str, int]


@dataclass(frozen=True)
class Case:
    """What is refused, by which rule with which code, and why; ``data`` as make_python.py describes."""

    kind: str
    rule: str
    code: str
    why: str
    data: dict[str, Data] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.rule} {self.code}: {self.why}"

    def as_json(self) -> dict[str, object]:
        data = {name: _hex(value) for name, value in self.data.items()}
        return {"kind": self.kind, "rule": self.rule, "code": self.code, "why": self.why, **data}


def _hex(value: Data) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return [part.hex() for part in value] if isinstance(value, list) else value


CASES: list[Case] = []


def refuse(kind: str, rule: str, code: str, why: str, **data: Data) -> None:
    CASES.append(Case(kind, rule, code, why, data))


W = world()
T = W.server
NEWEST = {"A": 1, "B": 0, "C": 0, "secretariat": 0}
OLD = NEWEST | {"A": 0}


def rows_of(blob: bytes) -> list[Any]:
    rows: Any = decode(blob)
    return [[*row] for row in rows]


def broken_envelopes(blob: bytes, stranger: bytes) -> list[tuple[str, str, bytes]]:
    """Blobs that an entry may be signed for and that are not its envelopes."""
    rows = rows_of(blob)
    box = rows[0][1]
    shapes: list[tuple[str, str, Any]] = [
        ("one is missing", "wrong-recipients", rows[1:]),
        ("one too many", "wrong-recipients", sorted([*rows, [stranger, box]], key=lambda row: bytes(row[0]))),
        ("unsorted", "wrong-recipients", rows[::-1]),
        ("one twice", "wrong-recipients", [rows[0], *rows]),
        ("another recipient", "wrong-recipients", [[stranger, box], *rows[1:]]),
        ("not pairs", "wrong-recipients", [[*row, 1] for row in rows]),
        ("not a list", "wrong-recipients", {}),
        ("recipient is text", "wrong-recipients", [["x", box], *rows[1:]]),
        ("one byte short", "bad-envelope-size", [[rows[0][0], box[:-1]], *rows[1:]]),
    ]
    return [(why, code, encode(shape)) for why, code, shape in shapes]
