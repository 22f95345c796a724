"""How long functions and modules are. Growth shows in the failure text; split before it fails."""

import ast
from statistics import median

from tests.architecture.sources import APPS, functions, matching, report, text, tree

MEDIAN_BELOW = 10
MOST_BELOW, MOST_SHARE = 40, 0.95
NONE_ABOVE = 70
MODULE_MOST = 500


def lengths(path: str, module: ast.AST) -> list[tuple[int, str]]:
    """Return (lines, where) of each function, from its def line to its last."""
    return [
        (
            (function.end_lineno or function.lineno) - function.lineno + 1,
            f"{path}:{function.lineno} {function.name}",
        )
        for function in functions(module)
    ]


def test_functions_are_short() -> None:
    folders = [*(f"{app}/" for app in APPS), "deploy/"]
    found = [entry for path in matching(".py", below=folders) for entry in lengths(path, tree(path))]
    sizes = sorted(lines for lines, _ in found)
    longest = report(f"{lines} lines: {where}" for lines, where in sorted(found, reverse=True)[:10])
    assert median(sizes) < MEDIAN_BELOW, f"median {median(sizes)}\n{longest}"
    short = sum(size < MOST_BELOW for size in sizes) / len(sizes)
    assert short >= MOST_SHARE, f"{short:.1%} are below {MOST_BELOW} lines\n{longest}"


def test_no_function_is_long() -> None:
    found = [entry for path in matching(".py") for entry in lengths(path, tree(path))]
    assert not report(f"{lines} lines: {where}" for lines, where in found if lines > NONE_ABOVE)


def test_no_module_is_long() -> None:
    sizes = {path: text(path).count("\n") for path in matching(".py", ".ts", ".mjs", ".css", ".html")}
    assert not report(f"{lines} lines: {path}" for path, lines in sizes.items() if lines > MODULE_MOST)


def test_a_function_is_measured_from_its_first_to_its_last_line() -> None:
    source = "def long():\n" + "    pass\n" * NONE_ABOVE
    assert lengths("x.py", ast.parse(source))[0][0] == NONE_ABOVE + 1
