"""Who is there at another authority: what its State shows to who asks, and nothing of it to others."""

import uuid

import pytest

from network.models import Authority, DirectoryEntry, Office, SpecialDays
from tests.factories import answer, call
from tests.network.test_directory import DUTY, make_entry
from tests.personas import Cast, Persona

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(cast: Cast) -> str:
    """Give the address of State B's desk; its office is closed for a feast."""
    make_entry(Authority.objects.get(id=cast.officer_b.actor.authority_id))
    return f"/authorities/{cast.officer_b.actor.authority_id.hex}/desk"


def desk(persona: Persona, place: str) -> dict[str, object]:
    found: dict[str, object] = answer(call(persona.client(), "GET", place))
    return found


def test_a_member_sees_that_the_office_is_closed_when_it_opens_and_whom_to_telephone(
    cast: Cast, place: str
) -> None:
    found = desk(cast.officer_a, place)
    assert found["is_open"] is False
    assert isinstance(found["changes_at"], int)
    assert (found["time_zone"], found["has_duty"], found["telephones"]) == ("Asia/Kathmandu", True, [DUTY])


def test_an_office_that_is_open_says_so(cast: Cast, place: str) -> None:
    SpecialDays.objects.all().delete()
    Office.objects.update(is_always_open=True)
    found = desk(cast.officer_a, place)
    assert (found["is_open"], found["changes_at"]) == (True, None)


@pytest.mark.parametrize("visibility", ["network", "nobody"])
def test_what_a_state_keeps_to_itself_is_not_told(cast: Cast, place: str, visibility: str) -> None:
    DirectoryEntry.objects.update(hours_visibility=visibility, duty_visibility=visibility)
    hidden: dict[str, object]
    hidden = {"is_open": None, "changes_at": None, "time_zone": "", "has_duty": False, "telephones": []}
    assert (desk(cast.officer_a, place) == hidden) is (visibility == "nobody")
    assert desk(cast.officer_b, place)["telephones"] == [DUTY]


def test_a_hidden_entry_and_none_are_the_same(cast: Cast, place: str) -> None:
    DirectoryEntry.objects.update(visibility="nobody")
    hidden = call(cast.officer_a.client(), "GET", place)
    nothing = call(cast.officer_a.client(), "GET", f"/authorities/{uuid.uuid4().hex}/desk")
    assert hidden.status_code == nothing.status_code == 404
    assert hidden.content == nothing.content
    assert desk(cast.officer_b, place)["telephones"] == [DUTY]


def test_a_stranger_learns_nothing(cast: Cast, place: str) -> None:
    for persona in (cast.signed_out, cast.former_officer_a, cast.suspended_officer_a):
        response = call(persona.client(), "GET", place)
        assert response.status_code == 401
        assert DUTY.encode() not in response.content
