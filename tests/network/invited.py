"""Inviting and accepting as people do it: through the pages, with the link out of the mail."""

import re
from typing import Any

from django.conf import settings
from django.test import Client

from messaging.sdk.passkey import SoftwarePasskey
from network.actions.invitations import invite
from network.actions.mail import message_of
from network.models import Invitation, OutgoingMail, Role
from tests.personas import Persona

ADDRESS = "new.officer@authority.example"
SYNCED = 0x01 | 0x04 | 0x08 | 0x10  # present, verified, may be copied, was copied


def invited(by: Persona, *roles: Role, address: str = ADDRESS, **facts: Any) -> str:
    """Invite into the persona's own authority and return the token out of the mail."""
    actor = by.actor
    wanted = {
        "authority_id": actor.authority_id,
        "name": "New Officer",
        "office": "Division 1",
        "language": "en",
    }
    invite(actor, address=address, roles=roles or [Role.OFFICER], **{**wanted, **facts})
    return token_of_newest_mail()


def token_of_newest_mail() -> str:
    """Return the token in the link of the mail that was written last."""
    body = str(message_of(OutgoingMail.objects.filter(kind="invitation").latest("written_at")).body)
    found = re.search(r"/invitation/#([A-Za-z0-9_-]+)", body)
    assert found, body
    return found[1]


def newest() -> Invitation:
    """Return the invitation that was sent last."""
    return Invitation.objects.latest("sent_at")


def browser(address: str = "192.0.2.1") -> Client:
    """Return the browser of somebody without an account; `address` is where the connection comes from."""
    return Client(headers={"host": "localhost", "accept": "application/json"}, REMOTE_ADDR=address)


def post_json(client: Client, path: str, body: object) -> Any:
    """Send what the page's script sends."""
    return client.post(path, body, content_type="application/json")


def begin(client: Client, token: str, address: str = ADDRESS) -> Any:
    """Ask what the browser needs to make a passkey."""
    return post_json(client, "/invitation/options/", {"fields": {"token": token, "address": address}})


def finish(client: Client, token: str, credential: object, address: str = ADDRESS) -> Any:
    """Send the passkey that was made."""
    fields = {"token": token, "address": address, "name": "Office computer"}
    return post_json(client, "/invitation/accept/", {"credential": credential, "fields": fields})


def accept(client: Client, token: str, address: str = ADDRESS, *, flags: int = 0x05) -> Any:
    """Accept with a new passkey and return the last answer; fails where not even options are given."""
    options = begin(client, token, address)
    if options.status_code != 200:
        return options
    passkey = SoftwarePasskey.make(settings.SITE_ORIGIN, options.json(), flags=flags)
    return finish(client, token, passkey.registration(options.json()), address)


def code_of(response: Any) -> tuple[int, str]:
    """Return status and error code of a refusal."""
    return response.status_code, response.json()["error"]["code"]
