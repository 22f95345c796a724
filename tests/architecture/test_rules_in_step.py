"""The rules of sealed correspondence: PROTOCOL.md, both implementations and the tests name the same ones."""

import ast
import json
import re
from pathlib import Path

from tests.architecture.sources import ROOT

PROTOCOL = (ROOT / "messaging/PROTOCOL.md").read_text(encoding="utf-8")
PYTHON = sorted((ROOT / "messaging/sealed").glob("*.py"))
TYPESCRIPT = sorted((ROOT / "messaging/client/src/sealed").glob("*.ts"))
TESTS = sorted((ROOT / "tests/sealed").glob("test_*.py"))
SERVER_TESTS = sorted((ROOT / "tests/messaging").glob("test_*.py"))
CLIENT_TESTS = sorted((ROOT / "messaging/client/tests").rglob("*.test.ts"))
VECTORS = ROOT / "tests/vectors"
NUMBER = r"[EKLMRT]\d{1,2}"
ROW = re.compile(rf"^\| ({NUMBER}) \| .* \| ((?:server|client)[a-z ]*) \|$", re.MULTILINE)
CODES = re.compile(rf"^\| ({NUMBER}) \| ([a-z0-9-]+(?:, [a-z0-9-]+)*) \|$", re.MULTILINE)
PYTHON_COMMENT = re.compile(r"#[^\n]*$", re.MULTILINE)
TYPESCRIPT_COMMENT = re.compile(r"/\*(?:.|\n)*?\*/|//[^\n]*")
# Rules that have no refusal: they are what the other code is built of.
WITHOUT_REFUSAL = {"E3", "E4", "M8"}
# What only a server refuses, and what only the SDK's device file knows.
PYTHON_ONLY = {"stale-member-keyring", "bad-device-file"}


def demanded(by: str) -> set[str]:
    """The rules that the document says are checked by the server or the client."""
    return {rule for rule, who in ROW.findall(PROTOCOL) if by in who}


def named(paths: list[Path], comment: re.Pattern[str]) -> set[str]:
    """The rules named in comments."""
    comments = "\n".join(found for path in paths for found in comment.findall(path.read_text("utf-8")))
    return set(re.findall(rf"\b({NUMBER})\b", comments))


def text_of(paths: list[Path]) -> str:
    return "\n".join(path.read_text("utf-8") for path in paths)


def rules_with_a_test(paths: list[Path]) -> set[str]:
    """The rules in the names of tests."""
    names = re.findall(r"^(?:async )?def test_((?:[eklmrt]\d+_)+)", text_of(paths), re.MULTILINE)
    return {rule.upper() for name in names for rule in name.split("_") if rule}


def rules_broken_in_typescript() -> set[str]:
    """The rules in the names of the browser client's tests, and of the refused vectors it replays."""
    names = re.findall(rf"^\s*test\([`'\"]((?:{NUMBER} )+)", text_of(CLIENT_TESTS), re.MULTILINE)
    vectors = json.loads((VECTORS / "python.json").read_text("utf-8"))["refused"]
    stories = json.loads((VECTORS / "logs/python.json").read_text("utf-8"))["stories"]
    said = {step["said"].split()[0] for story in stories for step in story["steps"] if step.get("said")}
    return {rule for name in names for rule in name.split()} | {row["rule"] for row in vectors} | said


def raised() -> set[tuple[str, str]]:
    """(rule, code) of every Refused made with both written out."""
    found: set[tuple[str, str]] = set()
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused":
                rule, code = node.args[:2]
                if isinstance(rule, ast.Constant) and isinstance(code, ast.Constant):
                    found.add((str(rule.value), str(code.value)))
    return found


def documented() -> dict[str, list[str]]:
    """The table of codes."""
    return {rule: codes.split(", ") for rule, codes in CODES.findall(PROTOCOL)}


def test_the_document_is_read() -> None:
    assert {"E1", "K10", "T8", "M9"} <= demanded("client")
    assert {"E1", "K1", "T4", "M2"} <= demanded("server")
    assert not demanded("server") - demanded("client")
    assert {"wrong-body", "wrong-plain"} <= set(documented()["M5"])


def test_python_names_exactly_the_rules_of_the_document() -> None:
    assert named(PYTHON, PYTHON_COMMENT) == demanded("client")


def test_typescript_names_exactly_the_client_s_rules() -> None:
    assert TYPESCRIPT
    assert named(TYPESCRIPT, TYPESCRIPT_COMMENT) == demanded("client")


def test_every_rule_is_broken_in_python() -> None:
    assert rules_with_a_test(TESTS) == demanded("client")


def test_every_rule_is_broken_in_typescript() -> None:
    assert rules_broken_in_typescript() == demanded("client")


def test_every_rule_of_the_server_is_broken_at_its_door() -> None:
    assert rules_with_a_test(SERVER_TESTS) >= demanded("server")


def test_every_refusal_is_documented_and_no_other() -> None:
    table = {(rule, code) for rule, codes in documented().items() for code in codes}
    assert raised() <= table
    assert {rule for rule, _ in table} == demanded("client") - WITHOUT_REFUSAL
    assert all(codes == sorted(codes) for codes in documented().values())


def test_both_implementations_know_every_code() -> None:
    codes = {code for row in documented().values() for code in row}
    python = "\n".join(path.read_text("utf-8") for path in PYTHON)
    typescript = "\n".join(path.read_text("utf-8") for path in TYPESCRIPT)
    assert not {code for code in codes if f'"{code}"' not in python}
    assert {code for code in codes if f"'{code}'" not in typescript} == PYTHON_ONLY
