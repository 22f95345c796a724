"""Pages and data travel compressed; the length of what is compressed tells nothing about a secret in it."""

import gzip
import re
from typing import Any

import httpx
import pytest
from django.test import Client

from tests.personas import Cast
from tests.server import Server

pytestmark = pytest.mark.any_database
COMPRESSED = {"Accept-Encoding": "gzip"}


def text_of(response: Any) -> str:
    assert response.headers["content-encoding"] == "gzip"
    return gzip.decompress(response.content).decode()


@pytest.mark.parametrize("path", ["/threads/", "/account/", "/api/authorities", "/audit/"])
def test_pages_and_data_are_compressed_for_who_can_read_that(cast: Cast, path: str) -> None:
    client = cast.supervisor_a.client()
    plain, small = client.get(path), client.get(path, headers=COMPRESSED)
    assert "content-encoding" not in plain.headers
    assert len(text_of(small)) > len(small.content)
    for response in (plain, small):
        assert "Accept-Encoding" in response.headers["vary"]
    assert int(small.headers["content-length"]) == len(small.content)


def test_the_same_page_has_another_length_each_time(cast: Cast) -> None:
    client = cast.supervisor_a.client()
    lengths = {len(client.get("/audit/", headers=COMPRESSED).content) for _ in range(20)}
    assert max(lengths) - min(lengths) > 10


def test_the_token_against_forged_forms_never_stands_in_two_pages(cast: Cast) -> None:
    client = cast.supervisor_a.client()
    tokens = [
        re.findall(r'(?:csrf-token" content|csrfmiddlewaretoken" value)="([^"]+)', text)
        for text in (text_of(client.get("/account/", headers=COMPRESSED)) for _ in range(3))
    ]
    assert all(tokens)
    assert not set(tokens[0]) & set(tokens[1])
    assert not set(tokens[1]) & set(tokens[2])


def test_another_site_cannot_make_a_browser_ask_in_somebodys_name(cast: Cast) -> None:
    client = Client(headers={"host": "localhost"})
    client.get("/sign-in/")
    client.post("/language/", {"language": "fr"})
    assert client.cookies
    assert {cookie["samesite"] for cookie in client.cookies.values()} == {"Strict"}


def test_a_real_server_sends_everything_compressed(live_server_process: Server) -> None:
    with httpx.Client(base_url=live_server_process.origin, trust_env=False) as http:
        page = http.get("/sign-in/", headers=COMPRESSED)
        assert page.headers["content-encoding"] == "gzip"
        files = re.findall(r'"(/static/[^"#]+\.(?:css|js|svg))[#"]', page.text)
        assert files
        for file in files:
            answer = http.get(file, headers={"Accept-Encoding": "gzip, br"})
            is_tiny = len(answer.content) < 400
            assert is_tiny or answer.headers.get("content-encoding") == "br", file
