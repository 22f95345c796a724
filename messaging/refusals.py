"""Turns a broken rule of the sealed protocol into a refusal with a sentence for the human."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _

from messaging.sealed.errors import Refused
from network.errors import Conflict, Invalid, Refusal, Sentence

_DAMAGED = _("What was sent is damaged, so nothing was changed.")
_MOVED_ON = _("The correspondence has moved on in the meantime. Load it anew, then send it again.")
_NOT_LISTED = _("This device is not listed for your authority. A supervisor can add it.")
_NOT_MEMBERS = _("The keys sent along do not fit the members, so nothing was changed.")
_OTHER_PLACE = _("This belongs to another correspondence.")
_WEAK_KEY = _("A key that was sent is not safe, so nothing was changed. Set this device up again.")

SENTENCES: dict[str, Sentence] = {
    "approval-needed": _("A second supervisor must approve this first."),
    "bad-encoding": _DAMAGED,
    "bad-envelope-size": _NOT_MEMBERS,
    "bad-kem-key": _WEAK_KEY,
    "bad-signature": _("The signature does not hold, so nothing was changed."),
    "bad-statement": _DAMAGED,
    "beyond-the-end": _("The correspondence does not go that far."),
    "clock-ahead": _("The clock of this device is wrong. Set it right, then try again."),
    "counter-gap": _(
        "A message of this device is missing before this one. Reload the page and send it again."
    ),
    "device-not-requested": _("A device can be added only while its request is waiting."),
    "id-reused": _("Another message was already sent under this number. Write it again."),
    "keyring-exists": _("Your authority has a keyring already."),
    "no-keyring": _("Your authority has no keyring yet. A supervisor creates it once."),
    "not-a-member": _("Your authority has no part in this correspondence."),
    "not-a-steward": _("Only a device that keeps the keyring can add others."),
    "reused-key": _("These keys were used before. Set this device up again."),
    "stale-author-keyring": _MOVED_ON,
    "stale-epoch": _MOVED_ON,
    "stale-keyring": _MOVED_ON,
    "stale-member-keyring": _MOVED_ON,
    "stale-transcript": _MOVED_ON,
    "standing-ended": _("The person of this device no longer acts for your authority."),
    "statement-differs": _("The device names another person, name or office than your own."),
    "thread-exists": _("This correspondence is open already."),
    "unlisted-device": _NOT_LISTED,
    "weak-signing-key": _WEAK_KEY,
    "wrong-cipher": _DAMAGED,
    "wrong-kind": _("An authority can create only a keyring of its own."),
    "wrong-network": _("This was made for another network, so nothing was changed."),
    "wrong-principal": _("This was made for another authority."),
    "wrong-recipients": _NOT_MEMBERS,
    "wrong-sealed": _NOT_MEMBERS,
    "wrong-thread": _OTHER_PLACE,
}
GENERAL: Sentence = _("This does not follow the rules of sealed correspondence, so nothing was changed.")

# Somebody else was first, or stands there already: look again, then decide.
CONFLICTS = frozenset(
    {
        "id-reused",
        "keyring-exists",
        "no-keyring",
        "stale-author-keyring",
        "stale-epoch",
        "stale-keyring",
        "stale-member-keyring",
        "stale-transcript",
        "thread-exists",
    }
)


def refusal(code: str) -> Refusal:
    """Return the refusal with this code and its sentence: 409 where looking again helps, else 422."""
    kind = Conflict if code in CONFLICTS else Invalid
    return kind(code, SENTENCES.get(code, GENERAL))


@contextmanager
def protocol_rules() -> Iterator[None]:
    """Turn a `Refused` of the sealed protocol into a `Refusal` with the same code."""
    try:
        yield
    except Refused as refused:
        raise refusal(refused.code) from refused
