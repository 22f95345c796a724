"""Turns a broken rule of the sealed protocol into a refusal with a sentence for the human."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _

from messaging.sealed.errors import Refused
from network.errors import Conflict, Invalid, Refusal, Sentence

_OUT_OF_DATE = _("The correspondence has moved on. It is loaded anew and sent again by itself.")
_DEVICE = _("This device is not listed for your authority. Ask a supervisor to add it.")

SENTENCES: dict[str, Sentence] = {
    "bad-encoding": _("What was sent is damaged. Nothing was changed."),
    "bad-envelopes": _("The keys sent along do not fit the members. Nothing was changed."),
    "bad-signature": _("The signature does not hold. Nothing was changed."),
    "id-reused": _("Another message was already sent under this number. Write it again."),
    "key-reused": _("These keys were used before. Set this device up again."),
    "approval-needed": _("A second supervisor must approve this."),
    "stale-epoch": _OUT_OF_DATE,
    "stale-keyring": _OUT_OF_DATE,
    "unknown-device": _DEVICE,
    "wrong-network": _("This was made for another network. Nothing was changed."),
}
GENERAL: Sentence = _("This does not follow the rules of sealed correspondence, so nothing was changed.")

# Somebody else was first, or the sender must look again: worth another try after loading anew.
CONFLICTS = frozenset({"stale-epoch", "stale-keyring", "id-reused"})


def refusal_of(refused: Refused) -> Refusal:
    """Return the refusal with the same code: 409 where looking again helps, else 422."""
    kind = Conflict if refused.code in CONFLICTS else Invalid
    return kind(refused.code, SENTENCES.get(refused.code, GENERAL))


def conflict(code: str) -> Conflict:
    """Return the conflict with this code and its sentence."""
    return Conflict(code, SENTENCES.get(code))


@contextmanager
def protocol_rules() -> Iterator[None]:
    """Turn a `Refused` of the sealed protocol into a `Refusal`."""
    try:
        yield
    except Refused as refused:
        raise refusal_of(refused) from refused
