"""The walk through every door as everybody, and what of it disagrees with the matrix."""

import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

import network.guard
import network.rest
from network import limits
from network.errors import Forbidden, SignedOut
from network.guard import allows
from network.policy import Actor
from tests.permissions.doors import Door, all_routes
from tests.personas import Cast, Persona

MATRIX: dict[str, Any] = tomllib.loads(Path(__file__).with_name("matrix.toml").read_text(encoding="utf-8"))
PERSONAS: list[str] = MATRIX.pop("personas")
ROUTES = all_routes()


def rights(app: str) -> type[StrEnum]:
    found: type[StrEnum] = import_module(f"{app}.permissions").Permission
    return found


RIGHTS: list[StrEnum] = [right for app in MATRIX for right in rights(app)]


def is_allowed(permission: StrEnum, persona: str) -> bool:
    app = type(permission).__module__.removesuffix(".permissions")
    return bool(MATRIX[app][str(permission)][PERSONAS.index(persona)])


def actor_of(persona: Persona) -> Actor | None:
    try:
        return persona.actor if persona.sign_in_id else None
    except SignedOut:
        return None


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever is done to the database inside; durable transactions may run in it."""
    block: Any = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)


class Stage:
    """Everybody, made once for a module, each with a cookie; what they do is taken back at once."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.personas = cast.everybody()
        self.cookies = {name: persona.session_cookie() for name, persona in self.personas.items()}

    def client(self, name: str) -> Client:
        """Return a browser of a persona; no limit is used up by what was asked before."""
        limits.buckets._levels.clear()
        client = Client(headers={"host": "localhost"})
        if self.personas[name].sign_in_id:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.cookies[name]
        return client

    def ask(
        self, name: str, door: Door, body: bytes = b"{}", content_type: str = "application/json"
    ) -> HttpResponse:
        """Return what a persona is answered at a door; nothing of it stays."""
        client = self.client(name)
        with undone():
            response: Any = client.generic(door.method, door.path, body, content_type)
        return response  # type: ignore[no-any-return]


def is_led_away(response: HttpResponse) -> bool:
    """Answer whether the guard said no: signed out, or the role does not allow it."""
    if response.status_code == 302:
        return response.headers["location"].startswith("/sign-in/?next=")
    if response.status_code == 403:
        return (
            b'"forbidden"' in response.content or str(Forbidden.default_sentence).encode() in response.content
        )
    return response.status_code == 401


def differences_of_policy(stage: Stage, permissions: Iterable[StrEnum] = RIGHTS) -> list[tuple[str, str]]:
    """Return (persona, right) wherever policy and matrix disagree."""
    actors = {name: actor_of(persona) for name, persona in stage.personas.items()}
    return [
        (name, str(permission))
        for permission in permissions
        for name, actor in actors.items()
        if allows(actor, permission) != is_allowed(permission, name)
    ]


def differences_at(stage: Stage, door: Door, names: Iterable[str] = PERSONAS) -> Iterator[str]:
    """Give whoever is let in or sent away at a door against the matrix."""
    assert door.permission
    for name in names:
        try:
            response = stage.ask(name, door)
        except Exception as error:  # noqa: BLE001 - whatever it is: this persona got past the guard, or it broke
            yield f"{door}: {name} caused {type(error).__name__}"
            continue
        if response.status_code == 405:
            return
        if response.status_code >= 500:
            yield f"{door}: {name} was answered {response.status_code}"
        if is_led_away(response) == is_allowed(door.permission, name):
            yield f"{door}: {name} was answered {response.status_code}"


@contextmanager
def guards_of(door: Door, found: list[tuple[StrEnum, str, bool]]) -> Iterator[None]:
    """Open every guard at one door, and note what each asked for: right, limit, a fresh proof."""
    enter = network.guard.enter

    def opened(http_request: Any, permission: StrEnum, limit: str, *, fresh: bool) -> None:
        if (http_request.method, http_request.path_info) == (door.method, door.path):
            found.append((permission, limit, fresh))
            return
        enter(http_request, permission, limit, fresh=fresh)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network.guard, "enter", opened)
        patch.setattr(network.rest, "enter", opened)
        yield


def fresh_doors(stage: Stage) -> list[tuple[Door, str]]:
    """Return every door that asks for a fresh proof, with a persona who may pass it."""
    doors = []
    for door in ROUTES:
        assert door.permission
        allowed = next((name for name in PERSONAS if is_allowed(door.permission, name)), "")
        found: list[tuple[StrEnum, str, bool]] = []
        with guards_of(door, found):
            stage.ask(allowed, door)
        if any(fresh for _, _, fresh in found):
            doors.append((door, allowed))
    return doors


def guards_passed(stage: Stage, door: Door) -> list[StrEnum]:
    """Return the rights that a door asks for on the way of somebody who has them."""
    assert door.permission
    allowed = next(name for name in PERSONAS if is_allowed(door.permission, name))
    found: list[tuple[StrEnum, str, bool]] = []
    with guards_of(door, found), suppress(Exception):  # whatever breaks behind the door
        stage.ask(allowed, door)
    return [permission for permission, _, _ in found]


def is_guarded(stage: Stage, door: Door) -> bool:
    """Answer whether a door asks for its right; a method that is not taken asks nothing."""
    if door.permission in guards_passed(stage, door):
        return True
    try:
        return stage.ask("signed_out", door).status_code == 405
    except Exception:  # noqa: BLE001 - somebody without a name got in
        return False
