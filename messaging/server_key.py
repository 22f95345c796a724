"""The key with which the server signs receipts: an Ed25519 seed in a file of its own."""

import os
import secrets
import stat
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from messaging.sealed.encoding import context_hash
from messaging.sealed.keys import SigningKey

SEED_SIZE = 32


@dataclass(frozen=True)
class ServerKey:
    """The signing key and its id, H("server key", public)."""

    key: SigningKey = field(repr=False)
    id: bytes


def server_key() -> ServerKey:
    """Return the server's key, read once a process; raises `ImproperlyConfigured` with what to do."""
    return _read(settings.SERVER_KEY_FILE, settings.ORIGIN_NAME)


@cache
def _read(file: Path, net: str) -> ServerKey:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        seed = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{file} holds no server key: run manage.py make_server_key.") from error
    if len(seed) != SEED_SIZE:
        raise ImproperlyConfigured(f"{file} does not hold {SEED_SIZE} bytes in hexadecimal.")
    if mode & 0o077:
        raise ImproperlyConfigured(f"{file} can be read by others: chmod 600 it.")
    key = SigningKey.from_seed(seed)
    return ServerKey(key, context_hash(net, "server key", key.public))


def make_server_key(file: Path) -> bool:
    """Write a new key with mode 0600 unless the file is there already; returns whether it was written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(secrets.token_bytes(SEED_SIZE).hex() + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    return True
