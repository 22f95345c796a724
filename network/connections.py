"""From which address a request comes, also behind a proxy."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def connection_address(http_request: HttpRequest) -> str:
    """Return the address of whoever asks; empty where the server was not told any.

    A forwarded address counts only when the connection comes from a proxy of NETWORK_TRUSTED_PROXIES:
    anybody may write a header. It is read from its end, and the first address that is no such proxy is it.
    """
    address = str(http_request.META.get("REMOTE_ADDR", ""))
    forwarded = http_request.headers.get("X-Forwarded-For", "").split(",")
    while forwarded and _is_trusted(address):
        claimed = forwarded.pop().strip()
        if not _is_address(claimed):
            break
        address = claimed
    return address


def connection_network(http_request: HttpRequest) -> str:
    """Return what limits count by: the address, or of IPv6 the network of one household or office (/64).

    Whoever has such a network has 2**64 addresses, and would otherwise have a bucket with each of them.
    """
    address = connection_address(http_request)
    if not _is_address(address):
        return address
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return address


def _is_trusted(address: str) -> bool:
    return _is_address(address) and any(ip_address(address) in net for net in settings.TRUSTED_PROXIES)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
