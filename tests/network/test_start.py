"""Where the start page leads."""

import pytest
from django.conf import settings
from django.test import Client

from tests.personas import Cast


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("signed_out", "/sign-in/"),
        ("former_officer_a", "/sign-in/"),
        ("officer_a", "/threads/"),
        ("supervisor_a", "/threads/"),
        ("administrator_a", "/devices/"),
        ("secretariat_officer", "/what-the-server-sees/"),
    ],
)
def test_everybody_is_led_to_a_page_they_may_see(cast: Cast, name: str, place: str) -> None:
    client = cast.everybody()[name].client()
    response = client.get("/")
    assert response.headers["location"] == place
    assert client.get(place).status_code == 200


@pytest.mark.django_db
def test_who_typed_the_number_is_led_to_the_one_address(client: Client) -> None:
    response = client.get("/threads/?x=1", headers={"host": "127.0.0.1:8000"})
    assert response.status_code == 302
    assert response.headers["location"] == f"{settings.SITE_ORIGIN}/threads/?x=1"
    assert client.get("/healthz", headers={"host": "127.0.0.1:8000"}).status_code == 200
    assert client.get("/sign-in/", headers={"host": "evil.test"}).status_code == 400
