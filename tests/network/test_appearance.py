"""How pages look: kept for the person and for a browser without one, and in the first byte of every page."""

import re

import pytest
from django.conf import settings
from django.test import Client

from network.appearance import CHOICES, Appearance
from network.models import Person
from tests.personas import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
DARK = {"scheme": "dark", "text": "larger", "motion": "less", "shortcuts": "off"}
SAVE = "/account/appearance/save/"


def root(client: Client, path: str = "/what-the-server-sees/") -> str:
    """Return the root element of a page."""
    return str(re.findall(r"<html[^>]*>", client.get(path).content.decode())[0])


def test_a_member_sees_what_was_chosen_in_every_other_browser_too(cast: Cast) -> None:
    assert cast.officer_a.client().post(SAVE, DARK).status_code == 302
    other = cast.officer_a.client()
    for name, value in DARK.items():
        assert f'data-{name}="{value}"' in root(other)
    assert '<meta name="color-scheme" content="dark">' in other.get("/account/appearance/").content.decode()


def test_nobody_else_sees_it(cast: Cast) -> None:
    cast.officer_a.client().post(SAVE, DARK)
    assert "data-scheme" not in root(cast.supervisor_a.client())
    assert "data-scheme" not in root(cast.signed_out.client())


def test_a_browser_without_a_person_keeps_it_in_a_cookie(cast: Cast) -> None:
    client = cast.signed_out.client()
    client.post(SAVE, {"text": "large"})
    assert 'data-text="large"' in root(client)
    cookie = client.cookies[settings.APPEARANCE_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")


def test_what_the_person_chose_goes_before_what_the_browser_kept(cast: Cast) -> None:
    cast.officer_a.client().post(SAVE, {"scheme": "light"})
    client = cast.officer_a.client()
    client.cookies[settings.APPEARANCE_COOKIE_NAME] = Appearance(scheme="dark").written()
    assert 'data-scheme="light"' in root(client)


def test_whoever_chose_nothing_has_a_page_without_marks(cast: Cast) -> None:
    assert "data-" not in root(cast.officer_a.client())


def test_a_choice_that_is_not_sent_stays(cast: Cast) -> None:
    client = cast.officer_a.client()
    client.post(SAVE, DARK)
    client.post(SAVE, {"scheme": "light"})
    assert 'data-scheme="light"' in root(client)
    assert 'data-text="larger"' in root(client)


@pytest.mark.parametrize("name", list(CHOICES))
def test_a_made_up_choice_is_refused_and_changes_nothing(cast: Cast, name: str) -> None:
    for value in ("", "purple", "dark\n", '"><script>', "x" * 500):
        assert cast.officer_a.client().post(SAVE, {name: value}).status_code == 422
    assert cast.officer_a.membership
    assert Person.objects.get(id=cast.officer_a.membership.person_id).appearance == ""


@pytest.mark.parametrize("kept", ["", "dark", "....", "purple.huge.wild.maybe", '"><script>', "a." * 900])
def test_a_cookie_that_nobody_wrote_never_breaks_a_page(cast: Cast, kept: str) -> None:
    client = cast.signed_out.client()
    client.cookies[settings.APPEARANCE_COOKIE_NAME] = kept
    response = client.get("/account/appearance/")
    assert response.status_code == 200
    assert set(re.findall(r"data-(\w+)=", root(client))) <= set(CHOICES)
    assert "<script>" not in root(client)


def test_every_choice_survives_being_written_and_read() -> None:
    for name, choices in CHOICES.items():
        for value, _title in choices:
            chosen = Appearance(**{name: value})
            assert Appearance.read(chosen.written()) == chosen
    longest = ".".join(max((value for value, _title in choices), key=len) for choices in CHOICES.values())
    assert len(longest) <= (Person._meta.get_field("appearance").max_length or 0)


def test_every_choice_can_be_made_on_the_page_and_the_present_one_is_marked(cast: Cast) -> None:
    client = cast.officer_a.client()
    client.post(SAVE, DARK)
    page = client.get("/account/appearance/").content.decode()
    for name, choices in CHOICES.items():
        for value, _title in choices:
            field = f'name="{name}" value="{value}"'
            assert (f"{field} checked" in page) == (DARK[name] == value)
            assert field in page


def test_whoever_came_with_a_recovery_code_can_read_larger_text_too(cast: Cast) -> None:
    client = cast.limited_officer_a.client()
    assert client.post(SAVE, {"text": "larger"}).status_code == 302
    assert 'data-text="larger"' in root(client)
