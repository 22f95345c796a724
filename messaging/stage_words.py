"""What stages and kinds of cases, facts and grounds are called, for pages and the documentation."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy

from messaging.refusals import OF_STEPS, SENTENCES
from messaging.sealed import stage_names
from messaging.sealed.marks import HANDLING
from network.errors import Sentence


def _words(names: Mapping[str, str]) -> Mapping[str, Sentence]:
    return {code: gettext_lazy(name) for code, name in names.items()}


STAGE_NAMES = _words(stage_names.STAGE_NAMES)
VARIANT_NAMES = _words(stage_names.VARIANT_NAMES)
FACT_NAMES = _words(stage_names.FACT_NAMES)
GROUND_NAMES = _words(stage_names.GROUND_NAMES)
OVERRIDE_NAMES = _words(stage_names.OVERRIDE_NAMES)
MARK_NAMES = _words(stage_names.MARK_NAMES)
# What an author may choose for a message, group by group.
MARK_CHOICES = [
    {"code": group, "name": name, "marks": [(mark, MARK_NAMES[mark]) for mark in HANDLING[group]]}
    for group, name in _words(stage_names.MARK_GROUP_NAMES).items()
]
CLOSING_NAMES: Mapping[str, Sentence] = {
    f"{kind}-{code}": name
    for kind, names in (
        ("outcome", _words(stage_names.OUTCOME_NAMES)),
        ("question", _words(stage_names.QUESTION_NAMES)),
        ("answer", _words(stage_names.ANSWER_NAMES)),
    )
    for code, name in names.items()
}
REQUEST_HINTS: Mapping[str, Sentence] = {
    "requesting_authority": gettext_lazy("Its name and address, and who can be asked about the request."),
    "proceeding": gettext_lazy(
        "The name and functions of the authority that investigates, prosecutes or tries."
    ),
    "summary": gettext_lazy("Not needed for the service of documents."),
    "persons": gettext_lazy("Where possible."),
    "purpose": gettext_lazy(
        "For example: as evidence in which trial, or to trace which proceeds. It is used for nothing else."
    ),
}
STEP_REFUSALS: Mapping[str, Sentence] = {code: SENTENCES[code] for code in OF_STEPS}
