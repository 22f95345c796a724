"""A passkey in software, for programs that have no finger to touch a key with (WebAuthn, Level 2).

Its private key lies in a file that only a passphrase opens. What guards it is what guards that file: give
the account of such a program the rights it needs and no others.
"""

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from messaging.sdk.errors import SignInFailed, WrongPassphrase
from messaging.sealed.errors import Refused
from messaging.sealed.passphrase import COST, FileKey, unlock

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40  # WebAuthn, section 6.1
CURVE = ec.SECP256R1()


@dataclass
class SoftwarePasskey:
    """One key pair for one site (`origin`) and one person; `flags` are what each answer claims."""

    origin: str
    site: str  # the host name of the origin
    private: ec.EllipticCurvePrivateKey = field(repr=False)
    id: bytes
    person: bytes  # the handle the site gave
    counter: int = 0
    flags: int = PRESENT | VERIFIED
    file: Path | None = None
    file_key: FileKey | None = field(default=None, repr=False)

    @classmethod
    def make(cls, origin: str, options: dict[str, Any], *, flags: int = PRESENT | VERIFIED) -> Self:
        """Make a new passkey for the creation options of the site; raises `SignInFailed`."""
        wanted = options["publicKey"]
        if all(offer["alg"] != -7 for offer in wanted["pubKeyCredParams"]):
            raise SignInFailed("The site does not take this kind of passkey (ES256).")
        return cls(
            origin=origin,
            site=str(wanted["rp"]["id"]),
            private=ec.generate_private_key(CURVE),
            id=secrets.token_bytes(32),
            person=from_text(wanted["user"]["id"]),
            flags=flags,
        )

    def registration(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return what the site verifies when the passkey is new; without attestation."""
        key = b"\x00" * 16 + len(self.id).to_bytes(2, "big") + self.id + _cose(self.private.public_key())
        data = self._authenticator_data(self.flags | ATTESTED) + key
        # CBOR, canonical: {"fmt": "none", "attStmt": {}, "authData": data}
        head = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59" + len(data).to_bytes(2, "big")
        client = self._client_data("webauthn.create", options)
        return self._answer(clientDataJSON=client, attestationObject=head + data)

    def assertion(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a challenge of the site. The moved counter is stored first."""
        self.counter += 1
        self.save()
        client = self._client_data("webauthn.get", options)
        data = self._authenticator_data(self.flags)
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=self.person
        )

    def _authenticator_data(self, flags: int) -> bytes:
        return hashlib.sha256(self.site.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        challenge = options["publicKey"]["challenge"]
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(data, separators=(",", ":")).encode()

    def _answer(self, **response: bytes) -> dict[str, Any]:
        named = {name: to_text(value) for name, value in response.items()}
        return {"id": to_text(self.id), "rawId": to_text(self.id), "type": "public-key", "response": named}

    # the file

    def keep(self, file: Path, passphrase: str, *, cost: int = COST) -> None:
        """Store this passkey in a new file, from now on with every move of its counter."""
        self.file, self.file_key = file, FileKey.create(passphrase, cost=cost)
        self.save()

    def save(self) -> None:
        """Replace the file, if there is one."""
        if self.file is None or self.file_key is None:
            return
        number = self.private.private_numbers().private_value
        found = {
            "origin": self.origin,
            "site": self.site,
            "private": to_text(number.to_bytes(32, "big")),
            "id": to_text(self.id),
            "person": to_text(self.person),
            "counter": self.counter,
        }
        fresh = self.file.with_name(self.file.name + ".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(self.file_key.lock(json.dumps(found).encode()))
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(self.file)

    @classmethod
    def open(cls, file: Path, passphrase: str) -> Self:
        """Open a file made by `keep`; raises `WrongPassphrase`."""
        try:
            key, text = unlock(passphrase, file.read_bytes())
        except Refused as refused:
            raise WrongPassphrase(
                f"{file.name} does not open with this passphrase, or was changed."
            ) from refused
        found = json.loads(text)
        number = int.from_bytes(from_text(found["private"]), "big")
        return cls(
            origin=found["origin"],
            site=found["site"],
            private=ec.derive_private_key(number, CURVE),
            id=from_text(found["id"]),
            person=from_text(found["person"]),
            counter=found["counter"],
            file=file,
            file_key=key,
        )


def _cose(public: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as COSE_Key (RFC 9053, section 7.1): {1: 2, 3: -7, -1: 1, -2: x, -3: y}."""
    numbers = public.public_numbers()
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    return b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y


def to_text(data: bytes) -> str:
    """Return base64url without padding, as WebAuthn writes bytes in JSON."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def from_text(text: str) -> bytes:
    """Read what `to_text` wrote."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
