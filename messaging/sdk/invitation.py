"""How a program gets its account: it accepts the invitation mailed for it, with a passkey of its own."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from messaging.sdk.errors import SignInFailed, Unreachable
from messaging.sdk.http import known_certificates
from messaging.sdk.passkey import SoftwarePasskey
from messaging.sdk.sign_in import check_available, forgery_token
from messaging.sealed.passphrase import COST

TIMEOUT_SECONDS = 30.0


async def accept_invitation(
    link: str, address: str, *, file: Path, passphrase: str, name: str, cost: int = COST
) -> SoftwarePasskey:
    """Make a passkey for an invitation and keep it in a new file; the invitation is used up.

    `link` is the whole link of the mail and `address` the one it was sent to; `name` is what the person's
    page calls the passkey. The recovery codes that a person would print are not fetched: a program that lost
    its file is invited again. Raises `SignInFailed` with the server's sentence, and `Unreachable`.
    """
    parts = urlsplit(link)
    origin, token = f"{parts.scheme}://{parts.netloc}", parts.fragment
    fields = {"token": token, "address": address, "name": name}
    async with httpx.AsyncClient(
        base_url=origin,
        timeout=TIMEOUT_SECONDS,
        headers={"Origin": origin},
        trust_env=False,
        verify=known_certificates(),
    ) as http:
        try:
            check_available(await http.get("/invitation/"))
            options = await _post(http, "/invitation/options/", {"fields": fields})
            passkey = SoftwarePasskey.make(origin, options)
            # Kept before it is announced: an invitation is used once.
            await asyncio.to_thread(passkey.keep, file, passphrase, cost=cost)
            credential = passkey.registration(options)
            await _post(http, "/invitation/accept/", {"credential": credential, "fields": fields})
        except httpx.TransportError as error:
            raise Unreachable(f"{origin} does not answer.") from error
    return passkey


async def _post(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Accept": "application/json", "X-CSRFToken": forgery_token(http) or ""}
    answer = await http.post(path, json=body, headers=headers)
    check_available(answer)
    found: dict[str, Any] = answer.json()
    if answer.status_code != httpx.codes.OK:
        raise SignInFailed(found["error"]["message"])
    return found
