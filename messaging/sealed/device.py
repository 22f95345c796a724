"""The device statement: one browser profile or SDK process says which keys it holds (E2, E7)."""

from dataclasses import dataclass

from messaging.sealed.encoding import Encodable
from messaging.sealed.keys import KEM_PUBLIC_SIZE, SigningKey, check_kem_key, check_signing_key
from messaging.sealed.statement import bad, parse, sign, verify

NAME_LIMIT = 200


@dataclass(frozen=True)
class DeviceStatement:
    """What a device says of itself, signed with its own key: proof of possession.

    ``principal`` is null for a device of a genesis, which has the genesis ``salt`` instead.
    """

    id: bytes
    principal: bytes | None
    salt: bytes | None
    person: str
    name: str
    office: str
    sig: bytes
    kem: bytes
    at: int
    raw: bytes


def read_device(net: str, raw: bytes) -> DeviceStatement:
    """Read and verify a device statement by its own key. Raises Refused E1, E2, E7."""
    statement = parse(net, raw, "device")
    fields = statement.fields
    device = DeviceStatement(
        id=statement.hash,
        principal=fields.optional("principal", fields.data),
        salt=fields.optional("salt", lambda name: fields.data(name, 16)),
        person=fields.text("person", NAME_LIMIT),
        name=fields.text("name", NAME_LIMIT),
        office=fields.text("office", NAME_LIMIT),
        sig=fields.data("sig"),
        kem=fields.data("kem", KEM_PUBLIC_SIZE),
        at=statement.at,
        raw=raw,
    )
    if statement.kid or (device.principal is None) == (device.salt is None):  # E2
        raise bad("a device statement has an empty kid, and a principal or a salt")
    check_signing_key(device.sig)  # E7
    check_kem_key(device.kem)  # E7
    verify(statement, device.sig, net)
    return device


def make_device_statement(
    net: str,
    *,
    principal: bytes | None,
    salt: bytes | None,
    person: str,
    name: str,
    office: str,
    signing_key: SigningKey,
    kem_public: bytes,
    at: int,
) -> bytes:
    """A device's statement about itself; its SHA-256 is the device id."""
    fields: dict[str, Encodable] = {
        "principal": principal,
        "salt": salt,
        "person": person,
        "name": name,
        "office": office,
        "sig": signing_key.public,
        "kem": kem_public,
    }
    return sign(net, "device", fields, at=at, kid=b"", key=signing_key)
