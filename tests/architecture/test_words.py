"""Every word that people read stands in the catalogs: in templates, mails, Python and scripts."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.sources import files, matching, product_modules, report, text, tree
from tests.architecture.test_pages import LETTERS, TAG, TRANSLATED

# What looks like something said: two words or more that begin with a capital, or a whole sentence.
SAID = re.compile(r"^[A-Z][a-z’']*(?: [\w’'“”,;:()%-]+)+[.:…?!]?$|^[A-Z][^\n]*[a-z] [^\n]*[.?!…]$")
MARKS = {
    "_",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "npgettext",
    "label",  # `network.help`: looks a button's words up in the catalogs
}
# Read by whoever runs the server or writes programs, in English, or data and not words of the product.
ELSEWHERE = {
    "/management/": "commands of whoever runs the server",
    "/project/documents/": "documents for programmers",
    "/sdk/": "a library for programmers",
    "/demo/": "programs of the demonstration, which answer in the language they are asked in",
    "messaging/log_key.py": "settings",
    "messaging/sealed/": "the protocol: codes, no sentences",
    "messaging/tools/": "programs for auditors and technical offices, to be run without the server",
    "network/directory/demonstration.py": "what fictional bodies wrote into their entries",
    "network/demo.py": "names of fictional bodies and offices",
    "network/audit_check.py": "a program for auditors, to be run without the server",
    "network/limits.py": "settings",
    "network/project/api.py": "a document for programmers",
    "network/project/production.py": "settings",
    "network/project/serve.py": "settings",
    "network/project/settings.py": "settings",
}
NAMES = {"Mac OS X": "what browsers call themselves"}

# A literal that is shown as it stands: {{ x|default:"None yet" }}, {% include … with title="Words" %}.
LITERAL = re.compile(r"""(?<!_\()(["'])(?P<words>[A-Z][a-z]+(?: [\w’,.:]+)*)\1""")
SHOWING = re.compile(r"{{.*?}}|{%\s*(?:include|with|firstof|cycle)\b.*?%}", re.DOTALL)
# A string of a script, whatever its quotes; comments, imports and thrown faults are nobody's reading.
SCRIPT_TEXT = re.compile(r"""(["'`])(?P<words>[A-Z][a-z’]+ [^"'`\n]*[a-z.?!…])\1""")
SCRIPT_ASIDE = re.compile(
    r"/\*.*?\*/|(?<!:)//[^\n]*|\b(?:Error|warn|error|debug|info)\(.*?\)|^import .*?$",
    re.DOTALL | re.MULTILINE,
)


def called(function: ast.expr) -> str:
    """Return the name by which a function is called."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def unmarked(node: ast.AST) -> Iterator[ast.Constant]:
    """Give the strings below a node that look said and are not marked; documentation is nobody's page."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and called(child.func) in MARKS:
            continue
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            if SAID.match(child.value) and child.value not in NAMES:
                yield child
        else:
            yield from unmarked(child)


def literals(source: str) -> Iterator[str]:
    """Give what a template's tags show as it stands."""
    for tag in SHOWING.finditer(TRANSLATED.sub("", source)):
        yield from (found["words"] for found in LITERAL.finditer(tag[0]))


def mail_words(source: str) -> Iterator[str]:
    """Give the words of a text template outside its translated parts."""
    plain = TAG.sub("", TRANSLATED.sub("", source))
    yield from (line.strip() for line in plain.splitlines() if LETTERS.search(line))


def script_words(source: str) -> Iterator[str]:
    """Give the sentences of a script."""
    yield from (found["words"] for found in SCRIPT_TEXT.finditer(SCRIPT_ASIDE.sub("", source)))


def test_python_says_nothing_outside_the_catalogs() -> None:
    paths = [path for path in product_modules() if not any(part in f"/{path}" for part in ELSEWHERE)]
    assert len(paths) > 50
    assert not report(
        f"{path}:{found.lineno} {found.value!r}" for path in paths for found in unmarked(tree(path))
    )


def test_what_is_left_out_is_there() -> None:
    paths = product_modules()
    assert [part for part in ELSEWHERE if not any(part in f"/{path}" for path in paths)] == []


def test_templates_show_no_literal_of_their_own() -> None:
    paths = [path for path in files() if "/templates/" in path and path.endswith((".html", ".txt"))]
    assert not report(f"{path} {words!r}" for path in paths for words in literals(text(path)))


def test_mails_are_translated_whole() -> None:
    paths = [path for path in files() if "/templates/" in path and path.endswith(".txt")]
    assert paths
    assert not report(f"{path} {words!r}" for path in paths for words in mail_words(text(path)))


def test_scripts_have_no_sentence_of_their_own() -> None:
    paths = [*matching(".ts", below=["messaging/client/src/"]), *matching(".js", below=["network/static/"])]
    paths = [path for path in paths if "/src/sealed/" not in path and "/generated/" not in path]
    assert len(paths) > 20
    assert not report(f"{path} {words!r}" for path in paths for words in script_words(text(path)))


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ('raise Refusal("x", "This cannot be done.")', True),
        ('FIELDS = [Field("name", "Name of the person")]', True),
        ('raise Refusal("x", _("This cannot be done."))', False),
        ('def f():\n    """Return what is asked for."""', False),
        ('x = "network.session.ended"', False),
    ],
)
def test_a_sentence_of_python_is_found(source: str, *, is_found: bool) -> None:
    assert bool(list(unmarked(ast.parse(source)))) == is_found


def test_a_literal_of_a_template_a_mail_or_a_script_is_found() -> None:
    assert list(literals('{{ name|default:"Nobody yet" }}')) == ["Nobody yet"]
    assert list(literals('{% include "a.html" with title="Devices" %}')) == ["Devices"]
    assert not list(
        literals('{% firstof name _("Nobody yet") %}{{ at|date:"Y-m-d" }}{% include "a/b.html" %}')
    )
    assert list(mail_words("{% load i18n %}Dear colleague")) == ["Dear colleague"]
    assert not list(mail_words('{% translate "Dear colleague" %} {{ link }}'))
    assert list(script_words("show('Nothing was found.')")) == ["Nothing was found."]
    assert not list(
        script_words("throw new Error('This is never seen')\n// Say 'No such thing'\ntext('sent')")
    )
