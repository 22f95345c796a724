"""The key with which the server signs receipts: an Ed25519 seed in a file of its own."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.conf import settings

from messaging.sealed.encoding import context_hash
from messaging.sealed.keys import SigningKey
from network.key_file import read_key_file


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
    key = SigningKey.from_seed(read_key_file(file, command="make_server_key"))
    return ServerKey(key, context_hash(net, "server key", key.public))
