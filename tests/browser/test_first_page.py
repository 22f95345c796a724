"""The first page in a real browser: it is there, it asks nobody else, its policy stops nothing of its own."""

from playwright.sync_api import Page

from tests.server import Server


def test_anybody_sees_the_sign_in_page_without_a_foreign_request(
    page: Page, live_server_process: Server
) -> None:
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/sign-in/")
    assert page.get_by_role("heading", level=1).is_visible()
    assert [url for url in requests if not url.startswith(live_server_process.origin)] == []
    assert complaints == []
