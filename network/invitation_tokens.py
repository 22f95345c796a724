"""The token in an invitation's link: which invitation it is, and a signature over everything it grants.

It is made anew from the row whenever a mail is written and is stored nowhere: whoever reads the database can
neither use an invitation nor make one, and a row that was changed fits no token.
"""

import base64
import json
import re
import uuid

from django.conf import settings
from django.utils.crypto import constant_time_compare

from network.field_encryption import authenticate
from network.models import Invitation

# 16 bytes of the id and 32 of the signature: 64 characters, so that each spelling is another token.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{64}")
ID_SIZE = 16


def make_token(invitation: Invitation) -> str:
    """Return the token of an invitation."""
    return base64.urlsafe_b64encode(invitation.id.bytes + _signature(invitation)).decode("ascii")


def make_link(invitation: Invitation) -> str:
    """Return the link that is mailed. What stands behind # is never sent to a server, so no log keeps it."""
    return f"{settings.SITE_ORIGIN}/invitation/#{make_token(invitation)}"


def id_of(token: str) -> uuid.UUID | None:
    """Return the id a token speaks of, or None for what is no token; proves nothing yet."""
    if not _TOKEN.fullmatch(token):
        return None
    return uuid.UUID(bytes=base64.urlsafe_b64decode(token)[:ID_SIZE])


def is_genuine(token: str, invitation: Invitation) -> bool:
    """Answer whether the token is the one of exactly this invitation as it stands."""
    return constant_time_compare(token, make_token(invitation))


def _signature(invitation: Invitation) -> bytes:
    signed = [
        invitation.id.hex,
        invitation.authority_id.hex,
        invitation.person_id.hex if invitation.person_id else None,
        invitation.address_index,
        sorted(invitation.roles),
        invitation.until_at.isoformat(),
    ]
    return authenticate("invitation", json.dumps(signed).encode())
