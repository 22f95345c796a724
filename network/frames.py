"""The shapes of everything that crosses the wire: strict, sized, one parser for socket and HTTP."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from network.errors import Invalid

JSON_DEPTH = 16
JSON_KEYS = 64


class Body(BaseModel):
    """Base of every command, result and event body: unknown keys refused, no silent conversion."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, strict=True)

    @property
    def cost(self) -> int:
        """Return how much of its limit a command with this body takes."""
        return 1


class Nothing(Body):
    """An empty body."""


HexId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]  # a 32-byte identifier or hash
ShortId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]  # a 16-byte identifier
Name = Annotated[str, Field(min_length=1, max_length=200)]
Seq = Annotated[int, Field(ge=0, lt=2**53)]


def _to_base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _from_base64(value: object) -> object:
    if not isinstance(value, str):
        return value
    decoded = base64.b64decode(value, validate=True)
    if _to_base64(decoded) != value:
        raise ValueError("not the one way to write it")
    return decoded


def blob(most: int) -> Any:
    """Return the type of a byte string of at most `most` bytes, base64 (RFC 4648, section 4) on the wire."""
    schema = {"type": "string", "contentEncoding": "base64", "maxLength": (most + 2) // 3 * 4}
    return Annotated[
        bytes,
        BeforeValidator(_from_base64),
        Field(max_length=most),
        PlainSerializer(_to_base64, return_type=str, when_used="json"),
        WithJsonSchema(schema),
    ]


@dataclass(frozen=True)
class Command:
    """One thing a client may ask over the socket.

    `handle(actor, body)` returns a body or raises `Refusal`. With `batched`, `handle(batch)` takes a list of
    `(actor, body)` and returns one result or `Refusal` for each, in order.
    """

    name: str
    body: type[Body]
    result: type[Body]
    permission: StrEnum
    limit: str
    handle: Callable[..., Any]
    batched: bool = False


@dataclass(frozen=True)
class Event:
    """One thing the server tells to those of an audience who have the right.

    `expand(audience, payloads)` turns stored payloads into the bodies that are sent, many at once; None where
    there is nothing left to tell.
    """

    name: str
    body: type[Body]
    permission: StrEnum
    expand: Callable[[str, Sequence[dict[str, Any]]], list[Body | None]] | None = None


@dataclass(frozen=True)
class Notice:
    """An event on its way to an audience."""

    name: str
    audience: str
    payload: Body


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    if len(found) > JSON_KEYS:
        raise ValueError("too many keys")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _depth(value: object, left: int) -> None:
    if isinstance(value, dict | list):
        if left == 0:
            raise ValueError("nested too deeply")
        for inner in value.values() if isinstance(value, dict) else value:
            _depth(inner, left - 1)


def parse_json(text: str | bytes) -> Any:
    """Parse strict JSON: UTF-8, no key twice, no NaN, at most 16 levels and 64 keys an object.

    Raises `Invalid("malformed-frame")`.
    """
    try:
        value = json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
        )
        _depth(value, JSON_DEPTH)
        # A lone surrogate can be written as an escape but never stored or sent back.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Invalid("malformed-frame") from error
    return value


def to_json(value: Any) -> str:
    """Return compact JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
