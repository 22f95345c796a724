"""Secret keys in files of their own: 32 bytes in hexadecimal, readable by the server's user alone."""

import os
import secrets
import stat
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

KEY_SIZE = 32


def make_key_file(file: Path) -> bool:
    """Write a new key with mode 0600 unless the file is there already; returns whether it was written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(secrets.token_bytes(KEY_SIZE).hex() + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    return True


def read_key_file(file: Path, *, command: str) -> bytes:
    """Return the key; raises `ImproperlyConfigured` naming the management command that makes one."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{file} holds no key: run manage.py {command}.") from error
    if len(key) != KEY_SIZE:
        raise ImproperlyConfigured(f"{file} does not hold {KEY_SIZE} bytes in hexadecimal.")
    if mode & 0o077:
        raise ImproperlyConfigured(f"{file} can be read by others: chmod 600 it.")
    return key
