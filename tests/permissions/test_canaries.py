"""A canary for each State in everything that is kept of it: no other authority ever receives it, by any way.

Looked for in every byte that a persona is answered at every door, with the ids of others, and in the mails
that the request writes; sockets are in the tests of strangers. Existence is hidden: what belongs to others
looks like what does not exist.
"""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from network import audit
from network.field_encryption import index_field, open_field, seal_field
from network.models import (
    Authority,
    Delegation,
    Invitation,
    Membership,
    OutgoingMail,
    Person,
    Proposal,
    Role,
)
from tests.permissions.doors import SAMPLES, Door, all_routes
from tests.permissions.walk import Stage, undone
from tests.personas import Cast

AUTHORITIES = {"a": "administrator_a", "b": "administrator_b", "c": "supervisor_c"}
# The secretariat's security officer may suspend anybody, and so sees the page of a person by its exact id.
MAY_KNOW_PERSONS = {"security_officer"}
VARYING = re.compile(
    rb'(name="csrfmiddlewaretoken" value="|name="csrf-token" content="|data-(until|quiet)=")[^"]*|'
    rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{64}\b"
)


class World:
    """What one authority keeps, each piece with its canary; and the ids to ask for it by."""

    def __init__(self, cast: Cast, key: str) -> None:
        owner = cast.everybody()[AUTHORITIES[key]]
        self.authority: Authority = Authority.objects.get(id=owner.actor.authority_id)
        self.mark = f"canary{key}{uuid.uuid4().hex[:12]}"
        address = f"{self.mark}@kept.example"
        sealed = seal_field("person.address", address)
        person = Person.objects.create(
            name=f"Name {self.mark}",
            address_index=index_field("person.address", address),
            address_sealed=sealed,
        )
        self.member = self._member(person)
        assert owner.membership
        until = timezone.now() + timedelta(days=2)
        invitation = Invitation.objects.create(
            authority=self.authority,
            address_index=index_field("person.address", f"invited.{address}"),
            address_sealed=seal_field("invitation.address", f"invited.{address}"),
            name=f"Invited {self.mark}",
            office=f"Office {self.mark}",
            roles=[Role.OFFICER],
            sponsor=owner.membership,
            sent_at=timezone.now(),
            until_at=until,
        )
        delegation = Delegation.objects.create(
            grantor=owner.membership, delegate=self.member, roles=[], from_at=timezone.now(), until_at=until
        )
        proposal = Proposal.objects.create(
            act="fingerprint:confirm",
            authority=self.authority,
            subject=self.mark,
            facts={"note": self.mark},
            state="",
            proposed_by=owner.membership,
            proposed_at=timezone.now(),
            until_at=until,
        )
        with transaction.atomic():
            audit.record(owner.actor, "authority:set", self.mark, note=self.mark)
        self.ids = {
            "membership_uuid": str(self.member.id),
            "invitation_uuid": str(invitation.id),
            "delegation_uuid": str(delegation.id),
            "proposal_uuid": str(proposal.id),
            "sign_in": str(owner.sign_in_id),
            **SAMPLES,
        }

    def _member(self, person: Person) -> Membership:
        return Membership.objects.create(
            person=person,
            authority=self.authority,
            roles=[Role.OFFICER],
            office=f"Office {self.mark}",
            from_at=timezone.now() - timedelta(days=1),
        )


@pytest.fixture(scope="module")
def worlds(stage: Stage) -> dict[str, World]:
    """Give each State's world."""
    return {key: World(stage.cast, key) for key in AUTHORITIES}


def written_mails() -> str:
    """Return what the mails that wait say beside whom they go to."""
    facts = [json.loads(open_field("mail.facts", bytes(mail.sealed))) for mail in OutgoingMail.objects.all()]
    return json.dumps([{key: value for key, value in fact.items() if key != "address"} for fact in facts])


