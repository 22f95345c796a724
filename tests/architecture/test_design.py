"""The design tokens: enough contrast in both schemes, colours nowhere else, and no class without a use."""

import re
from collections.abc import Iterator

import pytest

from tests.architecture.sources import files, matching, report, text

TOKENS = "network/static/network/tokens.css"
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DECLARED = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{6});")
BLOCK = re.compile(r"(:root[^{]*)\{([^}]*)\}")
LITERAL = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|rgba|hsl|hsla|oklch|lab|color)\(")

TEXT, EDGE = 4.5, 3.0
GROUNDS = ("page", "surface", "raised")
SOFT = ("accent-soft", "good-soft", "care-soft", "alarm-soft")
# What stands on what, as the style sheets use it: (front, ground, least contrast).
PAIRS = [
    *((front, ground, TEXT) for front in ("ink", "ink-soft") for ground in (*GROUNDS, *SOFT)),
    *((front, ground, TEXT) for front in ("accent", "accent-hover", "alarm") for ground in (*GROUNDS, *SOFT)),
    *((front, ground, TEXT) for front in ("good", "care") for ground in GROUNDS),
    ("good", "good-soft", TEXT),
    ("good", "accent-soft", TEXT),
    ("care", "care-soft", TEXT),
    ("care", "accent-soft", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    ("on-masthead", "masthead", TEXT),
    ("on-masthead", "masthead-hover", TEXT),
    ("on-masthead-soft", "masthead", TEXT),
    ("on-count", "count", TEXT),
    ("count", "masthead", EDGE),
    ("on-paper", "paper", TEXT),
    *(("line-strong", ground, EDGE) for ground in GROUNDS),
    *(("focus", ground, EDGE) for ground in (*GROUNDS, *SOFT)),
    ("on-masthead", "masthead", EDGE),  # the focus ring there
]
# Lines that divide without being needed to see or use anything.
DECORATION = {"line", "care-line"}


def sheets() -> list[str]:
    """Return the style sheets; those beside the client's bundle are written by hand too."""
    return [path for path in files() if path.endswith(".css")]


def schemes() -> dict[str, dict[str, str]]:
    """Return the colours of each scheme, and of the second copy of the dark one."""
    blocks = {
        head.strip(): dict(DECLARED.findall(body))
        for head, body in BLOCK.findall(COMMENT.sub("", text(TOKENS)))
        if DECLARED.search(body)
    }
    light = blocks[":root"]
    return {
        "light": light,
        "dark": {**light, **blocks[':root:not([data-scheme="light"])']},
        "dark, chosen": {**light, **blocks[':root[data-scheme="dark"]']},
    }


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""

    def part(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (part(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_of_colours_has_enough_contrast(scheme: str) -> None:
    colours = schemes()[scheme]
    found = [
        (contrast(colours[front], colours[ground]), front, ground, least) for front, ground, least in PAIRS
    ]
    assert not report(
        f"{front} on {ground}: {ratio:.2f}, not {least}"
        for ratio, front, ground, least in found
        if ratio < least
    )


def test_every_colour_is_in_a_pair() -> None:
    paired = {name for front, ground, _least in PAIRS for name in (front, ground)}
    assert set(schemes()["light"]) - paired == DECORATION


def test_dark_is_the_same_whether_the_device_or_the_person_says_so() -> None:
    source = text(TOKENS)
    asked, chosen = (
        re.findall(
            r"--[\w-]+:[^;]+;", next(body for head, body in BLOCK.findall(source) if head.strip() == name)
        )
        for name in (':root:not([data-scheme="light"])', ':root[data-scheme="dark"]')
    )
    assert asked == chosen


def test_colours_are_named_in_the_tokens_only() -> None:
    paths = [path for path in sheets() if path != TOKENS]
    assert paths
    assert not report(
        f"{path}:{number} {found[0]}"
        for path in paths
        for number, line in enumerate(COMMENT.sub(_lines, text(path)).splitlines(), 1)
        if (found := LITERAL.search(line))
    )


def test_every_token_is_used_and_every_used_token_exists() -> None:
    defined = set(re.findall(r"(?<![\w(])--([\w-]+):", text(TOKENS)))
    sources = COMMENT.sub("", "".join(text(path) for path in sheets()))
    used = set(re.findall(r"var\(--([\w-]+)", sources))
    assert used - defined == set()
    assert defined - used == set()


def _lines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


CLASS = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")
ATTRIBUTE = re.compile(r"""class="((?:[^"{]|\{%.*?%\}|\{\{.*?\}\})*)\"""")
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)


def styled() -> dict[str, str]:
    """Return the classes of the style sheets, with the sheet."""
    found: dict[str, str] = {}
    for path in sheets():
        plain = re.sub(r"\"[^\"]*\"|\d*\.\d+", "", COMMENT.sub("", text(path)))
        found |= {name: path for rule in re.findall(r"([^{}]+)\{", plain) for name in CLASS.findall(rule)}
    return found


def in_templates() -> Iterator[tuple[str, str]]:
    """Give (class, template) of every class that a template writes down."""
    for path in files():
        if path.endswith(".html") and "/templates/" in path:
            for value in ATTRIBUTE.findall(text(path)):
                yield from ((name, path) for name in TAG.sub(" ", value).split())


def in_scripts() -> set[str]:
    """Return every word in a string of a script or of Python: a class may be given there."""
    paths = [*matching(".ts", below=["messaging/client/src/"]), *matching(".js", below=["network/static/"])]
    paths += [
        path for path in matching(".py", below=["network/", "messaging/"]) if "/migrations/" not in path
    ]
    return {
        word
        for path in paths
        for string in re.findall(r"[\"'`]([^\"'`\n]*)[\"'`]", text(path))
        for word in string.split()
    }


def test_every_class_of_a_template_is_styled() -> None:
    known = styled()
    assert known
    assert not report(f"{path}: {name}" for name, path in in_templates() if name not in known)


def test_no_class_is_styled_that_nothing_has() -> None:
    used = {name for name, _path in in_templates()} | in_scripts()
    assert not report(f"{path}: .{name}" for name, path in styled().items() if name not in used)


def test_contrast_is_what_the_guidelines_compute() -> None:
    assert round(contrast("#ffffff", "#000000"), 2) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


EVERYWHERE = {f"network/static/network/{name}.css" for name in ("base", "frame", "components", "forms")}
SHOWN_ON = "network/templates/network/components.html"


def test_the_component_page_shows_every_class_that_all_pages_share() -> None:
    words = set(re.findall(r"[a-z][\w-]*", text(SHOWN_ON)))
    shared = {name for name, path in styled().items() if path in EVERYWHERE}
    assert shared - words == set()


def test_what_the_component_page_shows_is_used_by_other_pages() -> None:
    elsewhere = {name for name, path in in_templates() if path != SHOWN_ON} | in_scripts()
    assert {name for name, path in in_templates() if path == SHOWN_ON} - elsewhere == set()


PARTS = re.compile(r"""{%\s*(?:include|extends)\s+["']([^"']+)["']""")
LINKED = re.compile(r"""{%\s*static\s+["']([\w/-]+\.css)["']""")


def whole(path: str) -> set[str]:
    """Return a template with everything it extends and includes, as paths."""
    seen, open_ends = set[str](), [path]
    by_name = {file.partition("/templates/")[2]: file for file in files() if "/templates/" in file}
    while open_ends:
        present = open_ends.pop()
        if present not in seen:
            seen.add(present)
            open_ends += [by_name[name] for name in PARTS.findall(text(present)) if name in by_name]
    return seen


def test_every_page_loads_the_style_sheets_of_its_classes() -> None:
    sheets_of: dict[str, set[str]] = {}
    for path in sheets():
        for name in CLASS.findall(re.sub(r"\"[^\"]*\"|\d*\.\d+", "", COMMENT.sub("", text(path)))):
            sheets_of.setdefault(name, set()).add(path.partition("/static/")[2])
    missing = []
    for path in {path for _name, path in in_templates()}:
        parts = whole(path)
        if not any("{% block content %}" in text(part) for part in parts):
            continue
        linked = {sheet for part in parts for sheet in LINKED.findall(text(part))}
        used = {name for name, part in in_templates() if part in parts}
        missing += [f"{path}: {name}" for name in used if name in sheets_of and not sheets_of[name] & linked]
    assert not report(sorted(missing))
