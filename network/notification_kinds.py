"""What can be told of: things with a page, and kinds of news about them. Each app registers its own.

The base does not know what a thread is; it keeps a reference, and asks whoever registered it.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from network.errors import Sentence
from network.policy import Actor

Describe = Callable[[Actor, Collection[str]], Mapping[str, str]]


def _nothing(actor: Actor, ids: Collection[str]) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Thing:
    """Something one can be told about.

    `path` is its page, with `{}` for the id where there are many of it. `describe` returns a line for each of
    the ids that the actor may know of (with whom a thread is, say). `check` raises `NotFound` for an id that
    the actor may not know of; without it nobody chooses a level for one thing of this sort.
    """

    name: str
    path: str
    permission: StrEnum  # what opening it asks for
    describe: Describe = _nothing
    check: Callable[[Actor, str], object] | None = None
    moves: bool = False  # to the successor, when work is handed over
    is_cleared_by_page: bool = True


@dataclass(frozen=True)
class Kind:
    """One kind of news. Where a mail of its own tells of it already, `has_mail` is false."""

    name: str
    thing: str
    sentence: Sentence
    has_mail: bool = True


THINGS: dict[str, Thing] = {}
KINDS: dict[str, Kind] = {}


def register(things: Collection[Thing], kinds: Collection[Kind]) -> None:
    """Add things and kinds; raises ValueError for a second one of a name, or a kind of nothing known."""
    for thing in things:
        if THINGS.setdefault(thing.name, thing) != thing:
            raise ValueError(f"there are two things {thing.name}")
    for kind in kinds:
        if kind.thing not in THINGS or KINDS.setdefault(kind.name, kind) != kind:
            raise ValueError(f"there are two kinds {kind.name}, or it is about nothing known")


def about(kind: str, thing_id: str = "") -> str:
    """Return the reference that a notification of this kind keeps."""
    return f"{KINDS[kind].thing}:{thing_id}"


def split(reference: str) -> tuple[Thing | None, str]:
    """Return the thing and the id of a reference; None for what no app of this release knows."""
    name, _, thing_id = reference.partition(":")
    return THINGS.get(name), thing_id


def path_of(reference: str) -> str:
    """Return the page of a reference, or the list where there is none."""
    thing, thing_id = split(reference)
    return thing.path.format(thing_id) if thing else "/notifications/"


def reference_of(path: str) -> str | None:
    """Return the reference that a page belongs to, or None."""
    for thing in THINGS.values():
        if not thing.is_cleared_by_page:
            continue
        before, has_id, after = thing.path.partition("{}")
        if not has_id:
            if path == thing.path:
                return f"{thing.name}:"
            continue
        found = re.fullmatch(f"{re.escape(before)}([0-9a-f-]{{1,64}}){re.escape(after)}", path)
        if found:
            return f"{thing.name}:{found[1]}"
    return None
