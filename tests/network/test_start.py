"""Where the start page leads."""

import pytest

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