def bodies(door: Door) -> Iterator[tuple[bytes, str]]:
    """Give bodies that fit one route or another; the wrong ones are refused as such, in words."""
    form = "application/x-www-form-urlencoded"
    if door.method == "GET":
        yield b"", form
    elif door.path.startswith("/api/"):
        yield b"{}", "application/json"
    else:
        yield b"form=json&reason=other&confirm=yes", form


def received(stage: Stage, name: str, door: Door) -> bytes:
    """Return every byte that a persona gets of one door, and the mails that are written meanwhile."""
    found = b""
    for body, kind in bodies(door):
        with undone():
            client = stage.client(name)
            response = client.generic(door.method, door.path, body, kind)
            found += response.content + str(response.headers).encode() + written_mails().encode()
    return found


@pytest.fixture(autouse=True)
def without_the_list_to_try(settings: Any) -> None:
    """Only the development profile lets anybody sign in as anybody, from a list."""
    settings.PROFILE = "production"


# Whose canaries they must never receive: everything of the States that are not theirs.
OUTSIDERS = {
    "supervisor_a": ("b", "c"),
    "administrator_a": ("b",),
    "auditor_a": ("b",),
    "limited_officer_a": ("b",),
    "former_officer_a": ("c",),
    "supervisor_b": ("a",),
    "administrator_b": ("a", "c"),
    "focal_point_a": ("a",),
    "moderator": ("a",),
    "directory_officer": ("a",),
    "second_directory_officer": ("c",),
    "security_officer": ("b",),
    "coordinator": ("b",),
    "observer": ("c",),
    "signed_out": ("a",),
}

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", OUTSIDERS)
def test_nobody_outside_receives_a_states_canary(stage: Stage, worlds: dict[str, World], name: str) -> None:
    foreign = [worlds[key] for key in OUTSIDERS[name]]
    # A door without an id is the same door for each of them.
    doors = dict.fromkeys(door for world in foreign for door in all_routes(world.ids))
    members = [f"/people/{world.ids['membership_uuid']}/" for world in foreign]
    leaks = []
    for door in doors:
        if name in MAY_KNOW_PERSONS and any(member in door.path for member in members):
            continue
        found = received(stage, name, door)
        leaks += [f"{door}: {world.mark[:7]}" for world in foreign if world.mark.encode() in found]
    assert leaks == []


@pytest.mark.parametrize("key", ["a", "b"])
def test_the_own_administrator_receives_them(stage: Stage, worlds: dict[str, World], key: str) -> None:
    world, found = worlds[key], set[str]()
    for door in all_routes(world.ids):
        if world.mark.encode() in received(stage, AUTHORITIES[key], door):
            found.add(door.path.replace(world.ids["membership_uuid"], "…"))
    assert {"/people/", "/people/…/", "/audit/", "/audit/export/"} <= found, found


@pytest.mark.parametrize(
    ("key", "name"),
    [("a", "administrator_b"), ("b", "supervisor_a"), ("a", "supervisor_c"), ("a", "moderator")],
)
def test_what_belongs_to_others_looks_like_what_does_not_exist(
    stage: Stage, worlds: dict[str, World], key: str, name: str
) -> None:
    world = worlds[key]
    nothing = {kind: str(uuid.uuid4()) for kind in world.ids if kind not in SAMPLES} | SAMPLES
    different = []
    for foreign, random in zip(all_routes(world.ids), all_routes(nothing), strict=True):
        if foreign.path == random.path:
            continue
        answers = []
        for door in (foreign, random):
            body, kind = next(bodies(door))
            with undone():
                response = stage.client(name).generic(door.method, door.path, body, kind)
            headers = {key: value for key, value in response.headers.items() if key != "Content-Length"}
            said = VARYING.sub(b"", response.content), VARYING.sub(b"", str(headers).encode())
            answers.append((response.status_code, *said))
        if answers[0] != answers[1]:
            different.append(f"{foreign}: {answers[0][0]} or {answers[1][0]}")
    assert different == []
