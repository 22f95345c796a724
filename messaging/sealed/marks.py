"""Handling marks: what an author says about how a message is to be treated, in its sealed text (M5).

Of what a message has no mark for, nothing is said: it is neither called formal nor informal, and so on.
"""

from collections.abc import Sequence

from messaging.sealed.errors import Refused

OLD_CHECKPOINT = "old-checkpoint"
"""No choice of the author: urgent, and sealed on a log of more than a day ago (L4)."""
HANDLING = {
    # 18(14): what a request stands on; whatever came before it is no request.
    "status": ("informal", "advance-copy", "formal", "oral-confirmed"),
    # 18(20): fact and substance; 18(5), 18(19): what has to be disclosed is notified first.
    "confidence": ("confidential", "not-confidential"),
    # 18(19), 18(5).
    "use": ("lead-only", "stated-proceedings", "with-consent", "exculpatory"),
    # Who holds information of a third party passes it on only as that party allows.
    "onward": ("not-beyond", "executing-only", "named-bodies"),
    "personal": ("identity-data", "protected-persons"),
}
"""By group, in the order in which they stand in a message; at most one of each."""
MARKS = (OLD_CHECKPOINT, *(mark for group in HANDLING.values() for mark in group))


def in_order(marks: Sequence[str]) -> tuple[str, ...]:
    """As they stand in a message; what is no mark comes last, and is refused there."""
    return tuple(sorted(marks, key=lambda mark: MARKS.index(mark) if mark in MARKS else len(MARKS)))


def by_group(marks: Sequence[str]) -> list[tuple[str, str]]:
    """What the author chose, each mark with its group."""
    return [(group, mark) for group, names in HANDLING.items() for mark in names if mark in marks]


def check_marks(marks: Sequence[object]) -> tuple[str, ...]:
    """Known marks in their order, at most one of a group. Raises Refused M5 ``wrong-body``."""
    known = tuple(mark for mark in MARKS if mark in marks)
    if list(known) != list(marks):  # M5
        raise Refused("M5", "wrong-body", "unknown marks, one twice, or in another order")
    if any(len(set(group) & set(known)) > 1 for group in HANDLING.values()):  # M5
        raise Refused("M5", "wrong-body", "two marks of one group")
    return known
