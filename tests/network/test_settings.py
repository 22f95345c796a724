"""A start with a missing or odd setting is refused with a sentence, not run with a guess."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
GOOD = {"NETWORK_PROFILE": "development", "NETWORK_SECRET_KEY": "s" * 40}


def start(tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NETWORK_", "DJANGO_"))}
    environment = {**kept, "NETWORK_STATE_DIR": str(tmp_path), **settings}
    code = "import network.project.settings, network.limits"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_a_good_environment_starts(tmp_path: Path) -> None:
    assert start(tmp_path, **GOOD).returncode == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"NETWORK_PROFILE": "production"}, "no real sign-in yet"),
        ({"NETWORK_PROFILE": ""}, "NETWORK_PROFILE"),
        ({"NETWORK_PROFILE": "debug"}, "must be one of"),
        ({"NETWORK_SECRET_KEY": "short"}, "shorter than 32"),
        ({"NETWORK_SECRET_KEY_FILE": "/nowhere/secret"}, "cannot be read"),
        ({"NETWORK_SITE_ORIGIN": "network.example"}, "NETWORK_SITE_ORIGIN"),
        ({"NETWORK_DATABASE_URL": "mysql://somewhere"}, "NETWORK_DATABASE_URL"),
        ({"NETWORK_LIMITS": "xx"}, "knows no limit 'xx'"),
        ({"NETWORK_LIMITS": "api-read=many"}, "is not a number"),
        ({"NETWORK_SOCKETS_PER_SIGN_IN": "many"}, "is not a number"),
    ],
)
def test_a_bad_environment_is_refused_with_a_sentence(
    tmp_path: Path, change: dict[str, str], sentence: str
) -> None:
    result = start(tmp_path, **{**GOOD, **change})
    assert result.returncode != 0
    assert "ImproperlyConfigured" in result.stderr
    assert sentence in result.stderr


def test_without_any_profile_the_start_is_refused(tmp_path: Path) -> None:
    assert "no real sign-in yet" in start(tmp_path, NETWORK_SECRET_KEY="s" * 40).stderr


def test_there_is_no_default_secret(tmp_path: Path) -> None:
    assert "Set NETWORK_SECRET_KEY" in start(tmp_path, NETWORK_PROFILE="development").stderr
