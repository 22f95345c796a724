"""The walk is worth something: whichever check is taken away or given away, it says so."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any

import pytest
from django.db.models import Q

import messaging.policy
import network.guard
from messaging.permissions import Permission as MessagingPermission
from network import access, policy
from network.models import SECRETARIAT_ROLES, Role
from network.policy import OPEN_IN_DEVELOPMENT, OPEN_TO_ALL, OPEN_TO_LIMITED, OPEN_TO_MEMBERS
from network.prepared_query import PreparedQuery
from tests.permissions.doors import Door, doors_by_pattern, operations_of
from tests.permissions.walk import (
    PERSONAS,
    RIGHTS,
    ROUTES,
    Stage,
    differences_at,
    differences_of_policy,
    guards_of,
    guards_passed,
    is_allowed,
    is_guarded,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

OPEN_SETS = {
    "OPEN_TO_ALL": OPEN_TO_ALL,
    "OPEN_TO_LIMITED": OPEN_TO_LIMITED,
    "OPEN_TO_MEMBERS": OPEN_TO_MEMBERS,
    "OPEN_IN_DEVELOPMENT": OPEN_IN_DEVELOPMENT,
}
DECIDED_BEFORE = SECRETARIAT_ROLES | {Role.PRACTITIONER}
BY_ROLE = [right for right in RIGHTS if right not in OPEN_TO_ALL | OPEN_TO_MEMBERS | OPEN_IN_DEVELOPMENT]


def table_of(permission: StrEnum) -> dict[Any, frozenset[Role]]:
    app = type(permission).__module__.removesuffix(".permissions")
    found: dict[Any, frozenset[Role]] = importlib.import_module(f"{app}.policy").ROLES
    return found


@contextmanager
def opened_to(name: str, permissions: frozenset[Any]) -> Iterator[None]:
    """Let one of the open sets be another, wherever it is known by name."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (policy, network.guard):
            if hasattr(module, name):
                patch.setattr(module, name, permissions)
        yield


def first_difference(stage: Stage, door: Door, *, allowed: bool) -> str | None:
    """Ask up to three whom the matrix lets in (or sends away) whether the door still does so."""
    assert door.permission
    names = [name for name in PERSONAS if is_allowed(door.permission, name) == allowed]
    return next(differences_at(stage, door, [*names[:2], *names[-1:]]), None)


def roles_that_matter(permission: StrEnum) -> frozenset[Role]:
    """Return the roles that some persona has, so that the matrix can say anything of them."""
    return table_of(permission).get(permission, frozenset())


@pytest.mark.parametrize("permission", [right for right in BY_ROLE if right in table_of(right)], ids=str)
def test_taking_a_right_from_any_role_or_giving_it_to_any_is_found(permission: StrEnum, stage: Stage) -> None:
    table = table_of(permission)
    held = table[permission]
    for role in Role:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(table, permission, held ^ {role})
            found = differences_of_policy(stage, [permission])
        # What no secretariat may have in an app, and what practitioners may, is decided before.
        is_silent = role in DECIDED_BEFORE and type(permission).__module__ != "network.permissions"
        assert found or is_silent, role


def test_a_right_more_or_less_of_practitioners_is_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = messaging.policy.OF_PRACTITIONER
    open_to_all = messaging.policy.OPEN_TO_ALL | {MessagingPermission.AUTHORITY_LIST}
    silent = set()
    for permission in MessagingPermission:
        monkeypatch.setattr(messaging.policy, "OF_PRACTITIONER", own ^ {permission})
        if not differences_of_policy(stage, [permission]):
            silent.add(permission)
    assert silent == open_to_all


@pytest.mark.parametrize("permission", BY_ROLE, ids=str)
def test_a_right_taken_from_all_or_given_to_all_is_found_at_its_doors(
    permission: StrEnum, stage: Stage
) -> None:
    doors = [door for door in ROUTES if door.permission == permission]
    if not doors or permission not in (table := table_of(permission)):
        return  # asked inside another door, or open to every member: found by policy
    for roles, allowed in ((frozenset[Role](), True), (frozenset(Role), False)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(table, permission, roles)
            assert any(first_difference(stage, door, allowed=allowed) for door in doors), roles


@pytest.mark.parametrize("name", OPEN_SETS)
def test_one_right_more_or_less_in_an_open_set_is_found(name: str, stage: Stage) -> None:
    rights = OPEN_SETS[name]
    silent = []
    for permission in RIGHTS:
        if permission in rights and name == "OPEN_TO_LIMITED" and permission in OPEN_TO_ALL:
            continue
        with opened_to(name, rights ^ {permission}):
            if not differences_of_policy(stage, [permission]):
                silent.append(str(permission))
    # A right that everybody has anyway is not more open in a second set.
    everybodys = {str(right) for right in OPEN_TO_ALL | OPEN_IN_DEVELOPMENT}
    members = {str(right) for right in OPEN_TO_MEMBERS}
    others = {str(right) for right in RIGHTS if type(right).__module__ != "network.permissions"}
    known = everybodys if name != "OPEN_TO_LIMITED" else everybodys | (set(map(str, RIGHTS)) - members)
    assert set(silent) - known - others == set()


@pytest.mark.parametrize("column", ["until_at", "suspended_at", "attested_until_at"])
def test_a_standing_that_is_not_asked_for_is_found(
    column: str, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = access.standing

    def weaker(now: datetime, prefix: str = "") -> Q:
        return standing(now, prefix) | Q(**{f"{prefix}{column}__isnull": False})

    monkeypatch.setattr(access, "standing", weaker)
    # The sign-in of who left has ended too: here only the standing keeps anybody out.
    monkeypatch.setattr(access, "sign_in_counts", lambda now: weaker(now, "membership__"))
    monkeypatch.setattr(access, "ACTOR_IN_FORCE", PreparedQuery(access.actor_in_force))
    assert differences_of_policy(stage) != []


def unguarded(view: Any) -> Any:
    """Return the function that somebody wrote, without anything that stands before it."""
    while hasattr(view, "__wrapped__"):
        view = view.__wrapped__
    return view


def test_a_door_whose_guard_was_taken_away_is_found_for_every_door(stage: Stage) -> None:
    """Where two guards stand behind each other (one for reading, one for the form), the other still asks."""
    twice = {str(door) for door in ROUTES if len(guards_passed(stage, door)) > 1}
    silent, asked = [], 0
    for pattern, doors in doors_by_pattern():
        with pytest.MonkeyPatch.context() as patch:
            if operations := operations_of(pattern.callback):
                for operation in operations:
                    patch.setattr(operation, "auth_callbacks", [])
            else:
                patch.setattr(pattern, "callback", unguarded(pattern.callback))
            silent += [str(door) for door in doors if is_guarded(stage, door)]
            asked += len(doors)
    assert asked >= len(ROUTES)
    assert set(silent) - twice == set()
    assert len(twice) < 20


def test_most_doors_without_their_guard_answer_strangers_otherwise(stage: Stage) -> None:
    """Some ask again behind the guard; the others would be open, and the walk through the matrix sees it."""
    seen = asked = 0
    for door in ROUTES:
        if door.permission in OPEN_TO_ALL | OPEN_IN_DEVELOPMENT:
            continue
        assert door.permission
        refused = [name for name in PERSONAS if not is_allowed(door.permission, name)]
        found: list[tuple[StrEnum, str, bool]] = []
        with guards_of(door, found):
            seen += next(differences_at(stage, door, ["signed_out", *refused[:2]]), None) is not None
        asked += bool(found)
    assert asked > 60
    assert seen / asked > 0.6
