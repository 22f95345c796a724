"""Whatever changes the world is in actions/: no write, signal or half-made object anywhere else."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.sources import functions, imports, product_modules, report, tree

# The two that actions call: the audit chain and the event record are written in the caller's transaction.
WRITERS = ("network/audit.py", "network/realtime.py")
# Pure parts: they know no database.
WITHOUT_DATABASE = ("messaging/sealed/", "messaging/sdk/")
ALWAYS = {"bulk_create", "bulk_update", "get_or_create", "update_or_create", "_raw_delete"}
SESSION = {"session", "cache", "storage"}
WRITING_SQL = re.compile(r"\s*(insert|update|delete|replace|truncate|drop|alter|create)\b", re.IGNORECASE)
POSITIONAL_MOST = 2  # the actor and what he asks for


def is_action(path: str) -> bool:
    """Tell whether a file belongs to an app's actions."""
    parts = path.split("/")
    return parts[1] == "actions" or parts[1:] == ["actions.py"]


def receiver(call: ast.Attribute) -> str:
    """Return the last name of what a method is called on."""
    match call.value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def is_write(call: ast.Call) -> bool:
    """Tell whether a call writes rows. QuerySet.update takes keywords only, dict.update mostly does not."""
    if not isinstance(call.func, ast.Attribute):
        return False
    verb, on = call.func.attr, receiver(call.func)
    match verb[1:] if verb in {"asave", "acreate", "aupdate", "adelete"} else verb:
        case "create":
            return on in {"objects", ""} or on.endswith("_set")
        case "update":
            return not call.args and bool(call.keywords)
        case "save" | "delete":
            return not call.args and on not in SESSION
        case "execute" | "executemany":
            statement = call.args[0] if call.args else None
            return isinstance(statement, ast.Constant) and bool(WRITING_SQL.match(str(statement.value)))
        case other:
            return other in ALWAYS or other.removeprefix("a") in ALWAYS


def writes(path: str, module: ast.AST) -> Iterator[str]:
    """Give every write of rows."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and is_write(node):
            yield f"{path}:{node.lineno} {ast.unparse(node.func)[-60:]}(…) writes outside actions/"


def signals(path: str, module: ast.AST) -> Iterator[str]:
    """Give every use of Django's signals and of commit=False."""
    for line, name in imports(module):
        if name.startswith(("django.dispatch", "django.db.models.signals", "django.core.signals")):
            yield f"{path}:{line} imports {name}"
    for node in ast.walk(module):
        if isinstance(node, ast.keyword) and node.arg == "commit" and ast.unparse(node.value) == "False":
            yield f"{path}:{node.value.lineno} commit=False"


def undocumented(path: str, module: ast.Module) -> Iterator[str]:
    """Give public actions without a docstring, or with facts that are not named where it is called."""
    for node in module.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield f"{path}:{node.lineno} {node.name} has no docstring"
        positional = [argument.arg for argument in node.args.args]
        if positional[:1] == ["actor"] and len(positional) > POSITIONAL_MOST:
            yield f"{path}:{node.lineno} {node.name}: keyword-only after the actor and the command"


def test_rows_are_written_in_actions_only() -> None:
    paths = [
        path for path in product_modules() if not is_action(path) and not path.startswith(WITHOUT_DATABASE)
    ]
    assert not report(
        problem for path in paths if path not in WRITERS for problem in writes(path, tree(path))
    )


def test_nothing_uses_model_signals() -> None:
    assert not report(problem for path in product_modules() for problem in signals(path, tree(path)))


def test_actions_are_documented_and_name_their_facts() -> None:
    paths = [path for path in product_modules() if is_action(path)]
    assert paths
    assert not report(problem for path in paths for problem in undocumented(path, tree(path)))


def test_models_have_no_save_or_delete_of_their_own() -> None:
    models = [path for path in product_modules() if path.split("/")[1].startswith("models")]
    found = [
        f"{path}:{function.lineno} {function.name}"
        for path in models
        for function in functions(tree(path))
        if function.name in {"save", "delete", "asave", "adelete"}
    ]
    assert not report(found)


@pytest.mark.parametrize(
    "source",
    [
        "thread.save()",
        "Thread.objects.create(kind='case')",
        "Thread.objects.filter(id=1).update(seq=2)",
        "rows.update(seq=2)",
        "Thread.objects.all().delete()",
        "Thread.objects.bulk_create(rows)",
        "await Thread.objects.aget_or_create(id=1)",
        "cursor.execute('UPDATE messaging_thread SET seq = 1')",
    ],
)
def test_a_write_is_recognised(source: str) -> None:
    wrapped = f"async def view(request):\n    {source}"
    assert list(writes("forum/views.py", ast.parse(wrapped)))


@pytest.mark.parametrize(
    "source",
    ["found.update({'a': 1})", "request.session.save()", "cursor.execute('SELECT 1')", "h.update(b'')"],
)
def test_what_writes_no_row_is_not_taken_for_it(source: str) -> None:
    assert not list(writes("forum/views.py", ast.parse(source)))


def test_a_signal_a_half_made_object_and_a_silent_action_are_found() -> None:
    assert list(signals("forum/apps.py", ast.parse("from django.db.models.signals import post_save")))
    assert list(signals("forum/views.py", ast.parse("form.save(commit=False)")))
    assert list(undocumented("forum/actions.py", ast.parse("def hide_post(actor): pass")))
    assert list(undocumented("forum/actions.py", ast.parse("def hide_post(actor, post, reason): 'Hides.'")))
