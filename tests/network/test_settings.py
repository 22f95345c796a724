"""A start with a missing, odd or weak setting is refused with a sentence, not run with a guess."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.services import free_port
from network.key_file import make_key_file

pytestmark = pytest.mark.any_database
ROOT = Path(__file__).resolve().parent.parent.parent
STRONG = "Yx3vQ0rZ-9kLmT2w_HsNfB7cJdEaGiUoPq48RtV6XyW1zCnM5bKhSl"
GOOD = {"NETWORK_PROFILE": "development", "NETWORK_SECRET_KEY": "s" * 40}
REAL = {
    "NETWORK_PROFILE": "production",
    "NETWORK_SECRET_KEY": STRONG,
    "NETWORK_SITE_ORIGIN": "https://network.justice.example",
    "NETWORK_ORIGIN_NAME": "network.justice.example/s1",
    "NETWORK_MAIL_URL": "smtps://network:word@mail.justice.example",
    "NETWORK_MAIL_FROM": "network@justice.example",
    "NETWORK_TRUSTED_PROXIES": "127.0.0.1",
}
POSTGRESQL = "postgresql://network@db.justice.example/network"
REDIS = "redis://127.0.0.1:6379/0"
READ = "import network.project.settings, django; django.setup(); import network.limits"


def run(tmp_path: Path, arguments: list[str], settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NETWORK_", "DJANGO_"))}
    own = {"NETWORK_STATE_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "network.project.settings"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**kept, **own, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def start(tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return run(tmp_path, ["-c", READ], settings)


def test_a_good_environment_starts(tmp_path: Path) -> None:
    assert start(tmp_path, **GOOD).returncode == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"NETWORK_PROFILE": ""}, "NETWORK_PROFILE"),
        ({"NETWORK_PROFILE": "debug"}, "must be one of"),
        ({"NETWORK_SECRET_KEY": "short"}, "shorter than 32"),
        ({"NETWORK_SECRET_KEY_FILE": "/nowhere/secret"}, "cannot be read"),
        ({"NETWORK_SITE_ORIGIN": "network.example"}, "NETWORK_SITE_ORIGIN"),
        ({"NETWORK_ORIGIN_NAME": ""}, "NETWORK_ORIGIN_NAME is empty"),
        ({"NETWORK_DATABASE_URL": "mysql://somewhere"}, "NETWORK_DATABASE_URL"),
        ({"NETWORK_LIMITS": "xx"}, "knows no limit 'xx'"),
        ({"NETWORK_LIMITS": "api-read=many"}, "is not a number"),
        ({"NETWORK_LIMITS": "api-read=nan"}, "is not a number"),
        ({"NETWORK_SOCKETS_PER_SIGN_IN": "many"}, "is not a number"),
        ({"NETWORK_PROCESSES": "some"}, "whole number above zero"),
        ({"NETWORK_PROCESSES": "2"}, "set NETWORK_REDIS_URL"),
    ],
)
def test_a_bad_environment_is_refused_with_a_sentence(
    tmp_path: Path, change: dict[str, str], sentence: str
) -> None:
    result = start(tmp_path, **{**GOOD, **change})
    assert result.returncode != 0
    assert "ImproperlyConfigured" in result.stderr
    assert sentence in result.stderr


def test_there_is_no_default_secret(tmp_path: Path) -> None:
    assert "Set NETWORK_SECRET_KEY" in start(tmp_path, NETWORK_PROFILE="development").stderr


# --- For real use -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"NETWORK_DATABASE_URL": POSTGRESQL, "NETWORK_REDIS_URL": REDIS, "NETWORK_PROCESSES": "4"},
        {"NETWORK_MAIL_URL": "smtp://localhost"},
        {"NETWORK_SITE_ORIGIN": "https://network.justice.example:8443"},
        {"NETWORK_LIMITS": "sign-in=5:0.01,api-read=1000:100"},
    ],
    ids=str,
)
def test_a_sound_environment_starts_for_real_use(tmp_path: Path, change: dict[str, str]) -> None:
    result = start(tmp_path, **{**REAL, **change})
    assert result.returncode == 0, result.stderr


def test_without_any_profile_it_is_real_use(tmp_path: Path) -> None:
    result = start(tmp_path, NETWORK_SECRET_KEY=STRONG)
    assert "cannot be started for real use" in result.stderr


WEAK = [
    ({"NETWORK_SECRET_KEY": "k" * 20}, "shorter than 32"),
    ({"NETWORK_SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests"}, "from an example"),
    ({"NETWORK_SECRET_KEY": f"django-insecure-{STRONG}"}, "from an example"),
    ({"NETWORK_SECRET_KEY": "k" * 64}, "can be guessed"),
    ({"NETWORK_SECRET_KEY": "abcdefgh" * 8}, "can be guessed"),
    ({"NETWORK_SECRET_KEY": "aB3dE5fG7hJ9kL1mN0pQ" * 3}, "can be guessed"),
    ({"DJANGO_DEBUG": "1"}, "DJANGO_DEBUG is set"),
    ({"NETWORK_DEBUG": "true"}, "NETWORK_DEBUG is set"),
    ({"DEBUG": "yes"}, "DEBUG is set"),
    ({"NETWORK_SITE_ORIGIN": "https://*"}, "no wildcard"),
    ({"NETWORK_SITE_ORIGIN": "https://*.justice.example"}, "no wildcard"),
    ({"NETWORK_SITE_ORIGIN": "https://"}, "NETWORK_SITE_ORIGIN"),
    ({"NETWORK_SITE_ORIGIN": "https://network"}, "one whole name"),
    ({"NETWORK_SITE_ORIGIN": "http://network.justice.example"}, "need TLS"),
    ({"NETWORK_SITE_ORIGIN": "https://192.0.2.7"}, "an IP address"),
    ({"NETWORK_SITE_ORIGIN": "https://[2001:db8::7]"}, "an IP address"),
    ({"NETWORK_SITE_ORIGIN": "https://localhost:8000"}, "names this machine"),
    ({"NETWORK_SITE_ORIGIN": "https://network.justice.example/app"}, "more than https"),
    ({"NETWORK_ORIGIN_NAME": "network.example/s1"}, "a name of its own"),
    ({"NETWORK_PROCESSES": "2", "NETWORK_REDIS_URL": REDIS}, "with SQLite"),
    ({"NETWORK_PROCESSES": "2"}, "set NETWORK_REDIS_URL"),
    ({"NETWORK_DATABASE_URL": POSTGRESQL}, "NETWORK_REDIS_URL is not set"),
    ({"NETWORK_MAIL_URL": ""}, "NETWORK_MAIL_URL and NETWORK_MAIL_FROM are not set"),
    ({"NETWORK_MAIL_URL": "smtp://mail.justice.example"}, "in plain text"),
    ({"NETWORK_TRUSTED_PROXIES": ""}, "would count as one"),
    ({"NETWORK_TRUSTED_PROXIES": "10.0.0.0/8,0.0.0.0/0"}, "names every address"),
    ({"NETWORK_PUSH_HOSTS": "localhost:8443"}, "no public name of a push service"),
    ({"NETWORK_PUSH_HOSTS": "*.com"}, "no public name of a push service"),
    ({"NETWORK_PUSH_HOSTS": "10.0.0.1"}, "no public name of a push service"),
    ({"NETWORK_PUSH_HOSTS": "https://push.example/x"}, "Give hosts like"),
    ({"NETWORK_LIMITS": "sign-in=1000:1000"}, "weakens 'sign-in'"),
    ({"NETWORK_LIMITS": "recovery=5:1"}, "weakens 'recovery'"),
    ({"NETWORK_SEND_SECONDS": "100000"}, "NETWORK_SEND_SECONDS"),
]


@pytest.mark.parametrize(("change", "sentence"), WEAK, ids=lambda value: str(value)[:60])
def test_a_weak_environment_is_refused_for_real_use(
    tmp_path: Path, change: dict[str, str], sentence: str
) -> None:
    result = start(tmp_path, **{**REAL, **change})
    assert result.returncode != 0
    assert "ImproperlyConfigured" in result.stderr
    assert sentence in result.stderr


def test_everything_weak_is_said_at_once(tmp_path: Path) -> None:
    weak = {
        "NETWORK_SECRET_KEY": "k" * 64,
        "NETWORK_SITE_ORIGIN": "http://localhost:8000",
        "DJANGO_DEBUG": "1",
    }
    said = start(tmp_path, **{**REAL, **weak}).stderr
    assert all(
        sentence in said for sentence in ("can be guessed", "need TLS", "this machine", "DJANGO_DEBUG")
    )


def test_names_without_a_default_of_ones_own_are_asked_for(tmp_path: Path) -> None:
    own = {
        name: value
        for name, value in REAL.items()
        if name not in {"NETWORK_SITE_ORIGIN", "NETWORK_ORIGIN_NAME"}
    }
    said = start(tmp_path, **own).stderr
    assert "a name of its own" in said
    assert "names this machine" in said


def test_what_the_first_commands_write_is_nobody_elses_to_read(tmp_path: Path) -> None:
    state = tmp_path / "new"
    before = os.umask(0o022)
    try:
        for command in ("make_server_key", "make_field_key", "make_push_key", "migrate"):
            result = run(tmp_path, ["manage.py", command], {**REAL, "NETWORK_STATE_DIR": str(state)})
            assert result.returncode == 0, result.stderr
    finally:
        os.umask(before)
    written = [state, *state.iterdir()]
    assert (state / "network.sqlite3").exists()
    assert [path.name for path in written if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("name", ["server", "field", "push"])
@pytest.mark.parametrize("fault", ["missing", "readable by others", "empty"])
def test_a_missing_or_readable_key_file_stops_the_server(tmp_path: Path, name: str, fault: str) -> None:
    files = {key: tmp_path / f"{key}.key" for key in ("server", "field", "push")}
    for file in files.values():
        make_key_file(file)
    match fault:
        case "missing":
            files[name].unlink()
        case "empty":
            files[name].write_text("")
        case _:
            files[name].chmod(0o644)
    result = run(tmp_path, ["manage.py", "serve", "--port", str(free_port())], REAL)
    assert result.returncode != 0
    assert f"{name}.key" in result.stderr
    what_to_do = {"missing": f"make_{name}_key", "readable by others": "chmod 600", "empty": "32 bytes"}
    assert what_to_do[fault] in result.stderr
