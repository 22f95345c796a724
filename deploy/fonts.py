"""A font for Chinese where the machine has none: pictures of pages would show empty boxes instead."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from deploy.services import CACHE, ServiceMissing, fetch_package

PACKAGE = "@fontsource/noto-sans-sc@5.3.0"
DIGEST = "HeqIlGm0+ohOKxZLuHj1qW6r6avHH0OWdKERAcSDI0RQ+MXrteuLKA+M+5eOA8rYy0MFvOR5AT0fQo2rUkye0Q=="
PART = "noto-sans-sc-chinese-simplified-400-normal.woff2"  # the one file of it that is kept
FOLDER = CACHE / "fonts"

_SETTINGS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include ignore_missing="yes">{other}</include><dir>{folder}</dir>
<cachedir>{folder}/cache</cachedir></fontconfig>
"""


def has_chinese() -> bool:
    """Return whether this machine has a font for Chinese."""
    program = shutil.which("fc-list")
    if program is None:
        return False
    found = subprocess.run([program, ":lang=zh-cn", "family"], capture_output=True, text=True, check=False)
    return bool(found.stdout.strip())


def with_chinese(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a browser, with a font for Chinese in it; fetched where there is none."""
    if has_chinese():
        return dict(environment)
    file = FOLDER / "noto-sans-sc.ttf"
    if not file.exists():
        _fetch(file)
    other = environment.get("FONTCONFIG_FILE", "/etc/fonts/fonts.conf")
    settings = FOLDER / "fonts.conf"
    settings.write_text(_SETTINGS.format(other=other, folder=FOLDER), encoding="utf-8")
    return {**environment, "FONTCONFIG_FILE": str(settings)}


def _fetch(file: Path) -> None:
    """Unpack the one part into a form that a browser takes as the machine's own; raises `ServiceMissing`."""
    from fontTools.ttLib import woff2

    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=FOLDER) as download:
            fetch_package(PACKAGE, DIGEST, Path(download))
            unfinished = Path(download) / file.name
            woff2.decompress(str(Path(download) / "package" / "files" / PART), str(unfinished))
            unfinished.replace(file)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise ServiceMissing(
            f"A font for Chinese (and none could be fetched: {error})",
            debian="fonts-droid-fallback fontconfig",
            otherwise=f"npm pack {PACKAGE}, which deploy/test does where npm works",
            variable="",
        ) from error
