"""What the log is signed and hidden with, who watches it, and how far it was ever signed (rule L8).

The mark is a file beside the database, never restored with it: a database that was put back to an earlier day
would have the server sign a second, shorter log.
"""

import os
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from messaging.sealed.checkpoint import Signer, is_name, read_signer
from messaging.sealed.encoding import derive_key
from messaging.sealed.errors import Refused
from messaging.sealed.transparency import Tree
from messaging.server_key import server_key


def label_key() -> bytes:
    """Return the key that hides the labels of the log; members know it, witnesses do not."""
    return derive_key(settings.ORIGIN_NAME, server_key().key.seed, "log labels")


@dataclass(frozen=True)
class Watch:
    """Who cosigns the log, and how many of them a client asks for before it seals."""

    witnesses: tuple[Signer, ...]
    quorum: int


def watch() -> Watch:
    """Return the witnesses of the settings; raises `ImproperlyConfigured` with what is wrong."""
    return _read_watch(settings.ORIGIN_NAME, tuple(settings.LOG_WITNESSES), settings.LOG_QUORUM)


@cache
def _read_watch(origin: str, lines: tuple[str, ...], quorum: int) -> Watch:
    if not is_name(origin):
        raise ImproperlyConfigured(
            "NETWORK_ORIGIN_NAME has a blank or a plus sign: no log can be signed by it."
        )
    try:
        witnesses = tuple(read_signer(line) for line in lines)
    except Refused as refused:
        raise ImproperlyConfigured(
            "NETWORK_LOG_WITNESSES: each witness is one word as `manage.py witness --show` prints it."
        ) from refused
    if quorum > len(witnesses):
        raise ImproperlyConfigured(
            "NETWORK_LOG_QUORUM asks for more witnesses than NETWORK_LOG_WITNESSES has."
        )
    return Watch(witnesses, quorum)


def is_rolled_back(tree: Tree) -> bool:
    """Answer whether a longer log, or another of this size, was signed before (L8)."""
    size, root = read_mark()
    return tree.size < size or (tree.size == size and size > 0 and tree.root.hex() != root)


def read_mark() -> tuple[int, str]:
    """Return size and root of the longest log signed here; (0, "") before the first."""
    if settings.LOG_MARK_FILE is None:
        return 0, ""
    try:
        size, root = settings.LOG_MARK_FILE.read_text(encoding="ascii").split()
        return int(size), root
    except FileNotFoundError:
        return 0, ""
    except ValueError as error:
        raise ImproperlyConfigured(f"{settings.LOG_MARK_FILE} does not hold a size and a root.") from error


def note_mark(tree: Tree) -> None:
    """Remember that this state is being signed, before it is."""
    if settings.LOG_MARK_FILE is None or tree.size <= read_mark()[0]:
        return
    name = os.urandom(8).hex()
    fresh = settings.LOG_MARK_FILE.with_name(f"{settings.LOG_MARK_FILE.name}.{name}")
    with fresh.open("w", encoding="ascii") as opened:
        opened.write(f"{tree.size} {tree.root.hex()}\n")
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(settings.LOG_MARK_FILE)
