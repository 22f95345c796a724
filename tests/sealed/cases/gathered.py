"""All cases, in the order of the rules."""

from tests.sealed.cases import changes, formats, keyring_changes, keyrings, messages, steps, threads
from tests.sealed.cases.base import CASES, Case

__all__ = ["CASES", "MODULES", "of_rule"]

MODULES = (formats, keyrings, keyring_changes, threads, messages, changes, steps)


def of_rule(rule: str) -> list[Case]:
    """The cases of a rule."""
    found = [case for case in CASES if case.rule == rule]
    assert found
    return found
