"""The people the tests speak of, by role, and why each of them is there."""

import uuid
from dataclasses import dataclass, fields
from datetime import date, timedelta
from importlib import import_module

from django.conf import settings
from django.test import Client
from django.utils import timezone

from network import access
from network.actions.sign_ins import begin_sign_in, end_membership
from network.middleware import SIGN_IN_KEY
from network.models import Authority, AuthorityKind, Function, Membership, Person, Role, State
from network.policy import Actor


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
    # Creates A's keyring, approves devices.
    supervisor_a: Persona
    # Keeps A's accounts and keyring, reads no correspondence.
    administrator_a: Persona
    # The other side of A's threads.
    officer_b: Persona
    supervisor_b: Persona
    # A legitimate member that has no part in what A and B write to each other.
    officer_c: Persona
    supervisor_c: Persona
    # Was an officer of A until a minute ago, and still has the cookie.
    former_officer_a: Persona
    # Runs and moderates the network; reads no correspondence.
    secretariat_officer: Persona
    # Has a browser and nothing else.
    signed_out: Persona

    def everybody(self) -> dict[str, Persona]:
        """Return every persona by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def make_authority(code: str | None, name: str) -> Authority:
    """Make an authority, with its State and one function unless it is the secretariat."""
    if code is None:
        return Authority.objects.create(kind=AuthorityKind.SECRETARIAT, name=name)
    state = State.objects.create(code=code, name=f"State {code[1]}")
    authority = Authority.objects.create(kind=AuthorityKind.CENTRAL, name=name, state=state)
    Function.objects.create(
        authority=authority, code="MLA", instrument="UNTOC", article="18(13)", valid_from=date(2020, 1, 1)
    )
    return authority


def make_persona(name: str, authority: Authority, role: Role) -> Persona:
    """Make a person with a standing in the authority, signed in."""
    person = Person.objects.create(email=f"{name}@authority.example", name=name.replace("_", " ").title())
    membership = Membership.objects.create(
        person=person,
        authority=authority,
        role=role,
        office="International Cooperation Division",
        from_at=timezone.now() - timedelta(days=30),
    )
    return Persona(name, membership, begin_sign_in(membership_id=membership.id).id)


def make_cast() -> Cast:
    """Make everybody."""
    a = make_authority("XAA", "Ministry of Justice of State A")
    b = make_authority("XBB", "Office of the Prosecutor General of State B")
    c = make_authority("XCC", "Attorney General's Chambers of State C")
    secretariat = make_authority(None, "Secretariat of the Convention")
    former = make_persona("former_officer_a", a, Role.OFFICER)
    assert former.membership
    end_membership(None, membership_id=former.membership.id)
    return Cast(
        officer_a=make_persona("officer_a", a, Role.OFFICER),
        supervisor_a=make_persona("supervisor_a", a, Role.SUPERVISOR),
        administrator_a=make_persona("administrator_a", a, Role.ADMINISTRATOR),
        officer_b=make_persona("officer_b", b, Role.OFFICER),
        supervisor_b=make_persona("supervisor_b", b, Role.SUPERVISOR),
        officer_c=make_persona("officer_c", c, Role.OFFICER),
        supervisor_c=make_persona("supervisor_c", c, Role.SUPERVISOR),
        former_officer_a=former,
        secretariat_officer=make_persona("secretariat_officer", secretariat, Role.SECRETARIAT),
        signed_out=Persona("signed_out", None, None),
    )
