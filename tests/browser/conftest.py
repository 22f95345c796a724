"""Real Chromium, in a process of its own: the loops of Playwright and pytest-asyncio do not mix."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from deploy import services
from deploy.fonts import with_chinese
from network.demo import STATE_A, STATE_C
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.browser.helpers import helpers_of
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

# Two tests share two cores; where a time is what a test is about it says so itself.
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give one Chromium for the session; contexts keep tests apart."""
    os.environ.update(services.node_environment())
    found = services.find_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=found.path, args=FLAGS, env={**os.environ, **with_chinese(found.environment)}
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


@pytest.fixture
def helpers(live_server_process: Server) -> Iterator[None]:
    """Run the demonstration's steward and counterpart beside the server, until both are ready."""
    with helpers_of(live_server_process):
        yield


@pytest.fixture
def desks(browser: Browser, live_server_process: Server) -> Iterator[tuple[Desk, Desk]]:
    """Give the desks of two supervisors, of State A and State C, whose authorities have their keys."""
    origin = live_server_process.origin
    with (
        Desk(browser, origin, supervisor_of(STATE_A.persons)) as a,
        Desk(browser, origin, supervisor_of(STATE_C.persons)) as c,
    ):
        for desk in (a, c):
            desk.sign_in()
            desk.make_keyring(confirmed=desk is c)  # both at once
        yield a, c
        assert a.faults == []
        assert c.faults == []
