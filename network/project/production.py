"""What a start for real use refuses: each weak setting with a sentence, all of them at once."""

import ipaddress
import math
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

from network.push_services import Service

# Parts of keys that stand in examples, templates and other people's repositories.
KNOWN_SECRETS = (
    "insecure",
    "changeme",
    "change-me",
    "change_me",
    "secret",
    "password",
    "example",
    "default",
    "test",
)
SECRET_BITS = 128
DEBUG_NAMES = ("DEBUG", "DJANGO_DEBUG", "NETWORK_DEBUG", "PYTHONASYNCIODEBUG")
EXAMPLE_NAME = "network.example"
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Chosen:
    """The settings that can be weak."""

    secret: str
    origin: str
    name: str
    is_sqlite: bool
    processes: int
    redis_url: str
    mail_url: str
    proxies: Collection[IPv4Network | IPv6Network]
    environment: Mapping[str, str]
    push_services: Collection[Service] = ()


def weaknesses(chosen: Chosen) -> Iterator[str]:
    """Give a sentence for everything that must not be so where real correspondence is kept."""
    yield from weak_secret(chosen.secret)
    yield from weak_origin(chosen.origin)
    yield from weak_name(chosen.name)
    yield from weak_processes(chosen)
    yield from weak_mail(chosen.mail_url)
    yield from weak_proxies(chosen.proxies)
    yield from weak_push(chosen.push_services)
    for name in DEBUG_NAMES:
        if chosen.environment.get(name):
            yield f"{name} is set: nothing is debugged where real correspondence is kept. Unset it."


def entropy(text: str) -> float:
    """Return about how many bits of chance a text can hold, by how its characters are spread and repeated."""
    once = text[: (text + text).index(text, 1)]  # without what only repeats it
    spread = -sum(n / len(once) * math.log2(n / len(once)) for n in Counter(once).values())
    packed = len(zlib.compress(text.encode(), 9)) - 8  # its frame
    return min(len(once) * spread, packed * 6.0)


def weak_secret(secret: str) -> Iterator[str]:
    """Give what is wrong with the secret key."""
    make = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    if any(known in secret.lower() for known in KNOWN_SECRETS):
        yield f"NETWORK_SECRET_KEY looks like a key from an example. {make}"
    elif entropy(secret) < SECRET_BITS:
        yield f"NETWORK_SECRET_KEY can be guessed: it repeats itself. {make}"


def weak_origin(origin: str) -> Iterator[str]:
    """Give what is wrong with the address people type."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if parts.scheme != "https":
        yield "NETWORK_SITE_ORIGIN does not begin with https://: passkeys and sessions need TLS."
    if host in THIS_MACHINE or host.endswith(".localhost"):
        yield "NETWORK_SITE_ORIGIN names this machine: give the name under which others reach it."
    elif _is_address(host):
        yield "NETWORK_SITE_ORIGIN names an IP address: a passkey belongs to a name."
    elif "*" in host or "." not in host.strip("."):
        yield "NETWORK_SITE_ORIGIN must be one whole name, like https://network.example: no wildcard."
    if parts.path or parts.query or parts.fragment or parts.username:
        yield "NETWORK_SITE_ORIGIN is more than https://name or https://name:port."


def weak_name(name: str) -> Iterator[str]:
    """Give what is wrong with the network's name: what is signed for one network must not hold in another."""
    if name.startswith(EXAMPLE_NAME):
        yield (
            "NETWORK_ORIGIN_NAME is not set, or that of the example: give your network a name of its own, "
            "like network.justice.example/s1, and never change it: it stands in everything that is signed."
        )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.replace(".", "").isdecimal()
    return True


def weak_processes(chosen: Chosen) -> Iterator[str]:
    """Give what is wrong with how the processes share their database and their counts."""
    if chosen.is_sqlite and chosen.processes > 1:
        yield "NETWORK_PROCESSES is more than 1 with SQLite: several processes need PostgreSQL."
    if not chosen.redis_url and (chosen.processes > 1 or not chosen.is_sqlite):
        yield (
            "NETWORK_REDIS_URL is not set: several processes must count attempts to sign in together, "
            "and PostgreSQL says that there may be several."
        )


def weak_mail(url: str) -> Iterator[str]:
    """Give what is wrong with how mail is handed over."""
    parts = urlsplit(url)
    if not url:
        yield "NETWORK_MAIL_URL and NETWORK_MAIL_FROM are not set: invitations go out by mail."
    if parts.scheme == "smtp" and parts.hostname not in THIS_MACHINE:
        yield "NETWORK_MAIL_URL sends invitations in plain text: use smtps:// or smtp+starttls://."


def weak_proxies(proxies: Collection[IPv4Network | IPv6Network]) -> Iterator[str]:
    """Give what is wrong with whose word is believed about who asks; this server itself ends no TLS."""
    if not proxies:
        yield (
            "NETWORK_TRUSTED_PROXIES is not set: all who come through the proxy that ends TLS would count as "
            "one, so that a single stranger could use up everybody's attempts to sign in."
        )
    if any(proxy.prefixlen == 0 for proxy in proxies):
        yield "NETWORK_TRUSTED_PROXIES names every address: name the proxies, or anybody says who he is."


def weak_push(services: Collection[Service]) -> Iterator[str]:
    """Give what is wrong with who is asked to wake browsers."""
    for service in services:
        host = service.host.removeprefix("*.")
        if "." not in host or host in THIS_MACHINE or _is_address(host):
            yield f"NETWORK_PUSH_HOSTS names {service.host}, which is no public name of a push service."
