"""Model texts that officers begin from: polite, short, with the article they rest on, in six languages.

What stands in brackets the officer fills in. A model text moves no case: that is done by a step.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from network.errors import Sentence


@dataclass(frozen=True)
class Letter:
    """What a model text is for, and the text."""

    name: Sentence
    text: Sentence


LETTERS: Mapping[str, Letter] = {
    "acknowledge": Letter(
        _("Acknowledge receipt"),
        _(
            "We acknowledge receipt of your request of [date]. It is handled by [name and office].\n\n"
            "We will write to you by [date] on how it goes on."
        ),
    ),
    "more": Letter(
        _("Ask for more information"),
        _(
            "To execute your request of [date] we need the following (article 18(16) of the "
            "Convention):\n\n"
            "1. [what is needed, and for which measure]\n\n"
            "Please answer by [date]. If you cannot supply all of it by then, tell us what you can supply "
            "and when."
        ),
    ),
    "consult": Letter(
        _("Consult before a decision"),
        _(
            "Before we decide on your request of [date] we consult you (article 18(26) of the "
            "Convention).\n\n"
            "We see this difficulty: [facts and ground]. The assistance could be given on these "
            "conditions: [conditions].\n\n"
            "Please tell us by [date] whether you agree, or what you propose instead."
        ),
    ),
    "postpone": Letter(
        _("Explain a postponement"),
        _(
            "We have to postpone the execution of your request of [date], because it would interfere with "
            "an ongoing investigation, prosecution or judicial proceeding (article 18(25) of the "
            "Convention).\n\n"
            "We will look at it again on [date]. What can be done before then: [parts]."
        ),
    ),
    "refuse": Letter(
        _("Explain a refusal"),
        _(
            "We cannot give the assistance that you asked for on [date]. Our reasons (article 18(21) and "
            "(23) of the Convention): [ground and reasons].\n\n"
            "What remains possible: [alternatives]. We are ready to speak about it."
        ),
    ),
    "progress": Letter(
        _("Ask how a request stands"),
        _(
            "Please tell us how the execution of our request of [date] stands, and when we may expect its "
            "result (article 18(24) of the Convention).\n\n"
            "If anything is missing on our side, we will supply it at once."
        ),
    ),
    "close": Letter(
        _("Thank and close"),
        _(
            "With your answer of [date] our request is executed, and we close the case. We thank you for "
            "the assistance.\n\n"
            "The material is used only for [purpose], as agreed."
        ),
    ),
}


def letters_in(language: str) -> dict[str, str]:
    """Return every model text in a language, by its code."""
    with override(language):
        return {code: str(letter.text) for code, letter in LETTERS.items()}
