"""Fields of server-rendered forms: what is typed is kept, and what is wrong stands beside its field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise

from network.errors import Sentence

Choice = tuple[str, Sentence]


@dataclass(frozen=True)
class Field:
    """One field. `wrong` is said when it does not fit and nobody knows more."""

    name: str
    label: Promise
    wrong: Promise
    hint: Sentence = ""
    kind: str = "text"  # or "date", "select", "digits"
    choices: tuple[Choice, ...] = ()
    most: int = 200
    is_code: bool = False  # written from left to right in every language
    is_wide: bool = False


@dataclass(frozen=True)
class Filled:
    """A field with what was typed and what is wrong with it."""

    field: Field
    value: str = ""
    error: Sentence = ""


def fill(
    fields: Iterable[Field], values: Mapping[str, str], errors: Mapping[str, Sentence]
) -> dict[str, Filled]:
    """Return the fields by name, with what was typed and a sentence for each that is wrong."""
    return {
        field.name: Filled(
            field,
            values.get(field.name, ""),
            (errors[field.name] or field.wrong) if field.name in errors else "",
        )
        for field in fields
    }


def typed(fields: Iterable[Field], posted: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed into the fields, without blanks around it."""
    return {field.name: posted.get(field.name, "").strip() for field in fields}
