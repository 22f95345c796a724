"""The repository's own files, as the architecture tests read them."""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("network", "messaging", "forum")
GENERATED = ("messaging/static/", "messaging/client/package-lock.json", "deploy/requirements")


@cache
def files() -> tuple[str, ...]:
    """Return the paths git tracks or would track, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(sorted(path for path in set(listed.stdout.split("\0")) if path and (ROOT / path).is_file()))


def matching(*endings: str, below: Iterable[str] = ("",)) -> list[str]:
    """Return the paths with one of the endings below one of the folders, without what is generated."""
    folders = tuple(below)
    return [
        path
        for path in files()
        if path.endswith(endings) and path.startswith(folders) and not path.startswith(GENERATED)
    ]


@cache
def text(path: str) -> str:
    """Return a file's content."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree(path: str) -> ast.Module:
    """Return a Python file's syntax tree."""
    return ast.parse(text(path), path)


def product_modules() -> list[str]:
    """Return the Python files of the three apps, without migrations."""
    folders = [f"{app}/" for app in APPS]
    return [path for path in matching(".py", below=folders) if "/migrations/" not in path]


def imports(module: ast.AST) -> Iterator[tuple[int, str]]:
    """Give (line, dotted name) of every import; `from a import b` gives a.b."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module or '.'}.{alias.name}") for alias in node.names)


def functions(module: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give every function and method."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def report(problems: Iterable[str]) -> str:
    """Return problems one a line; empty when there are none."""
    return "\n".join(problems)
