"""Every refusal the network gives: a stable code for machines, a sentence for the human."""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Sentence = str | Promise


class Refusal(Exception):
    """A command or page that cannot be carried out, and why. Nothing was changed."""

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "refused"
    default_sentence: ClassVar[Sentence] = _("This cannot be done.")

    def __init__(self, code: str | None = None, sentence: Sentence | None = None) -> None:
        self.code = code or self.default_code
        # Not `or`: a lazy sentence would be translated here, and settings parse addresses before that can be.
        self.sentence = self.default_sentence if sentence is None else sentence
        super().__init__(self.code)

    def as_body(self) -> dict[str, dict[str, str]]:
        """Return the body sent to a client: `{"error": {"code", "message"}}`."""
        return {"error": {"code": self.code, "message": str(self.sentence)}}


class Invalid(Refusal):
    """What was sent does not have the shape or follow the rules it must."""

    status = 422
    default_code = "invalid"
    default_sentence = _("What was sent is not valid, so nothing was changed.")


class SignedOut(Refusal):
    """Nobody is signed in, or the sign-in has ended."""

    status = 401
    default_code = "signed-out"
    default_sentence = _("You are signed out. Sign in again to go on; what you wrote is kept on this device.")


class Forbidden(Refusal):
    """The object may be seen, but not so used."""

    status = 403
    default_code = "forbidden"
    default_sentence = _("Your role does not allow this.")


class ProofNeeded(Forbidden):
    """The act is dangerous and the last proof of who asks is too old: prove it again, then repeat the act."""

    default_code = "proof-needed"
    default_sentence = _("Confirm with your passkey that it is you, then this is done.")


class ForeignForm(Forbidden):
    """The request carries no proof that it comes from a page of this site."""

    default_code = "csrf"
    default_sentence = _(
        "This form was open for too long or came from elsewhere. Load the page again and repeat it."
    )


class NotFound(Refusal):
    """It is not there, or the actor may not know that it is: the answer is the same."""

    status = 404
    default_code = "not-found"
    default_sentence = _("This does not exist, or you may not see it.")


class Conflict(Refusal):
    """Somebody else was first: look again, then decide."""

    status = 409
    default_code = "conflict"
    default_sentence = _("This was changed by somebody else in the meantime. Look again, then repeat it.")


class TooLarge(Refusal):
    """More bytes than this door takes."""

    status = 413
    default_code = "too-large"
    default_sentence = _("This is larger than can be sent here.")


class TooMany(Refusal):
    """Slowed, not locked: wait and repeat."""

    status = 429
    default_code = "too-many"
    default_sentence = _("Too much at once. Wait a moment and try again.")


class Unavailable(Refusal):
    """The server cannot do this now. What was acknowledged before is safe."""

    status = 503
    default_code = "unavailable"
    default_sentence = _(
        "The server cannot do this at the moment. Try again in a minute; messages that wait on this device "
        "are sent by themselves."
    )


class SignInFailed(Forbidden):
    """Not let in. Unknown, suspended, wrong, too late: the answer is the same, so that it tells nothing."""

    default_code = "sign-in-failed"
    default_sentence = _(
        "This did not work, and nothing more can be said about why. Try again; if it goes on, speak with an "
        "administrator of your authority."
    )
