"""The Chromium that figures are measured in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from deploy import services


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser; contexts of it are profiles of their own."""
    os.environ.update(services.node_environment())
    found = services.find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.path,
            args=["--no-sandbox", "--disable-gpu", "--enable-features=WebCryptoPQC"],
            env={**os.environ, **found.environment},
        )
        yield browser
        browser.close()
