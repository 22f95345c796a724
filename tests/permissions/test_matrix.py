"""Every right, for every persona, through policy and every route; and nothing is left out of the walk."""

from datetime import timedelta
from enum import StrEnum

import pytest
from django.utils import timezone

from network.models import SignIn
from network.project.catalogue import COMMANDS, EVENTS
from tests.permissions.doors import Door
from tests.permissions.walk import (
    MATRIX,
    PERSONAS,
    RIGHTS,
    ROUTES,
    Stage,
    differences_at,
    differences_of_policy,
    fresh_doors,
    is_guarded,
    rights,
    undone,
)
from tests.personas import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.mark.parametrize("app", ["network", "messaging"])
def test_every_right_has_a_row_and_every_row_a_right(app: str) -> None:
    assert set(MATRIX[app]) == {str(permission) for permission in rights(app)}


def test_every_persona_has_a_column() -> None:
    assert set(PERSONAS) == set(Cast.__dataclass_fields__)
    assert all(len(row) == len(PERSONAS) for app in MATRIX.values() for row in app.values())


def test_every_route_command_and_event_names_a_right() -> None:
    assert [str(door) for door in ROUTES if door.permission is None] == []
    assert all(isinstance(command.permission, StrEnum) for command in COMMANDS.values())
    assert all(isinstance(event.permission, StrEnum) for event in EVENTS.values())


def test_every_right_is_used_by_some_door() -> None:
    used = {door.permission for door in ROUTES} | {command.permission for command in COMMANDS.values()}
    assert [right for right in RIGHTS if right not in used] == []


def test_policy_says_what_the_matrix_says(stage: Stage) -> None:
    assert differences_of_policy(stage) == []


@pytest.mark.parametrize("door", ROUTES, ids=str)
def test_every_route_lets_in_whom_the_matrix_lets_in_and_nobody_else(door: Door, stage: Stage) -> None:
    assert list(differences_at(stage, door)) == []


def test_every_route_asks_for_its_right_before_anything_else(stage: Stage) -> None:
    assert [str(door) for door in ROUTES if not is_guarded(stage, door)] == []


def test_every_dangerous_route_refuses_a_stale_proof_before_it_reads_the_body(stage: Stage) -> None:
    doors = fresh_doors(stage)
    assert len(doors) > 10
    wrong = []
    with undone():
        SignIn.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
        for door, name in doors:
            response = stage.ask(name, door, b"\xff not JSON at all")
            if door.method == "GET":
                is_asked = response.headers.get("location", "").startswith("/sign-in/again/?next=")
            else:
                is_page = b"/sign-in/again/" in response.content
                is_asked = response.status_code == 403 and (b'"proof-needed"' in response.content or is_page)
            if not is_asked:
                wrong.append((str(door), response.status_code))
    assert wrong == []
