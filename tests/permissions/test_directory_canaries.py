"""What a State shows to members of the network only is in no byte that anybody else receives, at any door."""

from typing import Any

import pytest
from django.test import Client

from network import limits
from network.models import Authority, DirectoryEntry, Office
from tests.network.test_directory import make_entry
from tests.permissions.doors import SAMPLES, Door, all_routes
from tests.personas import Cast

NO_MEMBERS = ("signed_out", "limited_officer_a")
CANARIES = ("+44 20 7946 0123", "+44 20 7946 0999", "requests@authority-b.example", "Feast of the canary")


@pytest.fixture
def doors(cast: Cast) -> list[Door]:
    """Give every door that takes GET, with the ids of State B's entry, of which only its name is public."""
    authority = Authority.objects.get(id=cast.officer_b.actor.authority_id)
    make_entry(authority)
    office = Office.objects.get()
    samples = {"authority_uuid": str(authority.id), "office_uuid": str(office.id), "code": "XBB", **SAMPLES}
    return [
        door
        for door in all_routes(samples | {"code": "XBB", "authority": authority.id.hex})
        if door.method == "GET"
    ]


def received(client: Client, doors: list[Door]) -> str:
    found = []
    for door in doors:
        limits.buckets._levels.clear()
        response: Any = client.get(door.path)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        found.append(body.decode(errors="replace") + str(response.headers))
    return "".join(found)


@pytest.mark.django_db
@pytest.mark.parametrize("name", NO_MEMBERS)
def test_what_is_for_the_network_reaches_no_one_else(cast: Cast, doors: list[Door], name: str) -> None:
    everything = received(cast.everybody()[name].client(), doors)
    assert "Office of the Prosecutor General of State B" in everything
    assert [canary for canary in CANARIES if canary in everything] == []


@pytest.mark.django_db
def test_a_member_receives_it(cast: Cast, doors: list[Door]) -> None:
    everything = received(cast.officer_a.client(), doors)
    assert [canary for canary in CANARIES if canary not in everything] == []


@pytest.mark.django_db
def test_what_is_for_nobody_reaches_the_own_authority_only(cast: Cast, doors: list[Door]) -> None:
    groups = ("address", "telephone", "mail", "hours", "duty", "languages", "channels")
    DirectoryEntry.objects.update(**{f"{group}_visibility": "nobody" for group in groups})
    for name in ("officer_a", "directory_officer"):
        everything = received(cast.everybody()[name].client(), doors)
        assert [canary for canary in CANARIES if canary in everything] == []
    own = received(cast.administrator_b.client(), doors)
    assert [canary for canary in CANARIES if canary not in own] == []
