"""Every right, for every persona, through policy, every route and every command."""

import tomllib
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from network.errors import SignedOut
from network.guard import allows
from network.policy import Actor
from network.project.catalogue import COMMANDS, EVENTS
from tests.permissions.doors import Door, all_routes
from tests.personas import Cast, Persona

MATRIX: dict[str, Any] = tomllib.loads(Path(__file__).with_name("matrix.toml").read_text(encoding="utf-8"))
PERSONAS: list[str] = MATRIX.pop("personas")
ROUTES = all_routes()


def rights(app: str) -> type[StrEnum]:
    found: type[StrEnum] = import_module(f"{app}.permissions").Permission
    return found


def is_allowed(permission: StrEnum, persona: str) -> bool:
    app = type(permission).__module__.removesuffix(".permissions")
    return bool(MATRIX[app][str(permission)][PERSONAS.index(persona)])


def actor_of(persona: Persona) -> Actor | None:
    try:
        return persona.actor if persona.sign_in_id else None
    except SignedOut:
        return None


@pytest.mark.parametrize("app", ["network", "messaging"])
def test_every_right_has_a_row_and_every_row_a_right(app: str) -> None:
    assert set(MATRIX[app]) == {str(permission) for permission in rights(app)}


def test_every_persona_has_a_column(cast: Cast) -> None:
    assert set(PERSONAS) == set(cast.everybody())
    assert all(len(row) == len(PERSONAS) for app in MATRIX.values() for row in app.values())


def test_every_route_command_and_event_names_a_right() -> None:
    assert [str(door) for door in ROUTES if door.permission is None] == []
    assert all(isinstance(command.permission, StrEnum) for command in COMMANDS.values())
    assert all(isinstance(event.permission, StrEnum) for event in EVENTS.values())


def test_every_right_is_used_by_some_door() -> None:
    used = {door.permission for door in ROUTES} | {command.permission for command in COMMANDS.values()}
    assert [right for app in MATRIX for right in rights(app) if right not in used] == []


def test_policy_says_what_the_matrix_says(cast: Cast) -> None:
    wrong = [
        (persona.name, str(permission))
        for app in MATRIX
        for permission in rights(app)
        for persona in cast.everybody().values()
        if allows(actor_of(persona), permission) != is_allowed(permission, persona.name)
    ]
    assert wrong == []


def is_refused(response: Any) -> bool:
    """Answer whether the guard said no: signed out, forbidden, or led to the sign-in page."""
    if response.status_code == 302:
        return bool(response.headers["location"].startswith("/sign-in/?next="))
    return response.status_code in {401, 403}


@pytest.mark.parametrize("door", ROUTES, ids=str)
def test_every_route_refuses_whom_the_matrix_refuses(door: Door, cast: Cast) -> None:
    assert door.permission
    for name, persona in cast.everybody().items():
        response = persona.client().generic(door.method, door.path, b"{}", "application/json")
        assert response.status_code < 500, (name, response.status_code)
        if response.status_code == 405:
            continue
        if not is_allowed(door.permission, name):
            assert is_refused(response), (name, response.status_code)
        else:
            assert response.status_code != 401, name
            assert response.status_code != 403 or b"forbidden" not in response.content, name
