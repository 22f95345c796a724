"""Every dangerous route asks for a fresh proof; the list is taken from the routes themselves."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import get_resolver
from django.utils import timezone

from network.models import Factor, SignIn
from network.permissions import Permission
from tests.permissions.doors import SAMPLES, Door, _fill, _methods, _walk
from tests.personas import Cast

# What may not be done with a session that was left open, whoever sits down before it.
pytestmark = pytest.mark.any_database
DANGEROUS = {
    Permission.FACTOR_ADD,
    Permission.FACTOR_REMOVE,
    Permission.DELEGATION_USE,
}


def guarded_functions() -> Iterator[tuple[Door, bool]]:
    """Give every method of every route, and whether it asks for a fresh proof."""
    for route, pattern in _walk(get_resolver().url_patterns, ""):
        for method, function in _methods(getattr(pattern, "callback", pattern)):
            yield Door(method, _fill(route, SAMPLES), function.permission), bool(function.fresh)


def fresh_routes() -> list[Door]:
    """Return every method of every route that asks for a fresh proof."""
    return list(dict.fromkeys(door for door, is_fresh in guarded_functions() if is_fresh))


ROUTES = fresh_routes()


def test_the_dangerous_rights_are_on_fresh_routes_only() -> None:
    every = [(str(door), is_fresh) for door, is_fresh in guarded_functions() if door.permission in DANGEROUS]
    assert every
    assert [name for name, is_fresh in every if not is_fresh] == []


def test_making_or_changing_a_keyring_asks_for_a_fresh_proof() -> None:
    paths = {door.path for door in ROUTES}
    assert "/api/keyrings" in paths
    assert f"/api/keyrings/{SAMPLES['principal']}/entries" in paths


def is_asked_for_proof(response: Any) -> bool:
    """Answer whether a page, a redirect or a refusal asks for a fresh proof."""
    if response.status_code == 302:
        return bool(response.headers["location"].startswith("/sign-in/again/?next="))
    return response.status_code == 403 and any(
        sign in response.content for sign in (b"proof-needed", b'id="carried-form"')
    )


@pytest.mark.parametrize("door", ROUTES, ids=str)
def test_every_fresh_route_refuses_an_old_proof(door: Door, cast: Cast) -> None:
    SignIn.objects.exclude(factor=Factor.RECOVERY_CODE).update(
        proved_at=timezone.now() - timedelta(minutes=5, seconds=1)
    )
    asked = 0
    for name, persona in cast.everybody().items():
        response = persona.client().generic(door.method, door.path, b"{}", "application/json")
        if response.status_code == 405:
            return
        if name == "limited_officer_a" and door.permission == Permission.FACTOR_ADD:
            continue  # has nothing to prove again with, and may do only this
        assert response.status_code in {302, 401, 403}, (name, response.status_code)
        if response.status_code == 302:
            assert response.headers["location"].startswith("/sign-in/"), name
        asked += is_asked_for_proof(response)
    assert asked, "nobody has the right to this route"
