"""What stands in the repository at all: folders, names, unwanted words, reasons for dependencies."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator

import pytest

from tests.architecture.sources import APPS, GENERATED, ROOT, files, imports, matching, report, text, tree

TOP_LEVEL = {
    "network", "forum", "messaging", "deploy", "tests", "manage.py", "pyproject.toml", "README.md",
    "LICENSE", "SECURITY.md", "CHANGELOG.md",
}  # fmt: skip
BINARY = (".mo", ".png", ".woff2", ".ico", ".gz", ".br", ".jpg", ".webp")
# This file gives bad examples of what it forbids.
HERE = "tests/architecture/test_repository.py"
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b|NotImplementedError")
REGISTRY = re.compile(r"https?://[^/\s\"']*(pypi|pythonhosted|npmjs|yarnpkg|debian\.org)", re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.:/])/(root|work|home/\w+|Users/\w+|opt/\w+)/(?!\.\.\.)")
SKIPPED = re.compile(r"pytest\.(skip|xfail|importorskip)|mark\.(skip|skipif|xfail)\b|\.skip\(")
MIGRATION = re.compile(r"\d{4}_(initial|[a-z]+(_[a-z0-9]+)+)$")


def words_that_do_not_belong(path: str, content: str) -> Iterator[str]:
    """Give work left undone, registry hosts and paths of one machine."""
    for number, line in enumerate(content.splitlines(), 1):
        for pattern, what in (
            (UNFINISHED, "unfinished"),
            (REGISTRY, "registry host"),
            (MACHINE, "machine path"),
        ):
            if found := pattern.search(line):
                yield f"{path}:{number} {what}: {found[0]}"


def problems_of_migration(path: str, module: ast.AST) -> Iterator[str]:
    """Give names that describe nothing, and imports of the application, which will have changed by then."""
    name = path.rpartition("/")[2].removesuffix(".py")
    if not MIGRATION.match(name) or "_auto_" in name:
        yield f"{path}: its name does not say what it does"
    for line, imported in imports(module):
        if imported.partition(".")[0] in APPS:
            yield f"{path}:{line} imports {imported}"


def declared_dependencies() -> set[str]:
    """Return every direct dependency, Python's and the client's, without extras and versions."""
    project = tomllib.loads(text("pyproject.toml"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    client = json.loads(text("messaging/client/package.json"))
    python = {re.split(r"[\[<>=~! ]", entry)[0] for group in groups for entry in group}
    return python | set(client.get("dependencies", {})) | set(client.get("devDependencies", {}))


def test_top_level_is_what_was_agreed() -> None:
    present = {path.partition("/")[0] for path in files()}
    assert {name for name in present if not name.startswith(".")} <= TOP_LEVEL


def test_each_app_says_what_it_owns() -> None:
    assert not [app for app in APPS if f"{app}/README.md" not in files()]


def test_package_files_are_empty_or_one_docstring() -> None:
    # Django looks for models and routes in the package itself.
    gathered = ("/models/__init__.py", "/urls/__init__.py")
    packages = [path for path in matching("__init__.py") if not path.endswith(gathered)]
    found = [path for path in packages if len(tree(path).body) > 1]
    assert not report(found)


def test_no_words_that_do_not_belong() -> None:
    paths = [path for path in files() if not path.endswith(BINARY) and path != HERE]
    paths = [path for path in paths if not path.startswith(GENERATED[0])]
    assert not report(problem for path in paths for problem in words_that_do_not_belong(path, text(path)))


def test_no_test_is_skipped_or_excused() -> None:
    paths = [path for path in matching(".py", ".ts", below=["tests/", "messaging/client/"]) if path != HERE]
    assert not report(path for path in paths if SKIPPED.search(text(path)))


def test_migrations_say_what_they_do() -> None:
    paths = [path for path in matching(".py") if "/migrations/" in path and not path.endswith("__init__.py")]
    assert not report(problem for path in paths for problem in problems_of_migration(path, tree(path)))


def test_each_dependency_has_its_reason() -> None:
    rows = [line for line in text("deploy/DEPENDENCIES.md").splitlines() if line.startswith("| `")]
    explained = {line.split("`")[1] for line in rows}
    assert declared_dependencies() == explained
    assert all(len(line.split("|")[-2].strip()) > 10 for line in rows)


def test_few_direct_dependencies_at_run_time() -> None:
    assert len(tomllib.loads(text("pyproject.toml"))["project"]["dependencies"]) <= 25


def test_locks_name_no_host_and_hash_everything() -> None:
    for path in sorted((ROOT / "deploy").glob("requirements*.txt")):
        content = path.read_text()
        pins = re.findall(r"^\S+==\S+", content, re.MULTILINE)
        assert pins
        assert "://" not in content
        assert content.count("==") - content.count("'=='") >= len(pins)
        assert content.count("--hash=sha256:") >= len(pins)


def test_client_lock_names_no_host() -> None:
    lock = json.loads(text("messaging/client/package-lock.json"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


@pytest.mark.parametrize(
    "line", ["# TODO later", "raise NotImplementedError", "https://registry.npmjs.org/x", "/root/.cache"]
)
def test_a_word_that_does_not_belong_is_found(line: str) -> None:
    assert list(words_that_do_not_belong("x.py", line))


def test_a_nameless_migration_is_found() -> None:
    assert list(problems_of_migration("forum/migrations/0002_auto_20261101.py", ast.parse("")))
    assert list(
        problems_of_migration("forum/migrations/0002_x.py", ast.parse("from forum.models import Post"))
    )
