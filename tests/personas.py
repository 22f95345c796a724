"""The people the tests speak of, by role, and why each of them is there."""

import uuid
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from network import access, limits
from network.field_encryption import index_field, seal_field
from network.middleware import SIGN_IN_KEY
from network.models import (
    Authority,
    AuthorityKind,
    Delegation,
    Factor,
    Function,
    Membership,
    Person,
    Role,
    SignIn,
    State,
)
from network.policy import SIGN_IN_LASTS, Actor, quiet_time


@dataclass(frozen=True)
class Persona:
    """One person acting for one authority; `membership` is None for whoever is signed out."""

    name: str
    membership: Membership | None
    sign_in_id: uuid.UUID | None

    @property
    def actor(self) -> Actor:
        """Return the actor; raises `SignedOut` where the standing has ended."""
        assert self.sign_in_id
        return access.get_actor(self.sign_in_id)

    def session_cookie(self) -> str:
        """Return the value of a session cookie of this persona; a random one for whoever is signed out."""
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        if self.sign_in_id:
            session[SIGN_IN_KEY] = self.sign_in_id.hex
        session.save()
        return str(session.session_key)

    def client(self) -> Client:
        """Return a browser without scripts in which this persona is signed in."""
        client = Client(headers={"host": "localhost"})
        if self.sign_in_id:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.session_cookie()
        return client


