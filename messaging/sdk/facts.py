"""What the SDK gives to a program: frozen facts, ids in lowercase hexadecimal, times in unix seconds."""

from dataclasses import dataclass
from typing import Any, Literal, Self


@dataclass(frozen=True)
class Authority:
    """An authority as the directory has it: the server's word, its `principal` not yet confirmed."""

    id: str
    name: str
    state: str | None
    state_name: str | None
    functions: tuple[str, ...] = ()
    principal: str | None = None

    @classmethod
    def from_json(cls, found: dict[str, Any], principal: str | None = None) -> Self:
        """Read an authority of the REST face."""
        return cls(
            found["id"],
            found["name"],
            found["state"],
            found["state_name"],
            tuple(found.get("functions", ())),
            found.get("principal", principal),
        )


@dataclass(frozen=True)
class Session:
    """Who this client acts as."""

    net: str
    server_key: str
    person: str
    name: str
    office: str
    role: str
    authority: Authority

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Read GET /api/session."""
        person, authority = found["person"], found["authority"]
        return cls(
            net=found["net"],
            server_key=found["server_key"],
            person=person["id"],
            name=person["name"],
            office=person["office"],
            role=found["membership"]["role"],
            authority=Authority.from_json(authority, found["principal"]),
        )

    @property
    def may_read(self) -> bool:
        """Return whether this role reads correspondence; an administrator keeps keys and reads nothing."""
        return self.role in {"officer", "supervisor"}


@dataclass(frozen=True)
class DeviceRequest:
    """A device that asks to be listed. Compare `words` by voice before approving."""

    device: str
    person: str
    name: str
    office: str
    words: str
    statement: str


@dataclass(frozen=True)
class Sent:
    """A message that the server has taken and signed for; verified in its place."""

    thread: str
    seq: int
    id: str


@dataclass(frozen=True)
class Arrived:
    """A verified and opened message of another device.

    `failed` is the code of why it could not be opened: then `text` is None and only its place can be shown.
    """

    thread: str
    seq: int
    id: str
    kind: Literal["note", "acknowledgement"]
    is_own_authority: bool
    principal: str
    authority: Authority | None
    device: str
    person: str
    name: str
    office: str
    signed_at: int
    received_at: int
    marks: tuple[str, ...]
    failed: str | None
    language: str | None = None
    subject: str | None = None
    own_reference: str | None = None
    foreign_reference: str | None = None
    text: str | None = None
    acknowledges: str | None = None


@dataclass(frozen=True)
class ThreadFacts:
    """A thread of the own authority, in the server's words."""

    thread: str
    seq: int
    changed_at: int
    principals: tuple[str, ...]
    progress: dict[str, tuple[int, int]]
    """Of each principal: delivered up to, opened up to."""

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Read a thread of the REST face."""
        return cls(
            found["thread"],
            found["seq"],
            found["changed_at"],
            tuple(member["principal"] for member in found["members"]),
            {row["principal"]: (row["delivered_seq"], row["opened_seq"]) for row in found["progress"]},
        )
