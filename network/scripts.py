"""Scripts of pages by their hashes: a browser runs none that differs (SRI, Integrity-Policy).

The hash is the one that stands for the script in the published list (`/log/bundle`), in base64.
"""

import base64
import hashlib
import posixpath
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static

# What a module needs before it runs: import "./x.js", import {a} from "./x.js", export {a} from "./x.js".
STATIC_IMPORT = re.compile(
    rb"""(?:^|[;}\s])(?:import|export)(?:[^"'();]*?\bfrom)?\s*["'](\./[\w.-]+\.js)["']"""
)


@dataclass(frozen=True)
class Script:
    """One module: where a page finds it, and what it must be."""

    address: str
    integrity: str


@cache
def script_of(name: str) -> Script:
    """Return the script of this name below /static/, as pages ask for it."""
    return Script(static(name), _integrity(name))


@cache
def needed_by(name: str) -> tuple[Script, ...]:
    """Return what a script imports, and what that imports, by the names by which modules ask for it."""
    return tuple(Script(f"{settings.STATIC_URL}{one}", _integrity(one)) for one in imports_of(name))


@cache
def imports_of(name: str) -> tuple[str, ...]:
    """Return the names of all scripts that a script needs before it runs."""
    found: dict[str, None] = {}
    _collect(name, found)
    return tuple(one for one in found if one != name)


def _collect(name: str, found: dict[str, None]) -> None:
    found.setdefault(name)
    for path in STATIC_IMPORT.findall(_data(name)):
        needed = posixpath.normpath(posixpath.join(posixpath.dirname(name), path.decode()))
        if needed not in found:
            _collect(needed, found)


def _integrity(name: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(_data(name)).digest()).decode()}"


@cache
def _data(name: str) -> bytes:
    """Return the file as it is given out: as collected, or while nothing was collected from its app."""
    collected = Path(settings.STATIC_ROOT) / name
    found = collected if collected.exists() else finders.find(name)
    if not found:
        raise FileNotFoundError(f"There is no script {name}.")
    return Path(found).read_bytes()
