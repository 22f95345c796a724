"""Message catalogs with Babel, so that no gettext programs are needed.

`python -m deploy.catalogs update`   collects the texts of Python and templates into every .po, then compiles
`python -m deploy.catalogs compile`  writes each .mo from its .po
`python -m deploy.catalogs check`    fails when a .po lacks a text or has one that no source says, when one is
                                     missing, fuzzy, English or without what it must keep of the English text
                                     (`deploy.catalog_rules`), and when a .mo is not its .po
"""

import io
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from deploy.catalog_rules import SAME_AS_ENGLISH, problems_of_catalog, shared

ROOT = Path(__file__).resolve().parent.parent
APPS = ("network", "messaging", "forum")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def sources(app: str) -> Iterator[tuple[str, str]]:
    """Give (path, Python source) of an app; templates as Django rewrites them for extraction."""
    for path in sorted((ROOT / app).rglob("*.py")):
        if not {"migrations", "node_modules"} & set(path.parts):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / app).rglob("templates/**/*")):
        if path.suffix in {".html", ".txt"}:
            name = path.relative_to(ROOT).as_posix()
            yield name, templatize(path.read_text(encoding="utf-8"), origin=name)


@cache
def collect(app: str) -> Catalog:
    """Return a catalog of every marked text of an app."""
    catalog = Catalog(project="central-authorities-network", charset="utf-8")
    for name, source in sources(app):
        stream = io.BytesIO(source.encode())
        found = extract("python", stream, KEYWORDS, ["Translators:"], {"encoding": "utf-8"})
        for _line, message, comments, context in found:
            # No line numbers: a moved line would otherwise change every catalog.
            catalog.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    return catalog


def catalogs(app: str) -> list[Path]:
    """Return the .po files of an app."""
    return sorted((ROOT / app).glob("locale/*/LC_MESSAGES/django.po"))


def read(path: Path) -> Catalog:
    """Return a .po file as it stands."""
    return read_po(io.BytesIO(path.read_bytes()), locale=path.parent.parent.name.replace("-", "_"))


def compiled(path: Path) -> bytes:
    """Return the .mo of a .po; Babel leaves out what is fuzzy or empty, so English is shown there."""
    output = io.BytesIO()
    write_mo(output, read(path))
    return output.getvalue()


def update() -> None:
    """Merge the texts of the sources into every catalog."""
    for app in APPS:
        template = collect(app)
        for path in catalogs(app):
            catalog = read(path)
            catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
            output = io.BytesIO()
            write_po(output, catalog, width=110, include_lineno=False, ignore_obsolete=True, sort_output=True)
            path.write_bytes(output.getvalue())


def write_compiled() -> None:
    """Write each .mo from its .po."""
    for app in APPS:
        for path in catalogs(app):
            path.with_suffix(".mo").write_bytes(compiled(path))


def language(path: Path) -> str:
    """Return the language of a .po file, as gettext spells it."""
    return path.parent.parent.name


def check() -> list[str]:
    """Return what is wrong, one sentence each."""
    found = [problem for app in APPS for path in catalogs(app) for problem in _problems(app, path)]
    every = ((language(path), read(path)) for app in APPS for path in catalogs(app))
    same = set().union(*(shared(lang, catalog) for lang, catalog in every))
    return [
        *found,
        *(f"{entry!r} is listed as English and is not" for entry in SAME_AS_ENGLISH.keys() - same),
    ]


def _problems(app: str, path: Path) -> Iterator[str]:
    name, catalog, template = path.relative_to(ROOT), read(path), collect(app)
    for message in template:
        if message.id and catalog.get(message.id, message.context) is None:
            yield f"{name} lacks {message.id!r}: python -m deploy.catalogs update"
    there = {(message.id, message.context) for message in template}
    for message in catalog:
        if message.id and (message.id, message.context) not in there:
            yield f"{name} has {message.id!r}, which no source says: python -m deploy.catalogs update"
    yield from (f"{name}: {problem}" for problem in problems_of_catalog(language(path), catalog))
    binary = path.with_suffix(".mo")
    if not binary.exists() or binary.read_bytes() != compiled(path):
        yield f"{binary.relative_to(ROOT)} is not {name} compiled: python -m deploy.catalogs compile"


def main(arguments: list[str]) -> int:
    """Run one of the three commands."""
    if arguments == ["update"]:
        update()
        write_compiled()
    elif arguments == ["compile"]:
        write_compiled()
    elif arguments == ["check"]:
        problems = check()
        print("\n".join(problems))
        return 1 if problems else 0
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
