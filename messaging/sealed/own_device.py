"""The keys of one device, and its statement about itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from messaging.sealed.device import make_device_statement
from messaging.sealed.encoding import sha256
from messaging.sealed.keys import KemKey, SigningKey


@dataclass(frozen=True)
class Device:
    """A device's own keys; ``principal`` is the keyring it belongs to or asks to join."""

    principal: bytes
    statement: bytes
    signing_key: SigningKey = field(repr=False)
    kem_key: KemKey = field(repr=False)

    @property
    def id(self) -> bytes:
        """SHA-256 of its statement."""
        return sha256(self.statement)

    def export(self) -> dict[str, bytes]:
        """What an encrypted file must hold; the seeds are secret."""
        return {
            "principal": self.principal,
            "statement": self.statement,
            "sig_seed": self.signing_key.seed,
            "kem_seed": self.kem_key.seed,
        }

    @classmethod
    def load(cls, exported: Mapping[str, bytes]) -> "Device":
        """What ``export`` gave."""
        return cls(
            exported["principal"],
            exported["statement"],
            SigningKey(exported["sig_seed"]),
            KemKey(exported["kem_seed"]),
        )


@dataclass(frozen=True)
class Person:
    """Whom a device belongs to: id, name and office as the directory has them."""

    person: str
    name: str
    office: str


def make_device(net: str, principal: bytes, person: Person, *, at: int) -> Device:
    """A device that asks to join the principal's keyring; a steward adds its statement."""
    return state_device(net, principal, None, person, at)


def state_device(net: str, principal: bytes | None, salt: bytes | None, person: Person, at: int) -> Device:
    """A device of a genesis (with its salt), or one for a principal."""
    signing_key, kem_key = SigningKey.generate(), KemKey.generate()
    statement = make_device_statement(
        net,
        principal=principal,
        salt=salt,
        person=person.person,
        name=person.name,
        office=person.office,
        signing_key=signing_key,
        kem_public=kem_key.public,
        at=at,
    )
    return Device(principal or b"", statement, signing_key, kem_key)
