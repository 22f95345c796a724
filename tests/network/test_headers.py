"""Every answer carries the same protection: pages, refusals, redirects, static files, wrong methods, 413."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.test import Client

from network.middleware import HEADERS, HEADERS_OF_NO_PAGE, WORKER_POLICY
from network.project.documents.views import DOCUMENTS
from tests.network.test_settings import REAL, run
from tests.permissions.doors import all_routes
from tests.personas import Cast
from tests.server import Server

pytestmark = pytest.mark.any_database
# The page on which a browser is asked to be woken, shown again when something in the form is wrong.
WITH_WORKER = {("GET", "/notifications/settings/"), ("POST", "/notifications/settings/save/")}
NEVER = ("unsafe-inline", "unsafe-eval", "unsafe-hashes", "strict-dynamic", "data:", "blob:", "http:", "*")


def directives(policy: str) -> dict[str, list[str]]:
    return {name: values for name, *values in (part.split() for part in policy.split(";") if part.strip())}


def problems(
    headers: Any, *, is_static: bool = False, origin: str = settings.SITE_ORIGIN, policy: str = ""
) -> list[str]:
    """Return what an answer lacks of the protection that every answer has; `policy` where it has another."""
    host, own = urlsplit(origin).netloc, urlsplit(settings.SITE_ORIGIN).netloc
    is_page = not headers.get("content-type", "").startswith("application/json")
    usual = HEADERS if is_page else HEADERS_OF_NO_PAGE
    wanted = {**usual, "Content-Security-Policy": policy or usual["Content-Security-Policy"]}
    found = [name for name, value in wanted.items() if headers.get(name) != value.replace(own, host)]
    if not is_static and "no-store" not in headers.get("cache-control", ""):
        found.append("cache-control")
    return [
        *found,
        *(name for name in ("access-control-allow-origin", "server", "x-powered-by") if headers.get(name)),
    ]


def test_the_policy_lets_only_own_scripts_run_and_no_text_become_one() -> None:
    policy = directives(HEADERS["Content-Security-Policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["require-trusted-types-for"] == ["'script'"]
    assert "trusted-types" in policy
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert not [
        word for words in policy.values() for word in words if word.strip("'") in NEVER or "*" in word
    ]


def test_an_answer_to_a_program_may_do_nothing_and_does_not_say_what_a_page_may(cast: Cast) -> None:
    answer = cast.supervisor_a.client().get("/api/session")
    assert directives(answer.headers["Content-Security-Policy"]) == {
        "default-src": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    assert not answer.headers.keys() & {"Permissions-Policy", "Integrity-Policy"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_browsers_may_use_passkeys_here_and_nothing_else() -> None:
    allowed = dict(part.strip().split("=", 1) for part in HEADERS["Permissions-Policy"].split(","))
    assert allowed.pop("publickey-credentials-get") == "(self)"
    assert allowed.pop("publickey-credentials-create") == "(self)"
    assert set(allowed.values()) == {"()"}


def test_every_door_answers_with_all_headers(cast: Cast) -> None:
    wrong = []
    for door in all_routes():
        # Anew for each: one of the doors signs out.
        response = cast.supervisor_a.client().generic(door.method, door.path, b"{}", "application/json")
        is_form = (door.method, door.path) in WITH_WORKER and response.status_code in {200, 422}
        # Published documents are the same for everybody, and may be kept as static files are.
        is_static = door.path.removeprefix("/api/") in DOCUMENTS and response.status_code == 200
        missing = problems(response.headers, is_static=is_static, policy=WORKER_POLICY if is_form else "")
        wrong += [(str(door), response.status_code, name) for name in missing]
    assert wrong == []


@pytest.mark.parametrize(
    ("method", "path", "host", "status"),
    [
        ("GET", "/nowhere/", "localhost", 404),
        ("GET", "/api/nowhere", "localhost", 404),
        ("PUT", "/sign-in/", "localhost", 405),
        ("DELETE", "/api/session", "localhost", 405),
        ("TRACE", "/sign-in/", "localhost", 405),
        ("GET", "/sign-in/", "evil.test", 400),
        ("GET", "/threads", "localhost", 301),
        ("GET", "/threads/", "localhost", 302),
        ("GET", "/", "127.0.0.1", 302),
    ],
)
def test_what_goes_wrong_carries_them_too(
    db: None, client: Client, method: str, path: str, host: str, status: int
) -> None:
    response = client.generic(method, path, headers={"host": host})
    assert response.status_code == status
    assert problems(response.headers) == []


def test_a_form_from_elsewhere_is_refused_with_them(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    response = client.post("/sign-out/")
    assert response.status_code == 403
    assert problems(response.headers) == []


def test_an_error_of_the_server_carries_them_and_says_nothing(db: None, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.network.broken_urls"
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    response = client.get("/broken/")
    assert response.status_code == 500
    assert b"told to nobody" not in response.content
    assert problems(response.headers) == []


def test_a_real_server_adds_nothing_and_leaves_nothing_out(live_server_process: Server) -> None:
    origin = live_server_process.origin
    with httpx.Client(base_url=origin, trust_env=False) as http:
        page = http.get("/sign-in/")
        style = next(part for part in page.text.split('"') if part.startswith("/static/"))
        assert problems(page.headers, origin=origin) == []
        file = http.get(style).headers
        assert {name: file.get(name) for name in HEADERS_OF_NO_PAGE} == HEADERS_OF_NO_PAGE
        assert file["Content-Security-Policy"].startswith("default-src 'none';")
        assert not file.keys() & {"permissions-policy", "access-control-allow-origin", "server"}
        assert problems(http.get("/static/nothing").headers, is_static=True, origin=origin) == []
        large = http.post("/api/threads", content=b"x" * 600_000)
        assert large.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
        assert problems(large.headers, origin=origin) == []


COOKIES = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("make_field_key")
call_command("collectstatic", "--no-input", verbosity=0)
from django.test import Client
client = Client(headers={"host": "network.justice.example"})
answers = [client.get("/sign-in/"), client.post("/language/", {"language": "fr"})]
for answer in answers:
    for cookie in answer.cookies.values():
        print(cookie.OutputString())
    print("HSTS", answer.headers["strict-transport-security"])
from django.contrib.sessions.backends.db import SessionStore
from django.conf import settings
from importlib import import_module
print("SERVER-SIDE", import_module(settings.SESSION_ENGINE).SessionStore is SessionStore)
print("SESSION", settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE)
print("HTTPONLY", settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE)
"""


def test_cookies_of_real_use_belong_to_this_host_alone(tmp_path: Path) -> None:
    said = run(tmp_path, ["-c", COOKIES], {**REAL, "PYTHONWARNINGS": "ignore"})
    assert said.returncode == 0, said.stderr
    cookies = [line for line in said.stdout.splitlines() if line.startswith("__Host-")]
    assert {line.partition("=")[0] for line in cookies} == {"__Host-csrftoken", "__Host-language"}
    for line in cookies:
        attributes = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"path=/", "secure", "httponly", "samesite=strict"} <= attributes, line
        assert not any(attribute.startswith("domain") for attribute in attributes)
    assert said.stdout.count("HSTS max-age=31536000; includeSubDomains") == 2
    assert "SERVER-SIDE True" in said.stdout
    assert "SESSION __Host-session True\nHTTPONLY True Strict" in said.stdout
