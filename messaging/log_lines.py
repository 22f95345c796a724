"""The lines of the log beside the mark, one leaf a line in hex: what was signed is never lost (L8).

Like the mark they are never put back with a backup.
"""

import fcntl
import os
from pathlib import Path

from django.conf import settings

from messaging.models import LogLeaf


def lines_file() -> Path | None:
    """Return where the lines are kept, or None where no mark is."""
    mark: Path | None = settings.LOG_MARK_FILE
    return None if mark is None else mark.with_name(f"{mark.stem}.lines")


def keep_lines(size: int) -> None:
    """Keep every leaf below `size` that is not kept yet, before the log is signed at that size."""
    path = lines_file()
    if path is None:
        return
    with path.open("a+b") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        kept = _count(opened.fileno(), path)
        rows = LogLeaf.objects.filter(position__gte=kept, position__lt=size).order_by("position")
        for leaf in rows.values_list("leaf", flat=True):
            opened.write(bytes(leaf).hex().encode() + b"\n")
        opened.flush()
        os.fsync(opened.fileno())


def _count(descriptor: int, path: Path) -> int:
    """Return how many lines are whole; what a power cut left of another is cut off."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.ftruncate(descriptor, whole)
    return data.count(b"\n")


def read_lines() -> list[bytes]:
    """Return the leaves that are kept, oldest first."""
    path = lines_file()
    if path is None or not path.exists():
        return []
    data = path.read_bytes()
    return [bytes.fromhex(line.decode("ascii")) for line in data[: data.rfind(b"\n") + 1].splitlines()]
