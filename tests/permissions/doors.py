"""Every door of the product, taken from the resolver and the catalogue, never from a list kept by hand."""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

# What stands for each kind of id in a path: well-formed, and of nothing that exists.
SAMPLES = {
    "thread": "ab" * 32,
    "principal": "cd" * 32,
    "device": "ef" * 32,
    "change": "ef" * 32,
    "key": "ab" * 32,
    "language": "fr",
    "file": "cd" * 16,
    "index": "0",
    "code": "QZZ",
    "uuid": str(uuid.UUID(int=7)),
    "authority": uuid.UUID(int=7).hex,
    "slug": "no-such-page",
    "level": "0",
    "serial": "0",
    "tile": "000",
}


@dataclass(frozen=True)
class Door:
    """One method on one path, or one socket command."""

    method: str
    path: str
    permission: StrEnum | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _fill(route: str, samples: Mapping[str, str]) -> str:
    def sample(match: re.Match[str]) -> str:
        name = match["name"]
        known = next((value for key, value in samples.items() if key in name), None)
        assert known, f"no sample for {name} in {route}"
        return known

    return re.sub(r"<(?:\w+:)?(?P<name>\w+)>", sample, route)


def operations_of(view: Any) -> list[Any]:
    """Return the operations of a django-ninja view; none of a Django view."""
    path_view = getattr(view, "__self__", None) or _closure_value(view, "self")
    return list(getattr(path_view, "operations", None) or [])


def _methods(view: Any) -> Iterator[tuple[str, Any]]:
    """Yield (method, function with `permission`) of a Django or django-ninja view."""
    if operations := operations_of(view):
        for operation in operations:
            for method in sorted(operation.methods):
                yield method, operation.view_func
        return
    for method in ("GET", "POST"):
        yield method, view


def _closure_value(view: Any, name: str) -> Any:
    names = getattr(getattr(view, "__code__", None), "co_freevars", ())
    cells = getattr(view, "__closure__", None) or ()
    return dict(zip(names, (cell.cell_contents for cell in cells), strict=False)).get(name)


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield "/" + route.lstrip("/"), pattern


def doors_by_pattern(samples: Mapping[str, str] = SAMPLES) -> Iterator[tuple[URLPattern, list[Door]]]:
    """Give each route with its methods, with these ids in its path."""
    for route, pattern in _walk(get_resolver().url_patterns, ""):
        yield (
            pattern,
            [
                Door(method, _fill(route, samples), getattr(function, "permission", None))
                for method, function in _methods(pattern.callback)
            ],
        )


def all_routes(samples: Mapping[str, str] = SAMPLES) -> list[Door]:
    """Return every method of every route, with these ids in their paths."""
    return list(dict.fromkeys(door for _, doors in doors_by_pattern(samples) for door in doors))
