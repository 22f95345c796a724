"""The numbered rules of the sealed protocol: in the document, at the check and in a test's name."""

import re
from collections.abc import Iterable

from tests.architecture.sources import matching, report, text

RULE = r"[EKTM]\d{1,2}"
COMMENT = re.compile(rf"(?:#|//|^\s*\*)[^\n]*?\b({RULE}(?:(?:, | and |/){RULE})*)\b", re.MULTILINE)
# By the function's name, or by the name of a case that it is given.
PYTHON_TEST = re.compile(rf"def test_((?:[ektm]\d{{1,2}}_)+)|[\"']({RULE}(?:(?:, | and |/){RULE})*)[ \"':]")
CLIENT_TEST = re.compile(rf"(?:test|it|describe)\(\s*['\"`]({RULE}(?:(?:, | and |/){RULE})*)\b")


def rules(pattern: re.Pattern[str], sources: Iterable[str]) -> set[str]:
    """Return the rule numbers in what a pattern finds."""
    found = (match[0] for source in sources for match in pattern.finditer(source))
    numbers = (
        number for match in found for number in re.findall(r"(?<![a-zA-Z])[ektm]\d+", match, re.IGNORECASE)
    )
    return {number.upper() for number in numbers}


def rules_of_vectors() -> set[str]:
    """Return the rules that the shared vectors break; the client names a test after each row's rule."""
    assert "test(`${row.rule} " in text("messaging/client/tests/sealed/vectors.test.ts")
    rows = map(text, matching(".json", below=["tests/vectors/"]))
    return {rule for row in rows for rule in re.findall(rf'"rule":\s*"({RULE})"', row)}


def missing(rules_there: set[str], rules_here: set[str], where: str) -> list[str]:
    """Return a sentence for each rule that is checked but absent elsewhere, in order."""
    return [f"{rule} is checked, but not in {where}" for rule in sorted(rules_there - rules_here)]


def test_rules_are_documented_checked_and_tested_under_one_number() -> None:
    python = rules(COMMENT, map(text, matching(".py", below=["messaging/sealed/"])))
    client = rules(COMMENT, map(text, matching(".ts", below=["messaging/client/src/sealed/"])))
    documented = set(re.findall(rf"\b{RULE}\b", text("messaging/PROTOCOL.md")))
    python_tests = rules(PYTHON_TEST, map(text, matching(".py", below=["tests/sealed/", "tests/messaging/"])))
    client_tests = rules(CLIENT_TEST, map(text, matching(".ts", below=["messaging/client/tests/"])))
    client_tests |= rules_of_vectors()
    assert python
    assert client
    assert not report(
        [
            *missing(python | client, documented, "messaging/PROTOCOL.md"),
            *missing(python, python_tests, "the name of a Python test"),
            *missing(client, client_tests, "the name of a client test"),
        ]
    )


def test_a_rule_is_recognised_where_it_stands() -> None:
    assert rules(COMMENT, ["x()  # K4, K5: one device", "  // T7", "y = 1"]) == {"K4", "K5", "T7"}
    assert rules(PYTHON_TEST, ["def test_k4_a_device_is_listed_once():"]) == {"K4"}
    assert rules(CLIENT_TEST, ["test('M5, M7 kinds match', () => {"]) == {"M5", "M7"}
    assert missing({"K4"}, set(), "x") == ["K4 is checked, but not in x"]
