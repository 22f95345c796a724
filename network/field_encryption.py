"""Encryption of single fields at rest: mail addresses, second-factor secrets, addresses of connections.

The key is a file outside the database and its backups, so that whoever takes only those reads none of them.
AES-256-GCM with a random nonce; the field's name is authenticated, so that a value cannot be moved to another
field. What has to be found again (a mail address) is kept beside it as a keyed hash.
"""

import secrets
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from network.key_file import KEY_SIZE, read_key_file

NONCE_SIZE = 12
VERSION = b"\x01"


@cache
def _derived(file: Path, purpose: bytes) -> bytes:
    master = read_key_file(file, command="make_field_key")
    return HKDF(hashes.SHA256(), KEY_SIZE, salt=None, info=b"network field " + purpose).derive(master)


def _key(purpose: bytes) -> bytes:
    """Return the key for one purpose; raises `ImproperlyConfigured` when there is no good key file."""
    return _derived(settings.FIELD_KEY_FILE, purpose)


def seal_field(name: str, value: str) -> bytes:
    """Return `value` encrypted for the field called `name` (like "person.address")."""
    nonce = secrets.token_bytes(NONCE_SIZE)
    return VERSION + nonce + AESGCM(_key(b"encryption")).encrypt(nonce, value.encode(), name.encode())


def open_field(name: str, sealed: bytes) -> str:
    """Return the value sealed for `name`; raises `ValueError` if changed, moved, or under another key."""
    nonce, ciphertext = sealed[1 : 1 + NONCE_SIZE], sealed[1 + NONCE_SIZE :]
    if sealed[:1] != VERSION:
        raise ValueError(f"{name}: not an encrypted field")
    try:
        opened = AESGCM(_key(b"encryption")).decrypt(nonce, ciphertext, name.encode())
    except InvalidTag as error:
        raise ValueError(f"{name}: cannot be opened with this key") from error
    return opened.decode()


def index_field(name: str, value: str) -> str:
    """Return 64 hexadecimal characters by which a value can be found again, useless without the key."""
    keyed = hmac.HMAC(_key(b"index"), hashes.SHA256())
    keyed.update(name.encode() + b"\0" + value.encode())
    return keyed.finalize().hex()


def authenticate(name: str, value: bytes) -> bytes:
    """Return 32 bytes that only this deployment can make for a value: the signature in an invitation."""
    keyed = hmac.HMAC(_key(b"authentication"), hashes.SHA256())
    keyed.update(name.encode() + b"\0" + value)
    return keyed.finalize()
