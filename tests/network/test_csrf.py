"""A page of another site cannot act with an officer's cookie, on any route that changes something."""

import pytest
from django.conf import settings
from django.test import Client

from tests.permissions.doors import Door, all_routes
from tests.personas import Cast

pytestmark = pytest.mark.any_database
# A witness has no session that a foreign page could ride on: its signature counts, whoever hands it in.
WITHOUT_SESSION = {"/log/cosignatures"}
CHANGING = [
    door
    for door in all_routes()
    if door.method not in {"GET", "HEAD", "OPTIONS"} and door.path not in WITHOUT_SESSION
]


@pytest.mark.parametrize("door", CHANGING, ids=str)
def test_a_request_without_the_token_is_refused(door: Door, cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    client.cookies[settings.SESSION_COOKIE_NAME] = cast.supervisor_a.session_cookie()
    response = client.generic(door.method, door.path, b"{}", "application/json")
    if response.status_code != 405:
        assert response.status_code == 403
        assert b"open for too long" in response.content
