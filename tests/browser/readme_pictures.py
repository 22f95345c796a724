"""The pictures of the README: which page, language, size and colours; the walker makes each of them.

Where the looks have changed: run `deploy/test`, look at `build/screenshots/readme/`, and copy them to
`deploy/pictures/`.
"""

from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent.parent
COMMITTED = ROOT / "deploy" / "pictures"
MADE = ROOT / "build" / "screenshots" / "readme"
# (page, language, size, colours) → the name of the picture: what is in the window, not the whole page.
README_PICTURES = {
    ("start", "en", "desktop", "light"): "start",
    ("thread", "en", "desktop", "light"): "thread",
    ("directory", "en", "desktop", "light"): "directory",
    ("start", "ar", "desktop", "dark"): "start-arabic",
}


def keep_for_readme(page: Page, name: str, language: str, size: str, scheme: str) -> None:
    """Make the picture for the README if this is one of them."""
    if picture := README_PICTURES.get((name, language, size, scheme)):
        MADE.mkdir(parents=True, exist_ok=True)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=MADE / f"{picture}.png", animations="disabled")
