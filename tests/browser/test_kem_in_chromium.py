"""The sealed part of the browser client in a real browser: native KEM and fallback give the same bytes."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from deploy import services

ROOT = Path(__file__).resolve().parent.parent.parent
VECTORS = ROOT / "tests" / "vectors"
ORIGIN = "http://localhost:4173"
DOCUMENT = '<!doctype html><title>KEM</title><script type="module" src="/page.js"></script>'


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the bundled tests/browser/kem.page.ts of the client."""
    file = tmp_path_factory.mktemp("page") / "page.js"
    command = [services.find_node().path, "tests/run.mjs", "page", "kem", str(file)]
    subprocess.run(command, cwd=ROOT / "messaging" / "client", check=True)
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def kem_page(browser: Browser, bundle: str) -> Iterator[Page]:
    """Give a page on http://localhost, a secure context, with the client's sealed part in it."""
    profile = browser.new_context()

    def answer(route: Route) -> None:
        is_script = route.request.url.endswith(".js")
        kind = "text/javascript" if is_script else "text/html"
        route.fulfill(body=bundle if is_script else DOCUMENT, content_type=f"{kind}; charset=utf-8")

    profile.route(f"{ORIGIN}/**", answer)
    page = profile.new_page()
    page.set_default_timeout(60_000)
    _load(page)
    yield page
    profile.close()


def _load(page: Page) -> None:
    page.goto(f"{ORIGIN}/")
    page.wait_for_function("'kemPage' in globalThis")


def test_this_browser_has_the_native_kem(kem_page: Page) -> None:
    assert kem_page.evaluate("kemPage.hasNativeKem()") is True


@pytest.mark.parametrize("path", ["native", "fallback"])
@pytest.mark.parametrize("name", ["python.json", "typescript.json"])
def test_vectors_hold_on_both_paths(kem_page: Page, name: str, path: str) -> None:
    text = (VECTORS / name).read_text(encoding="utf-8")  # as text: Playwright loses a key __proto__
    check = "([text, path]) => kemPage.checkVectors(JSON.parse(text), path)"
    parts = kem_page.evaluate(check, [text, path])
    assert "what is refused" in parts


def test_e6_what_one_path_seals_the_other_opens(kem_page: Page) -> None:
    assert kem_page.evaluate("kemPage.crossPaths(10)") == 10


@pytest.mark.parametrize("path", ["native", "fallback"])
def test_device_keys_survive_a_reload_and_cannot_be_exported(kem_page: Page, path: str) -> None:
    stored = kem_page.evaluate("path => kemPage.storeDevice(path)", path)
    _load(kem_page)
    used = kem_page.evaluate("path => kemPage.useDevice(path)", path)
    assert used["kem"] == stored
    assert set(used["extractable"]) == {False}