@dataclass(frozen=True)
class Cast:
    """Three States, so that there is always a counterpart and a stranger."""

    # May read and write for State A.
    officer_a: Persona
    # Creates A's keyring, approves devices, hands work over.
    supervisor_a: Persona
    # Keeps A's accounts and keyring, reads no correspondence.
    administrator_a: Persona
    # Sees A's audit record and no content.
    auditor_a: Persona
    # Keeps A's entry in the directory.
    editor_a: Persona
    # Watches A's urgent items.
    duty_officer_a: Persona
    # Of State A, posted to State B: forum and directory, no correspondence of the central authority.
    liaison_a: Persona
    # A prosecutor of State A: case rooms by mandate only.
    prosecutor_a: Persona
    # An officer of A who acts for the supervisor, as long as the delegation lasts.
    delegate_a: Persona
    # The other side of A's threads.
    officer_b: Persona
    supervisor_b: Persona
    # The same office as in A, for another State.
    administrator_b: Persona
    # A legitimate member that has no part in what A and B write to each other.
    officer_c: Persona
    supervisor_c: Persona
    # Was an officer of A until a minute ago, and still has the cookie.
    former_officer_a: Persona
    # Is suspended, and still has the cookie.
    suspended_officer_a: Persona
    # Nobody of A said for half a year that this person still works there.
    unattested_officer_a: Persona
    # Came in with a recovery code: may add a passkey and nothing else.
    limited_officer_a: Persona
    # Vouches for A's first administrator.
    focal_point_a: Persona
    # Of a regional network and of an organization without a State.
    coordinator: Persona
    observer: Persona
    # Run and moderate the network; none reads correspondence.
    directory_officer: Persona
    second_directory_officer: Persona
    moderator: Persona
    security_officer: Persona
    # Has a browser and nothing else.
    signed_out: Persona

    def everybody(self) -> dict[str, Persona]:
        """Return every persona by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def make_authority(code: str | None, name: str, kind: AuthorityKind = AuthorityKind.CENTRAL) -> Authority:
    """Make an authority, with its State and, for a central one, a function."""
    if code is None:
        return Authority.objects.create(kind=kind, name=name)
    state, _ = State.objects.get_or_create(code=code, defaults={"name": f"State {code[1]}"})
    authority = Authority.objects.create(kind=kind, name=name, state=state)
    if kind == AuthorityKind.CENTRAL:
        Function.objects.create(
            authority=authority, code="MLA", instrument="UNTOC", article="18(13)", valid_from=date(2020, 1, 1)
        )
    return authority


class Gathering:
    """Persons, standings and sign-ins, each stored by one insert for all: tests make the cast very often."""

    def __init__(self) -> None:
        self._now = timezone.now()
        self._rows: dict[type[Model], list[Any]] = {Person: [], Membership: [], Delegation: [], SignIn: []}

    def add(
        self,
        name: str,
        authority: Authority,
        *roles: Role,
        factor: Factor = Factor.PASSKEY,
        credential: str = "",
        acts_for: Membership | None = None,
        **standing: datetime,
    ) -> Persona:
        """Add a person with a standing in the authority, signed in a moment ago."""
        address = address_of(name)
        person = Person(
            name=name.replace("_", " ").title(),
            address_index=index_field("person.address", address),
            address_sealed=seal_field("person.address", address),
            language="",  # none chosen: the browser says
        )
        membership = Membership(
            person=person,
            authority=authority,
            roles=sorted(roles),
            office="International Cooperation Division",
            from_at=self._now - timedelta(days=30),
            **standing,
        )
        sign_in = SignIn(
            membership=membership,
            factor=factor,
            credential=credential or f"key of {name}",
            acting_for=self._lend(acts_for, membership) if acts_for else None,
            started_at=self._now,
            proved_at=self._now,
            quiet_until_at=self._now + quiet_time(roles),
            until_at=self._now + SIGN_IN_LASTS,
            ended_at=standing.get("until_at"),
        )
        for row in (person, membership, sign_in):
            self._rows[type(row)].append(row)
        return Persona(name, membership, sign_in.id)

    def _lend(self, grantor: Membership, delegate: Membership) -> Delegation:
        lent = Delegation(
            grantor=grantor,
            delegate=delegate,
            roles=grantor.roles,
            from_at=self._now - timedelta(days=1),
            until_at=self._now + timedelta(days=6),
        )
        self._rows[Delegation].append(lent)
        return lent

    def store(self) -> None:
        """Store everybody."""
        for model, rows in self._rows.items():
            model._default_manager.bulk_create(rows)


def make_persona(
    name: str, authority: Authority, *roles: Role, factor: Factor = Factor.PASSKEY, credential: str = ""
) -> Persona:
    """Make a person with a standing in the authority, signed in a moment ago."""
    gathering = Gathering()
    persona = gathering.add(name, authority, *roles, factor=factor, credential=credential)
    gathering.store()
    return persona


def address_of(name: str) -> str:
    """Return the mail address of a persona."""
    return f"{name.replace('_', '.')}@authority.example"


def make_cast() -> Cast:
    """Make everybody."""
    a = make_authority("XAA", "Ministry of Justice of State A")
    b = make_authority("XBB", "Office of the Prosecutor General of State B")
    c = make_authority("XCC", "Attorney General's Chambers of State C")
    mission = make_authority("XAA", "Permanent Mission of State A", AuthorityKind.MISSION)
    network = make_authority(None, "Regional judicial network", AuthorityKind.ORGANIZATION)
    secretariat = make_authority(None, "Secretariat of the Convention", AuthorityKind.SECRETARIAT)
    gathering, now = Gathering(), timezone.now()
    supervisor_a = gathering.add("supervisor_a", a, Role.SUPERVISOR)
    cast = Cast(
        officer_a=gathering.add("officer_a", a, Role.OFFICER),
        supervisor_a=supervisor_a,
        administrator_a=gathering.add("administrator_a", a, Role.ADMINISTRATOR),
        auditor_a=gathering.add("auditor_a", a, Role.AUDITOR),
        editor_a=gathering.add("editor_a", a, Role.DIRECTORY_EDITOR),
        duty_officer_a=gathering.add("duty_officer_a", a, Role.DUTY_OFFICER),
        liaison_a=gathering.add("liaison_a", a, Role.LIAISON_MAGISTRATE),
        prosecutor_a=gathering.add("prosecutor_a", a, Role.PRACTITIONER),
        delegate_a=gathering.add("delegate_a", a, Role.OFFICER, acts_for=supervisor_a.membership),
        officer_b=gathering.add("officer_b", b, Role.OFFICER),
        supervisor_b=gathering.add("supervisor_b", b, Role.SUPERVISOR),
        administrator_b=gathering.add("administrator_b", b, Role.ADMINISTRATOR),
        officer_c=gathering.add("officer_c", c, Role.OFFICER),
        supervisor_c=gathering.add("supervisor_c", c, Role.SUPERVISOR),
        former_officer_a=gathering.add("former_officer_a", a, Role.OFFICER, until_at=now),
        suspended_officer_a=gathering.add("suspended_officer_a", a, Role.OFFICER, suspended_at=now),
        unattested_officer_a=gathering.add("unattested_officer_a", a, Role.OFFICER, attested_until_at=now),
        limited_officer_a=gathering.add("limited_officer_a", a, Role.OFFICER, factor=Factor.RECOVERY_CODE),
        focal_point_a=gathering.add("focal_point_a", mission, Role.FOCAL_POINT),
        coordinator=gathering.add("coordinator", network, Role.COORDINATOR),
        observer=gathering.add("observer", network, Role.OBSERVER),
        directory_officer=gathering.add("directory_officer", secretariat, Role.DIRECTORY_OFFICER),
        second_directory_officer=gathering.add(
            "second_directory_officer", secretariat, Role.DIRECTORY_OFFICER
        ),
        moderator=gathering.add("moderator", secretariat, Role.MODERATOR),
        security_officer=gathering.add("security_officer", secretariat, Role.SECURITY_OFFICER),
        signed_out=Persona("signed_out", None, None),
    )
    gathering.store()
    return cast


def fill_buckets() -> None:
    """Let everybody begin with nothing spent, in this process and in the Redis that tests share."""
    limits.buckets = limits.Buckets()
    limits.PLACE = f"test:{uuid.uuid4().hex}"
