"""Waking a browser: an empty Web Push message (RFC 8030), signed as this server's own (VAPID, RFC 8292).

Nothing is ever put into such a message: there is nothing that a push service or a stolen subscription could
read. Addresses come from browsers, so only those of the push services that the operator names are asked, over
TLS, on public addresses, and no answer leads anywhere else.
"""

import base64
import ipaddress
import json
import logging
import re
import socket
import ssl
import time
from enum import Enum
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from network.errors import Invalid
from network.key_file import read_key_file

logger = logging.getLogger(__name__)

ENDPOINT_MOST = 1024
SECONDS_KEPT = 12 * 60 * 60  # by the push service, for a browser that is away
TOKEN_SECONDS = 12 * 60 * 60
ANSWER_SECONDS = 5.0
TOPIC = "news"  # a newer message takes the place of one that was not yet delivered
# What may be looked up: a longer or empty part of a name is an error of its own in Python.
_PART = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_PART}(?:\.{_PART})*")
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Outcome(Enum):
    """What came of a message."""

    TAKEN = "taken"
    GONE = "gone"  # the browser does not exist any more, or has taken its wish back
    LATER = "later"


def check_endpoint(endpoint: str) -> tuple[str, int]:
    """Return host and port of an address that a browser gave; raises `Invalid` for one not to be asked."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError as error:
        raise _unknown() from error
    is_plain = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint
    is_plain = is_plain and len(endpoint) <= ENDPOINT_MOST and "\\" not in endpoint
    if not is_plain or parts.scheme != "https" or "@" in parts.netloc or parts.fragment:
        raise _unknown()
    if not _HOST.fullmatch(host) or _is_address(host):
        raise _unknown()
    if not any(service.has(host, port) for service in settings.PUSH_SERVICES):
        raise _unknown()
    return host, port


def _unknown() -> Invalid:
    return Invalid(
        "unknown-push-service",
        _("This browser uses a push service that this network does not ask. Mail goes on coming."),
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.replace(".", "").isdigit()
    return True


def address_to_ask(host: str, port: int) -> str:
    """Return an address of a push service; raises `OSError` unless all it has are public.

    The connection goes to just this address: a name that means another one a moment later leads nowhere.
    """
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(_may_ask(address, host) for address in found):
        raise OSError("not a public address")
    return found[0]


def _may_ask(address: str, host: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if settings.PROFILE != "production" and host == "localhost":
        return parsed.is_loopback  # a push service of one's own, where the product is tried out
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_global and not parsed.is_multicast


@cache
def _private_key(file: Path) -> ec.EllipticCurvePrivateKey:
    seed = int.from_bytes(read_key_file(file, command="make_push_key"), "big")
    return ec.derive_private_key(seed % (ORDER_OF_P256 - 1) + 1, ec.SECP256R1())


def public_key() -> str:
    """Return this server's public key as browsers take it; raises `ImproperlyConfigured` without one."""
    key = _private_key(settings.PUSH_KEY_FILE).public_key()
    return _to_text(
        key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def authorization(endpoint: str, now: float) -> str:
    """Return the header by which a push service knows this server (RFC 8292, section 3)."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(now) + TOKEN_SECONDS,
        "sub": f"mailto:{settings.DEFAULT_FROM_EMAIL}",
    }
    head = {"typ": "JWT", "alg": "ES256"}
    signed = ".".join(_to_text(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    der = _private_key(settings.PUSH_KEY_FILE).sign(signed.encode("ascii"), ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(der)
    signature = _to_text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={public_key()}"


def wake(endpoint: str, *, is_urgent: bool) -> Outcome:
    """Send one empty message. Raises nothing: whatever cannot be sent now is tried later."""
    import httpx  # takes a twentieth of a start, and nothing is sent in it

    try:
        host, port = check_endpoint(endpoint)
        url = httpx.URL(endpoint).copy_with(host=address_to_ask(host, port), port=port)
    except (Invalid, httpx.InvalidURL):
        return Outcome.GONE  # the operator has taken this service from the list
    except (OSError, UnicodeError) as error:
        logger.warning("a push service cannot be found: %s", type(error).__name__)
        return Outcome.LATER
    headers = {
        "Host": urlsplit(endpoint).netloc,
        "Authorization": authorization(endpoint, time.time()),
        "Content-Length": "0",
        "TTL": str(SECONDS_KEPT),
        "Topic": TOPIC,
        "Urgency": "high" if is_urgent else "normal",
    }
    try:
        with (
            httpx.Client(
                verify=ssl.create_default_context(),
                trust_env=False,
                follow_redirects=False,
                timeout=ANSWER_SECONDS,
            ) as client,
            client.stream("POST", url, headers=headers, extensions={"sni_hostname": host}) as answer,
        ):
            return _outcome(answer.status_code)  # what it says besides is not read
    except (httpx.HTTPError, ssl.SSLError, OSError) as error:
        logger.warning("a push service does not answer: %s", type(error).__name__)
        return Outcome.LATER


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.TAKEN
    if status in {404, 410}:
        return Outcome.GONE
    logger.warning("a push service answered %d", status)
    return Outcome.LATER
