"""Each app names its rights in one list: a StrEnum of noun:verb, alphabetical."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.sources import product_modules, report, tree

RIGHT = re.compile(r"[a-z]+(-[a-z]+)*:[a-z]+(-[a-z]+)*")
GOOD = "from enum import StrEnum\nclass Permission(StrEnum):\n    'Rights.'\n    {}"


def problems(path: str, module: ast.Module) -> Iterator[str]:
    """Give what keeps a module from being one StrEnum of rights in order."""
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    bases = [ast.unparse(base) for node in classes for base in node.bases]
    if bases != ["StrEnum"]:
        yield f"{path}: exactly one StrEnum, not {bases}"
        return
    rights: list[str] = []
    for node in classes[0].body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            name, right = ast.unparse(node.targets[0]), str(node.value.value)
            rights.append(right)
            if not RIGHT.fullmatch(right):
                yield f"{path}:{node.lineno} {right} is not noun:verb"
            if name != re.sub(r"[:-]", "_", right).upper():
                yield f"{path}:{node.lineno} {name} does not spell {right}"
    if rights != sorted(set(rights)):
        yield f"{path}: not alphabetical, or one is there twice"
    if not rights:
        yield f"{path}: empty"


def test_rights_are_one_alphabetical_list_of_noun_and_verb() -> None:
    paths = [path for path in product_modules() if path.endswith("/permissions.py")]
    assert paths
    assert not report(problem for path in paths for problem in problems(path, tree(path)))


@pytest.mark.parametrize(
    "body",
    [
        "POST_WRITE = 'post:write'\n    POST_HIDE = 'post:hide'",
        "POST = 'post'",
        "WRITE = 'post:write'",
        "POST_WRITE = 'post:write'\n    POST_WRITE = 'post:write'",
    ],
)
def test_a_list_out_of_order_is_found(body: str) -> None:
    assert list(problems("forum/permissions.py", ast.parse(GOOD.format(body))))


def test_a_list_that_is_no_str_enum_is_found() -> None:
    assert list(problems("forum/permissions.py", ast.parse("POST_WRITE = 'post:write'")))
