"""Templates, style sheets and the client's sources: strict policy, every text translatable, any direction."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from tests.architecture.sources import files, matching, report, text

LETTERS = re.compile(r"[^\W\d_]{2,}")
SPOKEN_ATTRIBUTES = {
    "alt",
    "title",
    "placeholder",
    "aria-label",
    "aria-description",
    "aria-placeholder",
    "aria-roledescription",
    "aria-valuetext",
    "data-shortcut-label",
    "label",
    "summary",
}
TRANSLATED = re.compile(
    r"{%\s*(blocktranslate|blocktrans)\b.*?{%\s*end\1\s*%}|{%\s*comment\b.*?{%\s*endcomment\s*%}|{#.*?#}",
    re.DOTALL,
)
# A block of attributes for a tag of the parent template is looked at as the attributes of a tag.
ATTRIBUTES = re.compile(r"{%\s*block \w*attributes\s*%}(.*?){%\s*endblock[^%]*%}", re.DOTALL)
TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right)"
    r"|border-(?:top|bottom)-(?:left|right)-radius|border-(?:left|right)-(?:width|style|color)|left|right)\s*:"
    r"|(?:text-align|float|clear|justify-content|justify-items|caption-side)\s*:\s*(?:left|right)\b"
)
FOUR_SIDES = re.compile(r"(?<![\w-])(?:margin|padding|inset)\s*:\s*([^;{}]+)[;}]")
DANGEROUS = re.compile(
    r"\.(?:inner|outer)HTML\s*=[^=]|insertAdjacentHTML|document\.write|\beval\(|new Function\("
    r"|\.style\.\w+\s*=|setAttribute\(\s*['\"](?:style|on\w+)['\"]"
)


class Template(HTMLParser):
    """A template with Django's tags taken out; collects what the policy or the translators cannot have."""

    def __init__(self, path: str, source: str) -> None:
        super().__init__()
        self.path, self.problems = path, list[str]()
        self.not_spoken: list[str] = []
        # Line numbers stay: what is taken out leaves its newlines.
        plain = TRANSLATED.sub(lambda found: "\n" * found[0].count("\n"), source)
        plain = ATTRIBUTES.sub(r"<span \1></span>", plain)
        self.feed(TAG.sub(lambda found: "\n" * found[0].count("\n"), plain))
        self.close()

    def problem(self, what: str) -> None:
        self.problems.append(f"{self.path}:{self.getpos()[0]} {what}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.problem(f"inline <{tag}>")
        for name, value in attrs:
            if name == "style" or name.startswith("on") or (value or "").strip().startswith("javascript:"):
                self.problem(f"inline {name} on <{tag}>")
            if name in SPOKEN_ATTRIBUTES and LETTERS.search(value or ""):
                self.problem(f"{name} is not marked for translation: {value}")
        if LETTERS.search(beside := spoken_beside(tag, given)):
            self.problem(f"<{tag}> is not marked for translation: {beside}")
        if tag not in VOID and (
            self.not_spoken or tag in {"script", "style"} or given.get("translate") == "no"
        ):
            self.not_spoken.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.not_spoken and self.not_spoken[-1] == tag:
            self.not_spoken.pop()

    def handle_data(self, data: str) -> None:
        if not self.not_spoken and LETTERS.search(data):
            self.problem(f"not marked for translation: {' '.join(data.split())[:60]}")


def spoken_beside(tag: str, given: dict[str, str | None]) -> str:
    """Return what a tag shows or tells by an attribute that means something else in other tags."""
    if tag == "input" and given.get("type") in {"submit", "button", "reset"}:
        return given.get("value") or ""
    if tag == "meta" and given.get("name") == "description":
        return given.get("content") or ""
    return ""


def physical_sides(path: str, source: str) -> Iterator[str]:
    """Give declarations that name left or right, which would be wrong in Arabic."""
    plain = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), source, flags=re.DOTALL)
    for number, line in enumerate(plain.splitlines(), 1):
        yield from (f"{path}:{number} {found[0]}" for found in PHYSICAL.finditer(line))
        for found in FOUR_SIDES.finditer(line):
            sides = re.findall(r"(?:[^\s()]|\([^()]*\))+", found[1])
            if len(sides) == 4 and sides[1] != sides[3]:
                yield f"{path}:{number} {found[0]} differs between right and left"


def dangerous_doors(path: str, source: str) -> Iterator[str]:
    """Give what Trusted Types and the content security policy would refuse."""
    for number, line in enumerate(source.splitlines(), 1):
        yield from (f"{path}:{number} {found[0]}" for found in DANGEROUS.finditer(line))


def test_templates_have_no_inline_script_and_translate_every_text() -> None:
    paths = [path for path in files() if path.endswith(".html") and "/templates/" in path]
    assert paths
    assert not report(problem for path in paths for problem in Template(path, text(path)).problems)


def test_style_sheets_use_logical_sides() -> None:
    paths = matching(".css")
    assert paths
    assert not report(problem for path in paths for problem in physical_sides(path, text(path)))


def test_client_opens_no_dangerous_door() -> None:
    paths = [*matching(".ts", below=["messaging/client/src/"]), *matching(".js", below=["network/static/"])]
    assert not report(problem for path in paths for problem in dangerous_doors(path, text(path)))


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<style>a{}</style>",
        '<a style="x">1</a>',
        '<a onclick="x()">1</a>',
        '<a href="javascript:x">1</a>',
        "<p>Hello</p>",
        "{% if a %}Hello{% endif %}",
        "{% block body_attributes %} onload='x()'{% endblock %}",
        '<img alt="Flag" src="">',
        '<p translate="no">S1</p>Hello',
        '<input placeholder="Hello">',
        '<input type="submit" value="Send">',
        '<meta name="description" content="Hello">',
    ],
)
def test_a_bad_template_is_found(source: str) -> None:
    assert Template("x.html", source).problems


@pytest.mark.parametrize(
    "source",
    [
        '<p>{% translate "Hello" %}, {{ name }}: 12</p>',
        "{% blocktranslate trimmed %}Hello <b>all</b>{% endblocktranslate %}",
        '<script src="x.js"></script>',
        '{% block body_attributes %} data-page="threads"{% endblock %}',
        '<img alt="{% translate "Flag" %}" src="">',
        '<code translate="no">keyring</code>',
        '<input type="submit" value="{% translate "Send" %}"><input type="hidden" name="kind" value="note">',
        "{# Hello #}{% comment %}Hello{% endcomment %}",
    ],
)
def test_a_good_template_passes(source: str) -> None:
    assert not Template("x.html", source).problems


@pytest.mark.parametrize(
    "source",
    [
        "a{margin-left:1px}",
        "a{ left: 0 }",
        "a{text-align:right}",
        "a{padding:0 1px 0 2px}",
        "a{border-left:0}",
    ],
)
def test_a_physical_side_is_found(source: str) -> None:
    assert list(physical_sides("x.css", source))


def test_a_logical_side_passes() -> None:
    assert not list(
        physical_sides("x.css", "a{margin-inline-start:1px; inset-inline:0; padding:0 1px 0 1px}")
    )


def test_a_dangerous_door_is_found() -> None:
    assert list(dangerous_doors("x.ts", "node.innerHTML = text"))
    assert not list(dangerous_doors("x.ts", "node.textContent = text"))
