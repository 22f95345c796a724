"""The scripts that this server gives to browsers, by their hashes: what anybody can check from outside.

A browser runs what the server gives it. The list of it stands in the log, so that giving one person another
script means showing somebody a log that others do not see.
"""

import json
from functools import cache
from pathlib import Path

from django.conf import settings

from messaging.sealed.encoding import sha256


@cache
def manifest() -> str:
    """Return one line for each script, sorted by name: its SHA-256 in hex, two spaces, its name.

    Names are those of the release, below /static/, without the part that collecting adds. Empty where nothing
    has been collected. Read once a process.
    """
    root = Path(settings.STATIC_ROOT)
    collected = root / "staticfiles.json"
    if not collected.exists():
        return ""
    names = sorted(filter(_is_own_script, json.loads(collected.read_text())["paths"]))
    return "".join(f"{sha256((root / name).read_bytes()).hex()}  {name}\n" for name in names)


def _is_own_script(name: str) -> bool:
    """Return whether pages of the product may use it; libraries bring scripts that no page does."""
    return name.endswith(".js") and name.startswith(("forum/", "messaging/", "network/"))


def manifest_hash() -> bytes:
    """Return what stands in the log for the scripts."""
    return sha256(manifest().encode())
