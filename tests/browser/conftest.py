"""Real Chromium, in a process of its own: the loops of Playwright and pytest-asyncio do not mix."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from deploy import services
from tests.server import Server

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # ML-KEM in WebCrypto: newer builds have it anyway, the packaged one behind this name.
    "--enable-features=WebCryptoPQC",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give one Chromium for the session; contexts keep tests apart."""
    os.environ.update(services.node_environment())
    found = services.find_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=found.path, args=FLAGS, env={**os.environ, **found.environment}
        )
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser, live_server_process: Server) -> Iterator[BrowserContext]:
    """Give a fresh browser profile whose addresses are relative to a server of its own."""
    profile = browser.new_context(base_url=live_server_process.origin, locale="en-GB")
    profile.set_default_timeout(10_000)
    yield profile
    profile.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Give a page in that profile."""
    return context.new_page()
