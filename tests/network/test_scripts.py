"""Pages name the hash of every script they run, and of every script that one needs; browsers run no other."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from network import scripts
from network.scripts import STATIC_IMPORT, imports_of
from tests.architecture.sources import ROOT
from tests.personas import Cast

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = ("/", "/sign-in/", "/directory/", "/help/scripts/")
OWN_PAGES = ("/", "/threads/", "/devices/", "/account/", "/notifications/settings/")
SCRIPTS = sorted(
    path.relative_to(ROOT / app / "static").as_posix()
    for app in ("messaging", "network")
    for path in (ROOT / app / "static").rglob("*.js")
)


def source_of(name: str) -> str:
    return (ROOT / Path(name).parts[0] / "static" / name).read_text("utf-8")


class Asked(HTMLParser):
    """What a page asks for as script: address to hash, and what it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.hashes: dict[str, str | None] = {}
        self.run: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a script or a preload of one."""
        found = dict(attrs)
        if tag == "script":
            self.run.append(found.get("src") or "inline")
            self.hashes[self.run[-1]] = found.get("integrity")
        elif tag == "link" and found.get("rel") == "modulepreload":
            self.hashes[found["href"] or ""] = found.get("integrity")


def asked_by(client: Client, path: str) -> Asked:
    answer = client.get(path, follow=True)
    assert answer.status_code == 200, path
    assert answer.headers["Integrity-Policy"] == "blocked-destinations=(script)"
    found = Asked()
    found.feed(answer.content.decode())
    return found


def data_of(address: str) -> bytes:
    path = finders.find(address.removeprefix("/static/"))
    assert path, address
    return Path(path).read_bytes()


def check(found: Asked) -> None:
    for address, integrity in found.hashes.items():
        assert integrity == f"sha256-{base64.b64encode(hashlib.sha256(data_of(address)).digest()).decode()}"
        folder = address.rsplit("/", 1)[0]
        needed = [name.decode() for name in STATIC_IMPORT.findall(data_of(address))]
        assert {f"{folder}/{name.removeprefix('./')}" for name in needed} <= found.hashes.keys(), address


def test_a_stranger_s_pages_name_the_hash_of_every_script() -> None:
    for path in PAGES:
        check(asked_by(Client(headers={"host": "localhost"}), path))


def test_an_officer_s_pages_name_the_hash_of_every_script_and_of_what_it_needs(cast: Cast) -> None:
    client = cast.supervisor_a.client()
    run = set()
    for path in OWN_PAGES:
        found = asked_by(client, path)
        check(found)
        run |= set(found.run)
    assert {"/static/messaging/client.js", "/static/network/push.js", "/static/network/session.js"} <= run


def test_no_template_asks_for_a_script_but_by_its_hash() -> None:
    for app in ("network", "messaging", "forum"):
        for path in (ROOT / app / "templates").rglob("*.html"):
            text = path.read_text("utf-8")
            assert "<script" not in text.replace('<script type="application/json"', ""), path


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_a_script_needs_is_found_in_it(name: str) -> None:
    written = set(re.findall(r'(?:from|import)\s*"\./([^"]+)"', source_of(name)))
    assert {f"{Path(name).parent}/{one}" for one in written} <= set(imports_of(name))


def test_what_is_loaded_later_is_asked_for_with_its_hash() -> None:
    later = set()
    for name in SCRIPTS:
        for match in re.finditer(r'(.{0,60})\bimport\("\./([^"]+)"\)', source_of(name)):
            assert f'scriptOfRelease("{match[2]}").then(()=>' in match[0], name
            assert source_of(name)[match.end() :].startswith(").catch(scriptDidNotCome)"), name
            later.add(match[2])
    assert later
    for entry in ("client.js", "start.js"):
        text = (ROOT / "messaging/static/messaging" / entry).read_text("utf-8")
        hashes = dict(re.findall(r'"(chunk-[A-Z0-9]+\.js)":"(sha256-[^"]+)"', text))
        assert hashes
        for name, integrity in hashes.items():
            digest = hashlib.sha256((ROOT / "messaging/static/messaging" / name).read_bytes()).digest()
            assert integrity == f"sha256-{base64.b64encode(digest).decode()}", name


def test_a_script_that_is_not_there_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    scripts.script_of.cache_clear()
    with pytest.raises(FileNotFoundError):
        scripts.script_of("network/nothing.js")
