"""An authenticator for tests: the SDK's software passkey, spoken to through the public door."""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from messaging.sdk.passkey import PRESENT, VERIFIED, SoftwarePasskey
from network.field_encryption import index_field, seal_field
from network.models import Person
from tests.personas import Persona

JSON = "application/json"
# What a browser's virtual key says of itself: it may be copied to other devices, and is.
COPIED = PRESENT | VERIFIED | 0x08 | 0x10


def browser(network_address: str = "") -> Client:
    """Return a browser without scripts in which nobody is signed in, at a network address of its own."""
    address = network_address or f"2001:db8:{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}::1"
    return Client(headers={"host": "localhost"}, REMOTE_ADDR=address)


def own_address(persona: Persona) -> str:
    """Give a persona a mail address that no other test has spent the limits of."""
    assert persona.membership
    address = f"{uuid.uuid4().hex}@authority.example"
    Person.objects.filter(id=persona.membership.person_id).update(
        address_index=index_field("person.address", address),
        address_sealed=seal_field("person.address", address),
    )
    return address


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    """Post JSON as `passkey.js` does."""
    return client.post(path, json.dumps(body), content_type=JSON, headers={"accept": JSON})


def enrol(
    persona: Persona, *, flags: int = PRESENT | VERIFIED, client: Client | None = None
) -> SoftwarePasskey:
    """Add a passkey to a persona who is signed in, on the account page."""
    client = client or persona.client()
    options = post(client, "/account/passkeys/options/", {}).json()
    passkey = SoftwarePasskey.make(settings.SITE_ORIGIN, options, flags=flags)
    answer = post(client, "/account/passkeys/", offered(passkey, options))
    assert answer.status_code == 200, answer.content
    return passkey


def offered(passkey: SoftwarePasskey, options: dict[str, Any], name: str = "Key") -> dict[str, Any]:
    """Return what a page sends to add a passkey."""
    return {"credential": passkey.registration(options), "fields": {"name": name}}


def sign_in(passkey: SoftwarePasskey, client: Client | None = None, **fields: str) -> tuple[Client, Any]:
    """Sign in with a passkey; returns the browser and the answer."""
    client = client or browser()
    options = post(client, "/sign-in/passkey/options/", {}).json()
    body = {"credential": passkey.assertion(options), "fields": fields}
    return client, post(client, "/sign-in/passkey/", body)


def prove(passkey: SoftwarePasskey, client: Client) -> HttpResponse:
    """Prove again with a passkey."""
    options = post(client, "/sign-in/again/options/", {}).json()
    found: HttpResponse = post(
        client, "/sign-in/again/passkey/", {"credential": passkey.assertion(options), "fields": {}}
    )
    return found


def carried(page: str) -> Iterator[tuple[str, str]]:
    """Give the names and values of the hidden inputs of a page's carried form."""
    form = page[page.index('id="carried-form"') :]
    yield from re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
