"""Limits and the list of sign-ins speak of who asks, not of the proxy in between."""

from ipaddress import ip_network

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings

from network.connections import connection_address, connection_network
from tests.personas import Cast, fill_buckets

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("peer", "forwarded", "wanted"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not from a proxy: anybody may write a header
        ("10.0.0.5", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.5", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # what a client wrote stands to the left
        ("10.0.0.5", "198.51.100.1, 10.0.0.6", "198.51.100.1"),  # two proxies
        ("10.0.0.5", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "unknown", "10.0.0.5"),
        ("10.0.0.5", "198.51.100.1, <script>", "10.0.0.5"),
        ("", "198.51.100.1", ""),
    ],
)
def test_the_address_of_who_asks(settings: Settings, peer: str, forwarded: str, wanted: str) -> None:
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    http_request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)
    assert connection_address(http_request) == wanted


@pytest.mark.parametrize(
    ("peer", "wanted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.9"),
        ("", ""),
    ],
)
def test_limits_count_an_ipv6_network_as_one(peer: str, wanted: str) -> None:
    assert connection_network(RequestFactory().get("/", REMOTE_ADDR=peer)) == wanted


@pytest.mark.django_db(transaction=True)
def test_whoever_is_signed_in_has_no_second_bucket_for_guessing(cast: Cast) -> None:
    address = "2001:db8:aaaa:bbbb::"
    body = {"address": "nobody@authority.example", "password": "x" * 12, "code": "000000"}
    fill_buckets()
    tried = []
    for n in range(31):
        client = cast.officer_a.client() if n % 2 else Client(headers={"host": "localhost"})
        answer = client.post(
            "/sign-in/code/", {**body, "address": f"n{n}@authority.example"}, REMOTE_ADDR=f"{address}{n}"
        )
        tried.append(answer.status_code)
    assert tried == [*[403] * 30, 429]
