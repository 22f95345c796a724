"""Texts that every reader will take, checked before anything is sealed."""

from dataclasses import replace

from messaging.sdk.errors import InvalidMessage
from messaging.sealed.errors import Refused
from messaging.sealed.marks import in_order
from messaging.sealed.message import Plaintext, check_plaintext


def checked(plaintext: Plaintext) -> Plaintext:
    """Return what every reader will take; raises `InvalidMessage`."""
    ordered = replace(plaintext, marks=in_order(plaintext.marks))
    try:
        check_plaintext(ordered)
    except Refused as refused:
        raise InvalidMessage(
            "Nobody could read this message: a subject has at most 200 characters, a reference 100, a "
            "language 35, and the whole about 40,000 bytes; urgency is 0, 1 or 2, and it or a date wanted "
            "comes with a reason of at most 200 characters; of each group of marks there is at most one "
            f"({refused.detail})."
        ) from refused
    return ordered
