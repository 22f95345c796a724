"""What a program or page learns first: who is signed in, and where its audiences stand."""

from network.frames import Body, HexId, Seq, ShortId


class SessionPerson(Body):
    """Who is signed in."""

    id: ShortId
    name: str
    office: str


class SessionMembership(Body):
    """Through which standing, and what it allows."""

    id: ShortId
    roles: list[str]


class SessionAuthority(Body):
    """For which authority."""

    id: ShortId
    name: str
    kind: str
    state: str | None
    state_name: str | None


class SessionBody(Body):
    """Who is signed in, for which authority, and where its audiences stand."""

    protocol: int
    net: str
    server_time: Seq
    person: SessionPerson
    membership: SessionMembership
    authority: SessionAuthority
    cursors: dict[str, Seq]
    principal: HexId | None
    secretariat: HexId | None
    device_roles: list[str]
    server_key: str
