"""Browser profiles on disk: their files outlast the browser."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext

from deploy import services
from tests.browser.conftest import FLAGS
from tests.browser.desk import PATIENCE

# The dialog that asks where to save stands outside the page: without it files go to the folder of downloads.
NO_DIALOG = "delete window.showSaveFilePicker"


@contextmanager
def opened(browser: Browser, origin: str, place: Path) -> Iterator[BrowserContext]:
    """Start Chromium with a profile on disk."""
    found = services.find_chromium()
    context = browser.browser_type.launch_persistent_context(
        place,
        executable_path=found.path,
        args=FLAGS,
        env={**os.environ, **found.environment},
        base_url=origin,
        locale="en-GB",
    )
    context.set_default_timeout(PATIENCE)
    context.add_init_script(NO_DIALOG)
    try:
        yield context
    finally:
        context.close()
