"""A file that only its passphrase opens: scrypt (RFC 7914) and AES-256-GCM (E8).

Written as one E1 map ``{cost, kind, salt, text, write}``. The key of the passphrase is derived once for each
process; each writing uses a key of its own (HKDF over 32 fresh bytes, ``write``), so that the zero nonce of
E8 never meets a key twice.
"""

import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from messaging.sealed.encoding import Encodable, decode, encode
from messaging.sealed.errors import Refused
from messaging.sealed.keys import aead_open, aead_seal

KIND = "S1 device file"
COST = 2**17  # of scrypt, with r = 8 and p = 1: 128 MiB and about half a second
COST_MOST = 2**20  # a file from elsewhere must not make the process take all memory


@dataclass(frozen=True)
class FileKey:
    """What a passphrase gives for one file; the salt and the cost stand in the file."""

    salt: bytes
    cost: int
    key: bytes = field(repr=False)

    @classmethod
    def create(cls, passphrase: str, *, cost: int = COST) -> "FileKey":
        """Derive the key of a new file, under a fresh salt."""
        return _derive(passphrase, secrets.token_bytes(16), cost)

    def lock(self, text: bytes) -> bytes:
        """Return the bytes of the file that holds the text."""
        write = secrets.token_bytes(32)
        head: dict[str, Encodable] = {"cost": self.cost, "kind": KIND, "salt": self.salt, "write": write}
        return encode({**head, "text": aead_seal(self.key_of(write), text, encode(head))})

    def key_of(self, write: bytes) -> bytes:
        """Return the key of one writing."""
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=write, info=KIND.encode()).derive(self.key)


def make_passphrase() -> str:
    """A passphrase of 256 random bits, for a process that nobody types one into."""
    return secrets.token_urlsafe(32)


def unlock(passphrase: str, data: bytes) -> tuple[FileKey, bytes]:
    """Return the key of the file, to write it again with, and its text.

    Raises Refused E1 ``bad-encoding`` or E8 ``bad-device-file`` for what is no such file, and E8
    ``cannot-open`` for a wrong passphrase or a changed file, which look the same.
    """
    found = decode(data)
    if not isinstance(found, dict) or set(found) != {"cost", "kind", "salt", "text", "write"}:
        raise Refused("E8", "bad-device-file", "not a file made by `lock`")
    text, salt, write, cost = found.pop("text"), found["salt"], found["write"], found["cost"]
    if not isinstance(text, bytes) or not isinstance(salt, bytes) or not isinstance(write, bytes):
        raise Refused("E8", "bad-device-file", "a field is not of its type")
    if found["kind"] != KIND or not isinstance(cost, int) or not _is_cost(cost):
        raise Refused("E8", "bad-device-file", "unknown kind or cost")
    key = _derive(passphrase, salt, cost)
    return key, aead_open(key.key_of(write), text, encode(found))


def _is_cost(cost: int) -> bool:
    return 1 < cost <= COST_MOST and cost & (cost - 1) == 0


def _derive(passphrase: str, salt: bytes, cost: int) -> FileKey:
    return FileKey(salt, cost, Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode()))
