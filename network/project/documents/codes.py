"""Every refusal a program can meet, by status: its stable code and its sentence in English."""

from collections import defaultdict
from functools import cache

from django.utils.translation import override

from messaging.refusals import CONFLICTS, SENTENCES
from network import errors

# Refusals with the code of their own class.
CLASSES: tuple[type[errors.Refusal], ...] = (
    errors.Conflict,
    errors.ForeignForm,
    errors.Forbidden,
    errors.Invalid,
    errors.NotFound,
    errors.ProofNeeded,
    errors.SignedOut,
    errors.TooLarge,
    errors.TooMany,
    errors.Unavailable,
)
# Codes that are named where they are given: the sentence there is for the person, this one for programmers.
NAMED: dict[str, tuple[type[errors.Refusal], str]] = {
    "already-resumed": (errors.Invalid, "A socket is resumed once."),
    "bad-facts": (errors.Invalid, "What is said there is not so, or not complete."),
    "binary-frame": (errors.Invalid, "Frames are text."),
    "cannot-handle": (errors.Forbidden, "This person cannot read the thread, so cannot handle it."),
    "foreign-device": (errors.Forbidden, "The device that signed this is not your own."),
    "invalid-body": (errors.Invalid, "The body does not have its shape; see the schema."),
    "invalid-cursor": (errors.Invalid, "The place to go on from was not given out by this server."),
    "malformed-frame": (errors.Invalid, "Not strict JSON, or not a frame of this socket."),
    "only-supervisors": (errors.Forbidden, "A supervisor or administrator may do this."),
    "other-notification": (errors.Conflict, "A colleague has proposed this by another notification."),
    "role-not-held": (errors.Forbidden, "The device asks for a role that its person does not have."),
    "too-many-requests": (errors.TooMany, "Too many devices of this person wait already."),
    "unknown-command": (errors.NotFound, "No command has this name."),
    "wrong-reason": (errors.Invalid, "A hold names one of the known reasons."),
    "wrong-receipt": (errors.Invalid, "The receipt is not this server's for that item at that place."),
    "wrong-years": (errors.Invalid, "Closed cases are kept for 1 to 100 years."),
}


@cache
def codes_by_status() -> dict[int, dict[str, str]]:
    """Return status → code → sentence, sorted."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    with override("en"):
        for kind in CLASSES:
            found[kind.status][kind.default_code] = str(kind.default_sentence)
        for code, (kind, sentence) in NAMED.items():
            found[kind.status][code] = sentence
        for code, said in SENTENCES.items():
            kind = errors.Conflict if code in CONFLICTS else errors.Invalid
            found[kind.status][code] = str(said)
    return {status: dict(sorted(found[status].items())) for status in sorted(found)}


def table(codes: dict[str, str]) -> str:
    """Return the codes as a list in Markdown."""
    return "\n".join(f"- `{code}`: {sentence}" for code, sentence in codes.items())
