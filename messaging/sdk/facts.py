"""What the SDK gives to a program: frozen facts, ids in lowercase hexadecimal, times in unix seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from messaging.sealed.attachment import File
from messaging.sealed.plaintext import About
from messaging.sealed.stage_rules import Fact, Step


@dataclass(frozen=True)
class Authority:
    """An authority as the directory has it: the server's word, its `principal` not yet confirmed."""

    id: str
    name: str
    state: str | None
    state_name: str | None
    functions: tuple[str, ...] = ()
    principal: str | None = None
    waiting: str | None = None  # keys that are to take the place of these, when they have been confirmed

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
            found.get("waiting"),
        )


@dataclass(frozen=True)
class Session:
    """Who this client acts as."""

    net: str
    server_key: str
    person: str
    name: str
    office: str
    roles: frozenset[str]
    device_roles: tuple[str, ...]  # what a device of this person may be in the keyring
    authority: Authority
    authority_kind: str = ""
    secretariat: str | None = None  # the principal that confirms, by the server's word

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
            roles=frozenset(found["membership"]["roles"]),
            device_roles=tuple(found["device_roles"]),
            authority=Authority.from_json(authority, found["principal"]),
            authority_kind=authority.get("kind", ""),
            secretariat=found.get("secretariat"),
        )

    @property
    def may_read(self) -> bool:
        """Return whether these roles read correspondence; an administrator keeps keys and reads nothing."""
        return "officer" in self.device_roles


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
    kind: Literal["note", "acknowledgement", "statement", "stage"]
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
    urgency: int = 0
    due: int | None = None
    reason: str | None = None
    about: About | None = None  # a part of a shared draft, or what is to be asked for formally
    files: tuple[File, ...] = ()  # each has `name`, `media_type`, `size`; `Client.save_file` fetches it
    moment: int | None = None  # when all are to act together, unix seconds
    acknowledges: str | None = None
    step: Step | None = None  # in a case: its `code` and `variant`, as the header has them; `Client.cases`
    facts: Mapping[str, Fact] = field(default_factory=dict, hash=False)  # what the step says
    statement: bytes | None = (
        None  # a signed consent or mandate; `text` is what that is for, or why this is given
    )


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


@dataclass(frozen=True)
class OpenRestore:
    """A restore of the network, as its operator began it: two persons of the secretariat stand for it."""

    serial: int
    log_size: int
    log_root: str
    cause: str
    signatures: int
    is_announced: bool

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """Read what the server says."""
        names = ("serial", "log_size", "log_root", "cause", "signatures", "is_announced")
        return cls(**{name: row[name] for name in names})
