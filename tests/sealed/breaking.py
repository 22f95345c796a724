"""Runs the cases of a rule: each must be refused by that rule, with its code."""

from functools import cache

import pytest

from messaging.sealed.errors import Refused
from tests.sealed.cases.base import Case
from tests.sealed.cases.gathered import of_rule
from tests.vectors.make_python import make_base
from tests.vectors.replay import Replay


@cache
def replay() -> Replay:
    """The world of the tests, as the vectors carry it."""
    return Replay(make_base())


def breaks(rule: str) -> pytest.MarkDecorator:
    """The test runs once for each case of the rule."""
    return pytest.mark.parametrize("case", of_rule(rule), ids=str)


def assert_refused(case: Case) -> None:
    """That the case is refused by its rule with its code."""
    with pytest.raises(Refused) as caught:
        replay().attempt(case.as_json())
    assert (caught.value.rule, caught.value.code) == (case.rule, case.code)
